# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""The bounce leak: the old content of a read's destination is not shown to the host.

With swiotlb=force each page in a bio is copied to memory that the host can see, even before a read.
The backend holds the read back, and the VM's memory is saved from outside: the label must be in the
reader's own pages and nowhere else. The same test on the bare device, without ccdm, shows the leak.
"""
import mmap
import os
import struct

from vm import SUITES, Geometry, Mapping

BLOCKS = 8192
COUNT = 16


def label(seed):
    x, out = seed, []
    for _ in range(512):
        x = (x * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        out.append(x)
    return struct.pack("<512Q", *out)


def pages_with(path, needle):
    """How many times the dump contains needle."""
    n, at = 0, 0
    with open(path, "rb") as f, mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ) as m:
        while True:
            at = m.find(needle, at)
            if at < 0:
                return n
            n += 1
            at += len(needle)


def pending_read(t, vm, dev, block, seed):
    """Copies of the label in the VM's memory while the backend holds a read of dev."""
    def hmp(c):
        return vm.qmp_cmd("human-monitor-command", **{"command-line": c})

    hmp('qemu-io -d /machine/peripheral/d0/virtio-backend "break read_aio hold"')
    vm.sh("bounce %s %d %d %d >/tmp/bounce.out 2>&1 & echo $! >/tmp/bounce.pid" % (dev, block, COUNT, seed))
    # the request has reached the device, so everything was bounced
    vm.sh("n=0; until [ $((n+=1)) -gt 2000 ] || [ $(awk '{print $9}' /sys/block/vdf/stat) -gt 0 ]; do :; done; sleep 0.5")
    dump = os.path.join(t.dir, "dump")
    # not dump-guest-memory, which would wait for the read
    r = vm.qmp_cmd("pmemsave", val=0, size=vm.mem << 20, filename=dump)
    assert "return" in r, r
    n = pages_with(dump, label(seed)[:2048])
    os.unlink(dump)
    hmp('qemu-io -d /machine/peripheral/d0/virtio-backend "resume hold"')
    vm.sh("while kill -0 $(cat /tmp/bounce.pid) 2>/dev/null; do :; done")
    return n


def run(t):
    g = Geometry(BLOCKS)
    disk = t.disk(g.total * 4096)
    origin = t.disk(4 << 20)
    spare = t.disk(1 << 20)         # keeps the letters of the other disks
    args = ["-blockdev", "node-name=f0,driver=file,filename=" + disk.path,
            "-blockdev", "node-name=g0,driver=blkdebug,image=f0",
            "-blockdev", "node-name=h0,driver=raw,file=g0",
            "-device", "virtio-blk-pci,id=d0,drive=h0,serial=held,iommu_platform=on,disable-legacy=on"]
    with t.vm([spare, origin], mem=512, append="swiotlb=force", args=args) as vm:
        t.load(vm)
        dev = "/dev/vdf"
        t.ok("held" in vm.sh("cat /sys/block/vdf/serial"), "the held disk is %s" % dev)
        n = pending_read(t, vm, dev, 100, 0x1111)
        t.ok(n > COUNT, "without ccdm it leaks: %d copies of %d pages" % (n, COUNT))
        for i, suite in enumerate(SUITES):
            m = Mapping(vm, "b", dev, BLOCKS * 8, ["cipher:" + suite, "on_tamper:eio", "origin:/dev/vde"])
            m.write(2000, "data", 64)
            n = pending_read(t, vm, m.path, 2000, 0x2222 + i)
            t.ok(n == COUNT, "%s: data read: %d copies of %d pages" % (suite, n, COUNT))
            m.message("sync")
            m.message("drop")
            n = pending_read(t, vm, m.path, 2016, 0x3333 + i)
            t.ok(n <= COUNT, "%s: node read: %d copies of %d pages" % (suite, n, COUNT))
            t.ok(m.read(2016, 2)[1] == ["data", "data"], suite + ": and the data is right")
            # origin blocks next to sealed ones
            m.write(40, "data", 4)
            n = pending_read(t, vm, m.path, 36, 0x4444 + i)
            t.ok(n <= COUNT, "%s: read mixed with the origin: %d copies of %d pages" % (suite, n, COUNT))
            m.close()
        # the origin is on the held device
        m = Mapping(vm, "b", "/dev/vdd", 64 * 8, ["on_tamper:eio"])
        m.close()
        vm.sh("dmsetup create o --readonly --table '0 512 linear %s 0'" % dev)
        m = Mapping(vm, "b", "/dev/vde", 100 * 8, ["on_tamper:eio", "origin:/dev/mapper/o"])
        n = pending_read(t, vm, m.path, 8, 0x5555)
        # the target reads into its own pages, so the reader's pages are never in a bio
        t.ok(n <= COUNT, "origin read: %d copies of %d pages" % (n, COUNT))
        m.close()
        t.check_log(vm)
