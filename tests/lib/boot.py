# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""boot - a machine that boots a disk with firmware and a TPM, as its host sees it"""
import base64
import configparser
import fcntl
import functools
import json
import mmap
import os
import re
import shutil
import signal
import subprocess
import threading
import time

import tpm as T
from vm import PATIENCE, TOP, MiB, Machine, Stopped

CODE = re.compile(r"ccdm: (CCDM-E-[A-Z]+-\d\d): (.*)")
HELD = {}       # open folders, whose locks end with this process
BASE_UUID = "11111111-1111-4111-8111-111111111111"
GPT_SCRATCH = "6f1ac5ee-08c4-4f0b-8d5b-3a3dcc9be1d7"
GPT_SWAP = "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F"
GPT_HOME = "933AC7E1-2EB4-4F13-B844-0E14E2AEF915"
# systemd's generators that act on input from the host
MASKED = ("debug", "factory-reset", "gpt-auto", "hibernate-resume", "run", "ssh", "system-update")
SAID = "THE-HOST-RUNS-IN-HERE"      # printed on the console by programs of the host
# typed at the console: a shell that reads it prints SAID
TYPED = "echo THE-HOST-RUNS-IN-HE\\RE > /dev/ttyS0"


def image_script(*args, **env):
    out = subprocess.run([os.path.join(TOP, "scripts/image"), *args], check=True, stdout=subprocess.PIPE,
                         env=dict(os.environ, **env))
    return out.stdout.decode().strip().split("\n")[-1]


@functools.lru_cache(maxsize=None)
def parts(suite):
    """Return the folder of base, hash tree, kernel, initrd and stub (scripts/image). While this process runs, it stays."""
    path = image_script("parts", suite)
    fcntl.flock(HELD.setdefault(path, os.open(path, os.O_RDONLY | os.O_DIRECTORY)), fcntl.LOCK_SH)
    return path


