# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""manifests - signed manifests of older images and bases, of other images and signers, and what is no manifest"""
import hashlib
import json
import os
import random

from attack import attack, needs, ok, opens, policy, refused
from liar import CALLING, SEPARATOR, Ca, digest, enclave_id, image, tpm_boot
from quotes import openssl
from sessions import manifest

OLD, NOW, NEXT = b"kernel 6", b"kernel 7", b"kernel 8"


def text(kernel):
    """The text of the enclave ID of a boot of image(kernel)."""
    out = "ccdm-enclave-id 1\ntpm sha256\n"
    for reg in 4, 9, 11, 15:
        out += "".join("pcr%d %s\n" % (reg, digest("sha256", e.data).hex()) for e in image(kernel)
                       if e.reg == reg and e.data not in (CALLING, SEPARATOR))
    return out


def says(kernel, svn, **more):
    """What the builder says of this image."""
    return dict({"product": "web", "svn": svn, "ids": {"tpm": [enclave_id(image(kernel))]}, "events": [text(kernel)]}, **more)


def key(b, name):
    path = os.path.join(b.dir, name + ".pem")
    Ca.ssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)
    return path, hashlib.sha256(openssl("pkey", "-in", path, "-pubout", "-outform", "DER")).hexdigest()


def boot(kernel, jws):
    good = tpm_boot(image(kernel))
    return dict(good, members=dict(good["members"], manifest=jws) if jws is not None else good["members"])


def notes(b):
    return "\n".join(b.log()[-1].get("notes", []))


def named(b, words, what):
    """The audit log says this of the last attestation."""
    ok(words in notes(b), "the log says: " + what, notes(b))


@attack
def manifest_versions(b, g):
    builder, who = key(b, "builder")
    signer = "signer: {key: %s, product: web, svn: 7%s}"
    base = ["tee: tpm", "binding: tpm-only", "phase: initrd"]
    ok(hashlib.sha256(text(NOW).encode()).hexdigest() == enclave_id(image(NOW)), "the text of the ID is that of its hash")
    needs(b, *base, signer % (who, ""))
    good = manifest(builder, says(NOW, 7))
    opens(b, g, "control: the image that the policy was written for", "tpm", boot(NOW, good))
    later = manifest(builder, says(NEXT, 8))
    opens(b, g, "control: the next image, svn + 1, by the same policy", "tpm", boot(NEXT, later))
    older = manifest(builder, says(OLD, 6))
    refused(b, g, "the image before, svn - 1, with its own manifest", "tpm", boot(OLD, older), fails="signer")
    refused(b, g, "the old image, with the manifest of the present one", "tpm", boot(OLD, good), fails="signer")
    named(b, "product web, svn 7, key %s..., does not list this image; no signer" % who[:16], "whose manifest it is")
    for line in ("pcr4, event 1 (the UKI): expected %s, found %s" % tuple(digest("sha256", b"UKI with " + k).hex() for k in (NOW, OLD)),
                 "pcr11, event 2 (content of section .linux): expected %s, found %s" % tuple(
                     digest("sha256", k).hex() for k in (NOW, OLD))):
        named(b, "the manifest's image: " + line, line[:40])
    ok(len(notes(b).splitlines()) == 5, "and names no event that is equal", notes(b))
    refused(b, g, "the present image, with the manifest of the old one", "tpm", boot(NOW, older), fails="signer")
    refused(b, g, "the present image, with the manifest of the next one", "tpm", boot(NOW, later), fails="signer")
    refused(b, g, "the present image, without a manifest", "tpm", boot(NOW, None), fails="signer")
    # the base
    needs(b, *base, signer % (who, ", base-svn: 3"))
    for svn, good_ in (3, True), (4, True), (2, False), (0, False):
        say = opens if good_ else refused
        say(b, g, "%sa base of svn %d, where 3 is the lowest" % ("control: " if good_ else "", svn), "tpm",
            boot(NOW, manifest(builder, says(NOW, 7, base={"name": "trixie", "svn": svn}))))
    refused(b, g, "no base, where its svn is demanded", "tpm", boot(NOW, good), fails="signer")
    for what, value in (("a base without svn", {"name": "trixie"}), ("a base with svn 3.0", {"name": "trixie", "svn": 3.0}),
                        ("a base with svn '3'", {"name": "trixie", "svn": "3"}), ("a base that is a number", 3),
                        ("a base with svn 2 ** 62", {"name": "trixie", "svn": 2 ** 62})):
        refused(b, g, what, "tpm", boot(NOW, manifest(builder, says(NOW, 7, base=value))), fails="signer")
        named(b, "the manifest: base", "what is wrong with it")
    refused(b, g, "the base's svn beside the base", "tpm", boot(NOW, manifest(builder, says(NOW, 7, **{"base-svn": 3}))), fails="signer")
    named(b, "unknown member 'base-svn'", "what is wrong with it")
    refused(b, g, "svn - 1 on a later base", "tpm", boot(OLD, manifest(builder, says(OLD, 6, base={"name": "trixie", "svn": 9}))),
            fails="signer")
    taken, out = policy(b, base + ["signer: {key: %s, base-svn: 3}" % who])
    ok(not taken and "must have the key product" in out, "a policy with a base-svn alone: refused", out)


