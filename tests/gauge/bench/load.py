#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""load - latency and IOPS on a device that takes time

  tests/run gauge load [--kernel K]         all rows: text, and JSON in build/bench-K-load.json;
                                            fails if a goal is missed
  tests/run gauge load --only ROW[,ROW]     some rows: latency, iomax, rt, cold, fast, tenth, cpus
  tests/run gauge load ... --suite S        another suite than aes-gcm
  tests/run gauge load ... --tree DIR       the module of another tree
  tests/run gauge load ... --compare        prints each goal next to the recorded value
  tests/run gauge load ... --record         writes Documentation/bench/K-load.*: text, JSON

One vCPU under -icount shift=0, as in tests/gauge/bench/run.py: a nanosecond of the guest's clock is
an instruction, or idle time up to the next timer. The device is null_blk with memory. It
completes by a timer, so its time passes while the CPU works on other I/Os.

  latency  One fio job reads 4 KiB at a time, another one writes 64 KiB pieces at queue depth
           64 or 512 to other leaves, on a device of 4 ms and 8 tags. "cached": the reader's
           leaves are in memory. "uncached": each read is of another leaf, which is not in
           memory. The inner nodes are.
  iomax    The same at depth 512. The writer is in a cgroup that io.max limits to 32 MiB/s, on
           the device below or on the mapping.
  rt       The same at depth 512. The reader's ioprio class is RT, and the device has
           mq-deadline, which goes by it.
  cold     Reads of 4 KiB, each of another leaf that is not in memory. The inner nodes are.
           16,000 leaves with one written block each, on a device of 4 ms and 256 tags.
  fast     The same on a device of 1 ms, which is faster than one CPU: the device limits the
           reads, or the CPU does (10^9 / instructions per read), but no waiting. And context
           switches per read (/proc/stat).
  tenth    Random writes of 4 KiB to the same leaves, with a cache of a tenth of the tree, on
           the device of 4 ms. Three things limit them: each write in flight waits for the
           leaf's read and then for its own write (depth / 8 ms); the device (tags / 4 ms /
           the device's I/Os per write, which are counted); and the CPU (10^9 / instructions
           per write).
  cpus     One thread reads 1 MiB at a time, sequentially, on 4 vCPUs without -icount. A kprobe
           says which CPU opens each block. What counts is the share of the busiest CPU in each
           read, and the mean of that: other CPUs may be busiest in the next read.

Instructions per read or write, where the CPU is a limit, are the time in which it was not idle
(/proc/stat) by the I/Os of the run, at the depth where they are fewest.

The columns: IOPS, latency (mean, 99th percentile), and per I/O of the job: busy time of the
CPU in ns, context switches, reads and writes at the device. In the first three rows the
writer's are among those of the reader.
"""
import argparse
import collections
import json
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(TOP, "tests/lib"))
from bench import BASE, COUNTED, Raw, Report, ccdm, crypt, load_modules, null_blk, qemu_version, record_path  # noqa: E402
from vm import CACHE, VM, prepare  # noqa: E402

NULLB = "/dev/nullb0"
LEAF, INNER = 128, 128                  # blocks of a leaf, leaves of a node of level 1
WRITERS, READS = 1024, 400              # leaves of the writer's region, and what a reader reads after it
COLD = 16000                            # leaves
SUITE = "aes-gcm"
TAGS = 256
SEQUENTIAL, MIB = 128 << 20, 256        # bytes, blocks
LIMIT = 32 << 20                        # bytes a second of a throttled writer

HEAD = "%-26s %-30s %9s %8s %8s %8s %7s %7s" % ("target", "shape", "IOPS", "mean ms", "p99 ms", "busy/IO", "ctxt/IO", "dev/IO")
LINE = "%-26s %-30s %9.0f %8.3f %8.3f %8.0f %7.2f %7s"

# Lists of blocks for fio. "reads" has one block in each leaf of a range, but for the last leaf under
# each node of level 1. "warm" has those last leaves, and the leaves before the range: reading it
# loads the inner nodes and none of the leaves in "reads". "fill" writes all these blocks.
LISTS = """
import random
def write(name, op, leaves):
    with open("/tmp/" + name, "w") as f:
        f.write("fio version 2 iolog\\n/dev/x add\\n/dev/x open\\n")
        for leaf in leaves:
            f.write("/dev/x %%s %%d 4096\\n" %% (op, (leaf * 128 + leaf * 37 %% 128) * 4096))
        f.write("/dev/x close\\n")
