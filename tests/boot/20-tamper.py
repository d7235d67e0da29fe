# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""The host changes the disk under the running system, or the base before it: the machine halts."""
import json
import os
import subprocess

from boot import cmdline, conf, part, parts


def bare(t):
    """An image that measures nothing, and starts anew where another one would end."""
    words = cmdline(t).replace("panic=0", "panic=60")
    return t.image(CMDLINE=words, CONF=conf(t, measure_tpm="off", boot_on_failure="reboot", boot_cmdline=words))


def scratch(t, what, edit, path, tpm=True):
    """Boot, write, let the host edit the scratch, read: how the machine ended."""
    start, size = part(path, 4)
    with t.boot([path], tpm=tpm) as m:
        if not t.ok(m.outcome == "up", what + ": it is up", m.log()[-2000:]):
            return
        if not tpm:
            report = json.loads(m.sh("cat /run/ccdm/boot.json"))
            t.ok(set(report) == {"base", "root", "system"}, "without a TPM, where none is asked for: nothing is measured", report)
            t.ok("reboot-force" in m.sh("systemctl cat emergency.service"), "in the place of a shell it would reboot")
        m.sh("head -c 4M /dev/urandom > /root/data; sync; dmsetup message ccdm-root 0 sync")
        disk = t.disk(0, "image.img")
        old = disk.read(start // 4096, size // 4096)
        m.sh("head -c 4M /dev/urandom > /root/new && cat /root/new > /root/data; sync; "
             "dmsetup message ccdm-root 0 sync; dmsetup message ccdm-root 0 drop; echo 3 > /proc/sys/vm/drop_caches")
        edit(disk, start, size, old)
        if edit is nothing:
            t.ok(m.sh("cmp /root/data /root/new && echo same").strip() == "same", what + ": it reads what it wrote")
            return
        m.ask("cat /root/data > /dev/null")     # nobody is left to answer
        how = m.ended(120)
        t.ok(how == "panic", "%s: the machine halts (%s)" % (what, how), m.log()[-2000:])
        t.ok("tamper: " in m.log(), what + ": and says why")


def flip(disk, start, size, old):
    """A bit in each block that holds something."""
    with open(disk.path, "r+b") as f:
        f.seek(start)
        data = bytearray(f.read(size))
        for at in range(0, size, 4096):
            if any(data[at:at + 4096]):
                data[at + 7] ^= 1
        f.seek(start)
        f.write(data)


def nothing(disk, start, size, old):
    """The control."""


def replay(disk, start, size, old):
    """The whole scratch as it was before the last writes."""
    disk.write(start // 4096, old)


def base(t):
    """One byte of each block of a program of the base that every boot runs."""
    path = t.image()
    p = parts(t.kernel)
    python = os.readlink(os.path.join(p, "tree/usr/bin/python3"))
    out = subprocess.run(["debugfs", "-R", "blocks /usr/bin/" + os.path.basename(python), os.path.join(p, "base.img")],
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout.split()
    start, _ = part(path, 2)
    assert len(out) > 64, out
    with open(path, "r+b") as f:
        for block in out[:64]:
            f.seek(start + int(block) * 4096 + 99)
            byte = f.read(1)
            f.seek(-1, os.SEEK_CUR)
            f.write(bytes([byte[0] ^ 1]))
    with t.boot([path]) as m:
        t.ok(m.outcome == "panic", "the base is changed: the machine halts (%s)" % m.outcome, m.log()[-2000:])
        t.ok("device-mapper: verity" in m.log(), "and dm-verity says why", m.log()[-2000:])


def run(t):
    scratch(t, "flipped bits", flip, bare(t), tpm=False)
    if t.full:
        scratch(t, "nothing is changed", nothing, t.image())
        scratch(t, "the scratch of a minute ago", replay, t.image())
        base(t)
