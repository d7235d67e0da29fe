# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# forms: long
"""ccdm-image run boots a disk for an ordinary user: what it prints, exit codes, and nothing stays behind.

tests/program/image/trial.py tests the verb with a firmware of a few bytes.
"""
import hashlib
import os
import pwd
import shutil
import signal
import subprocess

from vm import PATIENCE, TOP

USER = "nobody"
BOOT = 600 * PATIENCE   # seconds of a whole boot


def digest(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


class Runner:
    """Runs the verb as an ordinary user."""

    def __init__(self, t):
        self.t = t
        self.left, home = os.path.join(t.dir, "left"), os.path.join(t.dir, "home")
        for path in (self.left, home):
            os.makedirs(path)
            os.chmod(path, 0o777)
        os.chmod(t.dir, 0o755)
        self.env = dict(os.environ, TMPDIR=self.left, HOME=home)

    def start(self, disk):
        group = str(pwd.getpwnam(USER).pw_gid)
        return subprocess.Popen([shutil.which("setpriv"), "--reuid", USER, "--regid", group, "--clear-groups",
                                 os.path.join(TOP, "build/bin/ccdm-image"), "run", disk, "--memory", "1G"], env=self.env,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, disk):
        p = self.start(disk)
        out, err = p.communicate(timeout=BOOT)
        return p.returncode, out, err

    def clean(self, what):
        left = os.listdir(self.left)
        running = subprocess.run(["pgrep", "-u", USER, "-f", self.left], stdout=subprocess.PIPE, text=True).stdout.split()
        self.t.ok(not left and not running, what + ": no file and no process is left behind", (left, running))


def run(t):
    r = Runner(t)
    disk = t.image("run.img")
    before = digest(disk)
    # (the agent of the tests finds no port, and powers off)
    rc, out, err = r.run(disk)
    t.ok(rc == 0 and "the VM powered off" in err, "a disk boots for an ordinary user: 0", (rc, out[-1500:], err))
    t.ok("Reached target" in out and "reboot: Power down" in out, "the console is standard output", out[-2000:])
    t.ok("\33" not in out, "without escape sequences")
    t.ok("It protects nothing" in err and "emulated by swtpm" in err, "it says that a try protects nothing", err)
    t.ok(digest(disk) == before, "the disk is as before")
    r.clean("a whole boot")

    rc, out, err = r.run(t.image("line.img", CMDLINE="console=ttyS0 quiet"))
    t.ok(rc == 7 and "the VM ended its boot: CCDM-E-FENCE-01" in err, "another command line: 7, and the code", (rc, out[-1500:], err))
    r.clean("a boot that ended")

    p = r.start(disk)
    said = ""
    while "Linux version" not in said and "EFI stub" not in said:
        line = p.stdout.readline()
        if not line:
            break
        said += line
    p.send_signal(signal.SIGINT)
    _, err = p.communicate(timeout=BOOT)
    t.ok(p.returncode == 1 and "interrupted" in err, "SIGINT in a boot: 1", (p.returncode, said[-1000:], err))
    t.ok(digest(disk) == before, "SIGINT: the disk is as before")
    r.clean("SIGINT")