first, count = %d, %d
leaves, at = [], first
while len(leaves) < count:
    if at %% 128 != 127:
        leaves.append(at)
    at += 1
warm = sorted({leaf | 127 for leaf in leaves}) + list(range(first))
write("fill", "write", sorted(leaves + warm))
random.Random(1).shuffle(leaves)
write("reads", "read", leaves)
write("warm", "read", warm)
"""

Result = collections.namedtuple("Result", "iops mean p99 busy switches reads writes")


# ---- one measurement -------------------------------------------------------

def lists(vm, first, count):
    vm.sh("python3 - <<'E'\n%s\nE" % (LISTS % (first, count)))


def replay(name, dev):
    return "--read_iolog=/tmp/%s --replay_redirect=%s" % (name, dev)


def fio(job, depth=1):
    return "fio --name=b --direct=1 --ioengine=libaio --iodepth=%d --lat_percentiles=1 --clat_percentiles=0 " \
           "--output-format=json %s" % (depth, job)


# Counters before and after the I/Os, for b.prerun.txt and b.postrun.txt: fio's own start is not included.
SEEN = " ".join("--exec_%srun='cat /proc/stat /sys/block/nullb0/stat'" % x for x in ("pre", "post"))


def counters(text):
    """Seconds not idle, context switches, reads and writes at the device."""
    lines = text.strip().splitlines()
    cpu = [int(x) for x in lines[0].split()[1:]]
    disk = lines[-1].split()
    return ((sum(cpu[:8]) - cpu[3] - cpu[4]) / 100, int(re.search(r"^ctxt (\d+)", text, re.M).group(1)),
            int(disk[0]), int(disk[4]))


def run(vm, job, depth=1):
    """Run a job of fio's."""
    out = vm.sh("cd /tmp && " + fio(SEEN + " " + job, depth), timeout=3600)
    job = json.loads(out[out.index("{"):])["jobs"][0]
    done = job["read"] if job["read"]["total_ios"] else job["write"]
    n = done["total_ios"]
    before, after = (counters(vm.sh("cat /tmp/b.%srun.txt" % x)) for x in ("pre", "post"))
    busy, switches, reads, writes = (b - a for a, b in zip(before, after))
    lat = done["lat_ns"]
    return Result(n * 1000 / done["runtime"], lat["mean"] / 1e6, lat["percentile"]["99.000000"] / 1e6,
                  busy * 1e9 / n, switches / n, reads / n, writes / n)


class Rows:
    def __init__(self, vm, report, suite):
        self.vm, self.report, self.suite, self.rows = vm, report, suite, []

    def add(self, target, shape, r, note=""):
        self.rows.append({"target": target.name, "shape": shape, **r._asdict(), "note": note})
        self.report.say((LINE + "  %s") % (target.name, shape, r.iops, r.mean, r.p99, r.busy, r.switches,
                                           "%.2f" % (r.reads + r.writes), note))
        return r


# ---- a reader next to a writer ---------------------------------------------

def cold_cache(vm, t):
    """Drop all nodes, then load the inner nodes and the leaves of the writer's region."""
    if t.name.startswith("ccdm"):
        vm.sh("dmsetup message b 0 sync && dmsetup message b 0 drop && " + fio(replay("warm", t.dev), 16), timeout=3600)


