#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""run - ccdm-image: compare predictions with a second implementation; changes of a disk; bad input

  tests/run program image
"""
import json
import os
import resource
import shutil
import struct
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(TOP, "tests/lib"))
import basing  # noqa: E402
import building  # noqa: E402
import firmware as F  # noqa: E402
import proving  # noqa: E402
import signing  # noqa: E402
import trial  # noqa: E402
from broker import BIN  # noqa: E402

SECONDS = 2     # of CPU time that "measure" may take
results = []


def ok(cond, what, detail=""):
    results.append(bool(cond))
    print("%s %d %s" % ("ok" if cond else "not ok", len(results), what), flush=True)
    if not cond:
        print("# " + str(detail).replace("\n", "\n# "))
    return cond


def image(*words):
    r = subprocess.run([BIN + "/ccdm-image", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return r.returncode, r.stdout, r.stderr


def says(code, text, *words):
    rc, out, err = image(*words)
    ok(rc == code and text in out + err, "ccdm-image %s: %d, %s" % (" ".join(os.path.basename(w) for w in words), code, text),
       (rc, out[-2000:], err))


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)
    return path


def measure(path, *words):
    rc, out, err = image("measure", path, "--json", *words)
    return json.loads(out) if rc == 0 else {"failed": err}


# ---- predictions ----

def predicted(tmp):
    """Each event, register and ID, in both banks, of stubs 252 and 257; in both output formats."""
    for stub in "257", "252":
        path = F.disk(tmp + "/p.img", F.uki(stub), parts=("size=1M", "type=0FC63DAF-8483-4772-8E79-3D69D8477DE4"))
        happened, texts = F.events(path), F.measured()
        got = measure(path)
        for bank in F.BANKS:
            wanted = {p: [d[bank].hex() for q, d, _, _ in happened if p == q] for p in (2, 4, 5, 9, 11)}
            found = {p: [e["digests"][bank] for e in got["events"] if e["pcr"] == p] for p in wanted}
            ok(found == wanted, "stub %s: each event of PCR 2, 4, 5, 9 and 11 in %s" % (stub, bank), (found, wanted))
            for pcr in 4, 5, 9, 11:
                ok(got["pcrs"][str(pcr)][bank] == F.register(happened, pcr, bank),
                   "stub %s: the value of PCR %d in %s" % (stub, pcr, bank))
            ok(got["enclave-id"]["tpm"][bank] == F.enclave_id(happened, texts, bank),
               "stub %s: the enclave ID in %s" % (stub, bank), got)
        rtmrs = got["rtmrs"]
        ok(rtmrs["1"] == {w + "-separator": F.rtmr(happened, 1, w == "with") for w in ("with", "without")},
           "stub %s: RTMR 1 with a separator, and without" % stub, rtmrs)
        ok(rtmrs["2"] == F.rtmr(happened, 2, False) if stub == "257" else "252 measures into a TPM only" in rtmrs["2"]["unknown"],
           "stub %s: RTMR 2" % stub, rtmrs)
        rc, out, _ = image("measure", path, "--bank", "sha384")
        ok(rc == 0 and all(e["digests"]["sha384"] in out for e in got["events"]) and got["enclave-id"]["tpm"]["sha256"] in out,
           "stub %s: the same as lines" % stub, out)
        write(tmp + "/p.log", F.log(happened))
        write(tmp + "/p.ccdm", F.ccdm_log(texts))
        says(0, "the log is of a boot of this disk", "verify", path, "--event-log", tmp + "/p.log", "--ccdm-log", tmp + "/p.ccdm")
        says(7, "not compared: pcr15", "verify", path, "--event-log", tmp + "/p.log")
    # with Secure Boot the firmware does not measure the kernel
    path = F.disk(tmp + "/p.img", F.uki())
    happened = [e for e in F.events(path) if e[3] != "kernel"]
    ident = measure(path, "--secure-boot")["enclave-id"]["tpm"]["sha256"]
    ok(ident == F.enclave_id(happened, texts, "sha256"), "the enclave ID with Secure Boot on")
    write(tmp + "/p.log", F.log(happened))
    words = "verify", path, "--event-log", tmp + "/p.log", "--ccdm-log", tmp + "/p.ccdm"
    says(0, "the log is of a boot of this disk", *words, "--secure-boot")
    says(7, "Secure Boot is on, perhaps", *words)
    # a UKI without a disk has the same ID, since no event of the disk is in it
    alone = measure(write(tmp + "/p.efi", F.uki("252")))
    ok(alone["enclave-id"] == got["enclave-id"], "a UKI alone has the same enclave ID", alone)
    ok("unknown" in alone["pcrs"]["5"], "and no partition table")
    # a Secure Boot signature changes nothing
    signed = bytearray(F.uki("252"))
    struct.pack_into("<II", signed, 64 + 24 + 112 + 32, len(signed), 1024)
    signed = measure(write(tmp + "/s.efi", bytes(signed) + b"s" * 1024))
    ok(signed["events"] == alone["events"], "a signature for Secure Boot changes no event")


# ---- changes ----


OTHER_CONF = F.CONF.replace("c4" * 32, "d5" * 32)
CHANGES = (
    # name, (UKI, files beside it, parts of the disk), additional events, a part of the message, does the ID differ?
    ("the command line", {"boot": lambda: F.uki(cmdline="root=/dev/mapper/ccdm-root rw init=/bin/sh")}, {},
     "the kernel's command line (.cmdline) differs", True),
    ("a byte of the initrd", {"boot": lambda: F.uki(ird=F.initrd(more={"bin": b"y"}))}, {}, "the initrd (.initrd) differs", True),
    ("an addon beside the UKI", {}, {"beside": [(12, "quiet\0".encode("utf-16le"))]},
     "an addon, a credential or a command line from outside of the UKI (the log says 'quiet')", True),
    ("another kernel", {"boot": lambda: F.uki(kernel=F.linux("6.12.2"))}, {}, "the kernel (.linux) differs", True),
    ("a resized disk", {"mib": 64}, {}, "the disk was resized", False),
    ("os-release", {"boot": lambda: F.uki(release="ID=other\n")}, {}, "os-release (.osrel) differs", True),
    ("the version of the kernel", {"boot": lambda: F.uki(uname="6.12.2")}, {}, "the kernel's version (.uname) differs", True),
    ("another stub", {"boot": lambda: F.uki(code=b"another")}, {}, "all measured sections are the same, so its stub differs", True),
    ("ccdm.conf", {"boot": lambda: F.uki(ird=F.initrd(OTHER_CONF))}, {"conf": OTHER_CONF},
     "/etc/ccdm/ccdm.conf in the initrd, or a file that it names, differs", True),
    ("a section that was added", {"boot": lambda: F.uki(extra=[(".splash", b"BM")])}, {}, "the picture (.splash) was added", True),
    ("a boot loader before the UKI", {}, {"before": [(4, bytes(32) + b"\4\4\x10\0" + "\\grub\0".encode("utf-16le")[:12])]},
     "a program ran that this disk does not start", True),
    ("a driver of a device", {}, {"before": [(2, b"an option ROM")]}, "a driver or an option ROM ran before the UKI", True),
    ("an older stub", {"boot": lambda: F.uki("252")}, {}, "the kernel's version (.uname) is missing", True),
    ("a partition that was moved", {"parts": ("start=90112, size=1M, uuid=44444444-4444-4444-8444-444444444444",)}, {},
     "partition 2 was moved or resized", False),
)


def changed(tmp):
    part = ("size=1M, uuid=44444444-4444-4444-8444-444444444444",)
    good = F.disk(tmp + "/good.img", F.uki(), parts=part)
    first = measure(good)["enclave-id"]["tpm"]
    for what, make, extra, words, other in CHANGES:
        path = F.disk(tmp + "/other.img", make.get("boot", F.uki)(), mib=make.get("mib", 48), parts=make.get("parts", part))
        happened = F.events(path, before=extra.get("before", ()), beside=extra.get("beside", ()))
        texts = F.measured(extra.get("conf", F.CONF))
        write(tmp + "/o.log", F.log(happened))
        write(tmp + "/o.ccdm", F.ccdm_log(texts))
        rc, out, err = image("verify", good, "--event-log", tmp + "/o.log", "--ccdm-log", tmp + "/o.ccdm")
        ok(rc == 7 and words in out, "%s: verify says '%s'" % (what, words), out + err)
        ok(("the enclave ID of the boot is another one" in out) == other, "%s: %s ID" % (what, "another" if other else "the same"), out)
        rc, out, err = image("verify", good, "--event-log", tmp + "/o.log", "--ccdm-log", tmp + "/o.ccdm", "--json")
        said = json.loads(out)
        # the first event that differs, computed independently
        mine = F.events(good)
        regs = (2, 4, 5, 9, 11, 12)
        first_reg = next((a[0] for a, b in zip([e for e in happened if e[0] in regs], [e for e in mine if e[0] in regs]) if a[:2] != b[:2]),
                         None)
        ok(not said["same"] and said["departures"] and said["departures"][0]["register"] == "pcr%d" % first_reg and
           said["other-enclave-id"] == other, "%s: the first departure is in PCR %s" % (what, first_reg), said)
        ident = F.enclave_id(happened, texts, "sha256")
        ok((ident != first["sha256"]) == other, "%s: and so says a second implementation of the ID" % what)
        if not extra.get("before") and not extra.get("beside"):
            ok(measure(path)["enclave-id"]["tpm"]["sha256"] == ident, "%s: measure says the ID of the boot" % what)
            rc, out, _ = image("inspect", good, "--against", path)
            ok(rc == 0 and out, "%s: inspect names a difference" % what, out)


def against(tmp):
    """Differences in words."""
    good = F.disk(tmp + "/good.img", F.uki())
    conf = F.CONF.replace("75" * 32, "86" * 32)
    conf += "[attest]\nbroker = https://b.example\npin = %s\n[secrets]\ndb.key = default/web/db\n" % ("a1" * 32)
    path = F.disk(tmp + "/other.img", F.uki("252", cmdline="quiet", ird=F.initrd(conf, more={"usr/new": b"x"})),
                  beside=[("EFI/BOOT/BOOTX64.EFI.extra.d", "host.addon.efi", b"MZ")])
    rc, out, err = image("inspect", good, "--against", path)
    for line in ("EFI system partition: +EFI/BOOT/BOOTX64.EFI.extra.d/host.addon.efi",
                 "UKI: its stub: '257.13-1~deb13u1' became '252.39-1~deb12u2'",
                 "UKI: section .cmdline: 'root=/dev/mapper/ccdm-root rw' became 'quiet'", "initrd: +usr/new",
                 "initrd: etc/ccdm/ccdm.conf: [base] salt: '%s' became '%s'" % ("75" * 32, "86" * 32),
                 "initrd: etc/ccdm/ccdm.conf: +[secrets] db.key"):
        ok(line + "\n" in out, line, out + err)
    says(0, '"differences": []', "inspect", good, "--against", good, "--json")
    # a file beside the UKI is known by its place, and makes the ID unknown
    got = measure(path)
    got = got["enclave-id"]
    ok(got["tpm"]["sha256"] is None and "host.addon.efi" in got["unknown"]["tpm"], "an addon: the ID is unknown", got)
    says(0, "host.addon.efi, 2 B: the stub takes it as an addon", "inspect", path)
    says(0, "secret db.key: default/web/db", "inspect", path)
    rc, out, _ = image("inspect", path, "--json")
    o = json.loads(out)
    ok(o["disk"]["partitions"][0]["start"] == str(1 << 20) and o["ccdm.conf"] == conf and o["uki"]["cmdline"] == "quiet" and
       o["uki"]["os-release"] == "Test 1" and not o["uki"]["signed"], "inspect --json", o)


# ---- bad input ----

def spoil(path, at, data, tmp):
    shutil.copy(path, tmp + "/bad.img")
    with open(tmp + "/bad.img", "r+b") as f:
        f.seek(at)
        f.write(data)
    return tmp + "/bad.img"


def bad(tmp):
    good = F.disk(tmp + "/good.img", F.uki())
    says(4, "/nosuch", "measure", "/nosuch")
    says(1, "expected a file or a block device", "measure", "/dev/null")
    says(1, "expected a file or a block device", "measure", tmp)
    os.mkfifo(tmp + "/fifo")
    says(1, "expected a file or a block device", "measure", tmp + "/fifo")
    says(1, "empty: its beginning", "measure", write(tmp + "/empty", b""))
    says(1, "text: partition table", "measure", write(tmp + "/text", b"hello " * 500))
    says(1, "bad.img: partition table: the checksum of the header", "inspect", spoil(good, 512 + 60, b"x", tmp))
    says(1, "bad.img: partition table: the checksum of the entries", "inspect", spoil(good, 1024 + 60, b"x", tmp))
    says(1, "bad.img: FAT file system at byte 1048576: expected 55 aa", "inspect", spoil(good, (1 << 20) + 510, b"x", tmp))
    says(1, "bad.img: FAT file system at byte 1048576", "measure", spoil(good, (1 << 20) + 32 * 512 + 8, b"\x02\0\0\0" * 200, tmp))
    shutil.copy(good, tmp + "/short.img")
    os.truncate(tmp + "/short.img", 1 << 20)
    says(1, "short.img: partition table: the sectors for partitions lie outside", "measure", tmp + "/short.img")
    says(1, "expected a unified kernel image, found no section .linux", "measure", write(tmp + "/grub.efi", F.pe([(".text", b"x")])))
    says(1, "GRUB", "measure", tmp + "/grub.efi")
    says(1, "there is no EFI/BOOT/BOOTX64.EFI", "measure", no_uki(tmp))
    says(1, "partitions 1 and 2: both have a file EFI/BOOT/BOOTX64.EFI", "measure", two_files(tmp))
    log = write(tmp + "/g.log", F.log(F.events(good)))
    says(1, "expected --event-log FILE, or --evidence FILE", "verify", good)
    says(4, "/nosuch", "verify", good, "--event-log", "/nosuch")
    says(1, "bad.log: event", "verify", good, "--event-log", write(tmp + "/bad.log", F.log(F.events(good))[:-5]))
    says(1, "bad.ccdm", "verify", good, "--event-log", log, "--ccdm-log", write(tmp + "/bad.ccdm", b"x"))
    says(1, "too few arguments", "measure")
    says(1, "too many arguments", "measure", good, good)
    for words in ("--vcpus", "0"), ("--vcpus", "1,"), ("--vcpus", "x"), ("--vcpu-type", "Skylake"), ("--vmm", "xen"), ("--bank", "sha1"), \
            ("--guest-features", "g"):
        says(1, "%s: invalid value '%s'" % words, "measure", good, *words)
    says(1, "need --firmware", "measure", good, "--vcpus", "2")
    says(1, "did you mean 'measure'?", "mesure", good)
    for verb in "measure", "inspect", "verify":
        says(0, "usage: ccdm-image " + verb, verb, "--help")
    # unknown values are reported, but are not an error
    for what, boot, why in (("another stub", F.uki("258.1"), "what the stub '258.1' measures is not known"),
                            ("no ccdm.conf", F.uki(ird=F.initrd(None)), "there is no etc/ccdm/ccdm.conf"),
                            ("an initrd of xz", F.uki(ird=b"\xfd7zXZ\0"), "it is compressed with xz"),
                            ("an old kernel", F.uki(kernel=F.linux("5.10.0-30-amd64")), "what the kernel '5.10.0-30-amd64' measures"),
                            ("no command line", F.uki(cmdline=""), "the host chooses it"),
                            ("a profile", F.uki(extra=[(".profile", b"ID=x\n")]), "with a section .profile is not known")):
        path = write(tmp + "/u.efi", boot)
        rc, out, err = image("measure", path)
        ok(rc == 0 and "unknown: " in out and why in out, "%s: unknown, with the reason" % what, out + err)
        ok(measure(path)["enclave-id"]["tpm"] == {"sha256": None, "sha384": None}, "%s: no ID" % what)


def no_uki(tmp):
    path = F.disk(tmp + "/none.img", b"x")
    subprocess.run(["mdel", "-i", path + "@@1M", "::EFI/BOOT/BOOTX64.EFI"], check=True)
    return path


def two_files(tmp):
    """A second file system with the file, in a partition of another type."""
    path = F.disk(tmp + "/two.img", F.uki(), mib=96, parts=("start=90112, size=40M, type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7",))
    with open(path, "r+b") as f:
        f.seek(1 << 20)
        data = f.read(40 << 20)
        f.seek(44 << 20)
        f.write(data)
    return path


# ---- SEV-SNP, and time ----

def entry(guid, data):
    return data + struct.pack("<H", len(data) + 18) + bytes.fromhex(guid)


def ovmf(hashes):
    sections = [(0x800000, 0x9000, 1), (0x80d000, 0x1000, 2), (0x80e000, 0x1000, 3)] + [(0x810000, 0x1000, 0x10)] * hashes
    meta = b"ASEV" + struct.pack("<III", 16 + 12 * len(sections), 1, len(sections)) + b"".join(struct.pack("<III", *s) for s in sections)
    table = entry("1f3755723b3a044b927b1da6efa8d454", struct.pack("<II", 0x810c00, 0x400)) if hashes else b""
    table += entry("de71f7007e1acb4f890e68c77e2fb44e", struct.pack("<I", 0x80b004))
    table += entry("666588dc4a989847a75e5585a7bf67cc", struct.pack("<I", 4096))
    table += struct.pack("<H", len(table) + 18) + bytes.fromhex("de82b596b21ff745baeaa366c55a082d")
    return (bytes(4096) + meta).ljust(8192 - 32 - len(table), b"\0") + table + bytes(32)


def snp(tmp):
    good, other = write(tmp + "/a.efi", F.uki()), write(tmp + "/b.efi", F.uki(code=b"b"))
    for hashes in 1, 0:
        fw = write(tmp + "/fw.fd", ovmf(hashes))
        words = "--firmware", fw, "--vcpus", "1,4", "--vcpu-type", "EPYC-Milan,EPYC-Genoa,0xa00f11"
        a, b = (measure(p, *words)["snp"] for p in (good, other))
        digests = [x["launch-digest"] for x in a]
        ok(len(a) == 6 and len(set(digests)) == 4 and digests[0] == digests[2], "a launch digest for each number and type of vCPUs", a)
        ok((a != b) == bool(hashes) and a[0]["proves-image"] == bool(hashes),
           "a firmware with%s a place for hashes: the digest %s the image" % (("", "proves") if hashes else ("out", "does not prove")))
        rc, out, err = image("measure", good, "--firmware", fw)
        ok(rc == 0 and ("warning" in err) == (not hashes) and "snp launch-digest, 1 vCPU EPYC-Milan: " in out,
           "and that is %ssaid" % ("not " if hashes else ""), out + err)
    says(0, "this hypervisor loads no kernel", "measure", good, "--firmware", fw, "--vmm", "gce")
    says(1, "fw.fd: firmware: it has no table of OVMF", "measure", good, "--firmware", write(tmp + "/fw.fd", bytes(8192)))
    says(4, "/nosuch", "measure", good, "--firmware", "/nosuch")


def seconds(tmp):
    """A UKI of realistic size."""
    big = F.uki(kernel=F.linux("6.12.1") + os.urandom(12 << 20), ird=F.initrd(more={"usr/data": os.urandom(38 << 20)}))
    write(tmp + "/big.efi", big)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    rc, out, err = image("measure", tmp + "/big.efi")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    ok(rc == 0 and used <= SECONDS, "measure of a UKI of %d MB: %.2f s of CPU time, at most %d" % (len(big) / 1e6, used, SECONDS), err)
    ok(after.ru_maxrss <= 300 << 10, "memory: %d MiB, at most 300" % (after.ru_maxrss >> 10))


def main():
    print("KTAP version 1")
    tmp = tempfile.mkdtemp(prefix="ccdm-image-")
    try:
        seconds(tmp)
        predicted(tmp)
        changed(tmp)
        against(tmp)
        bad(tmp)
        snp(tmp)
        # "run" gives up root, and could then not write the counts
        if "CCDM_COVERAGE" not in os.environ:
            trial.run(tmp, ok)
        signing.tests(tmp, sys.modules[__name__])
        proving.tests(tmp, sys.modules[__name__])
        building.tests(tmp, sys.modules[__name__])
        basing.tests(tmp, sys.modules[__name__])
    finally:
        shutil.rmtree(tmp)
    print("1..%d" % len(results))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