def sandbox(suite, script):
    """Run a script in a discarded copy of the base's tree. Return: exit status and output."""
    p = subprocess.run([os.path.join(TOP, "scripts/image"), "sh", suite, script], stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    return p.returncode, p.stdout.decode(errors="replace")


def make_disk(suite, path, **env):
    image_script("disk", suite, path, **env)


def part(path, number):
    """Start and size of a partition of a disk image, in bytes."""
    out = subprocess.run(["sfdisk", "--json", path], check=True, stdout=subprocess.PIPE).stdout
    p = json.loads(out)["partitiontable"]["partitions"][number - 1]
    return p["start"] * 512, p["size"] * 512


def add_part(path, mib, kind, content=None, uuid=None):
    """Add a partition to a disk image, which may be new. content: a file with its content."""
    new = not os.path.exists(path)
    number = 1
    if not new:
        out = subprocess.run(["sfdisk", "--json", path], check=True, stdout=subprocess.PIPE).stdout
        number = len(json.loads(out)["partitiontable"]["partitions"]) + 1
    with open(path, "ab") as f:
        f.truncate(f.seek(0, os.SEEK_END) + (mib + 2) * MiB)
    line = "%s\ntype=%s, size=%dM%s\n" % ("label: gpt" if new else "", kind, mib, ", uuid=" + uuid if uuid else "")
    if not new:     # the second header moves to the new end
        subprocess.run(["sfdisk", "-q", "--relocate", "gpt-bak-std", path], check=True, stderr=subprocess.DEVNULL)
    subprocess.run(["sfdisk", "-q", path] + ([] if new else ["--append"]), check=True, input=line.encode(),
                   stderr=subprocess.DEVNULL)
    if content:
        subprocess.run(["dd", "if=" + content, "of=" + path, "bs=1M", "conv=notrunc,sparse", "status=none",
                        "seek=%d" % (part(path, number)[0] // MiB)], check=True)
    return path


class Boot(Machine):
    """OVMF, swtpm, one vCPU. Entering it waits for the result of the boot: self.outcome is
    "up" (the agent answers), "off" (powered off), "reset", "panic", or "hangs".

    disks: paths, or pairs of a path and options of the device. firmware: a file with its variables,
    which is kept; bootindex: the firmware boots the first disk without looking at variables. typed: text
    that the host types at the console repeatedly during the boot. direct: (kernel, initrd, command
    line), without firmware. tpm: True; a function of tpm.py: a TPM with this fault; a
    path: a TPM whose state is kept there. unplugged: a network device without a link. ovmf: the folder of
    another firmware. secure: Secure Boot, with Debian's snakeoil key in the database. patience:
    factor for all time limits.
    """

    def __init__(self, disks, mem=1024, tpm=True, args=(), log=None, firmware=None, bootindex=True,
                 typed=None, direct=None, limit=480, unplugged=None, patience=1, ovmf="/usr/share/OVMF", secure=False):
        super().__init__(log)
        self.patience = patience * PATIENCE
        self.boots_in = limit * self.patience
        self.tpm, self.swtpm, self.outcome, self.serial, self.typed = tpm, None, None, None, typed
        self.unplugged, self.said = unplugged, b""
        if direct:
            start = ["-kernel", direct[0], "-initrd", direct[1], "-append", direct[2]]
        else:
            start = self._firmware(firmware or os.path.join(self.dir, "vars"), ovmf, ".snakeoil" if secure else "")
        serial = ["-chardev", "socket,id=serial,path=%s/serial,server=on,wait=off,logfile=%s" % (self.dir, self.console),
                  "-serial", "chardev:serial"]
        # with two vCPUs, OVMF sometimes stalls under TCG
        cmd = ["qemu-system-x86_64", "-machine", "q35,smm=on" if secure else "q35", "-accel", "tcg,thread=single", "-cpu", "max,la57=off",
               "-smp", "1", "-m", str(mem)] + self.common(serial) + ["-action", "panic=pause,shutdown=pause"] + start
        if tpm:
            cmd += ["-chardev", "socket,id=tpm,path=%s/tpm" % self.dir, "-tpmdev", "emulator,id=tpm0,chardev=tpm",
                    "-device", "tpm-crb,tpmdev=tpm0"]
        for i, d in enumerate(disks):
            path, opts = d if isinstance(d, tuple) else (d, "")
            cmd += ["-drive", "if=none,id=d%d,format=raw,cache=writeback,discard=unmap,file=%s%s" % (i, path, opts),
                    "-device", "virtio-blk-pci,drive=d%d%s" % (i, ",bootindex=0" if i == 0 and bootindex else "")]
        self.cmd = cmd + list(args)

    @staticmethod
    def _firmware(variables, ovmf, kind):
        if not os.path.exists(variables):
            shutil.copy(os.path.join(ovmf, "OVMF_VARS_4M%s.fd" % kind), variables)
        return ["-drive", "if=pflash,format=raw,unit=0,readonly=on,file=%s/OVMF_CODE_4M%s.fd" % (ovmf, kind),
                "-drive", "if=pflash,format=raw,unit=1,file=" + variables]

    def start(self):
        if self.tpm:
            self._swtpm()
        super().start()

    def _swtpm(self):
        state = os.path.join(self.dir, "tpmstate")
        if isinstance(self.tpm, str):
            state = self.tpm
        else:
            shutil.rmtree(state, ignore_errors=True)
        os.makedirs(state, exist_ok=True)
        sock = os.path.join(self.dir, "tpm")
        for path in (sock, sock + "-real"):
            if os.path.exists(path):
                os.unlink(path)
        if callable(self.tpm):
            T.Proxy(sock, sock + "-real", self.tpm)
            sock += "-real"
        self.swtpm = subprocess.Popen(["swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + state, "--ctrl",
                                       "type=unixio,path=" + sock, "--terminate"], stderr=subprocess.DEVNULL)
        end = time.monotonic() + 30
        while not os.path.exists(sock):
            if self.swtpm.poll() is not None or time.monotonic() > end:
                raise Stopped("swtpm did not start")
            time.sleep(0.02)

    def kill(self):
        super().kill()
        if self.swtpm:
            self.swtpm.terminate()
            self.swtpm.wait()

    def counts(self, where):
        if self.outcome == "up" and not self.ended(0.01):
            super().counts(where)

    def hello(self):
        if self.unplugged:
            self.qmp_cmd("set_link", name=self.unplugged, up=False)
        if self.serial is None:
            self.serial = self._connect("serial")
            threading.Thread(target=self._drain, args=(self.serial,), daemon=True).start()
        self.wait_up()
        if self.outcome == "hangs" and "systemd" not in self.log() and "[  OK  ]" not in self.log():
            # it never reached PID 1: count it as an abort of QEMU, and try once more
            self.qemu.send_signal(signal.SIGABRT)
            self.qemu.wait()
            self.serial.close()
            self.serial = None
            raise Stopped("no line of PID 1 in %d s" % self.boots_in)

    def _drain(self, serial):
        """The console is in its log, but QEMU repeats bytes there when this socket is slow. So keep it here, too."""
        try:
            while True:
                data = serial.recv(65536)
                if not data:
                    return
                self.said += data
        except OSError:
            pass

    def wait_up(self):
        """Wait for the result of a boot, or of another one after a soft reboot."""
        end = time.monotonic() + self.boots_in
        self.outcome = "hangs"
        while time.monotonic() < end and self.outcome == "hangs":
            try:
                self.release = self._answer(0, 1)["hello"]
                self.outcome = "up"
            except TimeoutError:
                if "UEFI Interactive Shell" in self.log():
                    raise AssertionError("the firmware found nothing to boot")
                self.outcome = self.ended(0.01) or "hangs"
                if self.typed and self.outcome == "hangs":
                    self.serial.sendall(self.typed.encode())
        return self.outcome

    def ended(self, timeout):
        """How the machine ended, or None."""
        e = self.wait_event(("SHUTDOWN", "GUEST_PANICKED", "RESET"), timeout * self.patience)
        if e is None:
            return None
        if e["event"] == "GUEST_PANICKED":
            return "panic"
        return {"guest-shutdown": "off", "guest-reset": "reset", "guest-panic": "panic"}.get(
            e.get("data", {}).get("reason"), e["event"])

    def code(self):
        """The code and the text of the line that says why the boot failed."""
        m = CODE.search(self.log())
        return (m.group(1), m.group(2)) if m else (None, "")


# ---- images that differ from the valid one ----

def conf(t, **changes):
    """The image's configuration with values set: section_key="value". An unknown key is allowed: the boot must fail."""
    c = configparser.ConfigParser(interpolation=None)
    c.read(os.path.join(parts(t.kernel), "ccdm.conf"))
    for word, value in changes.items():
        section, key = word.split("_", 1)
        if not c.has_section(section):
            c.add_section(section)
        c[section][key] = value
    path = os.path.join(t.dir, "ccdm.conf")
    with open(path, "w") as f:
        c.write(f)
    return path


def tree(t, name, files):
    """A folder with exactly these files: path -> text, bytes, or ("link", target)."""
    top = os.path.join(t.dir, name)
    shutil.rmtree(top, ignore_errors=True)
    for path, text in files.items():
        path = os.path.join(top, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if isinstance(text, tuple):
            os.symlink(text[1], path)
        else:
            with open(path, "wb") as f:
                f.write(text if isinstance(text, bytes) else text.encode())
    return top


def tiny_base(t, files, mkfs=("mkfs.ext4", "-b", "4096"), edit=None, **changes):
    """Make another base of a few files. Return: the environment of scripts/image for it. edit: changes the file system;
    changes: of ccdm.conf."""
    img, hashes = os.path.join(t.dir, "tiny.img"), os.path.join(t.dir, "tiny.hash")
    for path in (img, hashes):
        if os.path.exists(path):
            os.unlink(path)
    subprocess.run(["truncate", "-s", "16M", img], check=True)
    subprocess.run([*mkfs, "-q", "-F", "-d", tree(t, "tiny", dict(files, **{"etc/os-release": "ID=tiny\n"})), img],
                   check=True)
    if edit:
        edit(img)
    out = subprocess.run(["veritysetup", "format", "--no-superblock", img, hashes], check=True,
                         stdout=subprocess.PIPE).stdout.decode()
    said = dict(x.split(":", 1) for x in out.splitlines() if ":" in x)
    return {"BASE": img, "HASH": hashes,
            "CONF": conf(t, base_roothash=said["Root hash"].strip(), base_salt=said["Salt"].strip(),
                         base_data_blocks=said["Data blocks"].strip(), **changes)}


def attest_disk(t, b, path, scratch="1G", ca=None, base=None, files=None, **changes):
    """A disk that attests to broker b and fetches default/web/key as web.key. ca: of another broker;
    base: BASE, HASH of another base; files: added to the initrd; the value None removes a key."""
    changes = dict({"attest_broker": b.url, "attest_ca": "/etc/ccdm/ca.pem", "attest_timeout": "60",
                    "secrets_web.key": "default/web/key"}, **changes)
    with open(ca or b.ca) as f:
        overlay = tree(t, "overlay", dict({"etc/ccdm/ca.pem": f.read()}, **files or {}))
    if os.path.exists(path):
        os.unlink(path)
    make_disk(t.kernel, path, CONF=conf(t, **{k: v for k, v in changes.items() if v is not None}),
              OVERLAY=overlay, INITRD="attest", SCRATCH=scratch, **base or {})
    return path


def other_base(t, name="base2"):
    """The base with one byte changed, and with its own hash tree. Return: the environment of scripts/image, and
    the values for ccdm.conf."""
    img, hashes = os.path.join(t.dir, name + ".img"), os.path.join(t.dir, name + ".hash")
    shutil.copy(os.path.join(parts(t.kernel), "base.img"), img)
    with open(img, "r+b") as f, mmap.mmap(f.fileno(), 0) as m:
        m[m.find(b'PRETTY_NAME="D') + 13] = ord("d")
    out = subprocess.run(["veritysetup", "format", "--no-superblock", img, hashes], check=True,
                         stdout=subprocess.PIPE).stdout.decode()
    said = dict(x.split(":", 1) for x in out.splitlines() if ":" in x)
    return {"BASE": img, "HASH": hashes}, {"base_roothash": said["Root hash"].strip(),
                                           "base_salt": said["Salt"].strip(),
                                           "base_data_blocks": said["Data blocks"].strip()}


def cmdline(t):
    with open(os.path.join(parts(t.kernel), "params")) as f:
        return f.read().strip()


def get_esp(path, name):
    """Read a file of the ESP of an image."""
    return subprocess.run(["mcopy", "-i", "%s@@%d" % (path, part(path, 1)[0]), "::" + name, "-"], check=True,
                          stdout=subprocess.PIPE).stdout


def put_esp(path, folder, name, data):
    """Write a file to the ESP of an image."""
    at = "%s@@%d" % (path, part(path, 1)[0])
    made = ""
    for word in folder.split("/"):
        made += "/" + word
        subprocess.run(["mmd", "-D", "s", "-i", at, "::" + made], stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    subprocess.run(["mcopy", "-o", "-i", at, "-", "::%s/%s" % (made, name)], check=True, input=data)


# ---- actions of a host ----

UNIT = """[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo %s > /dev/ttyS0; echo x > /run/the-host-was-here'
""" % SAID
WANTS = "[Unit]\nWants=evil.service\n"
FILE = "f /run/the-host-was-here - - - - x\n"
RAN = "ls /run/the-host-was-here 2>/dev/null"


def smbios_words():
    """Arguments by which a host passes credentials: units (systemd 256 and later), and a file to create."""
    args = []
    for name, value in (("systemd.extra-unit.evil.service", UNIT), ("systemd.unit-dropin.sysinit.target~x", WANTS),
                        ("tmpfiles.extra", FILE)):
        args += ["-smbios", "type=11,value=io.systemd.credential.binary:%s=%s" %
                 (name, base64.b64encode(value.encode()).decode())]
    return args


def flip(disk, start, size, old):
    """Flip a bit in each block that is not empty."""
    with open(disk.path, "r+b") as f:
        f.seek(start)
        data = bytearray(f.read(size))
        for at in range(0, size, 4096):
            if any(data[at:at + 4096]):
                data[at + 7] ^= 1
        f.seek(start)
        f.write(data)


def tampered(t, m, what, edit, path):
    """The running machine writes; the host changes the scratch with edit(disk, start, size, OLD); the machine
    reads and must halt. OLD: the scratch before the last writes. edit None is the control: it must not halt."""
    start, size = part(path, 4)
    m.sh("head -c 4M /dev/urandom > /root/data; sync; dmsetup message ccdm-root 0 sync")
    disk = t.disk(0, os.path.basename(path))
    old = disk.read(start // 4096, size // 4096)
    m.sh("head -c 4M /dev/urandom > /root/new && cat /root/new > /root/data; sync; "
         "dmsetup message ccdm-root 0 sync; dmsetup message ccdm-root 0 drop; echo 3 > /proc/sys/vm/drop_caches")
    if not edit:
        t.ok(m.sh("cmp /root/data /root/new && echo same").strip() == "same", what + ": the machine reads what it wrote")
        return
    edit(disk, start, size, old)
    m.ask("cat /root/data > /dev/null")     # no answer is expected: the machine ends
    how = m.ended(120)
    t.ok(how == "panic", "%s: the machine halts (%s)" % (what, how), m.log()[-2000:])
    t.ok("tamper: " in m.log(), what + ": and says why")


# ---- results ----

def fails(t, what, code, says, disks, how="off", ran=False, **kw):
    """Expect that the boot ends with this code on its console, without a shell. ran: a program of the host may have run."""
    with t.boot(disks, title=what, **kw) as m:
        got, text = m.code()
        t.ok(m.outcome == how, "%s: it ends (%s)" % (what, m.outcome), m.log()[-2000:])
        t.ok(got == code and says in text and len(CODE.findall(m.log())) == 1,
             "%s: %s, in one line (%s %s)" % (what, code, got, text), m.log()[-2000:])
        t.ok("Give root password" not in m.log() and "emergency mode" not in m.log(), what + ": no shell")
        t.ok(ran or SAID not in m.log(), what + ": nothing of the host ran")
