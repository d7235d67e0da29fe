# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""trial - ccdm-image run, with a firmware of a few bytes that prints a text and ends the machine

What tests/boot/78-run.py does with a whole boot takes minutes; these machines end at once.
"""
import os
import pwd
import shutil
import signal
import socket
import stat
import struct
import subprocess
import time

import firmware as F
from broker import BIN

USER = "nobody"     # an ordinary user
PM, CNT = 0x600, 0x604
PATIENCE = 60


def port(number, value, width=1):
    """out NUMBER, VALUE in real mode; width: bytes of the value."""
    mov, out = {1: (b"\xb0", b"\xee"), 2: (b"\xb8", b"\xef"), 4: (b"\x66\xb8", b"\x66\xef")}[width]
    return b"\xba" + struct.pack("<H", number) + mov + value.to_bytes(width, "little") + out


def config(register, value, width):
    """The PCI configuration of ICH9's LPC bridge."""
    return port(0xcf8, 0x8000f800 | register, 4) + port(0xcfc, value, width)


ENDS = {
    # PMBASE and ACPI_CNTL of ICH9, then SLP_EN (ACPI, 4.8.3.2)
    "off": config(0x40, PM | 1, 4) + config(0x44, 0x80, 1) + port(CNT, 0x2000, 2),
    "panic": port(0x505, 1),    # pvpanic
    "hang": b"",
}


def rom(path, text, end):
    """A firmware that prints a text on the first serial port."""
    code = b"\xbe\x00\x10\x2e\xac\x84\xc0\x74\x06\xba\xf8\x03\xee\xeb\xf4" + ENDS[end] + b"\xf4\xeb\xfd"
    data = bytearray(65536)
    data[:len(code)] = code
    data[0x1000:0x1000 + len(text) + 1] = text.encode() + b"\0"
    data[0xfff0:0xfff3] = b"\xe9\x0d\0"     # the first instruction: jmp 0
    with open(path, "wb") as f:
        f.write(data)
    return path


class Trial:
    """Runs the verb as an ordinary user, with a folder for what it leaves behind."""

    def __init__(self, tmp, ok):
        self.ok, self.dir = ok, os.path.join(tmp, "trial")
        os.mkdir(self.dir)
        self.left = os.path.join(self.dir, "left")
        self.home = os.path.join(self.dir, "home")
        for path in (self.left, self.home):
            os.mkdir(path)
            os.chmod(path, 0o777)
        os.chmod(tmp, 0o755)
        self.disk = F.disk(os.path.join(self.dir, "disk.img"), F.uki())
        self.env = dict(os.environ, TMPDIR=self.left, HOME=self.home)
        self.env.pop("XDG_DATA_HOME", None)

    def start(self, *words, env=None, **kw):
        group = str(pwd.getpwnam(USER).pw_gid)
        user = [] if os.geteuid() else [shutil.which("setpriv"), "--reuid", USER, "--regid", group, "--clear-groups"]
        return subprocess.Popen([*user, BIN + "/ccdm-image", "run", *words], env=env or self.env, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kw)

    def run(self, *words, **kw):
        p = self.start(*words, **kw)
        out, err = p.communicate(timeout=PATIENCE)
        return p.returncode, out, err

    def rom(self, text, end):
        return rom(os.path.join(self.dir, "rom"), text, end)

    def clean(self, what):
        left = os.listdir(self.left)
        self.ok(not left, what + ": no file is left behind", left)


def children(pid):
    """Processes below this one, with their names."""
    found = {}
    for p in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % p) as f:
                name, rest = f.read().split("(", 1)[1].rsplit(")", 1)
        except OSError:
            continue
        found[int(p)] = (name, int(rest.split()[1]))
    below, more = {}, {pid}
    while more:
        more = {p for p, (_, parent) in found.items() if parent in more}
        below.update({p: found[p][0] for p in more})
    return below


