# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""machines - run the tests of the disk target in VMs, and those of the boot in machines

  tests/run vm [--kernel K] [--all] [--list] [--shell] [TEST...]
  tests/run boot [--suite S] [--all] [--list] [TEST...]

Each test is a file. In tests/vm, NN-topic.sh runs in a VM, and NN-topic.py on the host of a VM.
In tests/boot each test boots a Debian with firmware. The output is KTAP. A test that hangs, dies,
or leaves a new warning in the kernel's log has failed.
"""
import argparse
import atexit
import glob
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

import boot as B
import vm as V
from vm import TOP

BAD_LOG = re.compile(r"WARNING:|BUG:|KASAN|UBSAN|possible .*deadlock|inconsistent lock|"
                     r"INFO: task|INFO: rcu|soft lockup|general protection|Oops|"
                     r"suspicious RCU|sleeping function")

PRINTK = re.compile(r"\[ *\d+\.\d+\] ")


class Test:
    """The interface for tests on the host: results, disks, VMs."""

    def __init__(self, name, kernel, full):
        self.name, self.kernel, self.full = name, kernel, full
        self.debian = {"debug": "trixie", "gcov": "bookworm"}.get(kernel, kernel)   # the suite that a boot uses
        self.results = []
        self.dir = tempfile.mkdtemp(prefix="ccdm-test-")
        self.nr_vms = 0
        self.allow_log = self.allow_leak = None

    def ok(self, cond, what, detail=""):
        self.results.append((bool(cond), what, None))
        print("    %s %d %s" % ("ok" if cond else "not ok", len(self.results), what), flush=True)
        if not cond and detail:
            for line in str(detail).splitlines()[-15:]:
                print("    # " + line)
        return cond

    def skip(self, what, why):
        self.results.append((True, what, why))
        print("    ok %d %s # SKIP %s" % (len(self.results), what, why), flush=True)

    def note(self, text):
        print("    # " + text, flush=True)

    def disk(self, size, name=None, **kw):
        path = os.path.join(self.dir, name or "disk%d.img" % len(os.listdir(self.dir)))
        return V.Disk(path, size, **kw)

    def vm(self, disks=(), log=None, **kw):
        self.nr_vms += 1
        if self.kernel in V.SLOW:
            kw["mem"] = max(kw.get("mem", 1024), 1024) + 512
        return V.VM(self.kernel, disks, log=log or os.path.join(self.dir, "console%02d.log" % self.nr_vms), **kw)

    def image(self, name="image.img", **env):
        """A disk that boots; scripts/image describes env. For tests in boot/."""
        path = os.path.join(self.dir, name)
        B.make_disk(self.kernel, path, **env)
        return path

    def boot(self, disks, title="", **kw):
        self.nr_vms += 1
        name = "console%02d%s.log" % (self.nr_vms, re.sub("[^A-Za-z0-9]+", "-", " " + title).rstrip("-"))
        if self.kernel in V.SLOW:
            kw.update(mem=kw.get("mem", 1024) + 1024, patience=10)
        return B.Boot(disks, log=os.path.join(self.dir, name), **kw)

    def load(self, vm, gmac="aad"):
        """Load the module, without its measurement: without KVM it differs from run to run, and means nothing."""
        vm.sh("dmesg -C; modprobe -qa xts gcm dm-mod; insmod /ccdm/dm-ccdm.ko gmac=" + gmac)

    def warnings(self, log):
        """Lines of a kernel log that make a test fail."""
        return [x for x in log.splitlines() if BAD_LOG.search(x) and "KCSAN" not in x and
                not (self.allow_log and re.search(self.allow_log, x))] + races(log)

    def check_log(self, vm):
        """Expect no warning in the VM's kernel log."""
        if self.kernel == "debug":
            # an object counts as leaked when it is 5 s old
            vm.sh("echo scan > /sys/kernel/debug/kmemleak; sleep 6; echo scan > /sys/kernel/debug/kmemleak")
            leaks = ["unreferenced" + x for x in vm.sh("cat /sys/kernel/debug/kmemleak").split("unreferenced")[1:]
                     if not (self.allow_leak and re.search(self.allow_leak, x))]
            self.ok(not leaks, "kmemleak finds nothing", "\n".join(leaks))
        log = vm.sh("dmesg")
        bad = self.warnings(log)
        self.ok(not bad, "no warning in the kernel log")
        if bad:
            at = log.find(bad[0])
            for line in bad[:5] + log[at:].splitlines()[:40]:
                print("    # " + line)

    def check_consoles(self):
        """Expect no kernel warning on the consoles of the machines that booted."""
        bad = []
        for log in sorted(glob.glob(self.dir + "/console*.log")):
            with open(log, errors="replace") as f:
                lines = f.read().splitlines()
            first = next((i for i, x in enumerate(lines) if PRINTK.match(x) and BAD_LOG.search(x)), None)
            if first is not None:
                bad += [os.path.basename(log)] + lines[first:first + 40]
        self.ok(not bad, "no warning of the kernel on a console")
        for line in bad:
            print("    # " + line)