def reader_and_writer(vm, t, depth, setup="", reader=""):
    """Run a reader while a writer writes at a queue depth: the reader's result, the writer's bandwidth."""
    # Both have a time limit, for a reader that starves: fio does not give up an I/O in flight.
    writer = fio("--rw=randwrite --bs=64k --size=%d --filename=%s --time_based --runtime=6" %
                 (WRITERS * LEAF * 4096, t.dev), depth)
    vm.sh("cd /tmp; (%s exec %s >/tmp/writer 2>&1) </dev/null >/dev/null 2>&1 & echo $! >/tmp/pid; sleep 1" % (setup, writer))
    r = run(vm, replay("reads", t.dev) + " --runtime=4 " + reader)
    out = vm.sh("kill -INT $(cat /tmp/pid); while kill -0 $(cat /tmp/pid) 2>/dev/null; do sleep 0.1; done; cat /tmp/writer",
                timeout=3600)
    written = json.loads(out[out.index("{"):])["jobs"][0]["write"]
    return r, "writer %.1f MiB/s" % (written["bw"] / 1024)


def neighbours(rows, what, depths, setup=None, reader="", raw=True):
    """All targets at all depths, and the goals. setup(target): commands that the writer runs first."""
    vm, at = rows.vm, {}
    for t in [Raw("raw", NULLB)] * raw + [crypt(vm, NULLB), ccdm(vm, NULLB, rows.suite, "cache_mib:64")]:
        with t:
            is_ccdm = t.name.startswith("ccdm")
            if is_ccdm:
                vm.sh(fio(replay("fill", t.dev), 64), timeout=3600)
            for depth in depths:
                for cached in (True, False) if is_ccdm else (False,):
                    cold_cache(vm, t)
                    if cached:
                        vm.sh(fio(replay("reads", t.dev), 16), timeout=3600)
                    kind = (", cached" if cached else ", uncached") if is_ccdm else ""
                    r, note = reader_and_writer(vm, t, depth, setup(t) if setup else "", reader)
                    at[t.name, depth, cached] = rows.add(t, "%s q%d%s" % (what, depth, kind), r, note)
    for depth in depths:
        base = at[BASE, depth, False]
        for cached in (True, False):
            r = at["ccdm " + rows.suite, depth, cached]
            for name in ("mean", "p99"):
                rows.report.goal("%s q%d, %s: %s, to dm-crypt's" % (what, depth, "cached" if cached else "uncached", name),
                                 getattr(r, name) / getattr(base, name), 1.25)


def device(vm, ns, gib, tags, first, count):
    """An empty device, and the lists of blocks."""
    vm.sh("! grep -q ^null_blk /proc/modules || rmmod null_blk")
    null_blk(vm, ns, gib, tags)
    vm.sh("echo none >/sys/block/nullb0/queue/scheduler")
    lists(vm, first, count)


def row_latency(rows):
    device(rows.vm, 4000000, 1, 8, WRITERS, READS)
    neighbours(rows, "latency", (64, 512))


def row_iomax(rows):
    group = "/sys/fs/cgroup/w"
    rows.vm.sh("mountpoint -q /sys/fs/cgroup || mount -t cgroup2 cgroup2 /sys/fs/cgroup && "
               "echo +io >/sys/fs/cgroup/cgroup.subtree_control")
    for where, name in (("below", NULLB), ("mapping", None)):
        def limit(t, name=name):
            return "rmdir %s 2>/dev/null; mkdir %s; echo \"$(lsblk -dno MAJ:MIN %s | tr -d ' ') wbps=%d\" >%s/io.max; " \
                "echo $BASHPID >%s/cgroup.procs;" % (group, group, name or t.dev, LIMIT, group, group)
        device(rows.vm, 4000000, 1, 8, WRITERS, READS)
        neighbours(rows, "iomax " + where, (512,), limit, raw=name is not None)


def row_rt(rows):
    device(rows.vm, 4000000, 1, 8, WRITERS, READS)
    rows.vm.sh("modprobe -q mq-deadline; echo mq-deadline >/sys/block/nullb0/queue/scheduler")
    neighbours(rows, "rt", (512,), reader="--prioclass=1 --prio=4")


