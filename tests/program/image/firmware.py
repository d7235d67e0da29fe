# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""firmware - a second implementation of a boot's measurements, and of making disks

It shares no code with userspace/lib/image, so a mistake on either side shows as a difference.
"""
import gzip
import hashlib
import json
import os
import re
import struct
import subprocess

STUB = {"257": "257.13-1~deb13u1", "252": "252.39-1~deb12u2"}
MEASURED = {"257": (".linux", ".osrel", ".cmdline", ".initrd", ".splash", ".dtb", ".uname", ".sbat"),
            "252": (".linux", ".osrel", ".cmdline", ".initrd", ".splash", ".dtb")}
CALLING = b"Calling EFI Application from Boot Option"
BANKS = {"sha256": 0xb, "sha384": 0xc}
CONF = """[boot]
cmdline = root=/dev/mapper/ccdm-root rw systemd.import_credentials=no systemd.gpt_auto=no systemd.ssh_auto=no nohibernate noresume panic=0
[base]
device = PARTUUID=11111111-1111-4111-8111-111111111111
hash_device = PARTUUID=22222222-2222-4222-8222-222222222222
roothash = %s
salt = %s
data_blocks = 109609
hash_start = 0
[root]
device = gpt
[measure]
tpm = required
""" % ("c4" * 32, "75" * 32)
BASE = "ccdm-base:1 4096 4096 109609 0 sha256 %s %s 1 panic_on_corruption" % ("c4" * 32, "75" * 32)


# ---- makers ----

def pe(sections):
    """Make a UEFI program of these (name, content)."""
    headers = (64 + 24 + 240 + 40 * len(sections) + 511) // 512 * 512
    out = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, len(sections), 0, 0, 0, 240, 0x206)
    out += struct.pack("<H", 0x20b) + bytes(58) + struct.pack("<II", headers, 0xabcdef) + bytes(40) + struct.pack("<I", 16) + bytes(128)
    at, memory = headers, 4096
    for name, data in sections:
        raw = (len(data) + 511) // 512 * 512
        out += name.encode().ljust(8, b"\0") + struct.pack("<IIII", len(data), memory, raw, at) + bytes(16)
        at += raw
        memory += (len(data) + 4095) // 4096 * 4096
    out = out.ljust(headers, b"\0")
    for _, data in sections:
        out += data + bytes(-len(data) % 512)
    return out


def cpio(files):
    """Make an archive of {path: content}; None: a folder."""
    def entry(name, mode, data):
        head = "070701" + "".join("%08X" % n for n in (1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0))
        head = head.encode() + name.encode() + b"\0"
        return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)
    return b"".join(entry(n, 0o40755 if d is None else 0o100644, d or b"") for n, d in files.items()) + entry("TRAILER!!!", 0, b"")


def initrd(conf=CONF, more=None):
    main = gzip.compress(cpio({".": None, "init": b"#!/bin/sh\n", **(more or {})}), mtime=0)
    main += bytes(-len(main) % 4)
    return main + (cpio({"etc": None, "etc/ccdm": None, "etc/ccdm/ccdm.conf": conf.encode()}) if conf else b"")


def linux(version):
    """The beginning of an x86 kernel, up to its version, which follows 512 bytes of headers."""
    return bytes(2) + b"HdrS" + bytes(8) + struct.pack("<H", 0x40) + bytes(0x30) + version.encode() + b" (builder) #1\0"


def uki(stub="257", kernel=linux("6.12.1"), cmdline="root=/dev/mapper/ccdm-root rw", ird=None, release="ID=test\nPRETTY_NAME=\"Test 1\"\n",
        uname="6.12.1", code=b"a stub", extra=()):
    return pe([(".text", code), (".sbat", b"sbat,1\n"),
               (".sdmagic", b"#### LoaderInfo: systemd-stub %s ####\0" % STUB.get(stub, stub).encode()), (".osrel", release.encode()),
               (".cmdline", cmdline.encode()), (".uname", uname.encode()), (".linux", pe([(".text", kernel), (".data", b"x" * 700)])),
               (".initrd", initrd() if ird is None else ird), *extra])


def disk(path, boot, beside=(), mib=48, parts=("",)):
    """Make a disk with sfdisk, mkfs.vfat and mtools. beside: (folder, name, content); parts: lines after the first partition."""
    if os.path.exists(path):
        os.unlink(path)
    with open(path, "wb") as f:
        f.truncate(mib << 20)
    table = ["label: gpt", "label-id: 01234567-89AB-4CDE-8F01-23456789ABCD",
             "start=2048, size=%d, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, uuid=33333333-3333-4333-8333-333333333333" % (40 << 11)]
    subprocess.run(["sfdisk", "-q", path], input="\n".join(table + [p for p in parts if p]) + "\n", text=True, check=True)
    # mkfs.vfat warns that the rest of the file is unused
    subprocess.run(["mkfs.vfat", "-F", "32", "--offset", "2048", "-i", "12345678", path, str(40 << 10)], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for folder, name, data in (("EFI/BOOT", "BOOTX64.EFI", boot), *beside):
        made = ""
        for word in folder.split("/"):
            made += "/" + word
            subprocess.run(["mmd", "-D", "s", "-i", path + "@@1M", "::" + made], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
        subprocess.run(["mcopy", "-i", path + "@@1M", "-", "::%s/%s" % (made, name)], input=data, check=True)
    return path


# ---- measurements of a boot ----

def authenticode(b, bank):
    at = struct.unpack_from("<I", b, 60)[0]
    count, optional = struct.unpack_from("<H", b, at + 6)[0], struct.unpack_from("<H", b, at + 20)[0]
    headers = struct.unpack_from("<I", b, at + 24 + 60)[0]
    certs = at + 24 + 112 + 32
    signed = struct.unpack_from("<I", b, certs + 4)[0]
    h = hashlib.new(bank, b[:at + 24 + 64] + b[at + 24 + 68:certs] + b[certs + 8:headers])
    end = headers
    for at, size in sorted(struct.unpack_from("<II", b, at + 24 + optional + 40 * i + 16)[::-1] for i in range(count)):
        h.update(b[at:at + size])
        end += size
    h.update(b[end:len(b) - signed])
    return h.digest()


def sections(b):
    at = struct.unpack_from("<I", b, 60)[0]
    count, optional = struct.unpack_from("<H", b, at + 6)[0], struct.unpack_from("<H", b, at + 20)[0]
    out = {}
    for i in range(count):
        name, size, _, _, raw = struct.unpack_from("<8sIIII", b, at + 24 + optional + 40 * i)
        out[name.rstrip(b"\0").decode()] = b[raw:raw + size]
    return out


def extra(release):
    """The archive that stub 257 makes."""
    def entry(ino, mode, name, data):
        out = ("070701" + "%08x" * 13 % (ino, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)).encode() + name + b"\0"
        return out + bytes(-len(out) % 4) + data + bytes(-len(data) % 4)
    end = b"070701" + b"0" * 32 + b"00000001" + b"0" * 48 + b"0000000B" + b"0" * 8 + b"TRAILER!!!\0\0\0\0"
    return entry(1, 0o40555, b".extra", b"") + entry(2, 0o100444, b".extra/os-release", release) + end


def events(path, before=(), beside=()):
    """[(pcr, {bank: digest}, data, what)] of a boot of the disk.

    before: more events before those of the UKI; beside: more events after those of its sections.
    """
    with open(path, "rb") as f:
        f.seek(512)
        header = f.read(92)
        f.seek(1024)
        entries = f.read(128 * 128)
    boot = subprocess.run(["mcopy", "-i", path + "@@1M", "::EFI/BOOT/BOOTX64.EFI", "-"], check=True, stdout=subprocess.PIPE).stdout
    have = sections(boot)
    stub = re.search(rb"systemd-stub (\d+)", have[".sdmagic"]).group(1).decode()
    used = [entries[i:i + 128] for i in range(0, len(entries), 128) if any(entries[i:i + 16])]
    table = header + struct.pack("<Q", len(used)) + b"".join(used)
    ird = have[".initrd"]
    if stub == "257":
        ird += bytes(-len(ird) % 4) + extra(have[".osrel"])

    def of(data):
        return {k: hashlib.new(k, data).digest() for k in BANKS}

    def program(b):
        return {k: authenticode(b, k) for k in BANKS}
    out = [(0, of(b"firmware"), b"v", ""), (7, of(b"db"), b"db", ""), (4, of(CALLING), CALLING, "")]
    out += [(i, of(bytes(4)), bytes(4), "") for i in range(7)]
    out += [(pcr, of(d), d, "") for pcr, d in before]
    out += [(5, of(table), table, "gpt"), (4, program(boot), bytes(32) + b"\x7f\xff\4\0", "uki")]
    for name in MEASURED[stub]:
        if name in have:
            out += [(11, of(name.encode() + b"\0"), name.encode(), name), (11, of(have[name]), name.encode(), name)]
    out += [(pcr, of(d), d, "") for pcr, d in beside]
    out += [(4, program(have[".linux"]), bytes(32), "kernel"),
            (9, of((have[".cmdline"].decode() + "\0").encode("utf-16le")), b"LOADED_IMAGE::LoadOptions\0", "options"),
            (9, of(ird), b"Linux initrd\0", "initrd")]
    for text in b"Exit Boot Services Invocation", b"Exit Boot Services Returned with Success":
        out.append((5, of(text), text, ""))
    return out


def log(happened, banks=tuple(BANKS)):
    """The firmware's log, crypto-agile."""
    spec = b"Spec ID Event03\0" + struct.pack("<IBBBBI", 0, 0, 2, 0, 2, len(banks))
    spec += b"".join(struct.pack("<HH", BANKS[k], hashlib.new(k).digest_size) for k in banks) + b"\0"
    out = struct.pack("<II20xI", 0, 3, len(spec)) + spec
    for pcr, digests, data, _ in happened:
        out += struct.pack("<III", pcr, 13, len(banks))
        for k in banks:
            out += struct.pack("<H", BANKS[k]) + digests[k]
        out += struct.pack("<I", len(data)) + data
    return out


