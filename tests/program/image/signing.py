# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""signing - ccdm-image sign, what inspect says of the manifest, and inspect --base"""
import base64
import hashlib
import json
import os
import shutil
import struct
import subprocess

import firmware as F
from broker import BIN

PART = "start=90112, size=64K, type=75cfb889-bd78-46a5-bac0-bfd43cb16330"
AT = 90112 * 512


def run(*words, stdin=None):
    return subprocess.run(words, input=stdin, check=True, capture_output=True).stdout


def key(tmp, name, curve="P-256"):
    run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:" + curve, "-out", "%s/%s.pem" % (tmp, name))
    run("openssl", "pkey", "-in", "%s/%s.pem" % (tmp, name), "-pubout", "-out", "%s/%s.pub" % (tmp, name))
    return hashlib.sha256(run("openssl", "pkey", "-in", "%s/%s.pem" % (tmp, name), "-pubout", "-outform", "DER")).hexdigest()


def partition(path):
    with open(path, "rb") as f:
        f.seek(AT)
        return f.read(65536)


def put(path, data):
    with open(path, "r+b") as f:
        f.seek(AT)
        f.write(data.ljust(65536, b"\0"))


def decode(part):
    return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))


def payload(jws):
    """Verified by openssl, not by ccdm."""
    header, body, signature = jws.split(b".")
    jwk = json.loads(decode(header))["jwk"]
    spki = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200") + b"\4" + decode(jwk["x"].encode()) + \
        decode(jwk["y"].encode())
    raw = decode(signature)

    def number(b):
        b = b.lstrip(b"\0") or b"\0"
        b = b"\0" * (b[0] >> 7) + b
        return b"\2" + bytes([len(b)]) + b
    der = number(raw[:32]) + number(raw[32:])
    der = b"\x30" + bytes([len(der)]) + der
    for name, data in ("/spki", spki), ("/sig", der), ("/text", header + b"." + body):
        with open(payload.tmp + name, "wb") as f:
            f.write(data)
    run("openssl", "dgst", "-sha256", "-verify", payload.tmp + "/spki", "-keyform", "DER", "-signature", payload.tmp + "/sig",
        payload.tmp + "/text")
    return hashlib.sha256(spki).hexdigest(), json.loads(decode(body))


def texts(path):
    """{ID: text} of both banks, by the second implementation."""
    out = {}
    happened, mine = F.events(path), F.measured()
    for bank in F.BANKS:
        out[F.enclave_id(happened, mine, bank)] = bank
    return out


def sign(tmp, t):
    """Sign with a key on this machine: only the partition changes, and its content is what a second implementation computes."""
    ours = key(tmp, "k")
    other = key(tmp, "other")
    path = F.disk(tmp + "/signed.img", F.uki(), parts=(PART, "size=1M"))
    before = open(path, "rb").read()
    ident = t.measure(path)["enclave-id"]
    t.says(0, "manifest: none", "inspect", path)
    t.says(1, "expected --product NAME and --svn N", "sign", path, "--signing-key", tmp + "/k.pem")
    t.says(1, "expected --svn N", "sign", path, "--signing-key", tmp + "/k.pem", "--product", "web")
    t.says(1, "--image-digest: the disk has no workload", "sign", path, "--signing-key", tmp + "/k.pem", "--product", "web", "--svn", "7",
           "--image-digest", "sha256:" + 64 * "a")
    t.ok(open(path, "rb").read() == before, "sign: what failed changed no byte")
    rc, out, err = t.image("sign", path, "--signing-key", tmp + "/k.pem", "--product", "web", "--svn", "7", "-o", tmp + "/m")
    t.ok(rc == 0 and "signer.key " + ours in out, "sign: signed, and the key is named", out + err)
    after = open(path, "rb").read()
    t.ok(before[:AT] == after[:AT] and before[AT + 65536:] == after[AT + 65536:], "sign: only the partition changed")
    jws = after[AT:AT + 65536].rstrip(b"\0")
    t.ok(jws == open(tmp + "/m", "rb").read(), "sign --output: the same in a file")
    who, said = payload(jws)
    t.ok(who == ours and said["product"] == "web" and said["svn"] == 7, "sign: openssl verifies it, with this key", said)
    t.ok(said["ids"] == {"tpm": list(texts(path)), "tdx": [ident["tdx"]["sha384"]]},
         "sign: the IDs of both banks, as a second implementation has them", said["ids"])
    t.ok([hashlib.sha256(e.encode()).hexdigest() for e in said["events"]] == said["ids"]["tpm"] + said["ids"]["tdx"],
         "sign: the texts of the IDs are in it", said)
    t.ok(t.measure(path)["enclave-id"] == ident, "sign: the IDs stay the same")
    for line in "manifest: product web, svn 7", "signer.key " + ours, "it lists the enclave IDs of this disk":
        t.says(0, line, "inspect", path)
    # again: product and version from the disk, if this key signed them
    t.says(0, "product web, svn 7", "sign", path, "--signing-key", tmp + "/k.pem")
    t.says(0, "product web, svn 8", "sign", path, "--signing-key", tmp + "/k.pem", "--svn", "8")
    t.says(1, "the manifest on the disk was not used: another key signed it", "sign", path, "--signing-key", tmp + "/other.pem")
    t.says(0, "signer.key " + other, "sign", path, "--signing-key", tmp + "/other.pem", "--product", "web", "--svn", "1")
    return path


