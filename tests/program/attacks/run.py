#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""run - attacks on the broker: a guest whose evidence is genuine, and proves something else than it says

  tests/run program attacks [NAME...]	all of them, or these

The daemon is the one that is installed. Each attack has a control: the same guest,
honest, gets its secret.
"""
import base64
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(TOP, "tests/lib"))
from broker import Broker  # noqa: E402
from devices import Vtpm, setup  # noqa: E402
from guest import BOOT  # noqa: E402
from liar import (  # noqa: E402
    CAP, GPT, PATH, READY, SECRET, SEPARATOR, Ca, Event, Guest, digest, enclave_id, image, td_boot, tpm_boot)
from quotes import numbers, openssl  # noqa: E402
from sim import Signer  # noqa: E402

results = []


def ok(cond, what, detail=""):
    results.append(bool(cond))
    print("%s %d %s" % ("ok" if cond else "not ok", len(results), what), flush=True)
    if not cond:
        for line in str(detail).splitlines()[-8:]:
            print("# " + line[:600])


def last(b):
    return json.dumps(b.log()[-1])


def opens(b, g, what, tee, evidence, beside=None):
    got = g.gets(tee, evidence, beside)
    ok(got, what, last(b))
    return got


def refused(b, g, what, tee, evidence, beside=None, fails=None):
    """fails: name of the check or condition of which the log must say that it failed."""
    got = g.gets(tee, evidence, beside)
    ok(not got and (not fails or fails in b.refused()), what, last(b))


def manifest(key, body):
    """A builder's word that is signed well, and says what no builder would say."""
    def text(data):
        return base64.urlsafe_b64encode(data).decode().rstrip("=")
    spki = openssl("pkey", "-in", key, "-pubout", "-outform", "DER")
    header = {"alg": "ES256", "typ": "ccdm-manifest", "jwk": {"crv": "P-256", "kty": "EC", "x": text(spki[27:59]), "y": text(spki[59:])}}
    said = ".".join(text(json.dumps(part).encode()) for part in (header, body))
    return said + "." + text(b"".join(numbers(openssl("dgst", "-sha256", "-sign", key, data=said.encode()))))


def policy(b, require, name="web"):
    """Return: was it taken, and what was said"""
    text = "name: %s\nsecrets: default/web/*\nrequire:\n" % name + "".join("  %s\n" % x for x in require)
    path = os.path.join(b.dir, "policy.yaml")
    with open(path, "w") as f:
        f.write(text)
    rc, out = b.admin("policy", "add", path, check=False)
    return rc == 0, out


MRTD = "measurement: " + "00" * 48     # of what is forged, unless it says otherwise


def needs(b, *require):
    good, out = policy(b, require)
    if not good:
        raise AssertionError("policy add: " + out)


