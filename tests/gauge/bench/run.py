#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""bench - instructions per I/O of ccdm and its alternatives, in one boot

  tests/run gauge bench [--kernel K]        everything: text, and JSON in build/bench-K.json;
                                            fails if a goal is missed
  tests/run gauge bench --short             four shapes of dm-crypt and ccdm
  tests/run gauge bench ... --compare       beside what was recorded; fails if a ratio to
                                            dm-crypt grew by more than 3 %
  tests/run gauge bench ... --record        writes Documentation/bench/K.*: text, JSON, plot

One vCPU under -icount shift=0: the guest's clock counts instructions, so fio's times are numbers
of executed instructions. These are not cycles, but they are the same in each run on any machine.
The device below is a RAM disk, filled before the measurements; every block of a mapping is
written once; addresses are uniform. aes-xts-gmac makes its tags through additional data
(gmac=aad), as in all records; instructions do not show which way is faster on a CPU. Each shape
runs twice: once while the kernel counts the bios that reach the RAM disk, and once, longer, for
the instructions.
"""
import argparse
import collections
import json
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(TOP, "tests/lib"))
from bench import (BASE, COUNTED, SUITES, Raw, Report, Table, ccdm, crypt, load_modules, null_blk,  # noqa: E402
                   qemu_version, record_path)
from vm import VM, prepare  # noqa: E402

RAM = "/dev/ram0"
KINDS = (0, 2, 1)                       # the same as enum ccdm_construction
SEAL, OPEN = "4k seal", "4k open"
LUKS = "luks2"                          # the base of the other ratios
GROWTH = 1.03                           # factor by which a ratio may grow
LENGTH = 600e6                          # instructions of a measurement: fio's clock has a resolution of a millisecond
LINE = "%-26s %-18s %9.0f %9s %7s %7.3f %7.3f %9.0f %9.0f %5s"

# The goals: ratios to dm-crypt and LUKS2 (6.12 and 7.2), and to dm-crypt (6.1).
READ4, WRITE4, READ64, WRITE64 = "4k randread q8", "4k randwrite q8", "64k randread q8", "64k randwrite q8"
MUST = {
    "aes-xts-gmac": {READ4: (1.15, 0.62), WRITE4: (0.82, 0.50), READ64: (1.43, 0.65), WRITE64: (1.02, 0.54),
                     "4k randread, irq": (1.15, None)},
    "aes-gcm": {READ4: (1.08, None), WRITE4: (0.78, None), READ64: (1.32, None), WRITE64: (0.93, None),
                "4k randread, irq": (1.05, None)},
}
MUST_OLD = {"aes-gcm": {READ4: (1, 1), WRITE4: (1, 1), READ64: (1.08, 1), WRITE64: (1, 1)},
            "aes-xts-gmac": dict.fromkeys((READ4, WRITE4, READ64, WRITE64), (None, 1)),
            "aes-xts-hmac-sha256": dict.fromkeys((READ4, WRITE4, READ64, WRITE64), (None, 1))}
# At the device, per I/O: reads, writes, and bytes written per byte requested.
COUNTS = {READ4: (1, 0, 0), WRITE4: (0, 1.02, 1.02), "4k randread, tenth": (2.05, None, None),
          "4k randwrite, tenth": (1.05, 2.05, None), "64k write, fresh": (0, 1.01, 1.01)}

Shape = collections.namedtuple("Shape", "rw bs depth ios fsync", defaults=(False,))


def name_of(s):
    return "%s %s q%d%s" % (s.bs, s.rw, s.depth, " fsync" if s.fsync else "")


def shapes(short):
    """The measurements of every target."""
    for bs, ios in (("4k", 8000), ("64k", 1000)):
        for rw in ("randread", "randwrite") if short else ("randread", "randwrite", "read", "write"):
            for depth in (8,) if short else (1, 8, 32):
                yield Shape(rw, bs, depth, ios)
    if not short:
        yield Shape("randrw", "4k", 8, 8000)
        yield Shape("randwrite", "4k", 1, 8000, True)


# ---- targets ---------------------------------------------------------------

class Luks(Table):
    def __init__(self, vm, name, option=""):
        super().__init__(vm, name, RAM, None)
        self.option = option

    def __enter__(self):
        self.vm.sh("""export DM_DISABLE_UDEV=1
            echo x | cryptsetup luksFormat -q --type luks2 --integrity hmac-sha256 --integrity-no-wipe \
                --sector-size 4096 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file - /dev/ram0 &&
            echo x | cryptsetup open %s --key-file - /dev/ram0 b""" % self.option, timeout=1800)
        return self

    def __exit__(self, *exc):
        self.vm.sh("DM_DISABLE_UDEV=1 cryptsetup close b")


class Verity(Table):
    reads_only = True

    def __init__(self, vm, name):
        super().__init__(vm, name, RAM, None)

    def __enter__(self):
        blocks = int(self.vm.sh("blockdev --getsz /dev/ram0")) // 8 * 98 // 100
        args = "--no-superblock --data-blocks=%d --hash-offset=%d" % (blocks, blocks * 4096)
        out = self.vm.sh("veritysetup format %s /dev/ram0 /dev/ram0" % args, timeout=1800)
        said = {k: v.strip() for k, v in (x.split(":", 1) for x in out.splitlines() if ":" in x)}
        self.vm.sh("DM_DISABLE_UDEV=1 veritysetup open %s --salt=%s /dev/ram0 b /dev/ram0 %s" %
                   (args, said["Salt"], said["Root hash"]))
        return self


def targets(vm, short, below=RAM, most=1 << 40):
    if not short:
        yield Raw("raw", below)
        yield Table(vm, "dm-linear", below, "linear {dev} 0", most=most)
    yield crypt(vm, below, most=most)
    if not short:
        yield crypt(vm, below, "no_read_workqueue no_write_workqueue", BASE + ", no work queues")
        yield Luks(vm, LUKS, "--integrity-no-journal")
        yield Luks(vm, LUKS + ", journal")
        yield Verity(vm, "dm-verity")
    for suite in SUITES:
        yield ccdm(vm, below, suite, most=most)


# ---- one measurement -------------------------------------------------------

def fio(vm, dev, s, ios):
    """Instructions per I/O, and the number of I/Os."""
    out = vm.sh("fio --name=b --filename=%s --direct=1 --ioengine=libaio --iodepth=%d --rw=%s --bs=%s --number_ios=%d "
                "--io_size=100g --norandommap --randrepeat=1 --random_generator=tausworthe64 %s --output-format=json" %
                (dev, s.depth, s.rw, s.bs, ios, "--fsync=1" if s.fsync else ""), timeout=3600)
    job = json.loads(out[out.index("{"):])["jobs"][0]
    done = [job[d] for d in ("read", "write") if job[d]["total_ios"]]
    n = sum(d["total_ios"] for d in done)
    return max(d["runtime"] for d in done) * 1e6 / n, n


class Counts(collections.namedtuple("Counts", "reads writes read_bytes written_bytes flushes")):
    """The I/O that reached the device below, per I/O."""

    @classmethod
    def of(cls, vm, dev, s, below="ram0"):
        """And the instructions of each, including the counting."""
        major, minor = vm.sh("cat /sys/block/%s/dev" % below).split(":")
        hist = "hist:keys=rwbs:vals=nr_sector if dev == %d" % (int(major) << 20 | int(minor))
        event = "/sys/kernel/tracing/events/block/block_bio_queue"
        vm.sh("echo '%s' >%s/trigger" % (hist, event))
        took, n = fio(vm, dev, s, s.ios)
        out = vm.sh("cat %s/hist; echo '!%s' >%s/trigger" % (event, hist, event))
        sums = dict.fromkeys("RWF", 0), dict.fromkeys("RWF", 0)
        for rwbs, hits, sectors in re.findall(r"rwbs: (\w+) .*hitcount: +(\d+) +nr_sector: +(\d+)", out):
            for letter in "RWF":
                if letter in rwbs:      # F: a flush, or FUA
                    sums[0][letter] += int(hits)
                    sums[1][letter] += int(sectors)
        return took, cls(sums[0]["R"] / n, sums[0]["W"] / n, sums[1]["R"] * 512 / n, sums[1]["W"] * 512 / n, sums[0]["F"] / n)


class Rows(Report):
    """The rows, printed as soon as they are known."""

    def __init__(self):
        super().__init__()
        self.rows, self.at = [], {}

    def add(self, target, shape, instructions, counts):
        def ratio(to):
            return instructions / self.at[to, shape] if (to, shape) in self.at else None
        self.at[target, shape] = instructions
        row = {"target": target, "shape": shape, "instructions": instructions, "to_dm_crypt": ratio(BASE),
               "to_luks2": ratio(LUKS), **counts._asdict()}
        self.rows.append(row)
        self.say(LINE % (target, shape, instructions, *("%.3f" % r if r else "" for r in (row["to_dm_crypt"], row["to_luks2"])),
                         *counts[:4], "%.3f" % counts.flushes if counts.flushes else ""))


def fill(vm, dev):
    vm.sh("dd if=/dev/zero of=%s bs=1M oflag=direct status=none || true" % dev, timeout=3600)


def row(vm, table, t, shape, what=None, below="ram0"):
    took, counts = Counts.of(vm, t.dev, shape, below)
    n, _ = fio(vm, t.dev, shape, int(LENGTH / took))
    table.add(t.name, what or name_of(shape), n, counts)


def measure(vm, table, target, short):
    with target as t:
        if not t.reads_only:
            fill(vm, t.dev)
        for s in shapes(short):
            if t.reads_only and "read" not in s.rw:
                continue
            row(vm, table, t, s)


def tree(vm, table, suite):
    """Cases: no tree yet, tree not in memory, tree larger than the cache."""
    name = "ccdm " + suite
    for measured in (False, True):
        with ccdm(vm, RAM, suite, "cache_mib:64") as t:
            fresh = Shape("write", "64k", 8, int(vm.sh("blockdev --getsz " + t.dev)) // 128)
            cold = Shape("randread", "4k", 8, 2000)
            if not measured:
                counts = Counts.of(vm, t.dev, fresh)[1]
            else:
                table.add(name, "64k write, fresh", fio(vm, t.dev, fresh, fresh.ios)[0], counts)
                vm.sh("dmsetup message b 0 sync && dmsetup message b 0 drop")
                counts = Counts.of(vm, t.dev, cold)[1]
                vm.sh("dmsetup message b 0 sync && dmsetup message b 0 drop")
                table.add(name, "4k randread, cold", fio(vm, t.dev, cold, cold.ios)[0], counts)
    with ccdm(vm, RAM, suite, "cache_mib:2") as t:
        fill(vm, t.dev)
        for rw in ("randread", "randwrite"):
            s = Shape(rw, "4k", 8, 16000)
            fio(vm, t.dev, s, s.ios // 2)
            row(vm, table, t, s, "4k %s, tenth" % rw)
        said = dict(w.split(":", 1) for w in vm.sh("dmsetup status b").split() if ":" in w)
        table.say("# %s: cache_mib:2 holds %s KiB in all" % (name, said["cache_kib"].replace("/", " of ")))


def interrupts(vm, table):
    """On a device that completes in hard interrupts."""
    null_blk(vm, 10000, 1)
    s = Shape("randread", "4k", 8, 8000)
    for target in targets(vm, True, "/dev/nullb0", 128 * 2048):
        with target as t:
            fill(vm, t.dev)
            row(vm, table, t, s, "4k randread, irq", "nullb0")
    vm.sh("rmmod null_blk")


def primitives(vm, table):
    """The cost of the suites' cryptography alone, called block by block."""
    vm.sh("dmesg -C; insmod /ccdm/ccdm-kat.ko blocks=20000; rmmod ccdm-kat")
    took = {int(kind): (int(seal), int(opened)) for kind, seal, opened in
            re.findall(r"ccdm-kat: cost (\d) seal (\d+) open (\d+)", vm.sh("dmesg"))}
    for suite, kind in zip(SUITES, KINDS):
        for what, n in zip((SEAL, OPEN), took[kind]):
            table.add("crypto " + suite, what, n, Counts(0, 0, 0, 0, 0))


