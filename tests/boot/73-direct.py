# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# forms: long
"""A direct boot: QEMU gives OVMF a kernel and an initrd. OVMF adds a word to the command line."""
from boot import cmdline, fails, parts


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


def run(t):
    direct(t)