def put(b, name, text):
    """A file of the broker's trust/; None: it goes. The broker looks again."""
    path = os.path.join(b.dir, "trust", name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if text is None:
        if os.path.exists(path):
            os.unlink(path)
    else:
        with open(path, "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())
    b.reload()


ATTACKS = {}


def attack(f):
    ATTACKS[f.__name__.replace("_", "-")] = f
    return f


# ---- (1) a genuine chip with anybody's code, and a vTPM in software ---------------------------

@attack
def paravisor(b, g):
    m, other = "5a" * 48, "a5" * 48
    boot = tpm_boot(image())
    put(b, "paravisors", None)
    for tee, launch, word in (("az-snp-vtpm", "measurement", "measurement"), ("az-tdx-vtpm", "mrtd", "mrtd")):
        is_ = "snp" if "snp" in tee else "tdx"
        pcr4 = "pcr: {bank: sha256, index: 4, value: %s}" % boot["pcr"][4]
        any_image(b, "tee: " + is_, "binding: paravisor", "phase: initrd", pcr4)
        guest = dict(boot, **{launch: m})
        refused(b, g, tee + ": a key in software below a genuine report is no paravisor's", tee, guest)
        facts = b.log()[-1].get("facts") or {}
        ok(facts.get("binding") in (None, "none") and not facts.get("pcr"), tee + ": binding none, and no facts of its TPM", last(b))
        put(b, "paravisors", "# paravisors\n%s %s\n" % (word, m))
        opens(b, g, tee + ": control: the launch value is listed", tee, guest)
        needs(b, "tee: " + is_, "binding: paravisor", "phase: initrd", "enclave-id: " + enclave_id(image()))
        opens(b, g, tee + ": control: the image's identity", tee, guest)
        refused(b, g, tee + ": another image's", tee, dict(tpm_boot(image(b"my kernel")), **{launch: m}))
        any_image(b, "tee: " + is_, "binding: paravisor", "phase: initrd", pcr4)
        refused(b, g, tee + ": another launch value", tee, dict(boot, **{launch: other}))
        if is_ == "snp":
            for vmpl in 1, 3:
                any_image(b, "tee: snp", "vmpl: %d" % vmpl, "binding: paravisor", "phase: initrd", pcr4)
                refused(b, g, tee + ": listed, at VMPL %d" % vmpl, tee, dict(guest, vmpl=vmpl))
            any_image(b, "tee: snp", "binding: paravisor", "phase: initrd", pcr4)
            put(b, "paravisors", "id-key 07%s\n" % ("00" * 47))
            opens(b, g, tee + ": control: the id-key is listed", tee, dict(guest, at=0xe0, value=7))
            refused(b, g, tee + ": another id-key", tee, dict(guest, at=0xe0, value=8))
            refused(b, g, tee + ": no id-key", tee, guest)
        else:
            # MRSEAM (16 bytes of TCB SVN before it) is Intel's module, which every TD has
            put(b, "paravisors", "mrtd 09%s\n" % ("00" * 47))
            refused(b, g, tee + ": MRSEAM, listed as if it were the MRTD", tee, dict(guest, at=1016, value=9))
            put(b, "paravisors", "mrtd %s\n" % m)
            for name, at, value in (("version", 1, 1), ("key", 2, 3), ("TEE", 4, 0)):
                refused(b, g, tee + ": listed, and a quote of an unknown " + name, tee, dict(guest, at=at, value=value))
            opens(b, g, tee + ": control: the daemon still serves", tee, guest)
            put(b, "paravisors", None)
        path = os.path.join(b.dir, "trust/paravisors")
        for line in ("mrseam " + m, word + " " + "00" * 48, word + " abc", m):
            with open(path, "w") as f:
                f.write(line + "\n")
            r = subprocess.run([os.path.join(TOP, "build/bin/ccdm-brokerd"), "--config", b.conf, "--check"], capture_output=True)
            ok(r.returncode, tee + ": a list that says '%.20s' is refused" % line, r.stderr)
        put(b, "paravisors", None)


# ---- a TPM in an SVSM -------------------------------------------------------------------------

@attack
def svsm(b, g):
    m, other = "5b" * 48, "b5" * 48
    boot = tpm_boot(image(), ak=1)
    report, chip = {"measurement": m, "svsm": {"ek": 0}}, {"ek": 0, "ak": 1}
    require = ["tee: snp", "binding: svsm", "phase: initrd", "enclave-id: " + enclave_id(image())]
    needs(b, *require)
    put(b, "svsms", "measurement %s\n" % m)

    def gets(is_=report, beside=boot, tpm=chip, credential=None):
        return g.attest_svsm(is_, beside, tpm, credential) == 200 and g.secret() == SECRET

    def control(what="the SVSM's own TPM"):
        ok(gets() and b.log()[-1]["result"] == "released", "control: " + what, last(b))

    def fails(what, note, conditions=("binding", "enclave-id", "phase"), **kw):
        """Refused; note: the log says so of the TPM, or the check of the report that fails."""
        got = gets(**kw)
        said = b.log()[-1]
        notes = " ".join(said.get("notes", []))
        ok(not got and said["result"] == "refused" and
           (note in notes and sorted(b.refused()) == sorted(conditions) if conditions else b.refused() == [note]), what, last(b))
    control()
    facts = [e for e in b.log() if e["event"] == "attest"][-1]["facts"]
    ok(facts["binding"] == "svsm" and facts["vmpl"] == 0 and facts["measurement"] == m, "control: binding svsm, in the log", facts)
    fails("another image below the SVSM", "", ["enclave-id"], beside=tpm_boot(image(b"my kernel"), ak=1))
    # whose report it is
    put(b, "svsms", "measurement %s\n" % other)
    fails("a launch measurement that is not listed", "no listed SVSM: \"measurement %s\" is not in trust/svsms" % m)
    put(b, "svsms", "measurement %s\nmeasurement %s\n" % (other, m))
    control("two SVSMs are listed")
    put(b, "paravisors", "measurement %s\n" % m)
    put(b, "svsms", None)
    fails("one that is listed as a paravisor's", "is not in trust/svsms")
    put(b, "paravisors", None)
    put(b, "svsms", "measurement %s\n" % m)
    for vmpl in 1, 2, 3:
        needs(b, *require, "vmpl: %d" % vmpl)
        fails("a report of VMPL %d, which the policy takes" % vmpl, "of VMPL %d, not 0" % vmpl, is_=dict(report, vmpl=vmpl))
    needs(b, *require)
    fails("a report of VMPL 2", "of VMPL 2, not 0", ["binding", "enclave-id", "phase", "vmpl"], is_=dict(report, vmpl=2))
    fails("an SVSM that can be debugged", "", ["binding", "debug", "enclave-id", "phase"], is_=dict(report, debug=1, svsm={"ek": 1}))
    # whose EK it names
    fails("the EK of another TPM in the manifest", "ek: neither", is_=dict(report, svsm={"ek": 1}))
    fails("the manifest's EK with another size", "holds no endorsement key", is_=dict(report, svsm={"ek": 0, "big": 1}))
    fails("a software TPM, which cannot open the credential of the SVSM's EK", "ak: another one", beside=dict(boot, ak=2))
    fails("no manifest: an ordinary report beside an activated TPM", "ek: neither", is_={"measurement": m})
    # what is fresh
    control()
    fails("an older report with its manifest, for another nonce", "report-data", None, is_=dict(report, bound="77" * 48))
    fails("a fresh report, with the manifest of another SVSM beside it", "report-data", None, is_=dict(report, svsm={"ek": 0, "swap": 1}))
    fails("a fresh report that is not bound to the manifest", "report-data", None, is_=dict(report, svsm={"ek": 0, "alone": 1}))
    old = g.credential
    fails("the value of another session", "activation: another", credential=old)
    g.auth("snp", {"ek": 1, "ak": 1})
    fails("the credential of another TPM", "activation: another", credential=g.credential)
    fails("a quote for another nonce", "report-data: ", beside=dict(boot, bound="88" * 48))
    # another TPM that is trusted, beside the SVSM's report
    key = os.path.join(b.dir, "ak2.pem")
    ca = Ca(b.dir, "provider-svsm")
    put(b, "ak-roots/provider.pem", ca.pem())
    put(b, "certs/provider.crl", ca.crl())
    certified = tpm_boot(image(), ak=2)
    certified["members"]["ak_cert"] = ca.cert(key, AK_USAGE)
    fails("a TPM that a provider vouches for: it is not the SVSM's", "", ["binding"], beside=certified, tpm={"ek": 0, "ak": 2})
    for what in ("ak-roots/provider.pem", "certs/provider.crl"):
        put(b, what, None)
    fails("a TPM whose key is known: it is not the SVSM's", "no provider certified", is_=dict(report, svsm={"ek": 1}),
          beside=tpm_boot(image()), tpm={"ek": 0, "ak": 0})
    control()
    put(b, "svsms", None)
    fails("and no more when its line is gone", "is not in trust/svsms")


# ---- (2) TDX: containment is not identity -----------------------------------------------------

@attack
def tdx_identity(b, g):
    good = image(rtmr=True)
    mine = image(b"my kernel", rtmr=True)
    kernel = digest("sha384", b"good kernel").hex()
    taken, out = policy(b, ["tee: tdx", "binding: none", "phase: initrd", "event: {register: rtmr2, digest: %s}" % kernel])
    ok(not taken, "an event alone is no identity: policy add refuses it", out)
    contains = mine[:-2] + [Event("firmware", 2, b"good kernel"), *mine[-2:]]
    good_id = enclave_id(good, "sha384", True)
    taken, out = policy(b, ["tee: tdx", "binding: none", "phase: initrd", "enclave-id: " + good_id])
    ok(not taken and "MRTD" in out, "an ID without the firmware that filled the registers: policy add refuses it", out)
    needs(b, "tee: tdx", "binding: none", "phase: initrd", MRTD, "enclave-id: " + good_id)
    opens(b, g, "control: the good image", "tdx", td_boot(good))
    refused(b, g, "firmware of the host's own, which extends the good digests and brings the good log", "tdx",
            td_boot(good, mrtd="ee" * 48))
    for name, events in tdx_variants(good, contains):
        refused(b, g, "enclave-id: " + name, "tdx", td_boot(events))
    honest = td_boot(good)
    for name, e in (("a bigger disk: another partition table",
                     [x.at(data=GPT + bytes(128), said=GPT + bytes(128)) if x.data == GPT else x for x in good]),
                    ("no partition table", [x for x in good if x.data != GPT]),
                    ("two of them", good[:3] + [good[2]] + good[3:])):
        opens(b, g, "control: %s, the same identity" % name, "tdx", td_boot(e))
    # the log of the good image beside registers of another
    refused(b, g, "enclave-id: the good image's log, another's registers", "tdx", dict(td_boot(mine), members=honest["members"]))
    refused(b, g, "enclave-id: no log at all", "tdx", dict(honest, members={}))
    refused(b, g, "enclave-id: RTMR 3 alone is right", "tdx", dict(td_boot(mine[:-2] + good[-2:])))


def tdx_variants(good, contains):
    swapped = list(good)
    a = next(i for i, e in enumerate(good) if e.data == b"good kernel" and e.reg == 2)
    swapped[a - 1], swapped[a] = swapped[a], swapped[a - 1]
    firmware = [e for e in good if e.kind == "firmware"]
    ours = [e for e in good if e.kind == "ccdm"]
    yield "own kernel that also extends the good digests", contains
    yield "two events of a register swapped", swapped
    yield "an event moved to another register", [e.at(reg=1) if e.data == b"good kernel" and e.reg == 2 else e for e in good]
    yield "one more event in the middle", good[:4] + [Event("firmware", 2, b"x")] + good[4:]
    yield "one more event before the base's", firmware + [Event("ccdm", 3, b"ccdm-base:%s" % (b"cd" * 32))] + ours
    yield "one event less", [e for e in good if e.data != b"initrd of good kernel"]
    yield "the cap after ready", good + [Event("ccdm", 3, CAP)]
    yield "an event whose data lies that it is a partition table", \
        [Event("firmware", 1, b"evil", data_said=GPT)] + good
    yield "a partition table in RTMR 2", good[:4] + [Event("firmware", 2, GPT)] + good[4:]
    yield "a known event in another register than firmware's log", firmware + [Event("ccdm", 3, b"ccdm-x:1", label="other")] + ours
    yield "a constant of firmware's in another log", firmware + [Event("ccdm", 2, SEPARATOR, label="other", data_said=b"")] + ours
    yield "the good image twice", good + [e for e in firmware if e.reg == 2]


@attack
def policies(b, g):
    """What says which image runs, and what only contains it."""
    tdx, tpm, snp = (["tee: " + x, "binding: " + y] for x, y in (("tdx", "none"), ("tpm", "tpm-only"), ("snp", "none")))
    any48, any32 = "11" * 48, "11" * 32
    pcr = "pcr: {bank: sha256, index: %d, value: %s}"
    event = "event: {register: rtmr3, name: ccdm-ready}"
    for what, require in (
            ("nothing", tdx), ("an event by its name", tdx + [event]), ("RTMR 3", tdx + ["rtmr: {index: 3, value: %s}" % any48]),
            ("RTMR 2 without 1", tdx + ["rtmr: {index: 2, value: %s}" % any48]),
            ("RTMR 1 without 2", tdx + ["rtmr: {index: 1, value: %s}" % any48]), ("MRTD", tdx + ["measurement: " + any48]),
            ("PCR 15", tpm + [pcr % (15, any32)]), ("PCR 4", tpm + [pcr % (4, any32)]),
            ("RTMR 1 and 2 without the firmware",
             tdx + ["all: [{rtmr: {index: 1, value: %s}}, {rtmr: {index: 2, value: %s}}]" % (any48, any48)]),
            ("PCR 4 and 9", tpm + ["all: [{%s}, {%s}]" % (pcr % (4, any32), pcr % (9, any32))]),
            ("a measurement of which it does not say what it covers", snp + ["measurement: " + any48]),
            ("one that covers the firmware", snp + ["measurement: {value: %s, covers: firmware}" % any48]),
            ("identity or an event", tdx + ["any: [{enclave-id: %s}, {%s}]" % (any32, event)]),
            ("another than one identity", tdx + ["not: {enclave-id: %s}" % any32])):
        good, out = policy(b, require, "weak")
        ok(not good, "a policy that requires %s: refused" % what, out)
        b.admin("policy", "remove", "weak", check=False)
    good, out = policy(b, tdx + ["measurement: {value: %s, covers: image}" % any48], "weak")
    ok(not good, "covers on TDX, where nothing covers the image: refused", out)
    for name, make, regs, require, other in (
            ("MRTD, RTMR 1 and 2", td_boot, ("rtmr", (1, 2)), tdx + [MRTD], image(b"my kernel", True)),
            ("PCR 2, 4, 9, and 12 and 13 zero", tpm_boot, ("pcr", (2, 4, 9, 12, 13)), tpm, image(b"my kernel"))):
        boot = make(image(rtmr=make is td_boot))
        word = "rtmr: {index: %d, value: %s}" if make is td_boot else pcr
        needs(b, *require, "phase: initrd", "all: [%s]" % ", ".join("{%s}" % (word % (i, boot[regs[0]][i])) for i in regs[1]))
        tee = "tdx" if make is td_boot else "tpm"
        opens(b, g, "control: %s by value" % name, tee, boot)
        refused(b, g, "%s by value: another image" % name, tee, make(other))
    refused(b, g, "PCR 12 not zero: a command line of one's own", "tpm", tpm_boot(image() + [Event("firmware", 12, b"init=/bin/sh")]))
    refused(b, g, "PCR 2: a driver that ran before all of it", "tpm", tpm_boot([Event("firmware", 2, b"driver")] + image()))
    needs(b, *tpm, "phase: initrd", "enclave-id: " + enclave_id(image(), "sha256", False))
    opens(b, g, "control: an enclave ID of a TPM", "tpm", tpm_boot(image()))
    refused(b, g, "a driver in PCR 2, which extends the good digests", "tpm", tpm_boot([Event("firmware", 2, b"driver")] + image()))
    needs(b, *snp, "phase: unknown", "measurement: {value: %s, covers: image}" % any48)
    opens(b, g, "control: a launch measurement that covers the image", "snp", {"measurement": any48})
    refused(b, g, "another one", "snp", {"measurement": "12" * 48})
    refused(b, g, "that one, at VMPL 1", "snp", {"measurement": any48, "vmpl": 1})
    refused(b, g, "that one, to be debugged", "snp", {"measurement": any48, "debug": 1})


# ---- (3) the cap under another label -----------------------------------------------------------

@attack
def cap(b, g):
    for rtmr, reg, bank in ((False, 15, "sha256"), (True, 3, "sha384")):
        tee = "tdx" if rtmr else "tpm"
        make = td_boot if rtmr else tpm_boot
        boot = image(rtmr=rtmr)
        ident = ["enclave-id: " + enclave_id(boot, bank, rtmr)] + [MRTD] * rtmr
        base = ["tee: " + tee, "binding: " + ("none" if rtmr else "tpm-only"), "phase: initrd"]
        needs(b, *base, *ident)
        opens(b, g, tee + ": control: the image by its identity", tee, make(boot))
        # (an identity would refuse most of what follows for its own reason)
        any_image(b, *base)
        opens(b, g, tee + ": control: before the cap", tee, make(boot))
        for name, event in (
                ("as ccdm's", Event("ccdm", reg, CAP)),
                ("as another content_type in ccdm's log", Event("ccdm", reg, CAP, label="systemd")),
                ("as an unheard-of content_type", Event("ccdm", reg, CAP, label="cel")),
                ("in systemd's log", Event("systemd", reg, CAP)),
                ("in systemd's log with another text", Event("systemd", reg, CAP, data_said=b"machine-id:1")),
                ("in systemd's log as ccdm's", Event("systemd", reg, CAP, label="ccdm"))):
            refused(b, g, "%s: the cap %s" % (tee, name), tee, make(boot + [event]))
            said = b.log()[-1].get("facts") or {}
            ok(said.get("phase") == "running", "%s: the cap %s: the phase is running" % (tee, name), said)
        # in firmware's log it comes first: the registers are those of a machine that was capped at its beginning
        for name, at in (("first", 0), ("last of firmware's", len(boot) - 2)):
            events = boot[:at] + [Event("firmware", reg, CAP)] + boot[at:]
            refused(b, g, "%s: the cap in firmware's log, %s" % (tee, name), tee, make(events))
        # all that ccdm measured, too, moved into firmware's log with the cap behind it
        moved = [e.at(kind="firmware") for e in boot] + [Event("firmware", reg, CAP)]
        refused(b, g, tee + ": all of it in firmware's log", tee, make(moved))
        moved = [e.at(kind="firmware") if e.kind == "ccdm" else e for e in boot] + [Event("firmware", reg, CAP), Event("ccdm", reg, READY)]
        refused(b, g, tee + ": and ready once more", tee, make(moved))


# ---- (4) certificates that are not an attestation key's -------------------------------------------

AK_USAGE, EK_USAGE = "2.23.133.8.3", "2.23.133.8.1"


def any_image(b, *require):
    needs(b, *require, "identity: any")


@attack
def attestation_key(b, g):
    ca, ek = Ca(b.dir, "provider"), Ca(b.dir, "maker")
    key = os.path.join(b.dir, "ak1.pem")
    put(b, "ak-roots/provider.pem", ca.pem())
    put(b, "certs/provider.crl", ca.crl())
    put(b, "certs/maker.crl", ek.crl())
    boot = tpm_boot(image(), ak=1)

    def with_cert(pem):
        return dict(boot, members=dict(boot["members"], ak_cert=pem))
    any_image(b, "tee: tpm", "binding: tpm-only", "phase: initrd")
    opens(b, g, "control: a certificate of an attestation key", "tpm", with_cert(ca.cert(key, AK_USAGE)))
    refused(b, g, "an attestation key that nobody knows", "tpm", boot)
    for name, args in (("TLS client", ("clientAuth",)), ("TLS server", ("serverAuth",)), ("client and AK", (AK_USAGE + ",clientAuth",)),
                       ("server and AK", (AK_USAGE + ",serverAuth",)), ("no usage", ("",)),
                       ("anyExtendedKeyUsage", ("anyExtendedKeyUsage",)),
                       ("code signing", ("codeSigning",)), ("an endorsement key", (EK_USAGE,)),
                       ("an endorsement key, keyEncipherment", (EK_USAGE, "keyEncipherment")),
                       ("AK, without digitalSignature", (AK_USAGE, "keyEncipherment")), ("AK, keyAgreement", (AK_USAGE, "keyAgreement"))):
        refused(b, g, "below a provider's root, %s" % name, "tpm", with_cert(ca.cert(key, *args)))
    refused(b, g, "a good certificate of another key", "tpm", with_cert(ca.cert(os.path.join(b.dir, "ak2.pem"), AK_USAGE)))
    refused(b, g, "another CA of the same name", "tpm", with_cert(Ca(os.path.join(b.dir, "state"), "provider").cert(key, AK_USAGE)))
    put(b, "ek-roots/maker.pem", ek.pem())
    for name, usage in (("a TLS client", "clientAuth"), ("an attestation key", AK_USAGE), ("an endorsement key", EK_USAGE),
                        ("nothing", "")):
        refused(b, g, "below a TPM maker's root, %s" % name, "tpm", with_cert(ek.cert(key, usage)))
    # beside a TEE
    any_image(b, "tee: snp", "binding: provider", "phase: initrd")
    tee = {"measurement": "5a" * 48}
    opens(b, g, "control: a provider's key beside a TEE", "snp", tee, with_cert(ca.cert(key, AK_USAGE)))
    for name, pem in (("a maker's endorsement key", ek.cert(key, EK_USAGE)), ("a TLS client of the provider's", ca.cert(key, "clientAuth")),
                      ("an attestation key of the maker's", ek.cert(key, AK_USAGE))):
        refused(b, g, "beside a TEE, %s: not bound by a provider" % name, "snp", tee, with_cert(pem))
        ok((b.log()[-1].get("facts") or {}).get("binding") == "none", "beside a TEE, %s: binding none" % name, last(b))
    # usage as the root's file says it
    any_image(b, "tee: tpm", "binding: tpm-only", "phase: initrd")
    put(b, "ak-roots/provider.usage", EK_USAGE + "\n")
    opens(b, g, "control: a root whose usage file names another usage", "tpm", with_cert(ca.cert(key, EK_USAGE)))
    refused(b, g, "the default usage below it", "tpm", with_cert(ca.cert(key, AK_USAGE)))
    refused(b, g, "the usage without digitalSignature", "tpm", with_cert(ca.cert(key, EK_USAGE, "keyEncipherment")))
    put(b, "ak-roots/provider.usage", None)
    put(b, "ak-roots/provider.pem", None)
    put(b, "ek-roots/maker.pem", None)
    put(b, "certs/provider.crl", None)
    put(b, "certs/maker.crl", None)


# ---- a provider's vTPM: the program itself asks -------------------------------------------------------

@attack
def gce(b, g):
    m = "5c" * 48
    with Broker(os.path.join(b.dir, "gce")) as own, \
         Signer("snp", os.path.join(b.dir, "gce-tee"), os.path.join(own.dir, "trust")) as s:
        own.secret(PATH, SECRET.encode())
        s.vm(m)
        needs(own, "tee: snp", "binding: provider", "phase: unknown", "measurement: {value: %s, covers: image}" % m)
        for kind in "ecc", "rsa":
            with Vtpm(os.path.join(b.dir, "gce-" + kind)) as tpm:
                gce_one(own, s, tpm, kind)


def gce_one(b, s, tpm, kind):
    ca, other = Ca(b.dir, "google"), Ca(b.dir, "nobody")
    key, foreign = os.path.join(b.dir, kind + ".pem"), os.path.join(b.dir, "foreign.pem")
    tpm.key(kind, key)
    foreign_key = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"] if kind == "ecc" else ["-algorithm", "RSA"]
    Ca.ssl("genpkey", *foreign_key, "-out", foreign + ".key")
    Ca.ssl("pkey", "-in", foreign + ".key", "-pubout", "-out", foreign)
    put(b, "ak-roots/google.pem", ca.pem())
    put(b, "ak-roots/google.usage", EK_USAGE + "\n")
    put(b, "certs/google.crl", ca.crl())

    def asks():
        return setup("secret", "get", PATH, "--broker", "https://localhost:%d" % b.port, "--ca", b.ca, "--timeout", "20", tpm=tpm, sev=s)

    def control(what):
        rc, out, said = asks()
        ok(rc == 0 and out == SECRET.encode(), "%s: control: %s" % (kind, what), said + last(b))

    def fails(what, note, said=""):
        """Refused by the broker; note: why the TPM does not count; said: by the program."""
        rc, out, err = asks()
        entry = b.log()[-1]
        ok(rc == 7 and not out and entry["result"] == "refused" and b.refused() == ["binding"] and said in err and
           note in " ".join(entry.get("notes", [])), "%s: %s" % (kind, what), (rc, err, entry))

    fails("a vTPM with nothing in NV: nobody certified its key", "ek: ")
    tpm.template(kind)
    fails("a template without a certificate", "ek: ")
    good = ca.cert(key, EK_USAGE)
    tpm.certificate(kind, good)
    control("the key of the template, with its certificate")
    facts = [e for e in b.log() if e["event"] == "attest"][-1]["facts"]
    ok(facts["binding"] == "provider" and facts["tee"] == "snp", kind + ": control: binding provider, in the log", facts)
    put(b, "ak-roots/google.usage", None)
    fails("the same without the file that names the provider's usage", "ak-usage: ")
    put(b, "ak-roots/google.usage", EK_USAGE + "\n")
    for what, args in (("of a TLS client", ("clientAuth",)), ("of a TLS server", ("serverAuth",)), ("without usage", ("",)),
                       ("of an endorsement key, keyEncipherment", (EK_USAGE, "keyEncipherment")),
                       ("of attestation keys of others", (AK_USAGE,))):
        tpm.certificate(kind, ca.cert(key, *args))
        fails("a certificate " + what, "ak-usage: ")
    tpm.certificate(kind, other.cert(key, EK_USAGE))
    fails("a certificate of another CA", "ak-")
    tpm.certificate(kind, ca.cert(foreign, EK_USAGE))
    fails("a certificate of another key: the guest goes without its TPM, and says why", "", said="is not the one in its certificate")
    tpm.certificate(kind, good)
    put(b, "certs/google.crl", ca.crl([2], number=2))
    fails("a certificate that is revoked", "ak-revocation: ")
    put(b, "certs/google.crl", ca.crl(number=3))
    put(b, "ak-roots/google.pem", None)
    put(b, "ek-roots/google.pem", ca.pem())
    fails("a root of makers of TPMs", "ak-root: ")
    put(b, "ek-roots/google.pem", None)
    put(b, "ak-roots/google.pem", ca.pem())
    control("as before")


# ---- (6), (7) lists and chains --------------------------------------------------------------------------

@attack
def revocation(b, g):
    ca = Ca(b.dir, "revoker")
    key = os.path.join(b.dir, "ak1.pem")
    put(b, "ak-roots/revoker.pem", ca.pem())
    leaf = ca.cert(key, AK_USAGE, serial=9)
    boot = tpm_boot(image(), ak=1)

    def with_certs(*pem):
        return dict(boot, members=dict(boot["members"], ak_cert="".join((leaf,) + pem)))
    any_image(b, "tee: tpm", "binding: tpm-only", "phase: initrd")
    put(b, "certs/revoker.crl", ca.crl(number=5))
    opens(b, g, "control: a list, and it is not in it", "tpm", with_certs())
    partition = "issuingDistributionPoint=critical,@idp\n[idp]\nfullname=URI:http://x/other.crl\n"
    users = "issuingDistributionPoint=critical,@idp\n[idp]\nonlyCA=TRUE\n"
    delta = "2.5.29.27=critical,DER:020101\n"
    unknown = "1.2.3.4=critical,DER:0500\n"
    for name, ext in (("a delta list", delta), ("a partition's list", partition), ("a list for CAs alone", users),
                      ("a list with an unknown critical extension", unknown)):
        try:
            list_ = ca.crl(extensions=ext, number=9)
        except AssertionError as e:
            ok(False, name + ": openssl makes it", e)
            continue
        put(b, "certs/revoker.crl", ca.crl([9], number=5))
        refused(b, g, "revoked by the operator's list; %s of the guest's, newer, without it" % name, "tpm", with_certs(list_))
        put(b, "certs/revoker.crl", None)
        refused(b, g, "no list but %s, which the guest brings" % name, "tpm", with_certs(list_))
        put(b, "certs/revoker.crl", list_)
        refused(b, g, "no list but %s, of the operator's" % name, "tpm", with_certs())
    put(b, "certs/revoker.crl", ca.crl([9], number=5))
    refused(b, g, "control: revoked", "tpm", with_certs())
    refused(b, g, "revoked; the guest brings a newer full list without it", "tpm", with_certs(ca.crl(number=9)))
    refused(b, g, "revoked; the guest brings an older full list without it", "tpm", with_certs(ca.crl(number=1)))
    put(b, "certs/revoker.crl", ca.crl(number=5))
    refused(b, g, "the operator's list does not have it, the guest's own does", "tpm", with_certs(ca.crl([9], number=9)))
    for what in ("ak-roots/revoker.pem", "certs/revoker.crl"):
        put(b, what, None)


@attack
def weak_chain(b, g):
    key = os.path.join(b.dir, "ak1.pem")
    any_image(b, "tee: tpm", "binding: tpm-only", "phase: initrd")
    boot = tpm_boot(image(), ak=1)
    for name, kind, md in (("RSA 2048, SHA-256", "RSA", "sha256"), ("RSA 1024", "RSA1024", "sha256"), ("SHA-1", "EC", "sha1")):
        ca = Ca(b.dir, "weak-" + kind + md, kind, md)
        put(b, "ak-roots/weak.pem", ca.pem())
        put(b, "certs/weak.crl", ca.crl())
        evidence = dict(boot, members=dict(boot["members"], ak_cert=ca.cert(key, AK_USAGE)))
        (opens if name.startswith("RSA 2048") else refused)(
            b, g, ("control: " if name.startswith("RSA 2048") else "") + "a chain of " + name, "tpm", evidence)
    for what in ("ak-roots/weak.pem", "certs/weak.crl"):
        put(b, what, None)


# ---- (5) attributes of a TD --------------------------------------------------------------------------------

@attack
def attributes(b, g):
    any_image(b, "tee: tdx", "binding: none", "phase: initrd")
    boot = td_boot(image(rtmr=True))
    opens(b, g, "control: attributes as they must be", "tdx", boot)
    opens(b, g, "control: the same, TD 1.5", "tdx", dict(boot, version=5))
    # 120: attributes; bit 28 SEPT_VE_DISABLE, 29 MIGRATABLE
    for name, at, value, version in (("debug", 120, 1, 4), ("MIGRATABLE", 123, 0x30, 4), ("MIGRATABLE, TD 1.5", 123, 0x30, 5),
                                     ("SEPT_VE_DISABLE off", 123, 0, 4), ("another bit for debuggers", 120, 2, 4),
                                     ("MRSERVICETD", 600, 1, 5), ("the last byte of MRSERVICETD", 647, 1, 5)):
        refused(b, g, "a TD with " + name, "tdx", dict(boot, version=version, at=1000 + at, value=value))


# ---- (8) firmware with holes that are known ------------------------------------------------------

REPORTED, COMMITTED, LAUNCH, CURRENT = 0x180, 0x1e0, 0x1f0, 0x38
SNP, MICROCODE = 6, 7       # of a Milan; what is forged has 29 and 219, as AMD's bulletins want it


@attack
def firmware(b, g):
    """A genuine chip whose firmware the host left, or put back, where its holes are."""
    guest = {"measurement": "5a" * 48}
    image_ = ["tee: snp", "binding: none", "phase: unknown", "measurement: {value: %s, covers: image}" % guest["measurement"]]
    put(b, "snp-floor", None)
    needs(b, *image_)
    opens(b, g, "control: firmware that AMD's bulletins want", "snp", guest)
    for name, at, value in (("reports SNP 28", REPORTED + SNP, 28), ("can be put back to SNP 28", COMMITTED + SNP, 28),
                            ("launched the guest with SNP 28", LAUNCH + SNP, 28), ("reports microcode 218", REPORTED + MICROCODE, 218),
                            ("can be put back to microcode 218", COMMITTED + MICROCODE, 218),
                            ("launched the guest with SNP 0", LAUNCH + SNP, 0)):
        refused(b, g, "a platform that " + name, "snp", dict(guest, at=at, value=value), fails="tcb")
    opens(b, g, "control: what runs now is not asked for, it cannot be below what is committed", "snp",
          dict(guest, at=CURRENT + SNP, value=99))
    # a policy with versions of its own adds to it, and does not replace it
    needs(b, *image_, "tcb: {snp: 20}")
    refused(b, g, "versions that a policy names do not stand in place of AMD's", "snp", dict(guest, at=COMMITTED + SNP, value=28),
            fails="tcb")
    needs(b, *image_, "tcb: {snp: 28, status: [UpToDate, OutOfDate]}")
    opens(b, g, "control: one that says OutOfDate", "snp", dict(guest, at=COMMITTED + SNP, value=28))
    refused(b, g, "and not below the version that it names", "snp", dict(guest, at=COMMITTED + SNP, value=27), fails="tcb")
    taken, out = policy(b, image_ + ["tcb: {status: ConfigurationNeeded}"])
    ok(not taken and "never hold" in out, "a status that no SNP platform has: policy add refuses it", out)
    # a list of the operator's own
    needs(b, *image_)
    put(b, "snp-floor", "milan snp 30 ours\n")
    refused(b, g, "a list of one's own that is higher", "snp", guest, fails="tcb")
    put(b, "snp-floor", "milan snp 28 ours\n")
    opens(b, g, "control: a lower one", "snp", dict(guest, at=COMMITTED + SNP, value=28))
    for name, text in (("of another generation", "genoa snp 0 ours\n"), ("of another processor", "milan:19/01/02 snp 0 ours\n"),
                       ("of none", "# none\n")):
        put(b, "snp-floor", text)
        refused(b, g, "a list " + name + " says nothing good of this one", "snp", guest, fails="tcb")
        needs(b, *image_, "tcb: {status: [UpToDate, OutOfDate]}")
        refused(b, g, "nor is it OutOfDate", "snp", guest, fails="tcb")
        needs(b, *image_)
    with open(os.path.join(b.dir, "trust/snp-floor"), "w") as f:
        f.write("milan snp 28\n")
    r = subprocess.run([os.path.join(TOP, "build/bin/ccdm-brokerd"), "--config", b.conf, "--check"], capture_output=True)
    ok(r.returncode and b"expected generation, part, version and source" in r.stderr, "a list without a source is refused", r.stderr)
    put(b, "snp-floor", None)
    # the same below a paravisor
    put(b, "paravisors", "measurement %s\n" % guest["measurement"])
    boot = tpm_boot(image(), **guest)
    needs(b, "tee: snp", "binding: paravisor", "phase: initrd", "enclave-id: " + enclave_id(image()))
    opens(b, g, "control: the same below a paravisor", "az-snp-vtpm", boot)
    refused(b, g, "with firmware below the floor", "az-snp-vtpm", dict(boot, at=LAUNCH + SNP, value=28), fails="tcb")
    put(b, "paravisors", None)


# ---- (9) a refusal that is too large for the log -----------------------------------------------------------------

@attack
def trace(b, g):
    value = "00" * 48
    lists = "[%s]" % ", ".join(["%096x" % i for i in range(1, 600)])
    many = ["tee: tdx", "binding: none", "phase: initrd", "identity: any", "measurement: " + lists]
    n = 0
    for i in range(8):
        n += policy(b, many, "many%d" % i)[0]
    ok(n == 8, "eight policies with 599 measurements each")
    events = image(rtmr=True)
    any_image(b, "tee: tdx", "binding: none", "phase: initrd", "measurement: " + "11" * 48)
    seen = len(b.log())
    status = g.attest("tdx", td_boot(events, mrtd=value))
    entries = b.log()[seen:]
    ok(status == "PolicyDeny", "a guest that none of them takes is refused by policy", status)
    ok(len(entries) == 1 and entries[0]["result"] == "refused", "and the log has it, although its trace is large", entries)
    big = events + [Event("firmware", 2, b"%d" % i) for i in range(12000)]
    many = ["tee: tdx", "binding: none", "phase: initrd", "identity: any", "measurement: " + "11" * 48,
            "event: {register: rtmr2, digest: %s}" % ("22" * 48)]
    policy(b, many, "events")
    seen = len(b.log())
    status = g.attest("tdx", td_boot(big, mrtd=value))
    entries = b.log()[seen:]
    ok(status != 200, "a guest with 12,000 events is refused", status)
    ok(len(entries) == 1 and entries[0]["result"] == "refused", "and the log has it", entries)
    ok(b.admin("log", "verify", check=False)[0] == 0, "the log is whole")
    # a reason with words of the guest, which its message cuts in the middle of a letter
    builder, m = os.path.join(b.dir, "builder.pem"), "5c" * 48
    Ca.ssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", builder)
    for platform in "x" + "\u00e9" * 30, "sgx":
        seen = len(b.log())
        status = g.attest("snp", {"measurement": m, "members": {
            "manifest": manifest(builder, {"product": "web", "svn": 7, "ids": {platform: []}})}})
        entries = b.log()[seen:]
        ok(status != 200 and len(entries) == 1 and entries[0]["result"] == "refused",
           "a guest with a manifest for %s is in the log" % platform,
           (status, entries))
    for i in range(8):
        b.admin("policy", "remove", "many%d" % i, check=False)
    b.admin("policy", "remove", "events", check=False)
    any_image(b, "tee: tdx", "binding: none", "phase: initrd", "measurement: " + value)
    opens(b, g, "control: one that is taken", "tdx", td_boot(events, mrtd=value))


# ---- (10) registers that anybody resets, banks that are weak ---------------------------------------------------------

@attack
def banks(b, g):
    base = ["tee: tpm", "binding: tpm-only", "phase: initrd"]
    any_ = ["identity: any"]
    for index in (16, 17, 18, 22, 23):
        good, out = policy(b, base + any_ + ["pcr: {bank: sha256, index: %d, value: %s}" % (index, "00" * 32)], "reset")
        ok(not good, "a policy on PCR %d is refused" % index, out)
    for bank, size in (("sha1", 20),):
        good, out = policy(b, base + any_ + ["pcr: {bank: %s, index: 4, value: %s}" % (bank, "00" * size)], "weak")
        ok(not good, "a policy on bank %s is refused" % bank, out)
    for name in ("reset", "weak"):
        b.admin("policy", "remove", name, check=False)
    boot = image()
    needs(b, *base, *any_)
    opens(b, g, "control: a quote of the SHA-256 bank", "tpm", tpm_boot(boot))
    for bank in ("sha1", "sha384"):
        refused(b, g, "a quote of the %s bank, where the policy names none: it is for sha256" % bank, "tpm", tpm_boot(boot, bank))
    value = tpm_boot(boot)["pcr"][4]
    needs(b, *base, *any_, "pcr: {bank: sha256, index: 4, value: %s}" % value)
    opens(b, g, "control: PCR 4 of the SHA-256 bank", "tpm", tpm_boot(boot))
    for bank in ("sha1", "sha384"):
        refused(b, g, "PCR 4 of sha256, and a quote of %s" % bank, "tpm", tpm_boot(boot, bank))
    # a quote that leaves the register out, and one whose list of registers is not the quote's
    refused(b, g, "a quote without PCR 4", "tpm", dict(tpm_boot(boot), quoted=0xffffff & ~16))
    other = tpm_boot(image(b"my kernel"))
    refused(b, g, "registers beside the quote that are not those it quotes", "tpm", dict(other, said=tpm_boot(boot)["pcr"]))


# ---- (16) who writes to the broker's database -----------------------------------------------------------------------

@attack
def database(b, g):
    m = "33" * 48
    any_image(b, "tee: tdx", "binding: none", "phase: initrd", "measurement: " + m)
    boot = td_boot(image(rtmr=True), mrtd=m)
    opens(b, g, "control: a session of the broker's own", "tdx", boot)
    state = os.path.join(b.dir, "state/broker.db")
    with sqlite3.connect(state, timeout=10) as db:
        columns = [r[1] for r in db.execute("PRAGMA table_info(session)")]
        raw = base64.urlsafe_b64decode(g.cookie.split("=", 1)[1].split(".")[0] + "==")
        rows = [dict(zip(columns, r)) for r in db.execute("SELECT * FROM session")]
    row = [r for r in rows if raw.startswith(r["id"])][0]
    facts = {"tee": "tdx", "debug": False, "tcb": {"status": "UpToDate"}, "measurement": m, "binding": "none", "phase": "initrd"}
    blob = [c for c in columns if isinstance(row[c], bytes) and c != "id"]

    def session(**change):
        """A row as the broker's own, with what is changed; its ID is of a cookie that the broker just gave."""
        g.auth("tdx")
        raw = base64.urlsafe_b64decode(g.cookie.split("=", 1)[1].split(".")[0] + "==")
        new = dict(row, id=raw[:len(row["id"])], **change)
        with sqlite3.connect(state, timeout=10) as db:
            db.execute("INSERT INTO session (%s) VALUES (%s)" % (", ".join(columns), ", ".join("?" * len(columns))),
                       [new[c] for c in columns])
        return g.secret(key=1)
    invented = json.dumps({"tee": "tdx", "jwk": g.do(jwk=1), "facts": facts})
    got = session(state=invented)
    ok(got is None, "a session with an invented key and invented facts opens nothing", got)
    for name, change in ((("with a MAC of zeros", {c: bytes(len(row[c])) for c in blob}), ("with an empty MAC", {c: b"" for c in blob}))
                         if blob else ()):
        got = session(state=invented, **change)
        ok(got is None, "the same %s" % name, got)
    # the honest row, and the other guest's key in it
    honest = json.loads(row["state"])
    got = session(state=json.dumps(dict(honest, jwk=g.do(jwk=1))))
    ok(got is None, "the facts of an honest guest beside another key", got)
    got = session()
    ok(got is None, "an honest row, copied under another session's ID", got)
    # facts of a guest that was let in for something else
    any_image(b, "tee: tdx", "binding: none", "phase: initrd", "measurement: " + "44" * 48)
    own = td_boot(image(rtmr=True), mrtd="44" * 48)
    g.attest("tdx", own)
    ok(g.secret() == SECRET, "control: another session", last(b))
    raw = base64.urlsafe_b64decode(g.cookie.split("=", 1)[1].split(".")[0] + "==")[:len(row["id"])]
    any_image(b, "tee: tdx", "binding: none", "phase: initrd", "measurement: " + m)
    ok(g.secret() is None, "control: it is not for the other policy")
    with sqlite3.connect(state, timeout=10) as db:
        text = db.execute("SELECT state FROM session WHERE id = ?", (raw,)).fetchone()[0]
        db.execute("UPDATE session SET state = ? WHERE id = ?", (text.replace("44" * 48, m), raw))
    got = g.secret()
    ok(got is None, "another measurement written into its own session opens nothing", got)
    with sqlite3.connect(state, timeout=10) as db:
        db.execute("UPDATE session SET state = ?, expires = expires + 100000 WHERE id = ?", (text, raw))
    any_image(b, "tee: tdx", "binding: none", "phase: initrd", "measurement: " + "44" * 48)
    ok(g.secret() is None, "nor does a later expiry")
    # a policy for everybody
    any_image(b, "tee: tdx", "binding: none", "phase: initrd", "measurement: " + m)
    with sqlite3.connect(state, timeout=10) as db:
        columns = [r[1] for r in db.execute("PRAGMA table_info(policy)")]
        text = ("name: evil\nsecrets: default/web/*\nrequire: {tee: tdx, binding: none, phase: [initrd, unknown, running], identity: any, "
                "measurement: %s}\n") % ("55" * 48)
        values = {"name": "evil", "text": text}
        row = dict(zip(columns, db.execute("SELECT * FROM policy WHERE name = 'web'").fetchone()))
        db.execute("INSERT INTO policy (%s) VALUES (%s)" % (", ".join(columns), ", ".join("?" * len(columns))),
                   [values.get(c, row[c]) for c in columns])
    got = g.gets("tdx", td_boot(image(rtmr=True), mrtd="55" * 48))
    ok(not got, "a policy written into the database opens nothing", last(b))
    opens(b, g, "control: the administrator's own policy still holds", "tdx", boot)
    with sqlite3.connect(state, timeout=10) as db:
        db.execute("DELETE FROM policy WHERE name = 'evil'")


# ---- relay ---------------------------------------------------------------------------------------------------------------

@attack
def relay(b, g):
    m = "66" * 48
    any_image(b, "tee: tdx", "binding: none", "phase: initrd", "measurement: " + m)
    boot = td_boot(image(rtmr=True), mrtd=m)
    opens(b, g, "control: the honest guest", "tdx", boot)
    token, cookie, message, nonce = g.token, g.cookie, g.message, g.nonce
    # (who has token and cookie has a secret that only the honest guest's key opens)
    ok(g.secret(key=1, cookie=None, bearer=token) is None, "the honest guest's token, and a key of one's own")
    ok(g.secret(key=1, cookie=cookie) is None, "its cookie, and a key of one's own")
    g.cookie = cookie
    status = g.send(message)
    ok(status != 200, "the same message once more", status)
    g.auth("tdx")
    status = g.send(message)
    ok(status != 200 and g.secret() is None, "the same in a new session", status)
    g.auth("tdx")
    status = g.send(message.replace(nonce, g.nonce))
    ok(status != 200 and g.secret() is None, "the same with the new session's nonce", status)
    # a quote of the honest VM for this nonce and its own key, and the attacker's key beside it
    n = g.auth("tdx")
    m1 = json.loads(g.do(make="tdx", nonce=n, key=0, **{"is": boot})["message"])
    m1["runtime-data"]["tee-pubkey"] = g.do(jwk=1)
    status = g.send(json.dumps(m1))
    ok(status != 200 and g.secret(key=1) is None, "a quote of another VM with this session's nonce, and one's own key", status)
    # a session of another TEE's cookie
    g.auth("snp")
    m1 = g.do(make="tdx", nonce=g.nonce, key=0, **{"is": boot})["message"]
    ok(g.send(m1) != 200, "evidence of another TEE than auth named")
    for name, bad in (("a token whose signature is cut", token[:-4]), ("a token of nobody", token.rsplit(".", 1)[0] + "." + "A" * 86),
                      ("one without a signature", token.rsplit(".", 1)[0] + "."),
                      ("alg none",
                       base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=") + "." + token.split(".")[1] + ".")):
        ok(g.http("GET", "resource/" + PATH, bearer=bad)[0] == 401, name)
    ok(g.http("GET", "resource/" + PATH, bearer=token)[0] == 200, "control: the token itself")
    b.secret("default/db/key", b"of others")
    answers = [g.http("GET", "resource/default/" + x, cookie=cookie)[:2] for x in ("db/key", "db/none", "web/none")]
    ok(answers[0][0] == 401 and answers[0] == answers[1] == answers[2], "a secret of others, and two that are not there, look the same",
       answers)
    # composite evidence: an honest TPM's quote beside a TEE of one's own
    any_image(b, "tee: tdx", "binding: provider", "phase: initrd")
    refused(b, g, "the quote of a TPM that nobody vouches for, beside a TEE", "tdx", td_boot(image(b"mine", rtmr=True)),
            tpm_boot(image(), ak=1))
    refused(b, g, "a known TPM's quote for something else", "tdx", td_boot(image(b"mine", rtmr=True)), tpm_boot(image(), bound="00" * 48))


# ---- parts of several machines ---------------------------------------------------------------------------------------------

def by_value(word, values, *index):
    return "all: [%s]" % ", ".join("{%s}" % (word % (i, values[i])) for i in index)


@attack
def unbound(b, g):
    """A report over a key in software: whoever ran code in that guest once has it for ever, and its key."""
    m, td = "5b" * 48, td_boot(image(rtmr=True))
    vtpm = dict(tpm_boot(image()), stale=1)
    put(b, "paravisors", None)
    needs(b, "tee: snp", "binding: none", "phase: unknown", "measurement: {value: %s, covers: image}" % m)
    opens(b, g, "control: a report for this session, of the image", "snp", {"measurement": m})
    refused(b, g, "an old report of the image, over a key in software that signs the nonce", "az-snp-vtpm", dict(vtpm, measurement=m),
            fails="measurement")
    needs(b, "tee: snp", "binding: none", "phase: unknown", "enclave-id: {value: %s, covers: image}" % m)
    opens(b, g, "control: the same by the enclave ID", "snp", {"measurement": m})
    refused(b, g, "and the old report", "az-snp-vtpm", dict(vtpm, measurement=m), fails="enclave-id")
    builder = os.path.join(b.dir, "builder.pem")
    Ca.ssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", builder)
    r = subprocess.run([os.path.join(TOP, "scripts/manifest"), builder, "web", "7", "snp=" + m], check=True, capture_output=True, text=True)
    manifest = {"manifest": r.stdout.strip()}
    needs(b, "tee: snp", "binding: none", "phase: unknown", "signer: {key: %s, product: web, svn: 7}" % r.stderr.split()[-1])
    opens(b, g, "control: the same by who signed the image", "snp", {"measurement": m, "members": manifest})
    refused(b, g, "and the old report", "az-snp-vtpm", dict(vtpm, measurement=m, members=dict(vtpm["members"], **manifest)), fails="signer")
    any_image(b, "tee: snp", "binding: none", "phase: unknown", "id-key: 07%s" % ("00" * 47))
    opens(b, g, "control: a report of a guest with a signed launch", "snp", {"at": 0xe0, "value": 7})
    refused(b, g, "an old one of such a guest", "az-snp-vtpm", dict(vtpm, at=0xe0, value=7), fails="id-key")
    needs(b, "tee: tdx", "binding: none", "phase: unknown", MRTD, by_value("rtmr: {index: %d, value: %s}", td["rtmr"], 1, 2))
    opens(b, g, "control: a TD by its registers", "tdx", dict(td, members={}))
    refused(b, g, "an old quote of it, over a key in software", "az-tdx-vtpm", dict(vtpm, rtmr=td["rtmr"], at=1000 + 123, value=0x10),
            fails="rtmr")
    any_image(b, "tee: snp", "binding: paravisor", "phase: initrd", "measurement: " + m)
    put(b, "paravisors", "measurement %s\n" % m)
    opens(b, g, "control: a paravisor's report is as old as its key, which it keeps", "az-snp-vtpm", dict(vtpm, measurement=m))
    refused(b, g, "the same at VMPL 1", "az-snp-vtpm", dict(vtpm, measurement=m, vmpl=1), fails="measurement")
    put(b, "paravisors", None)


@attack
def two_machines(b, g):
    """Root in the running system, who owns a second machine of the provider's: its TPM says what his own does not."""
    ca, key = Ca(b.dir, "provider2"), os.path.join(b.dir, "ak1.pem")
    put(b, "ak-roots/provider2.pem", ca.pem())
    put(b, "certs/provider2.crl", ca.crl())

    def certified(boot):
        return dict(boot, ak=1, members=dict(boot["members"], ak_cert=ca.cert(key, AK_USAGE)))

    def mute(boot):
        return dict(boot, members={k: v for k, v in boot["members"].items() if k != "ccdm_log"})
    td, mine = image(rtmr=True), certified(tpm_boot(image(b"my kernel")))
    running = td_boot(td + [Event("ccdm", 3, CAP)])
    values = by_value("rtmr: {index: %d, value: %s}", running["rtmr"], 1, 2)
    needs(b, "tee: tdx", "binding: provider", "phase: initrd", MRTD, values)
    opens(b, g, "control: the TD in its initrd", "tdx", td_boot(td), mine)
    refused(b, g, "the running TD beside the TPM of a machine in its initrd", "tdx", running, mine, fails="phase")
    refused(b, g, "the same, and it keeps its log to itself", "tdx", mute(running), mine, fails="phase")
    refused(b, g, "the same, with another's log", "tdx", dict(running, members=td_boot(td)["members"]), mine, fails="phase")
    opens(b, g, "control: a TD that measures nothing into RTMR 3", "tdx", td_boot(td[:-2]), mine)
    # a TPM beside evidence that is one's own TPM's
    good, other = certified(tpm_boot(image() + [Event("ccdm", 15, CAP)])), tpm_boot(image(b"my kernel"))
    pcrs = by_value("pcr: {bank: sha256, index: %d, value: %s}", good["pcr"], 2, 4, 9, 12, 13)
    needs(b, "tee: tpm", "binding: [tpm-only, provider]", "phase: initrd", pcrs)
    opens(b, g, "control: a machine in its initrd", "tpm", certified(tpm_boot(image())))
    refused(b, g, "the running one", "tpm", good, fails="phase")
    refused(b, g, "the running one, without its log", "tpm", mute(good), fails="phase")
    refused(b, g, "the same beside a machine of one's own in its initrd", "tpm", other, mute(good), fails="pcr")
    put(b, "paravisors", "measurement %s\n" % ("5c" * 48))
    needs(b, "tee: snp", "binding: [paravisor, provider]", "phase: initrd", pcrs)
    opens(b, g, "control: a vTPM below a paravisor", "az-snp-vtpm", tpm_boot(image(), measurement="5c" * 48))
    refused(b, g, "a running machine's TPM beside a vTPM that is in its initrd", "az-snp-vtpm",
            tpm_boot(image(b"my kernel"), measurement="5c" * 48), mute(good), fails="pcr")
    for what in ("paravisors", "ak-roots/provider2.pem", "certs/provider2.crl"):
        put(b, what, None)


# ---- who answers in the broker's place -------------------------------------------------------------------------------------

CONFIG = BOOT % ("ab" * 32) + """[attest]
broker = https://localhost:%d
timeout = 5
%s
[secrets]
web.key = default/web/key
"""


@attack
def impostor(b, g):
    """The guest is the program itself; the network is the attacker's."""
    m, conf = "5d" * 48, os.path.join(b.dir, "guest.conf")
    with Broker(os.path.join(b.dir, "own")) as own, Broker(os.path.join(b.dir, "alien")) as alien, \
         Signer("snp", os.path.join(b.dir, "imp-tee"), os.path.join(own.dir, "trust")) as s:
        own.reload()
        s.vm(m)
        for who, secret in (own, SECRET), (alien, "of the attacker's"):
            who.secret(PATH, secret.encode())
            needs(who, "tee: snp", "binding: none", "phase: unknown", "measurement: {value: %s, covers: image}" % m)

        def asks(to, *words, at=None):
            """at: when the image was configured"""
            with open(conf, "w") as f:
                f.write(CONFIG % (to.port, "ca = " + own.ca))
            if at:
                os.utime(conf, (at, at))
            return setup("secret", "get", PATH, "--config", conf, "--timeout", "5", *words, sev=s)

        def control(what, *words, **kw):
            rc, out, said = asks(own, *words, **kw)
            ok(rc == 0 and out == SECRET.encode(), "control: " + what, (rc, said, last(own)))

        def turns(what, to, *words, **kw):
            seen = len(to.log())
            rc, out, said = asks(to, *words, **kw)
            ok(rc == 8 and not out and "this is not the broker" in said and len(to.log()) == seen, what + ": nothing is said to it",
               (rc, out, said))
        control("the broker, by its CA")
        control("the broker, by its pin", "--pin", own.pin)
        turns("another broker with a CA of its own", alien)
        turns("the same, by the pin of ours", alien, "--pin", own.pin)
        turns("ours, by the pin of another", own, "--pin", alien.pin)
        # a key of the broker's that was lost long ago; the guest's clock is the host's
        now = int(time.time())
        own.admin("renew", "--name", "localhost", "--days", "30")
        own.reload()
        control("a certificate for 30 days, and an image of today", at=now)
        turns("an image that was made when it had expired, and a clock of before", own, at=now + 40 * 86400)
        own.admin("renew", "--name", "elsewhere", "--days", "30")
        own.reload()
        turns("a certificate of our CA for another name", own)
        control("which its pin makes good", "--pin", own.pin)


def main():
    wanted = sys.argv[1:] or list(ATTACKS)
    if set(wanted) - set(ATTACKS):
        print(__doc__ + "\n  " + " ".join(ATTACKS), file=sys.stderr)
        return 1
    tmp = tempfile.mkdtemp(prefix="ccdm-attacks-")
    print("KTAP version 1")
    try:
        b = Broker(tmp)
        g = Guest(b, os.path.join(tmp, "trust"))
        with b:
            b.secret(PATH, SECRET.encode())
            for name in wanted:
                start = time.monotonic()
                print("# " + name)
                try:
                    ATTACKS[name](b, g)
                except Exception as e:      # the others are still of interest
                    ok(False, name + " ran to its end", repr(e))
                print("# %s: %.1f s" % (name, time.monotonic() - start))
            ok(b.daemon.poll() is None, "the daemon lives")
            ok(b.admin("log", "verify", check=False)[0] == 0, "the audit log is whole")
        g.p.stdin.close()
        g.p.wait()
    finally:
        shutil.rmtree(tmp)
    print("1..%d" % len(results))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