def alive(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def ended(pids):
    """Wait until the processes have ended. Return: those that have not."""
    end = time.monotonic() + PATIENCE
    while any(map(alive, pids)) and time.monotonic() < end:
        time.sleep(0.02)
    return [p for p in pids if alive(p)]


# ---- how a machine ends ----

OUTCOMES = (
    # what, printed on the console, how it ends, exit code, words of standard error
    ("power off", "hello\r\n", "off", 0, "the VM powered off\n"),
    ("the end of a workload", "ccdm: workload ended: exit 3\n", "off", 0, "the VM powered off; its workload ended: exit 3\n"),
    ("a code of ccdm", "[ 1.0] ccdm: CCDM-E-BASE-03: the base is wrong\n", "off", 7,
     "the VM ended its boot: CCDM-E-BASE-03: the base is wrong\n"),
    ("a panic", "Kernel panic - not syncing: VFS: no root\n", "panic", 4, "the VM's kernel panicked: VFS: no root\n"),
    ("a panic that says nothing", "x", "panic", 4, "the VM's kernel panicked; its console does not say why\n"),
    ("a panic without pvpanic", "Kernel panic - not syncing: A\n", "hang", 4, "the VM's kernel panicked: A\n"),
    ("tampering", "[ 9.0] ccdm: ccdm-root: tamper: mac level 0 index 5\nKernel panic - not syncing: ccdm\n", "panic", 6,
     "the VM found tampering: ccdm-root: tamper: mac level 0 index 5\n"),
    ("nothing to boot", "\33[1mUEFI Interactive Shell v2.2\r\n", "hang", 1, "the firmware found nothing to boot"),
)


def outcomes(t):
    for what, text, end, code, words in OUTCOMES:
        rc, out, err = t.run(t.disk, "--firmware", t.rom(text, end))
        t.ok(rc == code and words in err, "run: %s: %d, %s" % (what, code, words.strip()), (rc, out, err))
        plain = text.replace("\33[1m", "").replace("\r", "")
        t.ok(out == plain, "run: %s: its console is standard output" % what, (out, plain))
    t.clean("run")
    for words in ("This is a try. It protects nothing", "emulated by swtpm", "not encrypted", "stays as it is"):
        t.ok(words.lower() in err.lower(), "run says: " + words, err)


def stopped(t):
    """Signals, and the death of ccdm-image itself."""
    for name, how, code in (("SIGINT", signal.SIGINT, 1), ("SIGTERM", signal.SIGTERM, 1), ("SIGKILL", signal.SIGKILL, -9)):
        p = t.start(t.disk, "--firmware", t.rom("it runs\n", "hang"))
        line = p.stdout.readline()
        below = children(p.pid)
        t.ok(line == "it runs\n" and {"qemu-system-x86", "swtpm"} <= set(below.values()), name + ": the machine runs", (line, below))
        p.send_signal(how)
        out, err = p.communicate(timeout=PATIENCE)
        t.ok(p.returncode == code and (how == signal.SIGKILL or "interrupted" in err), "%s: %d" % (name, code), (p.returncode, err))
        left = ended(below)
        t.ok(not left, name + ": no process is left behind", [(p, below[p]) for p in left])
        if how != signal.SIGKILL:
            t.clean(name)
    for path in os.listdir(t.left):
        shutil.rmtree(os.path.join(t.left, path))


def writes(t):
    """A disk without write permission is enough, and --keep needs one."""
    os.chmod(t.disk, 0o444)
    rom_off = t.rom("", "off")
    rc, _, err = t.run(t.disk, "--firmware", rom_off)
    t.ok(rc == 0, "run: a disk that only can be read", err)
    rc, _, err = t.run(t.disk, "--firmware", rom_off, "--keep")
    t.ok(rc == 4 and "disk.img" in err and "Permission denied" in err, "run --keep: needs write permission", (rc, err))
    os.chmod(t.disk, 0o666)
    rc, _, err = t.run(t.disk, "--firmware", rom_off, "--keep")
    t.ok(rc == 0 and "the VM changes it" in err, "run --keep says that the disk changes", (rc, err))
    name = shutil.copy(t.disk, os.path.join(t.dir, "a,b:c.img"))
    rc, _, err = t.run(name, "--firmware", rom_off)
    t.ok(rc == 0, "run: a disk with a comma and a colon in its name", err)


def forwards(t):
    """The port of this machine is there while the machine runs, on the loopback alone."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        number = s.getsockname()[1]
        rc, _, err = t.run(t.disk, "--firmware", t.rom("", "hang"), "--forward", "%d:80" % number)
        t.ok(rc == 4 and "host forwarding" in err, "run --forward: a port that is in use", (rc, err))
    p = t.start(t.disk, "--firmware", t.rom("it runs\n", "hang"), "--forward", "%d:80" % number)
    p.stdout.readline()
    socket.create_connection(("127.0.0.1", number)).close()
    with open("/proc/net/tcp") as f:
        listening = [x.split()[1] for x in f if x.split()[3] == "0A"]
    t.ok("0100007F:%04X" % number in listening, "run --forward: the loopback alone", listening)
    p.terminate()
    p.communicate()


# ---- bad input ----

def usage(t):
    for words, text in ((["--memory", "10"], "--memory: invalid value '10'"), (["--memory", "x"], "invalid"),
                        (["--cpus", "0"], "invalid"), (["--cpus", "2x"], "invalid"), (["--forward", "0:1"], "invalid"),
                        (["--forward", "80"], "--forward: invalid value '80'"), (["--forward", "1:65536"], "invalid"),
                        (["--secret", "a"], "--secret: invalid value 'a'"),
                        (["--secret", "a=b"], "--secret and --policy need --broker-here"), (["--policy", "x"], "need --broker-here")):
        rc, out, err = t.run(t.disk, *words)
        t.ok(rc == 1 and text in err and not out, "run %s: %s" % (" ".join(words), text), (rc, err))
    rc, _, err = t.run()
    t.ok(rc == 1 and "expected a disk" in err, "run: expected a disk", err)
    for name, data, code, text in (("none", None, 4, "No such file"), ("gz", b"\x1f\x8b" + bytes(600), 1, "unpack it first: tar -xzf"),
                                   ("uki", F.uki(), 1, "expected a disk, found a UKI alone")):
        path = os.path.join(t.dir, name)
        if data:
            with open(path, "wb") as f:
                f.write(data)
        rc, _, err = t.run(path)
        t.ok(rc == code and text in err, "run %s: %s" % (name, text), (rc, err))
    rc, _, err = t.run(t.dir)
    t.ok(rc == 1 and "expected a file or a block device" in err, "run: a folder", err)
    rc, _, err = t.run(t.disk, "--firmware", "/nosuch")
    t.ok(rc == 4 and "/nosuch" in err, "run: no such firmware", err)
    rc, _, err = t.run(t.disk, env=dict(t.env, TMPDIR="/" + "x" * 60))
    t.ok(rc == 1 and "TMPDIR: expected at most" in err, "run: a long TMPDIR", err)
    t.clean("run with bad input")


def missing(t):
    """A program that is not there is named, with its package."""
    path = os.path.join(t.dir, "bin")
    for name, package in (("qemu-system-x86_64", "qemu-system-x86"), ("swtpm", "swtpm")):
        shutil.rmtree(path, ignore_errors=True)
        os.mkdir(path)
        for other in {"qemu-system-x86_64", "swtpm"} - {name}:
            os.symlink(shutil.which(other), os.path.join(path, other))
        rc, _, err = t.run(t.disk, "--firmware", t.rom("", "off"), env=dict(t.env, PATH=path))
        t.ok(rc == 4 and name + ": no such program in PATH" in err and "install the package " + package in err,
             "run without %s names it and its package" % name, (rc, err))
    t.clean("run without a program")


# ---- a broker ----

def attesting(t, ca, url="https://10.0.2.2:18443", name="attest.img"):
    """A disk whose ccdm.conf attests."""
    known = "ca = /etc/ccdm/ca.pem" if ca else "pin = " + 64 * "a"
    conf = F.CONF + "[attest]\nbroker = %s\n%s\n[secrets]\nweb.key = default/web/key\n" % (url, known)
    more = {"etc": None, "etc/ccdm": None, "etc/ccdm/ca.pem": ca} if ca else None
    path = F.disk(os.path.join(t.dir, name), F.uki(ird=F.initrd(conf, more=more)))
    os.chmod(path, 0o644)
    return path


def brokers(t):
    rc, out, err = t.run("--broker-here")
    home = os.path.join(t.home, ".local/share/ccdm/broker-here")
    t.ok(rc == 0 and out == "--broker https://10.0.2.2:18443 --ca %s/ca.pem\n" % home,
         "run --broker-here: options of build", (rc, out, err))
    keys = [os.path.join(home, x) for x in ("server.key", "token.key", "secrets.key", "ca.key")]
    t.ok(all(stat.S_IMODE(os.stat(x).st_mode) == 0o600 for x in keys),
         "run --broker-here: nobody else can read its keys")
    with open(home + "/ca.pem", "rb") as f:
        ca = f.read()
    hint = "build it with --broker https://10.0.2.2:18443 --ca %s/ca.pem" % home
    for what, path, words in (("no broker", t.disk, "the image attests to no broker"),
                              ("another address", attesting(t, ca, "https://b.example:8080", "address.img"),
                               "the image attests to https://b.example:8080"),
                              ("another CA", attesting(t, ca + b"\n", name="ca.img"), "the image has the CA of another broker"),
                              ("no CA", attesting(t, None, name="pin.img"), "the image names no CA")):
        rc, _, err = t.run(path, "--broker-here", "--firmware", t.rom("", "off"))
        t.ok(rc == 1 and words in err and hint in err, "run --broker-here: %s: the options of build" % what, (rc, err))
    disk = attesting(t, ca)
    key = os.path.join(t.dir, "key")
    with open(key, "w") as f:
        f.write("the secret\n")
    rc, _, err = t.run(disk, "--broker-here", "--firmware", t.rom("", "off"))
    t.ok(rc == 1 and "give --secret default/web/key=FILE" in err, "run --broker-here: a secret without a value", (rc, err))
    secret = ("--secret", "default/web/key=" + key)
    rc, _, err = t.run(disk, "--broker-here", *secret, "--firmware", t.rom("x\n", "off"))
    t.ok(rc == 0 and "it trusts this TPM" in err, "run --broker-here: it starts, and ends with the machine", (rc, err))
    rc, _, err = t.run(disk, "--broker-here", *secret, "--firmware", t.rom("ccdm: CCDM-E-ATTEST-03: refused\n", "off"))
    t.ok(rc == 7 and "the end of the broker's log" in err and "default/web/key" in err,
         "run --broker-here: a refused guest: the broker's log", (rc, err))
    p = t.start(disk, "--broker-here", *secret, "--firmware", t.rom("it runs\n", "hang"))
    p.stdout.readline()
    below = children(p.pid)
    daemon = next(p for p, name in below.items() if name == "ccdm-brokerd")
    with open("/proc/%d/cmdline" % daemon) as f:
        t.ok("the secret" not in f.read(), "the daemon runs, with no secret in its arguments")
    p.send_signal(signal.SIGINT)
    p.communicate()
    t.ok(not ended(below), "run --broker-here: SIGINT: no process is left behind", below)
    t.clean("run --broker-here")


def run(tmp, ok):
    t = Trial(tmp, ok)
    usage(t)
    missing(t)
    outcomes(t)
    stopped(t)
    writes(t)
    forwards(t)
    brokers(t)