def elsewhere(tmp, t, path):
    """The key is on another machine."""
    words = "--signer", tmp + "/k.pub", "--to-sign", tmp + "/ts", "--product", "web", "--svn", "9"
    before = open(path, "rb").read()
    t.says(0, "to be signed: product web, svn 9", "sign", path, *words)
    t.ok(open(path, "rb").read() == before, "sign --to-sign: the disk is not changed")
    bytes_ = open(tmp + "/ts", "rb").read()
    t.image("sign", path, *words)
    t.ok(open(tmp + "/ts", "rb").read() == bytes_, "sign --to-sign: the same bytes again")
    run("openssl", "dgst", "-sha256", "-sign", tmp + "/k.pem", "-out", tmp + "/sig", tmp + "/ts")
    attach = "sign", path, "--to-sign", tmp + "/ts", "--signature"
    run("openssl", "dgst", "-sha256", "-sign", tmp + "/other.pem", "-out", tmp + "/bad", tmp + "/ts")
    t.says(1, "its key does not verify its signature", *attach, tmp + "/bad")
    t.says(1, "of another form", *attach, tmp + "/k.pub")
    t.says(1, "expected a JWS of three parts", "sign", path, "--to-sign", tmp + "/k.pub", "--signature", tmp + "/sig")
    t.ok(open(path, "rb").read() == before, "sign --signature: what is refused changes no byte")
    t.says(0, "signed: product web, svn 9", *attach, tmp + "/sig")
    t.ok(payload(partition(path).rstrip(b"\0"))[1]["svn"] == 9, "sign --signature: openssl verifies it")
    # the bytes of another disk
    F.disk(tmp + "/another.img", F.uki(cmdline="quiet"), parts=(PART,))
    t.says(1, "is not of this disk", "sign", tmp + "/another.img", "--to-sign", tmp + "/ts", "--signature", tmp + "/sig")


