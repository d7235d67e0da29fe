# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""on_tamper:poweroff stops the VM although the host hangs another disk.

Three cases: all workers of the kernel's shared work queue wait for the hung disk, and no new worker
can be created; power-off itself waits for the disk while the mapping is closed; memory is short
because swap is on that disk.
"""
import time

from vm import Geometry, Mapping, Stopped, tamper_line

BLOCKS = 4096
SECONDS = 30        # CCDM_POWEROFF_SECONDS of kmod/event.c

# An aio fsync of a dirty file is work on the kernel's shared queue: fill the queue on each CPU.
FSYNCS = r"""
import ctypes, os, struct, sys, time
libc = ctypes.CDLL(None, use_errno=True)
fd = os.open(sys.argv[1], os.O_RDWR)
os.pwrite(fd, bytes(1 << 16), 0)
ctx = ctypes.c_ulong()
assert libc.syscall(206, 4096, ctypes.byref(ctx)) == 0
iocb = ctypes.create_string_buffer(struct.pack("<QIIHhIQQqQII", 0, 0, 0, 2, 0, fd, 0, 0, 0, 0, 0, 0))
each = (ctypes.c_void_p * 1)(ctypes.addressof(iocb))
for cpu in os.sched_getaffinity(0):
    os.sched_setaffinity(0, {cpu})
    for i in range(1100):
        assert libc.syscall(209, ctx, ctypes.c_long(1), each) == 1, ctypes.get_errno()
print("sent", flush=True)
time.sleep(1000)
"""

# Read a block repeatedly, with everything that this needs locked in memory.
READER = r"""
import ctypes, mmap, os, sys, time
buf = mmap.mmap(-1, 4096)
fd = os.open(sys.argv[1], os.O_RDONLY | os.O_DIRECT)
assert ctypes.CDLL(None).mlockall(3) == 0
try:
    while True:
        os.preadv(fd, [buf], 100 * 4096)
        time.sleep(0.1)
except OSError:
    time.sleep(1000)