def races(log):
    """Titles of KCSAN's reports in which the module itself accesses memory: it, or a function that it called, is on top."""
    found = []
    for report in log.split("BUG: KCSAN: ")[1:]:
        title, *lines = report.split("=====")[0].splitlines()
        stacks = re.split(r"by (?:task|interrupt)", "\n".join(lines))[1:]
        if any("[dm_ccdm]" in frame for s in stacks for frame in s.splitlines()[1:3]):
            found.append("BUG: KCSAN: " + title)
    return found


def header(path, key, default):
    with open(path) as f:
        for line in f:
            m = re.match(r"# %s: (.*)" % key, line)
            if m:
                return m.group(1)
            if not line.startswith("#"):
                break
    return default


def size_of(text):
    return int(text[:-1]) * {"M": 1 << 20, "G": 1 << 30, "T": 1 << 40, "K": 1 << 10}[text[-1]]


class SharedVM:
    """The VM that shell tests use one after the other if their headers say "vm: shared" and ask for
    the same machine. A test that fails or leaves something behind ends it; then the next test boots a new VM."""

    DISKS = 3           # /dev/vdd, vde, vdf; disks that a test does not name have one MiB

    def __init__(self):
        self.key = self.vm = self.dir = None

    def get(self, t, key, sizes, **kw):
        """Return the VM, with empty disks of these sizes."""
        if self.vm and self.key != key:
            self.end()
        sizes = sizes + [1 << 20] * (self.DISKS - len(sizes))
        if not self.vm:
            self.dir = tempfile.mkdtemp(prefix="ccdm-shared-")
            disks = [V.Disk(os.path.join(self.dir, "disk%d.img" % i), size) for i, size in enumerate(sizes)]
            vm = t.vm(disks, log=os.path.join(self.dir, "console.log"), **kw)
            vm.__enter__()
            self.key, self.vm = key, vm
            return vm
        print("    # in the VM of the test before", flush=True)
        for i, size in enumerate(sizes):
            self.vm.empty_disk(i, size)
        self.vm.sh("".join("until [ $(blockdev --getsize64 /dev/vd%s) = %d ]; do udevadm settle; done\n" % ("def"[i], size)
                           for i, size in enumerate(sizes)), timeout=60)
        return self.vm

    def reuse(self, t):
        """After a test that passed: True if it left nothing behind, and if the module was unloaded without a warning."""
        left = self.vm.sh(LEFT, check=False)[1].strip()
        bad = t.warnings(self.vm.sh("dmesg"))
        t.ok(not bad, "no warning in the kernel log when the module is unloaded", "\n".join(bad))
        if left:
            print("    # the next test gets another VM: left behind: " + left.replace("\n", ", "), flush=True)
        return not left and not bad

    def end(self):
        if self.vm:
            self.vm.__exit__(None, None, None)
            shutil.rmtree(self.dir, ignore_errors=True)
        self.key = self.vm = self.dir = None


SHARED = SharedVM()