def refused(tmp, t, path):
    """Invalid keys, disks and values: the disk does not change."""
    before = open(path, "rb").read()
    run("openssl", "pkey", "-in", tmp + "/k.pem", "-aes256", "-passout", "pass:x", "-out", tmp + "/enc.pem")
    os.chmod(tmp + "/enc.pem", 0o600)
    key(tmp, "p384", "P-384")
    shutil.copy(tmp + "/k.pem", tmp + "/open.pem")
    os.chmod(tmp + "/open.pem", 0o644)
    sign_ = "sign", path, "--product", "web", "--svn", "1"
    t.says(1, "found an encrypted key", *sign_, "--signing-key", tmp + "/enc.pem")
    t.says(1, "found another kind of key", *sign_, "--signing-key", tmp + "/p384.pem")
    os.chmod(tmp + "/k.pub", 0o600)
    t.says(1, "expected a private key", *sign_, "--signing-key", tmp + "/k.pub")
    t.says(2, "open.pem", *sign_, "--signing-key", tmp + "/open.pem")
    t.says(4, "/nosuch", *sign_, "--signing-key", "/nosuch")
    with_ = "--signing-key", tmp + "/k.pem"
    t.says(1, "expected --signing-key", "sign", path)
    t.says(1, "--to-sign needs --signer", "sign", path, *with_, "--to-sign", tmp + "/x")
    t.says(1, "--signature needs --to-sign", "sign", path, "--signature", tmp + "/sig")
    t.says(1, "need --policy", "sign", path, *with_, "--platform", "tpm")
    t.says(1, "svn: invalid value '-1'", "sign", path, *with_, "--svn", "-1")
    t.says(1, "svn: invalid value '1.5'", "sign", path, *with_, "--svn", "1.5")
    t.says(1, "svn: invalid value '1000000001'", "sign", path, *with_, "--svn", "1000000001")
    t.says(1, "without blanks", "sign", path, *with_, "--svn", "1", "--product", "a b")
    t.ok(open(path, "rb").read() == before, "sign: what is refused changes no byte")
    # without a partition, with two, with a small one
    F.disk(tmp + "/none.img", F.uki(), parts=("size=1M",))
    t.says(1, "there is no partition for a manifest", "sign", tmp + "/none.img", *with_, "--product", "web", "--svn", "1")
    F.disk(tmp + "/two.img", F.uki(), parts=("size=64K, " + PART.split(", ", 2)[2],) * 2)
    t.says(1, "both are for the manifest", "sign", tmp + "/two.img", *with_, "--product", "web", "--svn", "1")
    t.says(0, "manifest: invalid: ", "inspect", tmp + "/two.img")
    F.disk(tmp + "/small.img", F.uki(), parts=("size=32K, " + PART.split(", ", 2)[2],))
    t.says(1, "expected at least 65536 bytes", "sign", tmp + "/small.img", *with_, "--product", "web", "--svn", "1")
    # an unknown ID
    path = F.disk(tmp + "/unknown.img", F.uki("258.1"), parts=(PART,))
    before = open(path, "rb").read()
    t.says(1, "its enclave ID is unknown: tpm: pcr11", "sign", path, *with_, "--product", "web", "--svn", "1")
    t.says(1, "its enclave ID is unknown", "sign", path, *with_, "--product", "web", "--svn", "1", "--allow-unknown")
    t.ok(open(path, "rb").read() == before, "sign: an unknown ID changes no byte")
    # a UKI alone
    t.write(tmp + "/alone.efi", F.uki())
    t.says(1, "expected --output FILE", "sign", tmp + "/alone.efi", *with_, "--product", "web", "--svn", "1")
    t.says(0, "signed: product web", "sign", tmp + "/alone.efi", *with_, "--product", "web", "--svn", "1", "-o", tmp + "/alone")
    t.ok(payload(open(tmp + "/alone", "rb").read())[1]["ids"] == payload(partition(tmp + "/signed.img").rstrip(b"\0"))[1]["ids"],
         "sign: a UKI alone has the same IDs")


