# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""panic and poweroff stop the VM, and nothing reaches the disk afterwards."""
import time

from vm import Geometry, Mapping, Stopped, tamper_line

BLOCKS = 4096


def io_counts(vm):
    for d in vm.qmp_cmd("query-blockstats")["return"]:
        if d.get("device") == "d0":
            return d["stats"]["wr_operations"], d["stats"]["rd_operations"]
    return None


def one(t, action):
    g = Geometry(BLOCKS)
    disk = t.disk(g.total * 4096, "stop-%s.img" % action)
    with t.vm([disk], args=["-action", "panic=pause,shutdown=pause"]) as vm:
        t.load(vm)
        m = Mapping(vm, "s", "/dev/vdd", BLOCKS * 8, [] if action == "panic" else ["on_tamper:" + action])
        m.write(100, "first")
        m.message("sync")
        old = disk.read(100)
        m.write(100, "second")
        m.message("sync")
        m.message("drop")
        t.ok(m.read(100) == (0, ["second"]), "%s: reads what was written" % action)
        m.message("drop")
        # writes continue while the host changes the disk
        vm.sh("(while dd if=/dev/zero of=/dev/mapper/s bs=4096 count=64 seek=1000 oflag=direct status=none; do :; done) >/dev/null 2>&1 &")
        idle, end = io_counts(vm), time.monotonic() + 60
        while io_counts(vm)[0] == idle[0] and time.monotonic() < end:
            pass
        t.ok(io_counts(vm)[0] > idle[0], "%s: control: a process writes" % action)
        disk.write(100, old)
        gone = False
        try:
            r = vm.order(20, op="read", dev=m.path, block=100, count=1)
        except (Stopped, TimeoutError):
            gone, r = True, None
        # if power off fails, a panic follows after 30 s: that would be the wrong result
        names = ("GUEST_PANICKED",) if action == "panic" else ("SHUTDOWN",)
        e = vm.wait_event(names, 90)
        t.ok(e is not None, "%s: the VM stopped (%s)" % (action, e and e["event"]))
        t.ok(gone or r["errno"] == 5, "%s: the read did not return data" % action)
        before = io_counts(vm)
        time.sleep(1)       # no event can be waited for: nothing must happen
        t.ok(io_counts(vm) == before, "%s: no I/O at the backing file afterwards" % action)
        t.ok(tamper_line(vm.log()) == ("block", 0, 100), "%s: the console says what and where" % action,
             vm.log()[-1500:])


def run(t):
    one(t, "panic")
    one(t, "poweroff")