# Clean up after a shell test, and name what cannot be cleaned up: mappings, loop devices, mounts, swap, processes.
LEFT = """exec 2>&1
rm -f /etc/ccdmtab; rmdir /sys/fs/cgroup/*/ 2>/dev/null; umount /run/credstore 2>/dev/null
umount /tmp && mount -t tmpfs -o mode=1777 tmpfs /tmp
! lsmod | grep -q '^dm_ccdm' || rmmod dm_ccdm
dmsetup ls | grep -v 'No devices'
losetup -a; swapon --noheadings; findmnt -n -o TARGET /mnt; findmnt -n -o TARGET /run/credstore
ps -eo comm= | grep -xE 'ccdm-setup|dmsetup|fio|odd|dd'
:"""


def run_shell(t, path):
    words = header(path, "disks", "100M").split()
    machine = dict(mem=int(header(path, "mem", "1024")), cpus=int(header(path, "cpus", "2")),
                   append=header(path, "append", ""), cpu=header(path, "cpu", "max"), args=header(path, "args", "").split())
    t.allow_log = header(path, "allow-log", None)
    t.allow_leak = header(path, "allow-leak", None)
    if shares(path):
        good = False
        try:
            vm = SHARED.get(t, machine, [size_of(w) for w in words], **machine)
            script(t, vm, path)
            good = all(x[0] for x in t.results) and SHARED.reuse(t)
        finally:
            if SHARED.vm:
                shutil.copy(SHARED.vm.console, t.dir)
            if not good:
                SHARED.end()
        return
    disks = []
    for i, word in enumerate(words):
        fmt = "raw"
        if word.startswith("qcow2:"):
            fmt, word = "qcow2", word[6:]
        disks.append(t.disk(size_of(word), "disk%d.img" % i, fmt=fmt,
                            device=header(path, "device", "virtio-blk-pci")))
    with t.vm(disks, **machine) as vm:
        script(t, vm, path)


def script(t, vm, path):
    """Run a test that is a shell script in this VM."""
    limit = int(header(path, "limit", "600")) * (6 if t.kernel in V.SLOW else 1) * (8 if t.full else 1)
    vm.sh("dmesg -C")       # do not judge messages of the boot
    rc, out = vm.sh("set -o pipefail; CCDM_FULL=%d CCDM_SLOW=%d bash /ccdm/tests/vm/%s 2>&1 | tee /dev/console" %
                    (t.full, t.kernel in V.SLOW, os.path.basename(path)),
                    check=False, timeout=limit)
    plan = None
    seen = 0
    for line in out.splitlines():
        m = re.match(r"(not ok|ok) (\d+) (.*?)(?: # SKIP (.*))?$", line)
        if m:
            seen += 1
            if m.group(4):
                t.skip(m.group(3), m.group(4))
            else:
                t.ok(m.group(1) == "ok", m.group(3))
        elif line.startswith("1.."):
            plan = int(line[3:])
        else:
            print("    " + (line if line.startswith("#") else "# " + line), flush=True)
    t.ok(plan == seen and seen, "the whole plan ran (%s of %s, exit %d)" % (seen, plan, rc),
         "" if plan == seen else vm.log()[-3000:])
    t.check_log(vm)


def shares(path):
    return path.endswith(".sh") and header(path, "vm", "") == "shared"


def steps(paths):
    """The tests as steps for scripts/check, one per line: tests that share a VM are one step, at most six."""
    together = {}
    for path in paths:
        name = os.path.basename(path).rsplit(".", 1)[0]
        key = header(path, "cpus", "2") if shares(path) else name
        together.setdefault(key, []).append(name)
    return [" ".join(names[i:i + 6]) for names in together.values() for i in range(0, len(names), 6)]


def run_python(t, path):
    spec = importlib.util.spec_from_file_location("vm_test", path)
    mod = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(mod)
    mod.run(t)