def secure_boot(tmp, t):
    """A UKI that is signed for Secure Boot has two IDs in each bank; stub 252 measures nothing for a TD."""
    boot = bytearray(F.uki())
    struct.pack_into("<II", boot, 64 + 24 + 112 + 32, len(boot), 1024)
    path = t.write(tmp + "/sb.efi", bytes(boot) + b"s" * 1024)
    t.says(0, "signed", "sign", path, "--signing-key", tmp + "/k.pem", "--product", "web", "--svn", "1", "-o", tmp + "/sb")
    ids = payload(open(tmp + "/sb", "rb").read())[1]["ids"]
    want = [t.measure(path, *w)["enclave-id"]["tpm"][b] for w in ((), ("--secure-boot",)) for b in F.BANKS]
    t.ok(ids["tpm"] == want and len(set(want)) == 4 and len(ids["tdx"]) == 2, "sign: with Secure Boot, and without", (ids, want))
    path = t.write(tmp + "/old.efi", F.uki("252"))
    t.says(0, "not in the manifest: tdx: rtmr2: systemd-stub 252", "sign", path, "--signing-key", tmp + "/k.pem", "--product", "web",
           "--svn", "1", "-o", tmp + "/old")
    t.ok(list(payload(open(tmp + "/old", "rb").read())[1]["ids"]) == ["tpm"], "sign: an ID that is unknown is not in it")
    # launch digests: only of firmware that proves the image
    for hashes in 1, 0:
        fw = t.write(tmp + "/fw.fd", t.ovmf(hashes))
        words = "--firmware", fw, "--vcpus", "1,2"
        t.image("sign", path, "--signing-key", tmp + "/k.pem", "--product", "web", "--svn", "1", "-o", tmp + "/snp", *words)
        ids = payload(open(tmp + "/snp", "rb").read())[1]["ids"]
        want = [x["launch-digest"] for x in t.measure(path, *words)["snp"]] if hashes else None
        t.ok(ids.get("snp") == want, "sign: launch digests, if the firmware %s" % ("proves the image" if hashes else "does not"), ids)


def inspected(tmp, t, path):
    """Which manifests on a disk count."""
    good = partition(path)
    other = F.disk(tmp + "/other.img", F.uki(cmdline="root=/dev/mapper/ccdm-root rw init=/bin/sh"), parts=(PART, "size=1M"))
    put(other, good)
    rc, out, err = t.image("inspect", other)
    t.ok(rc == 0 and "it lists no enclave ID of this disk" in out and "pcr11, event 6 (content of section .cmdline): expected " in out and
         "pcr9, event 1 (the kernel's command line): expected " in out and "event 8" not in out,
         "inspect: the manifest of another image, event by event", out + err)
    said = json.loads(t.image("inspect", other, "--json")[1])["manifest"]
    t.ok(said["state"] == "other-image" and said["svn"] == 9 and any(d.startswith("rtmr2, event 6") for d in said["differences"]),
         "inspect --json: the same", said)
    said = json.loads(t.image("inspect", path, "--json")[1])["manifest"]
    t.ok(said["state"] == "this-image" and "differences" not in said, "inspect --json: the manifest of this image", said)
    # (noise that happens to begin like a JWS has another message)
    for what, data, why in (("noise", b"\xff" + os.urandom(65535), "expected a JWS in compact form"),
                            ("a manifest, then noise", good.rstrip(b"\0") + b"\0x", "expected zeros behind"),
                            ("two manifests", good.rstrip(b"\0") * 2, "dots"),
                            ("a broken signature", good.rstrip(b"\0")[:-4] + b"AAAA", "its key does not verify its signature"),
                            ("letters and dots", b"a.b.c", "not signed with ES256")):
        put(other, data)
        t.says(0, why, "inspect", other)
        t.says(0, '"state": "invalid"', "inspect", other, "--json")
        t.says(1, "the manifest on the disk was not used", "sign", other, "--signing-key", tmp + "/k.pem")
        t.says(0, "signed: product web", "sign", other, "--signing-key", tmp + "/k.pem", "--product", "web", "--svn", "7")
        t.says(0, "it lists the enclave IDs of this disk", "inspect", other)
    # the manifest of this key, but of another image: its values do not count
    put(other, good)
    t.says(1, "or it is of another image", "sign", other, "--signing-key", tmp + "/k.pem")
    # two manifests compared
    same = tmp + "/same.img"
    shutil.copy(path, same)
    t.says(0, "", "inspect", path, "--against", same)
    t.image("sign", same, "--signing-key", tmp + "/other.pem", "--product", "db", "--svn", "10")
    rc, out, err = t.image("inspect", path, "--against", same)
    for line in "manifest: product: 'web' became 'db'", "manifest: svn: '9' became '10'", "manifest: key: '":
        t.ok(line in out, "inspect --against: " + line, out + err)
    t.ok(len(out.splitlines()) == 3, "inspect --against: and no more", out)
    put(same, b"")
    t.says(0, "manifest: state: 'valid' became 'none'", "inspect", path, "--against", same)


