# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""Missing, wrong or doubled input: the boot prints one line with its code, and ends."""
import os
import subprocess

import tpm as T
from boot import BASE_UUID, GPT_SCRATCH, TYPED, add_part, cmdline, conf, fails, parts, tiny_base, tree


def new(t, name):
    path = os.path.join(t.dir, name)
    if os.path.exists(path):
        os.unlink(path)
    return path


def scratch(t):
    """The host's scratch disk: missing, too small, read-only, foreign, present twice."""
    # dracut would give up after rd.retry, long before
    words = cmdline(t) + " rd.retry=1"
    fails(t, "no scratch", "CCDM-E-ROOT-01", GPT_SCRATCH, typed="\n" + TYPED + "\n",
          disks=[t.image(SCRATCH="0", CMDLINE=words, CONF=conf(t, boot_timeout="30", boot_cmdline=words))])
    fails(t, "scratch too small", "CCDM-E-ROOT-04", "too small", [t.image(SCRATCH="64M")])
    fails(t, "scratch below min_size", "CCDM-E-ROOT-04", "min_size", [t.image(CONF=conf(t, root_min_size="100G"))])
    path = t.image(SCRATCH="0")
    second = add_part(new(t, "second.img"), 1024, GPT_SCRATCH)
    fails(t, "scratch read-only", "CCDM-E-ROOT-03", "read-only", [path, (second, ",readonly=on")])
    fs = new(t, "fs.img")
    subprocess.run(["mkfs.ext4", "-q", fs, "900M"], check=True)
    fails(t, "scratch foreign", "CCDM-E-ROOT-05", "ext4", [path, add_part(new(t, "second.img"), 1024, GPT_SCRATCH, fs)])
    fails(t, "scratch twice", "CCDM-E-ROOT-02", "expected one partition with",
          [t.image(), add_part(new(t, "second.img"), 1024, GPT_SCRATCH)])


def base(t):
    fails(t, "base twice", "CCDM-E-BASE-02", "expected one partition with",
          [t.image(), add_part(new(t, "second.img"), 64, GPT_SCRATCH, uuid=BASE_UUID)])
    fails(t, "base missing", "CCDM-E-BASE-01", "PARTUUID=33333333",
          [t.image(CONF=conf(t, base_device="PARTUUID=33333333-3333-4333-8333-333333333333", boot_timeout="5"))])
    fails(t, "base longer than its device", "CCDM-E-BASE-04", "bytes for the base, found",
          [t.image(CONF=conf(t, base_data_blocks="99999999"))])
    fails(t, "base with blocks of 1 KiB", "CCDM-E-BASE-05", "blocks of 1024 bytes",
          [t.image(**tiny_base(t, {}, ("mkfs.ext4", "-b", "1024")))])
    fails(t, "base with another file system", "CCDM-E-BASE-05", "vfat", [t.image(**tiny_base(t, {}, edit=vfat))])
    fails(t, "base that was not unmounted", "CCDM-E-BASE-05", "journal",
          [t.image(**tiny_base(t, {}, ("mkfs.ext4", "-b", "4096", "-O", "^metadata_csum"), edit=dirty))])


def vfat(img):
    subprocess.run(["mkfs.vfat", img], check=True, stdout=subprocess.DEVNULL)


def dirty(img):
    """The file system's journal needs a replay: bit 2 of s_feature_incompat. (Without checksums, or nothing would recognize ext4.)"""
    with open(img, "r+b") as f:
        f.seek(1024 + 0x60)
        bits = f.read(1)[0] | 4
        f.seek(-1, os.SEEK_CUR)
        f.write(bytes([bits]))