def row_cold(rows, what, ns, depths):
    vm, at = rows.vm, {}
    device(vm, ns, 8, TAGS, 0, COLD)
    with ccdm(vm, NULLB, rows.suite, "cache_mib:128") as t:
        vm.sh(fio(replay("fill", t.dev), 64), timeout=3600)
        for depth in depths:
            raw = Raw("raw", NULLB)
            with raw:
                at["raw", depth] = rows.add(raw, "%s q%d" % (what, depth), run(vm, replay("reads", raw.dev), depth))
            cold_cache(vm, t)
            r = rows.add(t, "%s q%d" % (what, depth), run(vm, replay("reads", t.dev), depth))
            assert r.reads > 1.9, "the leaves were in memory"
            at["ccdm", depth] = r
    return at


def row_cold4(rows):
    at = row_cold(rows, "cold", 4000000, (16, 64))
    for depth in (16, 64):
        rows.report.goal("cold q%d: IOPS, of raw" % depth, at["ccdm", depth].iops / at["raw", depth].iops, 0.85, least=True)


def cpu_limit(results):
    """I/Os a second that one CPU does if it never waits."""
    return 1e9 / min(r.busy for r in results)


def row_fast(rows):
    depths = (64, 128)
    at = row_cold(rows, "fast", 1000000, depths)
    cpu = cpu_limit(at["ccdm", depth] for depth in depths)
    for depth in depths:
        limits = {"raw": at["raw", depth].iops, "CPU": cpu}
        least = min(limits, key=limits.get)
        rows.report.goal("fast q%d: IOPS, of %.0f (%s)" % (depth, limits[least], least),
                         at["ccdm", depth].iops / limits[least], 0.85, least=True)
    rows.report.goal("fast q128: context switches a read, less raw's",
                     at["ccdm", 128].switches - at["raw", 128].switches, 2)


