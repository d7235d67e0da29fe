#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""run - a long run: all uses at once on one mapping, while the host attacks it (tests/lib/soak.py)

  tests/run gauge soak [--hours H] [--slice SECONDS] [--kernel K] [--fresh]

Runs one VM after the other. Kernel, suite, cache and options of each are drawn from the run's seed
and the VM's number. At some time in the last third of each, the host changes the disk: a bit, an
old block or node, or the whole disk to an old state. The readers or the scrub at the end must
find that, and nothing wrong may be read before or after. $CCDM_CACHE/soak records what was done:
a run that was stopped continues, until it has H hours (default 1). Ends with the sums of all
slices.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(TOP, "tests/lib"))
import vm as V  # noqa: E402

DISK, LOW = 640 << 20, 48 << 20
STILL = 16 * 256        # blocks of the region that never changes
TOLD = "read -r _ </run/told"
ATTACKS = ("flip block", "flip node", "old block", "old node", "old disk")


class State:
    """The state of the run, in a file."""

    def __init__(self, path, fresh):
        self.path = path
        self.o = {"seed": random.SystemRandom().randrange(1 << 32), "slices": 0, "seconds": 0, "count": {}, "attacks": 0,
                  "detections": 0, "bad": 0}
        if os.path.exists(path) and not fresh:
            with open(path) as f:
                self.o = json.load(f)

    def save(self):
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        with open(self.path + ".new", "w") as f:
            json.dump(self.o, f, indent=1)
        os.replace(self.path + ".new", self.path)