"""


class Attack:
    """A VM with a mapping on one disk, and a second disk that its host can hang."""

    def __init__(self, t, name, device="virtio-blk-pci"):
        self.t, self.name = t, name
        g = Geometry(BLOCKS)
        self.disk = t.disk(g.total * 4096, name + ".img")
        args = ["-action", "panic=pause,shutdown=pause"]
        other = t.disk(1 << 30, name + "-other.img")
        if device == "virtio-blk-pci":
            other.opts, self.disks, self.dev = "id=other", [self.disk, other], "/dev/vde"
            self.qdev = "/machine/peripheral/other/virtio-backend"
        else:
            args += ["-blockdev", "node-name=f1,driver=file,filename=" + other.path,
                     "-blockdev", "node-name=g1,driver=blkdebug,image=f1",
                     "-blockdev", "node-name=h1,driver=raw,file=g1",
                     "-device", "virtio-scsi-pci,num_queues=1", "-device", "scsi-hd,id=other,drive=h1"]
            self.disks, self.dev, self.qdev = [self.disk], "/dev/sda", "other"
        self.vm = t.vm(self.disks, args=args, mem=512)

    def open(self):
        vm = self.vm
        self.t.load(vm)
        vm.sh("modprobe -a virtio_scsi sd_mod; udevadm settle; test -b " + self.dev)
        self.m = Mapping(vm, "s", "/dev/vdd", BLOCKS * 8, ["on_tamper:poweroff"])
        self.m.write(100, "first")
        self.m.message("sync")
        self.old = self.disk.read(100)
        self.m.write(100, "second")
        self.m.message("sync")

    def hang(self):
        """From now on the other disk takes about an hour for each block after the next one."""
        none = dict.fromkeys(("bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr"), 0)
        r = self.vm.qmp_cmd("block_set_io_throttle", id=self.qdev, bps=1, **none)
        assert "return" in r, r

    def hold_flush(self):
        """The next flush of the other disk does not end."""
        r = self.vm.qmp_cmd("human-monitor-command", **{"command-line": 'qemu-io -d %s "break flush_to_os hold"' % self.qdev})
        assert not r["return"].strip(), r

    def tamper(self):
        self.disk.write(100, self.old)

    def order(self, timeout=20, **o):
        """Send an order whose answer the VM may not live to give."""
        try:
            return self.vm.order(timeout, **o)
        except (Stopped, TimeoutError):
            return None

    def stopped(self, how, begin, limit):
        e = self.vm.wait_event(("SHUTDOWN", "GUEST_PANICKED"), limit)
        self.t.ok(e and e["event"] == how, "%s: the VM stopped after %d s (%s)" %
                  (self.name, time.monotonic() - begin, e and e["event"]), self.vm.log()[-1500:])
        self.t.ok(tamper_line(self.vm.log()) == ("block", 0, 100), "%s: the console says what and where" % self.name,
                  self.vm.log()[-1500:])


def full_queue(t):
    """Power-off waits neither in a queue nor for a worker that must be created."""
    a = Attack(t, "full queue")
    with a.vm as vm:
        a.open()
        vm.sh("cat >/tmp/fsyncs <<'E'\n%s\nE" % FSYNCS)
        a.hang()
        vm.sh("dd if=%s of=/dev/null bs=4096 count=1 iflag=direct status=none" % a.dev)
        vm.sh("python3 /tmp/fsyncs %s >/tmp/sent 2>&1 & until grep -q . /tmp/sent; do kill -0 $! || break; done; grep sent /tmp/sent" %
              a.dev, timeout=120)
        # each CPU has the maximum number of workers for its queue, and they wait for the disk
        count = "grep -l aio_fsync_work /proc/[0-9]*/stack 2>/dev/null | wc -l"
        had, n, end = -1, 0, time.monotonic() + 120
        while (n < 512 or n != had) and time.monotonic() < end:
            had, n = n, int(vm.sh(count))
        t.ok(n >= 512, "full queue: control: %d workers wait for the disk" % n)
        vm.sh("echo 20 >/proc/sys/kernel/threads-max")
        t.ok(vm.sh("true", check=False)[0] != 0, "full queue: control: nothing new can be made to run")
        begin = time.monotonic()
        a.tamper()
        r = a.order(op="read", dev=a.m.path, block=100, count=1)
        t.ok(r is None or r["errno"] == 5, "full queue: the read did not return data")
        a.stopped("SHUTDOWN", begin, SECONDS - 5)


def hung_shutdown(t):
    """If power-off waits for the disk, the timer panics, even if the mapping was closed long before."""
    a = Attack(t, "hung shutdown", "scsi-hd")
    with a.vm as vm:
        a.open()
        a.hold_flush()
        begin = time.monotonic()
        a.tamper()
        r = a.order(op="read", dev=a.m.path, block=100, count=1)
        t.ok(r and r["errno"] == 5, "hung shutdown: the read fails")
        r = a.order(sh="dmsetup remove --noudevsync --retry s && ! dmsetup info s", timeout=20)
        t.ok(r and r["rc"] == 0, "hung shutdown: the mapping is closed", r)
        r = a.order(sh="rmmod dm-ccdm", timeout=20)
        t.ok(r and r["rc"] != 0 and "in use" in r["out"], "hung shutdown: the module stays", r)
        r = a.order(sh="dmesg", timeout=20)
        t.ok(r and "Synchronizing SCSI cache" in r["out"], "hung shutdown: control: power-off waits for the disk", r)
        a.stopped("GUEST_PANICKED", begin, SECONDS + 15)
        t.ok("the machine did not power off" in vm.log(), "hung shutdown: the panic says why", vm.log()[-1500:])


def short_memory(t):
    """Memory is short, because pages to be swapped out wait for the disk."""
    a = Attack(t, "short memory", "scsi-hd")
    with a.vm as vm:
        a.open()
        vm.sh("cat >/tmp/reader <<'E'\n%s\nE\necho -1000 >/proc/$PPID/oom_score_adj" % READER)
        vm.sh("(python3 /tmp/reader %s >/tmp/reader.out 2>&1 &) ; mkswap %s >/dev/null && swapon %s" % (a.m.path, a.dev, a.dev))
        vm.sh("(while :; do python3 -c 'b = bytearray(b\"x\") * (700 << 20); import time; time.sleep(100)'; done) "
              ">/dev/null 2>&1 & echo 1000 >/proc/$!/oom_score_adj; "
              "n=0; until [ $(awk '/SwapTotal/ { t = $2 } /SwapFree/ { print t - $2 }' /proc/meminfo) -gt 20000 ]; do sleep 0.2; done",
              timeout=120)
        a.hang()
        a.hold_flush()
        time.sleep(3)
        r = a.order(sh="awk '/MemAvailable/ { print $2 }' /proc/meminfo")
        t.ok(not r or int(r["out"]) < 40000, "short memory: control: it is (%s KiB left)" % (r["out"].strip() if r else "no answer,"))
        begin = time.monotonic()
        a.tamper()
        a.stopped("GUEST_PANICKED", begin, SECONDS + 30)
        t.ok("the machine did not power off" in vm.log(), "short memory: the panic is the timer's", vm.log()[-1500:])


def run(t):
    full_queue(t)
    hung_shutdown(t)
    short_memory(t)
