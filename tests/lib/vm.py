# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""vm - a test VM, as its host sees it

The host's side of every test: it starts QEMU, gives orders to the agent, reads QMP events, and
owns the raw disk files, which it may change while the VM runs.
"""
import base64
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CACHE = os.environ.get("CCDM_CACHE", "/var/cache/ccdm")
MiB = 1 << 20
BLOCK = 4096
with open(os.path.join(TOP, "tests/lib/ktap.sh"), encoding="utf-8") as _f:
    SUITES = tuple(re.search(r'^SUITES="(.*)"$', _f.read(), re.M).group(1).split())


class Stopped(Exception):
    """The VM has ended: panic, power off, or QEMU died."""


class Disk:
    """A raw file of the host that the VM uses as virtio-blk (or another device)."""

    def __init__(self, path, size, device="virtio-blk-pci", opts="", fmt="raw"):
        self.path, self.size, self.device, self.opts, self.fmt = path, size, device, opts, fmt
        if not os.path.exists(path):
            if fmt == "qcow2":
                subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", path, str(size)],
                               check=True)
            else:
                with open(path, "wb") as f:
                    f.truncate(size)

    def read(self, block, count=1):
        with open(self.path, "rb") as f:
            f.seek(block * BLOCK)
            return f.read(count * BLOCK)

    def write(self, block, data):
        with open(self.path, "r+b") as f:
            f.seek(block * BLOCK)
            f.write(data)

    def contains(self, needle):
        """Does the data in the file contain needle anywhere?"""
        fd = os.open(self.path, os.O_RDONLY)
        try:
            at, end = 0, os.fstat(fd).st_size
            while at < end:
                try:
                    at = os.lseek(fd, at, os.SEEK_DATA)
                except OSError:
                    return False
                hole = os.lseek(fd, at, os.SEEK_HOLE)
                tail = b""
                while at < hole:
                    data = os.pread(fd, min(MiB, hole - at), at)
                    if needle in tail + data:
                        return True
                    tail = data[-len(needle):]
                    at += len(data)
            return False
        finally:
            os.close(fd)


COUNTS = """mountpoint -q /sys/kernel/debug || mount -t debugfs debugfs /sys/kernel/debug
mkdir -p /run/counts/module /run/counts/cleared /run/gcov; cd /sys/kernel/debug/gcov 2>/dev/null &&
find . -name '*.gcda' | while read -r f; do
mkdir -p "/run/counts/module/${f%/*}"; cat "$f" >"/run/counts/module/$f"; done
cp -r /run/gcov /run/counts/programs
find / -xdev -name '*.gcda' ! -path '/run/*' -exec cp --parents -t /run/counts/cleared {} + # of who clears its environment
tar -C /run/counts -cz . | base64 -w0"""


SLOW = ("debug", "kcsan")       # kernels that check or record every operation

# Factor for the time limits of a VM: for machines that are slow or busy.
PATIENCE = float(os.environ.get("CCDM_PATIENCE", "1"))


class Machine:
    """A QEMU process with an agent inside and a QMP connection. Subclasses define the machine."""

    started, aborts = 0, []     # of all VMs: number of starts, and the ends of QEMU processes that aborted before the agent answered
    boots_in = 240 * PATIENCE   # seconds until the agent answers

    def __init__(self, log=None):
        self.dir = tempfile.mkdtemp(prefix="ccdm-vm-")
        self.console = log or os.path.join(self.dir, "console.log")
        self.cmd = []

    def common(self, serial=None):
        """Arguments of every machine: console, QMP, pvpanic, the agent's port."""
        return ["-nodefaults", "-no-user-config", "-nographic", "-no-reboot", "-action", "panic=shutdown"] + (
                serial or ["-serial", "file:" + self.console]) + [
                "-qmp", "unix:%s/qmp,server=on,wait=off" % self.dir,
                "-device", "pvpanic-pci", "-device", "virtio-serial-pci,max_ports=4",
                "-chardev", "socket,id=agent,path=%s/agent,server=on,wait=off" % self.dir,
                "-device", "virtserialport,chardev=agent,name=ccdm.agent"]

    def __enter__(self):
        try:
            try:
                self.start()
            except Stopped as e:
                # QEMU failed one of its own assertions, or the firmware stalled (boot.py). The test has not
                # begun, so try once more, and count it.
                if self.qemu.poll() != -signal.SIGABRT:
                    raise
                Machine.aborts.append(str(e))
                self.start()
        except BaseException:
            self.kill()     # without __enter__ there is no __exit__
            raise
        return self

    def __exit__(self, *exc):
        where = os.environ.get("CCDM_COVERAGE")
        if where and self.qemu.poll() is None:
            self.counts(where)
        self.kill()

    def counts(self, where):
        """Collect counts of executed lines: of the module on the gcov kernel, and of programs that count."""
        try:
            if not self.qmp_cmd("query-status")["return"]["running"]:
                return
            out = self.sh(COUNTS, timeout=300)
        except (AssertionError, Stopped, TimeoutError):
            return          # a VM that has ended, or whose disk has
        with open(os.path.join(where, "%d-%d.tgz" % (os.getpid(), Machine.started)), "wb") as f:
            f.write(base64.b64decode(out))

    # ---- life ----

    def start(self):
        Machine.started += 1
        self.id, self.buf, self.qbuf, self.events = 0, b"", b"", []
        self.qemu = subprocess.Popen(self.cmd, stdin=subprocess.DEVNULL,
                                     stdout=open(os.path.join(self.dir, "qemu.log"), "wb"),
                                     stderr=subprocess.STDOUT)
        self.agent = self._connect("agent")
        self.qmp = self._connect("qmp")
        self._qmp_line(10)
        self.qmp_cmd("qmp_capabilities")
        self.hello()

    def hello(self):
        """Wait for the agent's first message."""
        self.release = self._answer(0, self.boots_in)["hello"]

    def _connect(self, name):
        s = socket.socket(socket.AF_UNIX)
        end = time.monotonic() + 30
        while True:
            try:
                s.connect(os.path.join(self.dir, name))
                return s
            except OSError:
                if self.qemu.poll() is not None or time.monotonic() > end:
                    raise Stopped("QEMU did not start: " + self.qemu_log())
                time.sleep(0.05)

    def qemu_log(self):
        with open(os.path.join(self.dir, "qemu.log")) as f:
            return f.read()[-2000:]

    def kill(self):
        if self.qemu.poll() is None:
            self.qemu.kill()
        self.qemu.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def off(self, timeout=60):
        """Shut it down in order."""
        self._send({"op": "bye"})
        try:
            self.qemu.wait(timeout)
        except subprocess.TimeoutExpired:
            pass

    # ---- the agent ----

    def _stopped(self, what):
        """The error that says how QEMU ended, if it has."""
        try:
            return Stopped("%s; QEMU ended with %d: %s" % (what, self.qemu.wait(2), self.qemu_log()))
        except subprocess.TimeoutExpired:
            return Stopped("%s; QEMU runs" % what)

    def _send(self, o):
        self.id += 1
        o["id"] = self.id
        try:
            self.agent.sendall(json.dumps(o).encode() + b"\n")
        except OSError:
            raise self._stopped("the agent is gone")
        return self.id

    def _answer(self, want, timeout):
        end = time.monotonic() + timeout
        while True:
            while b"\n" not in self.buf:
                left = end - time.monotonic()
                if left <= 0:
                    raise TimeoutError("no answer from the VM in %d s" % timeout)
                self.agent.settimeout(min(left, 1))
                try:
                    data = self.agent.recv(65536)
                    if not data:
                        raise self._stopped("the agent closed")
                    self.buf += data
                except socket.timeout:
                    if self.qemu.poll() is not None:
                        raise self._stopped("no agent")
                except OSError:
                    raise self._stopped("the agent is gone")
            line, self.buf = self.buf.split(b"\n", 1)
            o = json.loads(line)
            if o["id"] == want:
                return o

    def order(self, wait=120, **o):
        return self._answer(self._send(o), wait)

    def sh(self, cmd, check=True, timeout=600):
        """Run a shell command. Return: its output. check: it must succeed."""
        timeout *= PATIENCE
        r = self.order(timeout + 30, sh=cmd, timeout=timeout)
        if check and r["rc"]:
            raise AssertionError("%s\n  exit %d: %s" % (cmd, r["rc"], r["out"][-2000:]))
        return r["out"] if check else (r["rc"], r["out"])

    def ask(self, cmd):
        """Start a shell command without waiting for it."""
        self._send({"sh": cmd})

    def write(self, dev, block, label, count=1):
        return self.order(op="write", dev=dev, block=block, count=count, label=label)["errno"]

    def read(self, dev, block, count=1):
        r = self.order(op="read", dev=dev, block=block, count=count)
        return r["errno"], r["labels"]

    # ---- QMP ----

    def _qmp_line(self, timeout):
        end = time.monotonic() + timeout
        while b"\n" not in self.qbuf:
            left = end - time.monotonic()
            if left <= 0:
                return None
            self.qmp.settimeout(left)
            try:
                data = self.qmp.recv(65536)
            except socket.timeout:
                return None
            except OSError:
                data = b""
            if not data:
                raise self._stopped("QMP closed")
            self.qbuf += data
        line, self.qbuf = self.qbuf.split(b"\n", 1)
        return json.loads(line)

    def qmp_cmd(self, cmd, **args):
        self.qmp.sendall(json.dumps({"execute": cmd, "arguments": args}).encode() + b"\n")
        while True:
            o = self._qmp_line(60)
            if o is None:
                raise TimeoutError(cmd)
            if "event" in o:
                self.events.append(o)
            else:
                return o

    def wait_event(self, names, timeout=60):
        """Return the first QMP event with one of these names, or None."""
        end = time.monotonic() + timeout
        while True:
            for e in self.events:
                if e["event"] in names:
                    return e
            try:
                o = self._qmp_line(max(0.01, end - time.monotonic()))
            except Stopped:
                return None
            if o is None:
                return None
            if "event" in o:
                self.events.append(o)

    def log(self):
        with open(self.console, errors="replace") as f:
            return f.read()