def fit(backing):
    """The largest number of data blocks that fit with their tree."""
    blocks = backing
    while V.Geometry(blocks).total > backing:
        blocks -= max(1, (V.Geometry(blocks).total - backing) // 2)
    return blocks


class Host:
    """The attacker: it remembers the disk after the first write of the unchanging region."""

    def __init__(self, disk, rng, blocks):
        self.disk, self.rng, self.g = disk, rng, V.Geometry(blocks)
        self.old = None

    def remember(self):
        with open(self.disk.path, "rb") as f:
            self.old = f.read(self.g.total * V.BLOCK)

    def strike(self, kind):
        at = self.rng.randrange(STILL)
        if kind.endswith("node"):
            at = self.g.node(0, at)
        if kind == "old disk":
            with open(self.disk.path, "r+b") as f:
                f.write(self.old)
            return
        now = self.disk.read(at)
        new = bytearray(now)
        if kind.startswith("flip"):
            new[self.rng.randrange(V.BLOCK)] ^= 1 << self.rng.randrange(8)
        else:
            new = self.old[at * V.BLOCK:(at + 1) * V.BLOCK]
        assert bytes(new) != now, "the strike changes nothing"
        self.disk.write(at, bytes(new))


def prepare(vm, rng, suite):
    """Open the two mappings. Return: blocks of t."""
    vm.sh("dmesg -C; modprobe -qa xts gcm dm-mod dm-flakey ext4 xfs btrfs; insmod /ccdm/dm-ccdm.ko")
    options = ["cipher:" + suite, "cache_mib:%d" % rng.choice((2, 4, 32)), "on_tamper:eio"]
    options += ["allow_discards"] * rng.randrange(2)
    size = int(vm.sh("blockdev --getsz /dev/vdd"))
    blocks = fit(size // 8)
    vm.sh("dmsetup create t --table '0 %d ccdm 1 /dev/vdd %d %s'" % (blocks * 8, len(options), " ".join(options)))
    low = int(vm.sh("blockdev --getsz /dev/vde"))
    well = "0 %d linear /dev/vde 0" % low
    vm.sh("echo '%s' >/run/well; dmsetup create low --table '%s'; "
          "dmsetup create e --table '0 %d ccdm 1 /dev/mapper/low 2 cipher:%s cache_mib:2'" %
          (well, well, fit(low // 8) * 8, suite))
    vm.sh("dmsetup suspend low; dmsetup load low --table '0 %d flakey /dev/vde 0 %d %d'; dmsetup resume low" %
          (low, rng.randrange(2, 8), rng.randrange(1, 3)))
    return blocks, " ".join(options)


def one(number, slice_, state, seconds, kernel, directory):
    """Run a slice, which becomes the number-th result. Return: what was wrong."""
    rng = random.Random("%d/%d" % (state.o["seed"], slice_))
    kernel = kernel or rng.choice(("6.1", "6.12", "7.2"))
    suite, kind, cpus = rng.choice(V.SUITES), rng.choice(ATTACKS), rng.choice((2, 3))
    disks = [V.Disk(os.path.join(directory, "disk"), DISK), V.Disk(os.path.join(directory, "low"), LOW)]
    strike_at = seconds * (2 / 3 + rng.random() / 4)
    with V.VM(kernel, disks, mem=1024, cpus=cpus, log=os.path.join(directory, "console")) as vm:
        blocks, options = prepare(vm, rng, suite)
        host = Host(disks[0], rng, blocks)
        # It reports both writes of the unchanging region, and its end.
        vm.sh("mkfifo /run/told /run/go; (python3 /ccdm/tests/lib/soak.py %d '%d/%d' >/run/out 2>&1; echo >/run/told) "
              ">/dev/null 2>&1 &" % (seconds, state.o["seed"], slice_))
        vm.sh(TOLD, timeout=300)
        host.remember()
        vm.sh("echo >/run/go; " + TOLD, timeout=300)
        vm.sh("echo >/run/go")
        begin = time.monotonic()
        time.sleep(strike_at)
        early = vm.sh("cat /run/out") or vm.sh("dmsetup status t").split()[3] != "state:active"
        vm.sh("touch /run/struck")
        host.strike(kind)
        vm.sh(TOLD, check=False, timeout=seconds + 900)
        out = vm.sh("cat /run/out")
        try:
            said = json.loads(out.splitlines()[-1])
        except (ValueError, IndexError):
            said = {"count": {}, "wrong": ["it ended without a word: " + out[-2000:]], "state": "?"}
        log = vm.sh("dmesg | grep -E 'BUG|WARNING|Call Trace|hung task|ccdm: .*tamper' | head -n 20; true")
    wrong = said["wrong"]
    if early:
        wrong.append("it ended before the host struck: " + str(said))
    if said["state"] != "tampered":
        wrong.append("struck (%s), and not seen: %s" % (kind, said["state"]))
    if "BUG" in log or "WARNING" in log or "hung" in log:
        wrong.append(log)
    o = state.o
    o["attacks"] += 1
    o["detections"] += said["state"] == "tampered"
    o["seconds"] += int(time.monotonic() - begin)
    o["slices"] += 1
    o["bad"] += bool(wrong)
    for k, v in said["count"].items():
        o["count"][k] = o["count"].get(k, 0) + v
    print("%s %d slice %d: kernel %s, %s, %d CPUs, struck after %d s: %s; %s: %s" % (
        "not ok" if wrong else "ok", number, slice_, kernel, options, cpus, strike_at, kind,
        [x for x in log.splitlines() if "tamper" in x][:1] or "nothing seen",
        ", ".join("%d %s" % (v, k) for k, v in sorted(said["count"].items()))), flush=True)
    for w in wrong:
        print("# " + str(w).replace("\n", "\n# "), flush=True)
    return wrong


def main():
    p = argparse.ArgumentParser(add_help=False)
    p.add_argument("--hours", type=float, default=1)
    p.add_argument("--slice", type=int, default=420)
    p.add_argument("--kernel")
    p.add_argument("--fresh", action="store_true")
    p.add_argument("-h", "--help", action="store_true")
    a = p.parse_args()
    if a.help:
        print(__doc__.split("\n\n", 1)[1].strip())
        return 0
    for k in [a.kernel] if a.kernel else ["6.1", "6.12", "7.2"]:
        for cmd in ("kernels build " + k, "guest root", "guest boot " + k):
            subprocess.run([os.path.join(TOP, "scripts", cmd.split()[0]), *cmd.split()[1:]], check=True, stdout=sys.stderr)
    state = State(os.path.join(V.CACHE, "soak/state.json"), a.fresh)
    print("KTAP version 1")
    print("# seed %d; %d slices and %d s were done before" % (state.o["seed"], state.o["slices"], state.o["seconds"]), flush=True)
    results = 0
    if state.o["slices"]:
        results = 1
        print("%s 1 %d slices before, %d of them bad" % ("not ok" if state.o["bad"] else "ok", state.o["slices"], state.o["bad"]))
    while state.o["seconds"] < a.hours * 3600:
        results += 1
        with tempfile.TemporaryDirectory(prefix="ccdm-soak-", dir=os.path.join(TOP, "build")) as directory:
            one(results, state.o["slices"] + 1, state, a.slice, a.kernel, directory)
        state.save()
    o = state.o
    print("# %d s in %d slices, seed %d: %s" % (o["seconds"], o["slices"], o["seed"],
                                                ", ".join("%d %s" % (v, k) for k, v in sorted(o["count"].items()))))
    print("# attacks %d, detections %d" % (o["attacks"], o["detections"]))
    print("1..%d" % results)
    return 1 if o["bad"] else 0


sys.exit(main())