def run(kernel, mib, short):
    table = Rows()
    prepare(kernel)
    with VM(kernel, mem=mib + 1024, **COUNTED) as vm:
        vm.sh("modprobe brd rd_nr=1 rd_size=%d" % (mib * 1024))
        load_modules(vm)
        fill(vm, RAM)
        table.say("# kernel %s, %s, RAM disk of %d MiB" % (vm.release, qemu_version(), mib))
        table.say("%-26s %-18s %9s %9s %7s %7s %7s %9s %9s %5s" % (
            "target", "shape", "instr/IO", "/dm-crypt", "/luks2", "reads", "writes", "B read", "B written", "flush"))
        for target in targets(vm, short):
            measure(vm, table, target, short)
        if not short:
            for suite in SUITES:
                tree(vm, table, suite)
            interrupts(vm, table)
            primitives(vm, table)
    return {"kernel": vm.release, "qemu": qemu_version(), "mib": mib, "rows": table.rows}, table


# ---- goals ---------------------------------------------------------------

def goals(kernel, table):
    """Print for each goal whether it is met."""
    at = {(r["target"], r["shape"]): r for r in table.rows}
    goal = table.goal

    def floor(suite, shape, key):
        """The ratio that device-mapper and the cryptography alone would reach."""
        if ("dm-linear", shape) not in at:
            return ""
        blocks = int(shape.split("k")[0]) // 4
        least = at["dm-linear", shape]["instructions"] + blocks * at[
            "crypto " + suite, SEAL if "write" in shape else OPEN]["instructions"]
        return " (dm-linear and the cryptography, without a tree: %.3f)" % (
            least / at[{"to_dm_crypt": BASE, "to_luks2": LUKS}[key], shape]["instructions"])

    for suite, musts in (MUST_OLD if kernel == "6.1" else MUST).items():
        for shape, limits in musts.items():
            for key, most in zip(("to_dm_crypt", "to_luks2"), limits):
                if most:
                    goal("%s, %s, %s" % (suite, shape, key.replace("_", " ")), at["ccdm " + suite, shape][key], most,
                         below=most == 1, note=floor(suite, shape, key))
    for suite in SUITES:
        for shape, limits in COUNTS.items():
            r = at["ccdm " + suite, shape]
            size = int(shape.split("k")[0]) * 1024
            for what, value, most in zip(("reads", "writes", "bytes written"),
                                         (r["reads"], r["writes"], r["written_bytes"] / size), limits):
                if most is not None:
                    goal("%s, %s: %s at the device" % (suite, shape, what), value, most)
        one, synced = at["ccdm " + suite, "4k randwrite q1"], at["ccdm " + suite, "4k randwrite q1 fsync"]
        # the call itself costs the same as on the RAM disk, which has nothing to flush either
        call = at["raw", "4k randwrite q1 fsync"]["instructions"] - at["raw", "4k randwrite q1"]["instructions"]
        goal("%s, fsync after each write, less the call (%.0f)" % (suite, call),
             (synced["instructions"] - call) / one["instructions"], 1.05)
        goal("%s, flushes at the device" % suite, synced["flushes"], 0)


