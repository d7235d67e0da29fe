#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""boot - the cost of a boot on ccdm, compared with the usual stack of today

  tests/run gauge boot [--suite S] [--gib N[,N...]] [--json FILE]

The same base, kernel and disk, from the start of the kernel to multi-user.target:

  verity   dm-verity, with a tmpfs overlay over it
  ccdm     the product
  luks2    LUKS2 with hmac-sha256 integrity, freshly formatted (its wipe included),
           the base copied into it from dm-verity, then grown

One vCPU under -icount shift=0: a nanosecond is an instruction. "Busy" is the time since the
start of the kernel without the CPU's idle time; "I/O" is QEMU's count at the disk.
"""
import argparse
import configparser
import json
import os
import subprocess
import sys
import tempfile
import types

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(TOP, "tests/lib"))
import boot as B  # noqa: E402
from vm import MiB  # noqa: E402

# as veritysetup would print it
VERITY = """#!/bin/sh
set -e
udevadm wait --timeout=60 /dev/disk/by-partuuid/{base} /dev/disk/by-partuuid/{hash}
veritysetup open --no-superblock --panic-on-corruption --salt={salt} --data-blocks={blocks} \\
        /dev/disk/by-partuuid/{base} bench-base /dev/disk/by-partuuid/{hash} {root}
"""
LUKS = """
d=/dev/vda4
dd if=/dev/urandom of=/run/key bs=32 count=1
cryptsetup luksFormat -q --type luks2 --integrity hmac-sha256 --sector-size 4096 --pbkdf pbkdf2 \\
        --pbkdf-force-iterations 1000 --key-file /run/key $d
cryptsetup open --key-file /run/key $d bench-root
dd if=/dev/mapper/bench-base of=/dev/mapper/bench-root bs=1M conv=fsync
"""
UNIT = """[Unit]
DefaultDependencies=no
FailureAction=poweroff-force
After=systemd-udevd.service systemd-udev-trigger.service
# (what dracut waits with polls in a shell, and gives up after a while)
Before=initrd-root-device.target dracut-initqueue.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh /bench.sh
StandardError=journal+console
TimeoutStartSec=infinity
"""
GROW = """[Unit]
DefaultDependencies=no
Requires=sysroot.mount
After=sysroot.mount
Before=initrd-root-fs.target
[Service]
Type=oneshot
ExecStart=/usr/lib/systemd/systemd-growfs /sysroot
"""
COMMON = "console=ttyS0 loglevel=4 systemd.show_status=yes"


def variant(name, parts, dirname):
    """Return: kernel, initrd and command line."""
    c = configparser.ConfigParser(interpolation=None)
    c.read(os.path.join(parts, "ccdm.conf"))
    if name == "ccdm":
        return os.path.join(parts, "vmlinuz"), os.path.join(parts, "initrd-ccdm"), c["boot"]["cmdline"]
    base = c["base"]
    script = VERITY.format(base=base["device"].split("=")[1], hash=base["hash_device"].split("=")[1],
                           salt=base["salt"], blocks=base["data_blocks"], root=base["roothash"])
    units = "usr/lib/systemd/system/"
    files = {"bench.sh": script + (LUKS if name == "luks2" else ""), units + "bench.service": UNIT,
             units + "initrd.target.requires/bench.service": ("link", "../bench.service")}
    words = "root=/dev/mapper/bench-base ro systemd.volatile=overlay"
    if name == "luks2":
        files.update({units + "grow.service": GROW,
                      units + "initrd.target.requires/grow.service": ("link", "../grow.service")})
        words = "root=/dev/mapper/bench-root rw rootflags=x-systemd.device-timeout=0"
    more = B.tree(types.SimpleNamespace(dir=dirname), "tree-" + name, files)
    initrd = os.path.join(dirname, "initrd-" + name)
    subprocess.run("set -e; cp '%s' '%s'; truncate -s %%4 '%s'; cd '%s'; find . | cpio -o -H newc --quiet --owner=0:0 >>'%s'" %
                   (os.path.join(parts, "initrd-stock"), initrd, initrd, more, initrd), shell=True, check=True)
    return os.path.join(parts, "vmlinuz"), initrd, words + " systemd.gpt_auto=no " + COMMON


def measure(name, start, disk, dirname):
    with B.Boot([disk], direct=start, bootindex=False,
                args=["-icount", "shift=0,sleep=on"], mem=2048, log=os.path.join(dirname, name + ".log"),
                limit=7200) as m:
        if m.outcome != "up":
            sys.exit("bench: %s: %s\n%s" % (name, m.outcome, m.log()[-3000:]))
        up, stat = m.sh("cut -d' ' -f1 /proc/uptime; head -n1 /proc/stat").splitlines()
        stat = [int(x) for x in stat.split()[1:]]
        io = [b["stats"] for b in m.qmp_cmd("query-blockstats")["return"] if b["device"] == "d0"][0]
        root = m.sh("findmnt -no SOURCE /").strip()
        m.off()
    return {"root": root, "busy": float(up) - (stat[3] + stat[4]) / 100,
            "reads": io["rd_operations"], "read_mib": io["rd_bytes"] / MiB,
            "writes": io["wr_operations"], "written_mib": io["wr_bytes"] / MiB}


def show(r, base):
    print("%-8s %5d %9.2f %8.3f %8d %9.1f %8d %9.1f  %s" % (
        r["name"], r["gib"], r["busy"], r["busy"] / base, r["reads"], r["read_mib"], r["writes"], r["written_mib"],
        r.get("root", "")), flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--suite", default="trixie")
    p.add_argument("--gib", default="1,4")
    p.add_argument("--json")
    p.add_argument("--only", help="verity, ccdm or luks2")
    a = p.parse_args()
    parts = B.parts(a.suite)
    B.image_script("initrd", a.suite, "stock")
    rows, names = [], [a.only] if a.only else ["verity", "ccdm", "luks2"]
    print("%-8s %5s %9s %8s %8s %9s %8s %9s  %s" %
          ("root", "GiB", "busy s", "verity", "reads", "MiB", "writes", "MiB", ""), flush=True)
    with tempfile.TemporaryDirectory(prefix="ccdm-bench-") as d:
        starts = {name: variant(name, parts, d) for name in names}
        for gib in (int(x) for x in a.gib.split(",")):
            disk = os.path.join(d, "disk.img")
            base = None
            for name in names:
                B.make_disk(a.suite, disk, SCRATCH="%dG" % gib)
                r = dict(measure(name, starts[name], disk, d), name=name, gib=gib)
                base = base or r["busy"]
                rows.append(r)
                show(r, base)
    gibs = sorted({r["gib"] for r in rows})
    if len(gibs) > 1:       # costs that grow do so with every GiB
        print("at 16 GiB, by the slope:")
        first, last = gibs[0], gibs[-1]
        for name in names:
            low, high = (next(r for r in rows if r["name"] == name and r["gib"] == g) for g in (first, last))
            at16 = {k: high[k] + (high[k] - low[k]) * (16 - last) / (last - first) for k in
                    ("busy", "reads", "read_mib", "writes", "written_mib")}
            rows.append(dict(at16, name=name, gib=16, slope=True))
            if name == names[0]:
                base = at16["busy"]
            show(rows[-1], base)
    if a.json:
        with open(a.json, "w") as f:
            json.dump({"suite": a.suite, "rows": rows}, f, indent=1)


main()