def policies(tmp, t, path):
    """A broker accepts what sign writes."""
    conf = F.CONF + "[attest]\nbroker = https://b.example\npin = %s\n" % ("a1" * 32)
    conf += "[secrets]\ndb.key = default/web/db\ntls = default/web/tls\n"
    F.disk(path, F.uki(ird=F.initrd(conf)), parts=(PART,))
    mrtd = "ab" * 48
    for platform, more, want in (("snp", (), "  tee: snp\n  signer:"), ("tpm", (), "  tee: tpm\n  binding: tpm-only"),
                                 ("tdx", ("--mrtd", mrtd), "  measurement:")):
        t.says(0, "signed", "sign", path, "--signing-key", tmp + "/k.pem", "--product", "web", "--svn", "7", "--policy", tmp + "/p.yaml",
               "--platform", platform, *more)
        text = open(tmp + "/p.yaml").read()
        r = subprocess.run([BIN + "/ccdm-broker", "policy", "check", tmp + "/p.yaml"], capture_output=True, text=True)
        t.ok(r.returncode == 0 and "web: valid" in r.stdout and want in text and "secrets: [default/web/db, default/web/tls]" in text and
             "svn: 7" in text, "a policy for %s, which a broker takes" % platform, text + r.stderr)
    before = partition(path)
    t.says(1, "expected the MRTD of the firmware", "sign", path, "--signing-key", tmp + "/k.pem", "--svn", "8", "--policy", tmp + "/p.yaml",
           "--platform", "tdx")
    t.ok(partition(path) == before, "sign: without the policy there is no manifest")


