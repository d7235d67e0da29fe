# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""What the host sees is unrelated to the data that was written, and nothing reveals the key."""
import re

from vm import SUITES, Geometry, Mapping

BLOCKS = 20480
LABEL = "CCDM-KNOWN-PLAINTEXT-0123456789"


def distance(a, b):
    return sum(bin(x ^ y).count("1") for x, y in zip(a, b))


def run(t):
    g = Geometry(BLOCKS)
    disk = t.disk(g.total * 4096)
    with t.vm([disk]) as vm:
        t.load(vm)
        # the control: without ccdm the search finds the text
        vm.write("/dev/vdd", 7, LABEL, 4)
        t.ok(disk.contains(LABEL.encode()), "control: plaintext on the bare disk is found")
        # random data from before any mapping was opened: certificates, build IDs
        known = vm.sh("cat /proc/keys /proc/crypto; dmesg; grep -r . /sys/module/dm_ccdm 2>/dev/null; true")
        for suite in SUITES:
            vm.sh("dd if=/dev/zero of=/dev/vdd bs=1M oflag=direct status=none || true")
            m = Mapping(vm, "s", "/dev/vdd", BLOCKS * 8, ["cipher:" + suite, "on_tamper:eio"])
            for at in (0, 100, 5000, BLOCKS - 64):
                m.write(at, LABEL, 64)
            vm.sh("mkfs.ext4 -q -F /dev/mapper/s && mount /dev/mapper/s /mnt && "
                  "for i in 1 2 3; do yes %s | head -c 2000000 > /mnt/f$i; done; umount /mnt" % LABEL)
            m.message("sync")
            t.ok(not disk.contains(LABEL.encode()), suite + ": the disk contains no known plaintext")
            t.ok(not disk.contains(b"CCDM-KNOWN"), suite + ": nor is a part of it")

            m.write(300, "same")
            m.message("sync")
            first, leaf1 = disk.read(300), disk.read(g.node(0, 300))
            m.write(300, "same")
            m.message("sync")
            second, leaf2 = disk.read(300), disk.read(g.node(0, 300))
            d = distance(first, second)
            t.ok(15500 < d < 17300, "%s: the same data twice: %d of 32768 bits differ" % (suite, d))
            same16 = sum(first[i:i + 16] == second[i:i + 16] for i in range(0, 4096, 16))
            t.ok(same16 == 0, suite + ": no 16 bytes of them are equal")
            d = distance(leaf1, leaf2)
            t.ok(15500 < d < 17300, "%s: the leaf above: %d bits differ" % (suite, d))
            m.write(301, "same")
            d = distance(disk.read(301), disk.read(300))
            t.ok(15500 < d < 17300, "%s: the same label in two blocks: %d bits differ" % (suite, d))
            zero = disk.read(g.node(0, 300))
            t.ok(b"\0" * 32 not in zero, suite + ": a leaf shows no unwritten entries")
            m.message("drop")
            m.write(302, "gone", 4)
            vm.sh("blkdiscard -f -o $((302 * 4096)) -l $((4096 * 4)) /dev/mapper/s 2>&1")
            t.ok(m.read(302, 4) == (0, ["zero"] * 4), suite + ": discarded blocks read zeros")
            m.message("sync")
            t.ok(b"\0" * 32 not in disk.read(g.node(0, 302)), suite + ": a leaf shows no discarded entries")

            texts = vm.sh("dmsetup table --showkeys s; dmsetup status s; dmsetup info -c --noheadings s; dmesg; "
                          "cat /sys/block/dm-*/dm/* /proc/crypto /proc/keys; "
                          "grep -r . /sys/module/dm_ccdm /sys/kernel/debug/ccdm 2>/dev/null; ccdm-setup status s; "
                          "ccdm-setup status --json s; true")
            uuid = vm.sh("dmsetup info -c --noheadings -o uuid s").strip()
            words = [w for w in re.findall(r"\b[0-9a-fA-F]{32,}\b", texts.replace(uuid, ""))
                     if "build" not in w and len(set(w)) > 4]
            words = [w for w in words if w not in known]
            t.ok(not words, suite + ": nothing that could be a key in table, status, log or sysfs", str(words))
            t.ok("ccdm" in texts and "suite" in texts, suite + ": (the texts were there)")
            m.close()
        t.check_log(vm)
