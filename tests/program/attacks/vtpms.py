# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""vtpms - a software TPM that claims to be the TPM of a paravisor, an SVSM or a provider"""
import os

from attack import AK_USAGE, EK_USAGE, any_image, attack, check, last, needs, ok, opens, put, refused
from broker import Broker
from devices import Vtpm, setup
from liar import PATH, SECRET, Ca, enclave_id, image, tpm_boot
from sim import Signer


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
        refused(b, g, tee + ": a genuine report over a key in software is no paravisor's", tee, guest)
        facts = b.log()[-1].get("facts") or {}
        ok(facts.get("binding") in (None, "none") and not facts.get("pcr"), tee + ": binding none, and no facts of its TPM", last(b))
        put(b, "paravisors", "# paravisors\n%s %s\n" % (word, m))
        opens(b, g, tee + ": control: the launch value is listed", tee, guest)
        needs(b, "tee: " + is_, "binding: paravisor", "phase: initrd", "enclave-id: " + enclave_id(image()))
        opens(b, g, tee + ": control: the image's identity", tee, guest)
        refused(b, g, tee + ": another image", tee, dict(tpm_boot(image(b"my kernel")), **{launch: m}))
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
            # MRSEAM (after 16 bytes of TCB SVN) measures Intel's module, which each TD has
            put(b, "paravisors", "mrtd 09%s\n" % ("00" * 47))
            refused(b, g, tee + ": MRSEAM, listed as an MRTD", tee, dict(guest, at=1016, value=9))
            put(b, "paravisors", "mrtd %s\n" % m)
            for name, at, value in (("version", 1, 1), ("key", 2, 3), ("TEE", 4, 0)):
                refused(b, g, tee + ": listed, and a quote of an unknown " + name, tee, dict(guest, at=at, value=value))
            opens(b, g, tee + ": control: the daemon still serves", tee, guest)
            put(b, "paravisors", None)
        path = os.path.join(b.dir, "trust/paravisors")
        for line in ("mrseam " + m, word + " " + "00" * 48, word + " abc", m):
            with open(path, "w") as f:
                f.write(line + "\n")
            r = check(b)
            ok(r.returncode, tee + ": a list that says '%.20s' is refused" % line, r.stderr)
        put(b, "paravisors", None)


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
        """Expect a refusal. note: text of the log about the TPM; without conditions, the check of the report that fails."""
        got = gets(**kw)
        said = b.log()[-1]
        notes = " ".join(said.get("notes", []))
        ok(not got and said["result"] == "refused" and
           (note in notes and sorted(b.refused()) == sorted(conditions) if conditions else b.refused() == [note]), what, last(b))
    control()
    facts = [e for e in b.log() if e["event"] == "attest"][-1]["facts"]
    ok(facts["binding"] == "svsm" and facts["vmpl"] == 0 and facts["measurement"] == m, "control: the log has binding svsm", facts)
    fails("another image below the SVSM", "", ["enclave-id"], beside=tpm_boot(image(b"my kernel"), ak=1))
    # the report must be of a listed SVSM, at VMPL 0
    put(b, "svsms", "measurement %s\n" % other)
    fails("a launch measurement that is not listed", "no listed SVSM: \"measurement %s\" is not in trust/svsms" % m)
    put(b, "svsms", "measurement %s\nmeasurement %s\n" % (other, m))
    control("two SVSMs are listed")
    put(b, "paravisors", "measurement %s\n" % m)
    put(b, "svsms", None)
    fails("an SVSM that is listed as a paravisor only", "is not in trust/svsms")
    put(b, "paravisors", None)
    put(b, "svsms", "measurement %s\n" % m)
    for vmpl in 1, 2, 3:
        needs(b, *require, "vmpl: %d" % vmpl)
        fails("a report of VMPL %d, which the policy allows" % vmpl, "of VMPL %d, not 0" % vmpl, is_=dict(report, vmpl=vmpl))
    needs(b, *require)
    fails("a report of VMPL 2", "of VMPL 2, not 0", ["binding", "enclave-id", "phase", "vmpl"], is_=dict(report, vmpl=2))
    fails("an SVSM that can be debugged", "", ["binding", "debug", "enclave-id", "phase"], is_=dict(report, debug=1, svsm={"ek": 1}))
    # the report must name this TPM's EK
    fails("the EK of another TPM in the manifest", "ek: neither", is_=dict(report, svsm={"ek": 1}))
    fails("the manifest's EK with another size", "holds no endorsement key", is_=dict(report, svsm={"ek": 0, "big": 1}))
    fails("a software TPM, which cannot open the credential of the SVSM's EK", "ak: another key", beside=dict(boot, ak=2))
    fails("no manifest: an ordinary report with an activated TPM", "ek: neither", is_={"measurement": m})
    # report, credential and quote must be of this session
    control()
    fails("an older report with its manifest, for another nonce", "report-data", None, is_=dict(report, bound="77" * 48))
    fails("a fresh report, with the manifest of another SVSM", "report-data", None, is_=dict(report, svsm={"ek": 0, "swap": 1}))
    fails("a fresh report that is not bound to the manifest", "report-data", None, is_=dict(report, svsm={"ek": 0, "alone": 1}))
    old = g.credential
    fails("the value of another session", "activation: another", credential=old)
    g.auth("snp", {"ek": 1, "ak": 1})
    fails("the credential of another TPM", "activation: another", credential=g.credential)
    fails("a quote for another nonce", "report-data: ", beside=dict(boot, bound="88" * 48))
    # another trusted TPM with the SVSM's report
    key = os.path.join(b.dir, "ak2.pem")
    ca = Ca(b.dir, "provider-svsm")
    put(b, "ak-roots/provider.pem", ca.pem())
    put(b, "certs/provider.crl", ca.crl())
    certified = tpm_boot(image(), ak=2)
    certified["members"]["ak_cert"] = ca.cert(key, AK_USAGE)
    fails("a TPM with a provider's certificate, which is not the SVSM's", "", ["binding"], beside=certified, tpm={"ek": 0, "ak": 2})
    for what in ("ak-roots/provider.pem", "certs/provider.crl"):
        put(b, what, None)
    fails("a TPM whose key is known, which is not the SVSM's", "no provider certified", is_=dict(report, svsm={"ek": 1}),
          beside=tpm_boot(image()), tpm={"ek": 0, "ak": 0})
    control()
    put(b, "svsms", None)
    fails("the SVSM is not listed any more", "is not in trust/svsms")


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
        """Expect that the broker refuses. note: the reason in the log why the TPM does not count; said: the program's message."""
        rc, out, err = asks()
        entry = b.log()[-1]
        ok(rc == 7 and not out and entry["result"] == "refused" and b.refused() == ["binding"] and said in err and
           note in " ".join(entry.get("notes", [])), "%s: %s" % (kind, what), (rc, err, entry))

    fails("a vTPM with empty NV: its key has no certificate", "ek: ")
    tpm.template(kind)
    fails("a template without a certificate", "ek: ")
    good = ca.cert(key, EK_USAGE)
    tpm.certificate(kind, good)
    control("the key of the template, with its certificate")
    facts = [e for e in b.log() if e["event"] == "attest"][-1]["facts"]
    ok(facts["binding"] == "provider" and facts["tee"] == "snp", kind + ": control: the log has binding provider", facts)
    put(b, "ak-roots/google.usage", None)
    fails("the same certificate without the file that names the provider's usage", "ak-usage: ")
    put(b, "ak-roots/google.usage", EK_USAGE + "\n")
    for what, args in (("of a TLS client", ("clientAuth",)), ("of a TLS server", ("serverAuth",)), ("without usage", ("",)),
                       ("of an endorsement key, keyEncipherment", (EK_USAGE, "keyEncipherment")),
                       ("with the usage of other providers' attestation keys", (AK_USAGE,))):
        tpm.certificate(kind, ca.cert(key, *args))
        fails("a certificate " + what, "ak-usage: ")
    tpm.certificate(kind, other.cert(key, EK_USAGE))
    fails("a certificate of another CA", "ak-")
    tpm.certificate(kind, ca.cert(foreign, EK_USAGE))
    fails("a certificate of another key: the guest sends no evidence of its TPM, and says why", "",
          said="is not the one in its certificate")
    tpm.certificate(kind, good)
    put(b, "certs/google.crl", ca.crl([2], number=2))
    fails("a certificate that is revoked", "ak-revocation: ")
    put(b, "certs/google.crl", ca.crl(number=3))
    put(b, "ak-roots/google.pem", None)
    put(b, "ek-roots/google.pem", ca.pem())
    fails("a root of TPM makers", "ak-root: ")
    put(b, "ek-roots/google.pem", None)
    put(b, "ak-roots/google.pem", ca.pem())
    control("as before")