def base(tmp, t):
    """inspect --base: a disk with the base, and a difference in each part."""
    where = tmp + "/a.base"
    os.mkdir(where)
    ird = F.initrd(None)
    stub = F.pe([(".text", b"a stub"), (".sbat", b"sbat,1\n"), (".sdmagic", F.sections(F.uki())[".sdmagic"])])
    kernel = F.sections(F.uki())[".linux"]
    files = {"base.img": os.urandom(1 << 20), "base.hash": os.urandom(1 << 16), "vmlinuz": kernel, "initrd": ird, "stub": stub,
             "os-release": b"ID=test\nPRETTY_NAME=\"Test 1\"\n", "seccomp.json": b"{}"}
    for name, data in files.items():
        t.write(where + "/" + name, data)
    about = {"version": 1, "name": "trixie-7", "svn": 3, "date": 1700000000, "suite": "trixie", "source": "mirror", "kernel": "6.12.1",
             "verity": {"roothash": "c4" * 32, "salt": "75" * 32, "algorithm": "sha256", "data_blocks": 109609, "hash_start": 0,
                        "data_block_size": 4096, "hash_block_size": 4096},
             "files": {n: {"sha256": hashlib.sha256(d).hexdigest(), "size": len(d)} for n, d in files.items()}, "packages": [],
             "ccdm": "1", "words": "root=/dev/mapper/ccdm-root rw"}
    t.write(where + "/base.json", json.dumps(about).encode())
    parts = ("start=90112, size=1M, uuid=11111111-1111-4111-8111-111111111111",
             "start=92160, size=1M, uuid=22222222-2222-4222-8222-222222222222", "start=94208" + PART[11:])
    path = F.disk(tmp + "/based.img", F.uki(), parts=parts)

    def fill(path, at, data):
        with open(path, "r+b") as f:
            f.seek(at)
            f.write(data)
    fill(path, 90112 * 512, files["base.img"])
    fill(path, 92160 * 512, files["base.hash"])
    rc, out, err = t.image("inspect", path, "--base", where)
    t.ok(rc == 0 and "is trixie-7, svn 3, byte for byte" in out, "inspect --base: the same", out + err)
    # its name and version go into the manifest, for a disk with its root hash
    words = "sign", path, "--signing-key", tmp + "/k.pem", "--product", "web", "--svn", "1"
    t.says(0, "signed", *words, "--base", where)
    t.says(0, "base trixie-7, svn 3", "inspect", path)
    t.says(0, "signed", *words[:4], "--svn", "2")
    t.says(0, "base trixie-7, svn 3", "inspect", path)
    for what, change, line in (
            ("a byte of the base", lambda p: fill(p, 90112 * 512 + 777, b"%c" % (files["base.img"][777] ^ 1)),
             "base: partition 2 differs from %s/base.img at byte 777" % where),
            ("a byte of the tree", lambda p: fill(p, 92160 * 512 + 9, b"%c" % (files["base.hash"][9] ^ 1)),
             "hash tree of the base: partition 3 differs from %s/base.hash at byte 9" % where),
            ("a byte behind the tree", lambda p: fill(p, 92160 * 512 + 65536, b"x"),
             "hash tree of the base: partition 3 differs from %s/base.hash at byte 65536" % where)):
        shutil.copy(path, tmp + "/c.img")
        change(tmp + "/c.img")
        rc, out, err = t.image("inspect", tmp + "/c.img", "--base", where)
        t.ok(rc == 7 and out == line + "\n", "inspect --base: " + what, out + err)
    for what, boot, line in (
            ("another command line", F.uki(cmdline="root=/dev/mapper/ccdm-root ro quiet"),
             "command line: -rw\ncommand line: +ro\ncommand line: +quiet"),
            ("another kernel", F.uki(kernel=F.linux("6.12.2")), "UKI: section .linux differs from %s/vmlinuz at byte " % where),
            ("another version", F.uki(uname="6.12.2"), "UKI: section .uname differs from the base's kernel at byte 5"),
            ("another os-release", F.uki(release="ID=x\n"), "UKI: section .osrel differs from %s/os-release at byte 3" % where),
            ("another stub", F.uki(code=b"b stub"), "UKI: section .text differs from that of %s/stub" % where),
            ("a file in the initrd", F.uki(ird=F.initrd(more={"bin": b"y"})), "initrd: it does not begin with %s/initrd: byte " % where),
            ("a file behind it", F.uki(ird=ird + F.cpio({"init": b"#!/bin/sh\n"}) + F.initrd()[len(ird):]),
             "initrd: behind the base's: init"),
            ("another root hash", F.uki(ird=F.initrd(F.CONF.replace("c4" * 32, "d5" * 32))),
             "ccdm.conf: [base] roothash: expected %s, found %s" % ("c4" * 32, "d5" * 32)),
            ("another partition", F.uki(ird=F.initrd(F.CONF.replace("11111111", "31111111"))),
             "base: ccdm.conf names 'PARTUUID=31111111-1111-4111-8111-311111111111', which is no "
             "partition of the disk")):
        F.disk(tmp + "/c.img", boot, parts=parts)
        fill(tmp + "/c.img", 90112 * 512, files["base.img"])
        fill(tmp + "/c.img", 92160 * 512, files["base.hash"])
        rc, out, err = t.image("inspect", tmp + "/c.img", "--base", where)
        t.ok(rc == 7 and out.startswith(line) and len(out.splitlines()) == len(line.splitlines()), "inspect --base: " + what, out + err)
    said = json.loads(t.image("inspect", tmp + "/c.img", "--base", where, "--json")[1])
    t.ok(not said["same"] and said["name"] == "trixie-7" and len(said["differences"]) == 1, "inspect --base --json", said)
    F.disk(tmp + "/c.img", F.uki(ird=F.initrd(F.CONF.replace("c4" * 32, "d5" * 32))), parts=parts)
    t.says(1, "the disk has another base", "sign", tmp + "/c.img", *words[2:], "--base", where)
    t.write(where + "/base.img", files["base.img"][:-1] + b"x")
    t.says(1, "base.img", "inspect", path, "--base", where)
    t.says(1, "not both", "inspect", path, "--base", where, "--against", path)


def tests(tmp, t):
    payload.tmp = tmp
    path = sign(tmp, t)
    elsewhere(tmp, t, path)
    refused(tmp, t, path)
    secure_boot(tmp, t)
    inspected(tmp, t, path)
    policies(tmp, t, path)
    base(tmp, t)