def row_tenth(rows):
    vm = rows.vm
    device(vm, 4000000, 8, TAGS, 0, COLD)
    with ccdm(vm, NULLB, rows.suite, "cache_mib:7") as t:
        vm.sh(fio(replay("fill", t.dev), 64), timeout=3600)
        results = {}
        for depth in (64, 256):
            # another seed, or the second run would write where the first one did
            results[depth] = rows.add(t, "tenth q%d" % depth, run(
                vm, "--rw=randwrite --bs=4k --filename=%s --norandommap --random_generator=tausworthe64 --randseed=%d "
                "--io_size=100g --number_ios=%d" % (t.dev, depth, COLD), depth))
        said = dict(w.split(":", 1) for w in vm.sh("dmsetup status b").split() if ":" in w)
        rows.report.say("# tenth: the cache holds %s KiB in all, the tree has %d" % (
            said["cache_kib"].replace("/", " of "), int(vm.sh("blockdev --getsz " + t.dev)) // 8 // LEAF * 4))
    cpu = cpu_limit(results.values())
    for depth, r in results.items():
        limits = {"%d / 8 ms" % depth: depth / 0.008, "tags": TAGS / 0.004 / (r.reads + r.writes), "CPU": cpu}
        least = min(limits, key=limits.get)
        rows.report.goal("tenth q%d: IOPS, of %.0f (%s)" % (depth, limits[least], least), r.iops / limits[least], 0.8, least=True)


# ---- on several CPUs -------------------------------------------------------

def row_cpus(kernel, report, suite):
    """Who opens what one thread reads in large pieces. The rows.

    The cipher is the kernel's C code. With AES instructions a read is opened within a few time slices
    of the host, so that on a host with two CPUs only two vCPUs would take part.
    """
    with VM(kernel, cpus=4, mem=1024, cpu="max,-aes,-pclmulqdq") as vm:
        load_modules(vm)
        null_blk(vm, 100000, 1)
        with ccdm(vm, NULLB, suite) as t:
            job = "--rw=%s --bs=1m --size=" + "%d --filename=%s" % (SEQUENTIAL, t.dev)
            vm.sh(fio(job % "write", 4), timeout=3600)
            opened = openers(vm, fio(job % "read"))
    total = collections.Counter(opened)
    reads = [collections.Counter(opened[i:i + MIB]) for i in range(0, len(opened), MIB)]
    of_each = sum(max(r.values()) for r in reads) / len(opened)
    report.say("# cpus: blocks opened by each: %s; the busiest opened %.3f of them all" % (
        " ".join("%d" % total[cpu] for cpu in range(4)), max(total.values()) / len(opened)))
    report.goal("cpus: the busiest CPU's share of a read, mean", of_each, 0.4)
    return [{"target": "ccdm " + suite, "shape": "cpus", "opened": total, "of_each": of_each}]


def openers(vm, command):
    """The CPU of each block that was opened while a command ran, in order of time."""
    tracing = "/sys/kernel/tracing"
    vm.sh("cd %s && echo 'p:ccdm_opens ccdm_open' >>kprobe_events && echo 1 >events/kprobes/ccdm_opens/enable" % tracing)
    vm.sh(command, timeout=3600)
    return [int(cpu) for cpu in vm.sh("grep -o '\\[[0-9]*\\].*ccdm_opens' %s/trace | cut -c2-4" % tracing).split()]


# ---- all of it -------------------------------------------------------------

ROWS = {"latency": row_latency, "iomax": row_iomax, "rt": row_rt, "cold": row_cold4, "fast": row_fast, "tenth": row_tenth}
CPUS = "cpus"                           # in a VM of its own


def measure(kernel, suite, names, report):
    with open(os.path.join(CACHE, "kernels", kernel, "release")) as f:
        release = f.read().strip()
    report.say("# kernel %s, %s, %s" % (release, suite, qemu_version()))
    found = []
    counted = [n for n in names if n != CPUS]
    if counted:
        with VM(kernel, mem=3072, **COUNTED) as vm:
            load_modules(vm)
            report.say(HEAD)
            rows = Rows(vm, report, suite)
            for n in counted:
                ROWS[n](rows)
        found += rows.rows
    if CPUS in names:
        found += row_cpus(kernel, report, suite)
    return {"kernel": release, "qemu": qemu_version(), "suite": suite, "rows": found}


def compare(record, goals):
    """Print each goal's value next to the recorded one."""
    with open(record + ".json") as f:
        before = json.load(f)
    was = {g["what"]: g["value"] for g in before["goals"]}
    print("# recorded on %s" % before["kernel"])
    for g in goals:
        if g["what"] in was:
            print("%-52s %7.3f, was %7.3f" % (g["what"], g["value"], was[g["what"]]))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--kernel", default="6.12")
    p.add_argument("--only")
    p.add_argument("--suite", default=SUITE)
    p.add_argument("--tree", default=TOP)
    p.add_argument("--compare", action="store_true")
    p.add_argument("--record", action="store_true")
    a = p.parse_args()
    record = record_path(a.kernel + "-load")
    if a.compare and not os.path.exists(record + ".json"):
        p.error("nothing is recorded in %s.json: make bench-record" % os.path.relpath(record, TOP))
    if a.record and (a.only or a.suite != SUITE):
        p.error("a record has all rows, and is of %s" % SUITE)
    names = a.only.split(",") if a.only else list(ROWS) + [CPUS]
    for n in names:
        if n not in list(ROWS) + [CPUS]:
            p.error("no row '%s': %s" % (n, " ".join(list(ROWS) + [CPUS])))
    report = Report()
    prepare(a.kernel, a.tree)
    result = measure(a.kernel, a.suite, names, report)
    result["goals"] = report.goals
    if a.compare:
        compare(record, report.goals)
    report.write(os.path.join(TOP, "build/bench-%s-load" % a.kernel), result)
    if a.record:
        report.write(record, result)
    return 1 if report.missed else 0


if __name__ == "__main__":
    sys.exit(main())
