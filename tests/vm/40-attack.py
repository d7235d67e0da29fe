# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""The host attacks the raw disk file while the VM runs.

Each trial writes labelled blocks, makes the mapping write everything back and drop its cache,
changes the file as the host, and reads in the VM. A trial counts only if the attacked place was
not in the cache, the new bytes differ from the current ones, the read failed with nothing of the
block in its buffer, and the event names the attacked place. The controls run the same program
without the change, and must find nothing.
"""
import os
import random

from vm import Geometry, Mapping

BLOCKS = 80 * 128 * 128 // 64       # 20480 blocks: leaves, level 1, level 2
KINDS = ("flip", "swap", "replay-block", "replay-node", "replay-both", "replay-device", "drop-write",
         "torn-write")


class Trial:
    def __init__(self, t, vm, disk, suite, rng, attack=True):
        self.t, self.vm, self.disk, self.suite, self.rng, self.attack = t, vm, disk, suite, rng, attack
        self.g = Geometry(BLOCKS)

    def settle(self, m):
        m.message("sync")
        m.message("drop")

    def snapshot(self):
        """The present content of the disk: data and tree, as a sparse file."""
        with open(self.disk.path, "rb") as f:
            return f.read(self.g.total * 4096)

    def put(self, block, data):
        """The host's change. Its bytes must differ from the present ones."""
        if not self.attack:
            return
        assert self.disk.read(block) != data, "the edit changes nothing"
        self.disk.write(block, data)

    def at(self, image, block):
        return image[block * 4096:(block + 1) * 4096]

    def run(self, kind, level):
        """level -1: the data block; else the node of that level above it. Return: True if everything is as required."""
        vm, g, rng = self.vm, self.g, self.rng
        b = rng.randrange(256, BLOCKS - 256)
        m = Mapping(vm, "atk", "/dev/vdd", BLOCKS * 8, ["cipher:" + self.suite, "on_tamper:eio", "cache_mib:4"],
                    udev=False)
        try:
            # write more blocks around it, so the nodes have other entries, too
            for at, label, n in ((0, "edge", 4), (BLOCKS - 8, "edge", 4), (b, "old", 1), (b ^ 1, "other", 1)):
                assert m.write(at, label, n) == 0, "a write before the attack failed"
            self.settle(m)
            before = self.snapshot()
            assert m.write(b, "new") == 0
            self.settle(m)
            place = b if level < 0 else g.node(level, b)
            expect = ("block", 0, b) if level < 0 else ("node", level, b >> 7 * (level + 1))
            now = self.disk.read(place)
            assert now != self.at(before, place), "the second write changed nothing"

            if kind == "flip":
                x = bytearray(now)
                x[rng.randrange(4096)] ^= 1 << rng.randrange(8)
                self.put(place, bytes(x))
            elif kind == "swap":
                # another genuine block or node of the same level, if there is one
                other = b ^ 1 if level < 0 else g.node(level, 0 if b >> 7 * (level + 1) else BLOCKS - 1)
                if other == place:
                    other = b
                o = self.disk.read(other)
                self.put(place, o)
                if self.attack and other != b:
                    self.disk.write(other, now)
            elif kind in ("replay-block", "replay-node"):
                self.put(place, self.at(before, place))
            elif kind == "replay-both":
                # the block with the node above it, or the node with all nodes and blocks below it
                for at in range(-1, level + 1):
                    p = b if at < 0 else g.node(at, b)
                    self.put(p, self.at(before, p))
                if level < 0:
                    p = g.node(0, b)
                    self.put(p, self.at(before, p))
                    expect = ("node", 0, b >> 7)
            elif kind == "replay-device":
                if self.attack:
                    with open(self.disk.path, "r+b") as f:
                        f.write(before)
                expect = ("node", g.levels - 1, 0)
            elif kind == "drop-write":
                # the device reports success without writing: the third version never reaches it
                assert m.write(b, "newer") == 0
                self.settle(m)
                self.put(place, now)
            elif kind == "torn-write":
                assert m.write(b, "newer") == 0
                self.settle(m)
                cut = 512 * rng.randrange(1, 8)
                self.put(place, self.disk.read(place)[:cut] + now[cut:])

            last = "newer" if kind in ("drop-write", "torn-write") else "new"
            misses = int(m.status()["misses"])
            errno, labels = m.read(b)
            s = m.status()
            if int(s["misses"]) <= misses:
                return "the leaf was in the cache"
            if not self.attack:
                return True if (errno, labels, s["state"], s["tampers"]) == (0, [last], "active", "0") \
                    else "control: errno %s labels %s state %s" % (errno, labels, s["state"])
            if s["state"] != "tampered" or errno != 5:
                return "not detected: errno %s labels %s state %s" % (errno, labels, s["state"])
            if labels[0] not in ("zero", "untouched"):
                return "the buffer holds %s" % labels
            line = vm.sh("dmesg | grep 'ccdm: atk: tamper:' | tail -n1")
            want = "tamper: %s level %d index %d" % expect
            if want not in line:
                return "expected '%s', the log says '%s'" % (want, line.strip())
            if m.read(0)[0] != 5 or m.write(0, "x") != 5:
                return "I/O goes on after tamper"
            return True
        finally:
            m.close()


def cells(g):
    """kind x level, without combinations that make no sense."""
    out = []
    for kind in KINDS:
        for level in range(-1, g.levels):
            if kind == "replay-node" and level < 0 or kind == "replay-block" and level >= 0:
                continue
            if kind == "replay-device" and level >= 0:
                continue
            out.append((kind, level))
    return out


def run(t):
    seed = int(os.environ.get("CCDM_SEED", "0")) or random.SystemRandom().randrange(1 << 32)
    rng = random.Random(seed)
    t.note("seed %d" % seed)
    g = Geometry(BLOCKS)
    each = 15 if t.full else 1
    disk = t.disk(g.total * 4096 + 4096)
    trials = found = controls = clean = 0
    with t.vm([disk], mem=768) as vm:
        vm.sh("udevadm control --exit")
        t.allow_log = "tamper"
        for suite, gmac in (("aes-xts-gmac", "aad"), ("aes-xts-hmac-sha256", "aad"), ("aes-gcm", "aad"),
                            ("aes-xts-gmac", "gcm")):
            vm.sh("if lsmod | grep -q ^dm_ccdm; then rmmod dm-ccdm; fi")
            t.load(vm, gmac)
            bad = []
            for kind, level in cells(g):
                for _ in range(each):
                    trials += 1
                    r = Trial(t, vm, disk, suite, rng).run(kind, level)
                    found += r is True
                    if r is not True:
                        bad.append("%s level %d: %s" % (kind, level, r))
                if t.full or level < 1:
                    controls += 1
                    r = Trial(t, vm, disk, suite, rng, attack=False).run(kind, level)
                    clean += r is True
                    if r is not True:
                        bad.append("%s level %d: %s" % (kind, level, r))
            t.ok(not bad, "%s (gmac=%s): every attack is found where it was made, no control run finds any" % (suite, gmac),
                 "\n".join(bad))
        t.note("trials %d, detected %d; control runs %d, clean %d" % (trials, found, controls, clean))
        t.ok(trials >= (1000 if t.full else 100) and found == trials, "%d trials, %d detected" % (trials, found))
        t.ok(controls and clean == controls, "%d control runs, %d clean" % (controls, clean))
        t.check_log(vm)
