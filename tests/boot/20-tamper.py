# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# forms: long
"""The host changes the disk of the running system, or the base before the boot: the machine halts."""
import json
import os
import subprocess

from boot import cmdline, conf, flip, part, parts, tampered


def bare(t):
    """An image that measures nothing, and reboots where others would power off."""
    words = cmdline(t).replace("panic=0", "panic=60")
    return t.image(CMDLINE=words, CONF=conf(t, measure_tpm="off", boot_on_failure="reboot", boot_cmdline=words))


def scratch(t, what, edit, path, tpm=True):
    """Boot, write, let the host change the scratch, read. Return: how the machine ended."""
    with t.boot([path], tpm=tpm) as m:
        if not t.ok(m.outcome == "up", what + ": it is up", m.log()[-2000:]):
            return
        if not tpm:
            report = json.loads(m.sh("cat /run/ccdm/boot.json"))
            t.ok(set(report) == {"base", "root", "system"}, "without a TPM, where none is asked for: nothing is measured", report)
            t.ok("reboot-force" in m.sh("systemctl cat emergency.service"), "in the place of a shell it would reboot")
        tampered(t, m, what, edit, path)


def replay(disk, start, size, old):
    """Restore the whole scratch to its state before the last writes."""
    disk.write(start // 4096, old)


def base(t):
    """Change one byte in each block of a program of the base that every boot runs."""
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
    scratch(t, "nothing is changed", None, t.image())
    scratch(t, "the scratch of a minute ago", replay, t.image())
    base(t)
