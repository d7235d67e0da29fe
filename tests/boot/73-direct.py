# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# forms: long
"""A direct boot: QEMU gives OVMF a kernel and an initrd, or a UKI. OVMF adds a word to the command line of the first."""
import os

from boot import cmdline, fails, get_esp, parts


def up(t, m, what):
    return t.ok(m.outcome == "up", "%s: it boots (%s)" % (what, m.outcome), m.log()[-3000:])


def direct(t):
    """QEMU gives OVMF a kernel and an initrd: OVMF adds a word to the command line."""
    folder = parts(t.kernel)
    args = ["-kernel", folder + "/vmlinuz", "-initrd", folder + "/initrd-ccdm", "-append", cmdline(t)]
    path = t.image(name="direct.disk")
    with t.boot([path], title="direct", args=args, bootindex=False) as m:
        if up(t, m, "a direct boot"):
            t.ok(m.sh("cat /proc/cmdline").split()[-1] == "initrd=initrd", "OVMF's word is at the end")
    args[-1] += " initrd=initrd"
    fails(t, "the word twice", "CCDM-E-FENCE-01", "initrd=initrd", [path], args=args, bootindex=False)
    fails(t, "the word with a stub", "CCDM-E-FENCE-01", "initrd=initrd", [t.image(name="stub.disk", CMDLINE=cmdline(t) + " initrd=initrd")])


def uki(t):
    """A UKI, which ccdm-image build writes for this, too. (QEMU refuses an initrd beside it.)"""
    path = t.image(name="uki.disk")
    file = os.path.join(t.dir, "uki.efi")
    with open(file, "wb") as f:
        f.write(get_esp(path, "EFI/BOOT/BOOTX64.EFI"))
    with t.boot([path], title="direct UKI", args=["-kernel", file], bootindex=False) as m:
        if up(t, m, "a direct boot of a UKI"):
            t.ok("initrd=" not in m.sh("cat /proc/cmdline"), "OVMF adds no word")


def run(t):
    direct(t)
    uki(t)