def prepare(kernel, tree=TOP):
    """The parts of a VM with this kernel: the module (of this tree or another one), the root, the initramfs."""
    for cmd in ([tree + "/scripts/kernels", "build", kernel], [TOP + "/scripts/guest", "root", kernel],
                [TOP + "/scripts/guest", "boot", kernel]):
        subprocess.run(cmd, check=True, stdout=sys.stderr)


# The kernel's command line. maxcpus: QEMU before 10.0.4 sometimes aborts if one vCPU moves devices in
# memory while another one uses them, so stage2 starts the other vCPUs when all devices are found.
APPEND = "quiet loglevel=4 panic=-1 nokaslr random.trust_cpu=on mitigations=off kasan_multi_shot maxcpus=1"
# Four-level page tables (la57=off) are faster to emulate. With five levels a KASAN kernel reports wild
# pointers if the timer ticks while it identifies the CPU. no_timer_check: on a busy host the first ticks
# come too late for the kernel's check, which would panic.
X86_APPEND = "console=ttyS0 no_timer_check"


class VM(Machine):
    """A small VM for tests of the disk: a kernel, a read-only root, a payload."""

    def __init__(self, kernel="6.1", disks=(), cpus=2, mem=1024, append="", args=(), name="vm",
                 cpu="max", log=None, accel="tcg,thread=multi"):
        self.kernel, self.disks, self.name, self.mem = kernel, list(disks), name, mem
        super().__init__(log)
        if kernel in SLOW:
            self.boots_in = 600
        guest = os.path.join(CACHE, "guest")
        boot = os.path.join(guest, kernel)
        payload = os.path.join(self.dir, "payload.squashfs")
        subprocess.run([os.path.join(TOP, "scripts/guest"), "payload", kernel, payload], check=True)
        arm = kernel.startswith("arm64-")
        append = " ".join(("console=ttyAMA0" if arm else X86_APPEND, APPEND, append))
        cmd = ["qemu-system-aarch64", "-machine", "virt,gic-version=3", "-accel", accel, "-cpu", cpu] if arm else \
              ["qemu-system-x86_64", "-machine", "q35", "-accel", accel, "-cpu", cpu + ",la57=off"]
        cmd += ["-smp", str(cpus), "-m", str(mem)] + self.common() + [
               "-kernel", os.path.join(CACHE, "kernels", kernel, "vmlinuz"),
               "-initrd", os.path.join(boot, "initramfs"), "-append", append]
        for i, path in enumerate((os.path.join(guest, "root-arm64.squashfs" if arm else "root.squashfs"),
                                  os.path.join(boot, "modules.squashfs"), payload)):
            cmd += ["-drive", "if=none,id=s%d,format=raw,readonly=on,file=%s" % (i, path),
                    "-device", "virtio-blk-pci,drive=s%d" % i]
        for i, d in enumerate(self.disks):
            cmd += ["-drive", "if=none,id=d%d,format=%s,discard=unmap,cache=writeback,file=%s" %
                    (i, d.fmt, d.path),
                    "-device", "%s,drive=d%d,serial=disk%d%s" %
                    (d.device, i, i, "," + d.opts if d.opts else "")]
        cmd += list(args)
        self.cmd = cmd

    def empty_disk(self, i, size):
        """Empty disk number i (raw), and give it this size."""
        disk = self.disks[i]
        os.truncate(disk.path, 0)
        os.truncate(disk.path, disk.size)
        r = self.qmp_cmd("block_resize", device="d%d" % i, size=size)
        if "error" in r:
            raise AssertionError("block_resize: %s" % r["error"])
        disk.size = size