# ---- records -------------------------------------------------------------

def recorded(kernel, short):
    """Path of the record, without extension."""
    return record_path(kernel + ("-short" if short else ""))


def compare(kernel, short, now):
    """Print each ratio next to the recorded one. Return: how many grew too much."""
    with open(recorded(kernel, short) + ".json") as f:
        before = json.load(f)
    was = {(r["target"], r["shape"]): r["to_dm_crypt"] for r in before["rows"] if r["to_dm_crypt"]}
    print("# recorded on %s" % before["kernel"])
    worse = 0
    for r in now["rows"]:
        old = was.pop((r["target"], r["shape"]), None)
        if not old or not r["target"].startswith("ccdm"):
            continue
        grew = r["to_dm_crypt"] / old
        worse += grew > GROWTH
        print("%-26s %-18s %.3f, was %.3f: %+.1f %%%s" % (r["target"], r["shape"], r["to_dm_crypt"], old, (grew - 1) * 100,
                                                          "  too much" if grew > GROWTH else ""))
    missing = [k for k in was if k[0].startswith("ccdm")]
    for k in missing:
        print("not measured: %s %s" % k)
    return worse + len(missing)


def plot(kernel, result):
    """A plot of the ratios at queue depth 8."""
    names = (READ4, WRITE4, READ64, WRITE64)
    at = {(r["target"], r["shape"]): r["to_dm_crypt"] for r in result["rows"]}
    who = [t for t in dict.fromkeys(r["target"] for r in result["rows"]) if (t, READ4) in at and (t, WRITE64) in at and
           t not in ("raw", "dm-linear")]
    data = "\n".join(" ".join(['"%s"' % n] + ["%.3f" % at[t, n] for t in who]) for n in names)
    script = """set terminal svg size 900,420 noenhanced background "white"
set output "%s"
set title "Instructions per I/O, dm-crypt = 1 (kernel %s)"
set style data histogram
set style fill solid 0.8 border -1
set yrange [0:*]
set grid y
set key outside
$data << EOD
%s
EOD
plot %s
""" % (recorded(kernel, False) + ".svg", result["kernel"], data,
       ", ".join('$data using %d%s title "%s"' % (i + 2, "" if i else ":xtic(1)", t) for i, t in enumerate(who)))
    subprocess.run(["gnuplot"], input=script, text=True, check=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--kernel", default="6.12")
    p.add_argument("--mib", type=int)
    p.add_argument("--short", action="store_true")
    p.add_argument("--compare", action="store_true")
    p.add_argument("--record", action="store_true")
    a = p.parse_args()
    record = recorded(a.kernel, a.short)
    if a.compare and not os.path.exists(record + ".json"):
        p.error("nothing is recorded in %s.json: make bench-record" % os.path.relpath(record, TOP))
    result, table = run(a.kernel, a.mib or (128 if a.short else 1024), a.short)
    worse = compare(a.kernel, a.short, result) if a.compare else 0
    table.write(os.path.join(TOP, "build/bench-%s%s" % (a.kernel, "-short" if a.short else "")), result)
    if a.record:
        table.write(record, result)
    if not a.short:
        goals(a.kernel, table)
        if a.record:
            plot(a.kernel, result)
    return 1 if worse or table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