def tpm(t):
    fails(t, "no TPM", "CCDM-E-TPM-01", "no TPM", [t.image()], tpm=False)
    # the kernel gives a command two minutes
    fails(t, "a TPM that hangs", "CCDM-E-TPM-02", "cannot extend a PCR", [t.image()], tpm=T.hangs, limit=600)
    fails(t, "a TPM that is locked", "CCDM-E-TPM-02", "lockout", [t.image()], tpm=T.locked)
    fails(t, "a TPM that lies", "CCDM-E-TPM-03", "from the log, found", [t.image()], tpm=T.lies)
    fails(t, "a TPM without banks", "CCDM-E-TPM-03", "no bank", [t.image()], tpm=T.blind)
    # an optional part must not stop the boot
    fails(t, "a TPM that is optional, and locked", "CCDM-E-TPM-02", "lockout", [t.image(CONF=conf(t, measure_tpm="optional"))],
          tpm=T.locked)
    with t.boot([t.image(CONF=conf(t, measure_tpm="optional"))], tpm=False) as m:
        t.ok(m.outcome == "up", "no TPM, and none is demanded: it boots (%s)" % m.outcome, m.log()[-2000:])
        t.ok('"tpm": false' in m.sh("cat /run/ccdm/boot.json"), "and boot.json says so")
    fails(t, "RTMR 3 required, and no TDX guest", "CCDM-E-RTMR-01", "RTMR 3 is required",
          [t.image(CONF=conf(t, measure_rtmr="required", boot_timeout="5"))])
    with t.boot([t.image(CONF=conf(t, measure_tpm="off"))]) as m:
        t.ok(m.outcome == "up", "measuring is off: it boots (%s)" % m.outcome, m.log()[-2000:])
        t.ok("measured" not in m.sh("cat /run/ccdm/boot.json"), "and boot.json says so")


def module(t, name):
    """The path of a module in the initrd."""
    with open(os.path.join(parts(t.kernel), "initrd-ccdm.list")) as f:
        found = [w for w in f.read().split() if "/%s.ko" % name in w]
    t.ok(len(found) == 1, "the initrd has %s (%s)" % (name, " ".join(found)))
    return found[0]


def overlay(t, **files):
    """An image with one changed file in its initrd."""
    return t.image(OVERLAY=tree(t, "overlay", files))


def steps(t):
    """A step that fails by itself, one that crashes, one that takes too long."""
    fails(t, "no module", "CCDM-E-ROOT-06", "dm-ccdm", [overlay(t, **{module(t, "dm-ccdm"): "no module\n"})])
    fails(t, "no dm-verity", "CCDM-E-BASE-06", "target verity", [overlay(t, **{module(t, "dm-verity"): "no module\n"})])
    fails(t, "a CPU without random numbers", "CCDM-E-ROOT-07", "no random generator", [t.image()],
          args=["-cpu", "max,la57=off,rdrand=off,rdseed=off"])
    fails(t, "no place for the machine-id", "CCDM-E-HOST-02", "/etc/machine-id",
          [t.image(**tiny_base(t, {"etc/machine-id/x": ""}))])
    for unit, what, why in (("grow", "/bin/false", "exit-code"), ("measure", "/bin/sleep 600\nTimeoutStartSec=5", "timeout")):
        dropin = {"etc/systemd/system/ccdm-%s.service.d/x.conf" % unit: "[Service]\nExecStart=\nExecStart=%s\n" % what}
        fails(t, "ccdm-%s has %s" % (unit, what.split()[0]), "CCDM-E-BOOT-01", "ccdm-%s.service failed: %s" % (unit, why),
              [overlay(t, **dropin)])


def rest(t):
    fails(t, "malformed configuration", "CCDM-E-CONF-01", "/etc/ccdm/ccdm.conf:", [t.image(CONF=conf(t, root_colour="red"))])
    # after a failure it waits a random time of at most 300 s, then reboots if it is configured to
    words = cmdline(t).replace("panic=0", "panic=60")
    fails(t, "on_failure = reboot", "CCDM-E-ROOT-04", "reboot in", how="reset", limit=600,
          disks=[t.image(SCRATCH="64M", CMDLINE=words, CONF=conf(t, boot_on_failure="reboot", boot_cmdline=words))])


def run(t):
    fails(t, "wrong root hash", "CCDM-E-BASE-03", "root hash", [t.image(CONF=conf(t, base_roothash="00" * 32))])
    if not t.full:
        return
    scratch(t)
    base(t)
    tpm(t)
    steps(t)
    rest(t)
