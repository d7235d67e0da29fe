#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""locks - where ccdm waits for locks, and which CPUs work: lock_stat of the debug kernel, on several CPUs

  tests/run gauge locks [--cpus N] [--ios N]

Each line is a lock for which ccdm's code had to wait: how often it was taken, how often there was
a wait, the sum of the waits in microseconds, and the place in the code. The times are those of
the emulator, on as many CPUs as the host has, so the places matter more than the times. Two
writers on different leaves must not wait for each other anywhere in ccdm's code. What one job
reads and writes in large pieces must be opened and sealed on more CPUs than its own. The exit
status says whether both are true.
"""
import argparse
import collections
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(TOP, "tests/lib"))
from vm import VM, prepare  # noqa: E402

MIB = 256
# One I/O at a time: each wait here is for the other writer.
APART = "--iodepth=1 --numjobs=2 --rw=randwrite --size=8m --offset_increment=64m --bs="
LOADS = (   # name, options of fio, options of ccdm
    ("two writers, leaves of their own, 4k", APART + "4k", ""),
    ("two writers, leaves of their own, 64k", APART + "64k", ""),
    ("writers everywhere", "--numjobs=4 --rw=randwrite --bs=4k", ""),
    ("readers everywhere", "--numjobs=4 --rw=randread --bs=4k", ""),
    ("large reads and writes", "--numjobs=4 --rw=randrw --bs=64k", ""),
    ("a cache smaller than the tree", "--numjobs=4 --rw=randrw --bs=4k", "cache_mib:2"),
)

Lock = collections.namedtuple("Lock", "name taken waited us where")


def locks(text):
    """Locks for which ccdm's code waited, from /proc/lock_stat."""
    found, head, block = [], None, 0
    for line in text.splitlines():
        m = re.match(r" +(\S.*?): +(\d+) +(\d+) +\S+ +\S+ +(\S+) +\S+ +(\d+) +(\d+) ", line)
        if m:
            head, block, where = m, 0, collections.Counter()
        elif re.match(r" +-+$", line) and head:
            block += 1
            if block == 2 and where:        # a second list follows: the holders
                found.append(Lock(head.group(1), int(head.group(6)), sum(where.values()), float(head.group(4)), where))
        elif block == 1:
            m = re.search(r" (\d+) +\[<\w+>\] (\w+)\S* \[dm_ccdm\]", line)
            if m:
                where[m.group(2)] += int(m.group(1))
    return sorted(found, key=lambda x: -x.waited)


class Mapping:
    """/dev/mapper/b with every block written and nothing dirty."""

    def __init__(self, vm, option):
        self.vm, self.options = vm, ("on_tamper:eio " + option).split()

    def __enter__(self):
        self.vm.sh("dmsetup create --noudevsync --noudevrules b --table '0 %d ccdm 1 /dev/ram0 %d %s' && dmsetup mknodes" %
                   (MIB * 2048 * 99 // 800 * 8, len(self.options), " ".join(self.options)))
        self.vm.sh("dd if=/dev/zero of=/dev/mapper/b bs=1M oflag=direct status=none || true; dmsetup message b 0 sync",
                   timeout=1800)

    def __exit__(self, *exc):
        self.vm.sh("dmsetup remove --retry --noudevsync --noudevrules b && dmsetup mknodes")


def fio(job, ios):
    return "fio --name=b --filename=/dev/mapper/b --direct=1 --ioengine=libaio --iodepth=8 --norandommap " \
        "--io_size=100g %s --number_ios=%d" % (job, ios)


def workers(vm, command):
    """The number of ccdm's I/O work items that each CPU ran."""
    vm.sh("cd /sys/kernel/tracing && echo >trace && echo 1 >events/workqueue/workqueue_execute_start/enable && %s && "
          "echo 0 >events/workqueue/workqueue_execute_start/enable" % command, timeout=3600)
    out = vm.sh("grep -o '\\[[0-9]*\\].*function ccdm_io_work' /sys/kernel/tracing/trace | cut -c2-4 | sort | uniq -c")
    return [int(line.split()[0]) for line in out.splitlines()]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--cpus", type=int, default=4)
    p.add_argument("--ios", type=int, default=2000, help="of each job")
    a = p.parse_args()
    prepare("debug")
    bad = 0
    vm = VM("debug", cpus=a.cpus, mem=MIB + 1536, append="brd.rd_nr=1 brd.rd_size=%d" % (MIB * 1024))
    vm.boots_in = 900
    with vm:
        vm.sh("modprobe -qa xts gcm brd; insmod /ccdm/dm-ccdm.ko; udevadm settle; udevadm control --exit")
        print("# kernel %s, %d CPUs" % (vm.release, a.cpus))
        for what, job, option in LOADS:
            with Mapping(vm, option):
                vm.sh("echo 0 >/proc/lock_stat; echo 1 >/proc/sys/kernel/lock_stat; %s; echo 0 >/proc/sys/kernel/lock_stat" %
                      fio(job, a.ios), timeout=3600)
                found = locks(vm.sh("cat /proc/lock_stat"))
            waited = sum(x.waited for x in found)
            fails = APART in job and waited > 0
            bad += fails
            print("%s: %s" % (what, "waited %d times%s" % (waited, ", NOT MET" if fails else "") if found else "nobody waits"))
            for x in found:
                print("  %-24s taken %9d, waited for %7d, %10.0f us  %s" % (
                    x.name, x.taken, x.waited, x.us, ", ".join("%s %d" % w for w in x.where.most_common(4))), flush=True)
        with Mapping(vm, ""):
            for rw in ("randread", "randwrite"):
                n = workers(vm, fio("--rw=%s --bs=64k" % rw, a.ios // 4))
                bad += len(n) < 2
                print("one job, 64k %s: by the workers of %d CPUs (%s)%s" % (
                    rw, len(n), " ".join("%d" % x for x in n), "" if len(n) > 1 else ", NOT MET"), flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
