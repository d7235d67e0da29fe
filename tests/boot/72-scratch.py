# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# forms: long
"""Which disk is the scratch, and how much of it: all of a disk that is larger than the image, or the one blank disk."""
import hashlib
import json
import os
import subprocess

import measured
from boot import GPT_SWAP, add_part, conf, fails, part


def up(t, m, what):
    return t.ok(m.outcome == "up", "%s: it boots (%s)" % (what, m.outcome), m.log()[-3000:])


def noise(path, at, size):
    """The host writes random bytes."""
    with open(path, "r+b") as f:
        f.seek(at)
        f.write(os.urandom(size))


def before(path, end):
    """A digest of a disk up to this byte."""
    with open(path, "rb") as f:
        return hashlib.sha256(f.read(end)).hexdigest()


def grows(t):
    """A disk that is larger than the image. The firmware measures the partition table, which stays as it is."""
    path = t.image(name="grow.disk")
    scratch, end = part(path, 4)[0], os.path.getsize(path)
    pcr5, kept = measured.predicted(path)["pcrs"]["5"], before(path, scratch)
    with open(path, "ab") as f:
        f.truncate(end + (1 << 30))
    with t.boot([path], title="grow") as m:
        if up(t, m, "a larger disk"):
            sizes = [int(x) for x in m.sh("blockdev --getsize64 /dev/vda /dev/vda4 /dev/mapper/ccdm-root").split()]
            t.ok(sizes[1] > 2 * 1020 * (1 << 20) and sizes[2] > 0.9 * sizes[1], "the scratch and the root have grown", sizes)
            free = m.sh("fallocate -l 1200M /root/much && rm /root/much; df --output=size -B1 / | tail -n1")
            t.ok(int(free) > 0.85 * sizes[2], "and so has the file system", free)
            measured.booted(t, m, path)
    t.ok(before(path, scratch) == kept, "nothing was written outside of the scratch: the partition table is the image's")
    t.ok(measured.predicted(path)["pcrs"]["5"] == pcr5, "PCR 5 is the one of the disk as it was built", pcr5)
    # the scratch's data takes the place of the table's copy
    noise(path, end - 33 * 512, 33 * 512)
    with t.boot([path], title="grown") as m:
        if up(t, m, "a larger disk again, without the copy of its table"):
            size = int(m.sh("blockdev --getsize64 /dev/vda4"))
            t.ok(size == sizes[1], "the scratch has grown again", size)
            measured.booted(t, m, path)
    t.ok(before(path, scratch) == kept and measured.predicted(path)["pcrs"]["5"] == pcr5, "the table and PCR 5 are still the image's")
    add_part(path, 16, GPT_SWAP)
    with t.boot([path], title="followed") as m:
        if up(t, m, "a partition behind the scratch"):
            size = int(m.sh("blockdev --getsize64 /dev/vda4"))
            t.ok(size < 1100 * (1 << 20), "a scratch that is not last stays as it is", size)


def blank(t):
    """A scratch that is a disk: there must be exactly one that is blank."""
    path = t.image(name="blank.disk", SCRATCH="0", CONF=conf(t, root_device="blank", boot_timeout="20"))
    disks = []
    for name in ("one", "two", "used", "three"):
        disks.append(os.path.join(t.dir, name + ".scratch"))
        with open(disks[-1], "wb") as f:
            f.truncate(1 << 30)
    subprocess.run(["mkfs.ext4", "-q", disks[2]], check=True)
    for what in ("one blank disk", "the disk that was blank at the first boot"):
        with t.boot([path, disks[2], disks[0], (disks[1], ",readonly=on")], title=what) as m:
            if up(t, m, what):
                t.ok(json.loads(m.sh("cat /run/ccdm/boot.json"))["root"]["device"] == "/dev/vdc",
                     what + ": it is the scratch, beside one with a file system and a read-only one")
                m.sh("head -c 64M /dev/urandom > /root/data; sync; dmsetup message ccdm-root 0 sync")
    fails(t, "two blank disks", "CCDM-E-ROOT-02", "found 2", [path, disks[1], disks[3]])
    fails(t, "no blank disk", "CCDM-E-ROOT-01", "found 0", [path, disks[2]])


def run(t):
    grows(t)
    blank(t)