def measured(conf=CONF):
    """The texts of ccdm's events."""
    roothash = re.search("roothash = (.*)", conf).group(1)
    return [BASE.replace("c4" * 32, roothash), "ccdm-ready:1"]


def ccdm_log(texts):
    return "".join("\x1e%s\n" % json.dumps({
        "pcr": 15, "digests": [{"hashAlg": k, "digest": hashlib.new(k, t.encode()).hexdigest()} for k in BANKS],
        "content_type": "ccdm", "content": {"ccdm": t}}) for t in texts).encode()


def enclave_id(happened, texts, bank):
    constant = {hashlib.new(bank, t).digest() for t in (bytes(4), CALLING)}
    lines = ["ccdm-enclave-id 1", "tpm " + bank]
    for pcr in 2, 4, 8, 9, 11, 12, 13, 14:
        lines += ["pcr%d %s" % (pcr, d[bank].hex()) for p, d, _, _ in happened if p == pcr and d[bank] not in constant]
    lines += ["pcr15 " + hashlib.new(bank, t.encode()).hexdigest() for t in texts]
    return hashlib.sha256(("\n".join(lines) + "\n").encode()).hexdigest()


def register(happened, pcr, bank):
    value = bytes(hashlib.new(bank).digest_size)
    for p, digests, _, _ in happened:
        if p == pcr:
            value = hashlib.new(bank, value + digests[bank]).digest()
    return value.hex()


def rtmr(happened, reg, separator):
    """What a TD's register 1 or 2 holds: firmware measures one separator into register 1, or none. (SHA-384)"""
    value, seen = bytes(48), not separator
    for p, digests, data, _ in happened:
        if (2 if p >= 8 else 1 if 2 <= p <= 6 else 0) != reg:
            continue
        if data == bytes(4):
            if seen:
                continue
            seen = True
        value = hashlib.sha384(value + digests["sha384"]).digest()
    return value.hex()