def run_one(path, kernel, full):
    name = os.path.basename(path).rsplit(".", 1)[0]
    print("# Subtest: %s (kernel %s)" % (name, kernel), flush=True)
    t = Test(name, kernel, full)
    start = time.monotonic()
    try:
        (run_python if path.endswith(".py") else run_shell)(t, path)
        if os.path.dirname(path).endswith("/tests/boot"):
            t.check_consoles()
    except Exception as e:
        t.ok(False, "%s ended: %s" % (name, type(e).__name__), traceback.format_exc())
        for log in sorted(glob.glob(t.dir + "/console*.log"))[-1:]:
            with open(log, errors="replace") as f:
                for line in f.read()[-4000:].splitlines():
                    print("    # console: " + line)
    print("    1..%d" % len(t.results))
    logs = os.path.join(TOP, "build/logs", kernel, name)
    shutil.rmtree(logs, ignore_errors=True)
    os.makedirs(logs)
    for log in glob.glob(t.dir + "/console*.log"):
        shutil.move(log, logs)
    print("    # %s: %d s, consoles in %s" % (name, time.monotonic() - start, os.path.relpath(logs, TOP)), flush=True)
    shutil.rmtree(t.dir, ignore_errors=True)
    return t.results


def main():
    room = sys.argv[1] if len(sys.argv) > 1 else ""
    if room not in ("vm", "boot"):
        sys.exit("machines: expected vm or boot; see tests/run --help")
    boots = room == "boot"
    p = argparse.ArgumentParser(prog="tests/run " + room, description=__doc__.split("\n\n", 2)[2],
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    if boots:
        p.add_argument("--suite", dest="kernel", metavar="SUITE", default="trixie", help="bookworm, trixie, sid, debug or gcov")
    else:
        p.add_argument("--kernel", default="6.1", help="one of those that scripts/kernels list prints")
        p.add_argument("--shell", action="store_true", help="a shell in the VM, with the module loaded")
    p.add_argument("--all", action="store_true", help="long forms")
    p.add_argument("--list", action="store_true", help="print the names of the tests for this kernel, and run none")
    p.add_argument("--steps", action="store_true", help="the same, a line for each step of scripts/check")
    p.add_argument("tests", metavar="TEST", nargs="*", help="the beginning of a file's name")
    a = p.parse_args(sys.argv[2:])
    paths = [x for x in sorted(glob.glob(os.path.join(TOP, "tests", room, "[0-9]*")))
             if a.kernel in header(x, "kernels", a.kernel).split() and
             (not a.kernel.startswith("arm64-") or header(x, "arm64", "no") == "yes")]
    if not a.all and not a.tests:
        paths = [x for x in paths if header(x, "forms", "short") != "long"]
    unknown = [n for n in a.tests if not any(os.path.basename(x).startswith(n) for x in paths)]
    if unknown:
        p.error("no such test (for kernel %s): %s" % (a.kernel, " ".join(unknown)))
    if a.tests:
        paths = [x for x in paths if any(os.path.basename(x).startswith(n) for n in a.tests)]
    if a.list:
        print("\n".join(os.path.basename(x) for x in paths))
        return 0
    if a.steps:
        print("\n".join(steps(paths)))
        return 0
    targets = sorted({w for x in paths for w in header(x, "make", "").split()})
    if targets:
        subprocess.run(["make", "-s", *targets], cwd=TOP, check=True, stdout=sys.stderr)
    if boots:
        B.parts(a.kernel)
    else:
        V.prepare(a.kernel)
    if not boots and a.shell:
        return shell(a.kernel)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("machines: terminated"))   # end its VMs, too
    atexit.register(SHARED.end)
    paths.sort(key=lambda x: (header(x, "cpus", "2") if shares(x) else "", x))
    print("KTAP version 1\n1..%d" % len(paths))
    bad = 0
    for i, path in enumerate(paths):
        r = run_one(path, a.kernel, a.all)
        good = r and all(x[0] for x in r)
        bad += not good
        print("%s %d %s" % ("ok" if good else "not ok", i + 1, os.path.basename(path)), flush=True)
    SHARED.end()
    print("# infra: QEMU aborted at %d of %d starts %s" %
          (len(V.Machine.aborts), V.Machine.started, " / ".join(" ".join(x.split()) for x in V.Machine.aborts)))
    bad += len(V.Machine.aborts) > max(1, V.Machine.started // 10)
    return 1 if bad else 0


def shell(kernel):
    t = Test("shell", kernel, False)
    with t.vm([t.disk(1 << 30)], mem=2048) as vm:
        t.load(vm)
        print("VM runs (disk: /dev/vdd, module loaded). One command a line; end with ^D.")
        for line in sys.stdin:
            print(vm.sh(line, check=False)[1], end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