@attack
def manifest_foreign(b, g):
    builder, who = key(b, "builder")
    foreign, _ = key(b, "foreign")
    needs(b, "tee: tpm", "binding: tpm-only", "phase: initrd", "signer: {key: %s, product: web, svn: 7}" % who)
    good = manifest(builder, says(NOW, 7))
    opens(b, g, "control: the builder's manifest", "tpm", boot(NOW, good))
    ident = enclave_id(image(NOW))
    refused(b, g, "the same words, signed by somebody else", "tpm", boot(NOW, manifest(foreign, says(NOW, 7))), fails="signer")
    refused(b, g, "another product of the builder's", "tpm", boot(NOW, manifest(builder, says(NOW, 9, product="db"))), fails="signer")
    mine = manifest(foreign, says(OLD, 7))
    refused(b, g, "my image, with my manifest", "tpm", boot(OLD, mine), fails="signer")
    header, body, signature = good.split(".")
    mine_header, mine_body, mine_signature = mine.split(".")
    for what, jws, why in (
            ("the builder's header and signature over my words", ".".join((header, mine_body, signature)), "does not verify"),
            ("the builder's header, my words and signature", ".".join((header, mine_body, mine_signature)), "does not verify"),
            ("my header and signature over the builder's words", ".".join((mine_header, body, mine_signature)), "does not verify"),
            ("the builder's manifest, then mine", good + "\n" + mine, "three parts"),
            ("mine, a dot, and the builder's", mine + "." + good, "three parts"),
            ("no signature", ".".join((header, body, "")), "does not verify")):
        refused(b, g, what, "tpm", boot(OLD, jws), fails="signer")
        named(b, why, "what is wrong with it")
    for what, ids, why in (("the ID listed for SNP", {"snp": [ident]}, "does not list this image"),
                           ("the ID listed for TDX", {"tdx": [ident]}, "does not list this image"),
                           ("a launch digest listed for a TPM", {"tpm": ["ab" * 48]}, "ids.tpm: number 1"),
                           ("the ID in capitals", {"tpm": [ident.upper()]}, "ids.tpm: number 1"),
                           ("the ID's beginning", {"tpm": [ident[:32]]}, "ids.tpm: number 1"),
                           ("no ID", {"tpm": []}, "does not list this image")):
        refused(b, g, what, "tpm", boot(NOW, manifest(builder, dict(says(NOW, 7), ids=ids, events=[]))), fails="signer")
        named(b, why, "what is wrong with it")
    for what, more, why in (("the text of another ID", {"events": [text(OLD)]}, "is not in ids.tpm"),
                            ("a text with terminal controls", {"events": [text(NOW) + "\x1b[2J"]}, "expected the text of an enclave ID"),
                            ("svn 7.0", {"svn": 7.0}, "svn: expected a whole number"),
                            ("svn 10 ** 18", {"svn": 10 ** 18}, "svn: expected a whole number"),
                            ("svn true", {"svn": True}, "svn: expected a whole number"),
                            ("a member that nobody knows", {"not-after": 1}, "unknown member 'not-after'")):
        refused(b, g, what, "tpm", boot(NOW, manifest(builder, dict(says(NOW, 7), **more))), fails="signer")
        named(b, why, "what is wrong with it")


@attack
def manifest_noise(b, g):
    builder, who = key(b, "builder")
    needs(b, "tee: tpm", "binding: tpm-only", "phase: initrd", "signer: {key: %s, product: web, svn: 7}" % who)
    good = manifest(builder, says(NOW, 7))
    rand = random.Random(7)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    noise = "".join(rand.choice(letters) for _ in range(65533))
    for what, jws in (("64 KiB of letters", noise), ("with two dots", noise[:20000] + "." + noise[20000:40000] + "." + noise[40000:]),
                      ("65537 letters", noise + "abcd"), ("two dots", ".."), ("nothing", ""),
                      ("JSON without a signature", json.dumps(says(NOW, 7))), ("control characters", "\x1b[2J\x07.\n.\t"),
                      ("a manifest with a zero behind it", good + "\u0001"), ("one without its last letter", good[:-1])):
        refused(b, g, "noise: " + what, "tpm", boot(NOW, jws), fails="signer")
        named(b, "; no signer", "there is no signer")
        ok("\x1b" not in notes(b), "and no control character", notes(b))
    # a manifest with as many events as fit, and a log with many others
    many = text(NOW) + "".join("pcr11 %064x\n" % i for i in range(600))
    lots = manifest(builder, dict(says(NOW, 7), ids={"tpm": [hashlib.sha256(many.encode()).hexdigest()]}, events=[many]))
    refused(b, g, "noise: a manifest with 600 events", "tpm", boot(NOW, lots), fails="signer")
    ok(len(notes(b).splitlines()) <= 10 and "more events differ" in notes(b), "the log has the first of them, and their number", notes(b))
    opens(b, g, "control: the builder's manifest", "tpm", boot(NOW, good))