class Mapping:
    """A ccdm mapping in a VM, opened with dmsetup, for tests of the target itself.

    udev=False: without udev, for tests that open hundreds of mappings; its rules run a
    dozen programs for each of them.
    """

    def __init__(self, vm, name, dev, sectors, opts=(), udev=True):
        self.vm, self.name, self.dev, self.sectors = vm, name, dev, sectors
        self.udev = "" if udev else "--noudevsync --noudevrules"
        self.path = "/dev/mapper/" + name
        self.opts = list(opts)
        self.open()

    def open(self):
        self.vm.sh("dmsetup create %s %s --table '0 %d ccdm 1 %s %d %s'" %
                   (self.udev, self.name, self.sectors, self.dev, len(self.opts), " ".join(self.opts)))
        if self.udev:
            self.vm.sh("dmsetup mknodes " + self.name)

    def close(self):
        self.vm.sh("dmsetup remove %s --retry %s" % (self.udev, self.name))

    def message(self, text):
        return self.vm.sh("dmsetup message %s 0 %s" % (self.name, text)).strip()

    def status(self):
        out = self.vm.sh("dmsetup status " + self.name)
        return dict(w.split(":", 1) for w in out.split()[3:])

    def write(self, block, label, count=1):
        return self.vm.write(self.path, block, label, count)

    def read(self, block, count=1):
        return self.vm.read(self.path, block, count)


class Geometry:
    """A second implementation of the format, independent of kmod/ccdm_format.h."""

    def __init__(self, blocks):
        self.blocks = blocks
        self.first, self.nodes = [], []
        at, n = blocks, blocks
        while True:
            n = -(-n // 128)
            self.first.append(at)
            self.nodes.append(n)
            at += n
            if n == 1:
                break
        self.total = at
        self.levels = len(self.first)

    def node(self, level, block):
        """The block of the backing device that holds the node above a data block."""
        return self.first[level] + (block >> 7 * (level + 1))


def tamper_line(log):
    m = re.search(r"ccdm: (\S+): tamper: (block|node) level (\d+) index (\d+)", log)
    return (m.group(2), int(m.group(3)), int(m.group(4))) if m else None
