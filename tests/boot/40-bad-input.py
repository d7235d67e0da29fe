# SPDX-License-Identifier: Apache-2.0
"""What is missing, wrong, or twice there: one line that says so, with its code, and the end."""
import os
import subprocess

from boot import BASE_UUID, GPT_SCRATCH, TYPED, add_part, cmdline, conf, fails, parts, tiny_base, tree


def new(t, name):
    path = os.path.join(t.dir, name)
    if os.path.exists(path):
        os.unlink(path)
    return path


def scratch(t):
    """The host's disk: missing, small, read-only, foreign, twice."""
    fails(t, "no scratch", "CCDM-E-ROOT-01", GPT_SCRATCH, [t.image(SCRATCH="0", CONF=conf(t, boot_timeout="5"))],
          typed="\n" + TYPED + "\n")
    fails(t, "scratch too small", "CCDM-E-ROOT-04", "too small", [t.image(SCRATCH="64M")])
    fails(t, "scratch below min_size", "CCDM-E-ROOT-04", "min_size", [t.image(CONF=conf(t, root_min_size="100G"))])
    path = t.image(SCRATCH="0")
    second = add_part(new(t, "second.img"), 1024, GPT_SCRATCH)
    fails(t, "scratch read-only", "CCDM-E-ROOT-03", "read-only", [path, (second, ",readonly=on")])
    fs = new(t, "fs.img")
    subprocess.run(["mkfs.ext4", "-q", fs, "900M"], check=True)
    fails(t, "scratch foreign", "CCDM-E-ROOT-05", "ext4", [path, add_part(new(t, "second.img"), 1024, GPT_SCRATCH, fs)])
    fails(t, "scratch twice", "CCDM-E-ROOT-02", "2 partitions",
          [t.image(), add_part(new(t, "second.img"), 1024, GPT_SCRATCH)])


def base(t):
    fails(t, "base twice", "CCDM-E-BASE-02", "2 partitions",
          [t.image(), add_part(new(t, "second.img"), 64, GPT_SCRATCH, uuid=BASE_UUID)])
    fails(t, "base missing", "CCDM-E-BASE-01", "PARTUUID=33333333",
          [t.image(CONF=conf(t, base_device="PARTUUID=33333333-3333-4333-8333-333333333333", boot_timeout="5"))])
    fails(t, "base longer than its device", "CCDM-E-BASE-04", "the base needs",
          [t.image(CONF=conf(t, base_data_blocks="99999999"))])
    fails(t, "base with blocks of 1 KiB", "CCDM-E-BASE-05", "blocks of 1024 bytes",
          [t.image(**tiny_base(t, {}, ("mkfs.ext4", "-b", "1024")))])
    fails(t, "base with another file system", "CCDM-E-BASE-05", "vfat", [t.image(**tiny_base(t, {}, edit=vfat))])
    fails(t, "base that was not unmounted", "CCDM-E-BASE-05", "journal",
          [t.image(**tiny_base(t, {}, ("mkfs.ext4", "-b", "4096", "-O", "^metadata_csum"), edit=dirty))])


def vfat(img):
    subprocess.run(["mkfs.vfat", img], check=True, stdout=subprocess.DEVNULL)


def dirty(img):
    """Its journal is to be replayed: bit 2 of s_feature_incompat. (Without checksums, or nobody would know it for ext4.)"""
    with open(img, "r+b") as f:
        f.seek(1024 + 0x60)
        bits = f.read(1)[0] | 4
        f.seek(-1, os.SEEK_CUR)
        f.write(bytes([bits]))


def tpm(t):
    fails(t, "no TPM", "CCDM-E-TPM-01", "no TPM", [t.image()], tpm=False)
    with t.boot([t.image(CONF=conf(t, measure_tpm="optional"))], tpm=False) as m:
        t.ok(m.outcome == "up", "no TPM, and none is demanded: it boots (%s)" % m.outcome, m.log()[-2000:])
        t.ok('"tpm": false' in m.sh("cat /run/ccdm/boot.json"), "and boot.json says so")
    with t.boot([t.image(CONF=conf(t, measure_tpm="off"))]) as m:
        t.ok(m.outcome == "up", "measuring is off: it boots (%s)" % m.outcome, m.log()[-2000:])
        t.ok("measured" not in m.sh("cat /run/ccdm/boot.json"), "and boot.json says so")


def rest(t):
    fails(t, "malformed configuration", "CCDM-E-CONF-01", "/etc/ccdm/ccdm.conf:", [t.image(CONF=conf(t, root_colour="red"))])
    with open(os.path.join(parts(t.kernel), "initrd-ccdm.list")) as f:
        module = [w for w in f.read().split() if "/dm-ccdm.ko" in w]
    t.ok(len(module) == 1, "the initrd has the module (%s)" % " ".join(module))
    fails(t, "no module", "CCDM-E-ROOT-06", "dm-ccdm", [t.image(OVERLAY=tree(t, "overlay", {module[0]: "no module\n"}))])
    # it reboots, if it shall, and stands still for the random time before
    words = cmdline(t).replace("panic=0", "panic=60")
    fails(t, "on_failure = reboot", "CCDM-E-ROOT-04", "reboot in", how="reset",
          disks=[t.image(SCRATCH="64M", CMDLINE=words, CONF=conf(t, boot_on_failure="reboot", boot_cmdline=words))])


def run(t):
    fails(t, "wrong root hash", "CCDM-E-BASE-03", "root hash", [t.image(CONF=conf(t, base_roothash="00" * 32))])
    if not t.full:
        return
    scratch(t)
    base(t)
    tpm(t)
    rest(t)
