# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""proving - ccdm-image verify --evidence: a third party with a disk, and a nonce, checks a machine"""
import base64
import json
import os

import firmware as F
import signing
from liar import Ca, Guest

NONCE = "bm9uY2Ugb2YgYSB0aGlyZCBwYXJ0eQ"
CAP = "ccdm-cap:1"


def machine(path, texts=None, bank="sha256"):
    """The state of a TPM after a boot of this disk, in the form that the test's guest takes."""
    happened, texts = F.events(path), texts or F.measured()
    values = [F.register(happened, pcr, bank) for pcr in range(24)]
    happened_ours = [(15, {k: F.hashlib.new(k, t.encode()).digest() for k in F.BANKS}, b"", "") for t in texts]
    values[15] = F.register(happened_ours, 15, bank)
    return {"pcr": values, "bank": bank, "ak": 1, "members": {
        "firmware_log": base64.b64encode(F.log(happened)).decode(), "ccdm_log": F.ccdm_log(texts).decode()}}


def tests(tmp, t):
    os.mkdir(tmp + "/proving")
    os.mkdir(tmp + "/proving/trust")
    g = Guest(None, tmp + "/proving/trust")
    ca = Ca(tmp, "provider")
    ak = ca.cert(tmp + "/proving/ak1.pem", "2.23.133.8.3")
    t.write(tmp + "/provider.crl", ca.crl().encode())
    trust = "--ak-root", tmp + "/provider.pem", "--crl", tmp + "/provider.crl"
    signing.key(tmp, "k")
    path = F.disk(tmp + "/vm.img", F.uki(), parts=(signing.PART,))
    t.image("sign", path, "--signing-key", tmp + "/k.pem", "--product", "web", "--svn", "7")
    jws = signing.partition(path).rstrip(b"\0").decode()

    def evidence(boot, nonce=NONCE, **change):
        boot = dict(boot, members=dict(boot["members"], ak_cert=ak, manifest=jws))
        said = json.loads(g.do(make="tpm", nonce=nonce, key=0, **{"is": boot})["message"])
        said = dict({"version": "0.4.0", "tee": "tpm"}, **said)
        said.update(change)
        t.write(tmp + "/evidence", json.dumps(said).encode())
        return said

    def says(code, *lines, words=(), nonce=NONCE, disk=path, auth=trust):
        rc, out, err = t.image("verify", disk, "--evidence", tmp + "/evidence", "--nonce", nonce, *auth, *words)
        t.ok(rc == code and all(x in out + err for x in lines), "verify --evidence: %d, %s" % (code, lines[0]), (rc, out, err))
        return out
    good = machine(path)
    evidence(good)
    out = says(0, "accepted: the machine runs the image of this disk", "binding tpm-only", "a TPM alone proves no confidential VM",
               "phase initrd", "product web, svn 7")
    ident = t.measure(path)["enclave-id"]["tpm"]
    t.ok("enclave-id " + ident["sha256"] in out, "verify --evidence: the ID is named", out)
    said = json.loads(says(0, '"image": "this-image"', words=("--json",)))
    t.ok(said["verdict"] == "accepted" and said["facts"]["signer"]["svn"] == 7, "verify --evidence --json", said)
    evidence(machine(path, bank="sha384"))
    says(0, "enclave-id " + ident["sha384"])
    evidence(machine(path, F.measured() + [CAP]))
    says(0, "phase running")
    # the evidence itself
    evidence(good)
    says(7, "FAILED  nonce", "refused", nonce="b3RoZXI")
    says(7, "FAILED  ak", "refused", auth=())
    says(7, "FAILED", "refused", auth=trust[:2])
    says(4, "provider.nosuch", auth=("--ak-root", tmp + "/provider.nosuch"))
    evidence(good, nonce="b2xk")
    said = json.load(open(tmp + "/evidence"))
    said["runtime-data"]["nonce"] = NONCE
    t.write(tmp + "/evidence", json.dumps(said).encode())
    says(7, "FAILED  report-data", "refused")
    evidence(good)
    said = json.load(open(tmp + "/evidence"))
    del said["runtime-data"]
    t.write(tmp + "/evidence", json.dumps(said).encode())
    says(7, "FAILED  nonce", "none; expected " + NONCE)
    # another image, with the good one's log, and with its own
    other = F.disk(tmp + "/vm2.img", F.uki(cmdline="quiet"), parts=(signing.PART,))
    evidence(machine(other))
    out = says(7, "refused: the machine runs another image", "  pcr9, event 1 (the kernel's command line): expected ",
               "  pcr11, event 6 (content of section .cmdline): expected ", "does not list this image")
    said = json.loads(says(7, '"image": "other-image"', words=("--json",)))
    t.ok([d.split(",")[0] for d in said["differences"]] == ["pcr4", "pcr9", "pcr11"], "verify --evidence --json: what differs", said)
    says(0, "accepted: the machine runs the image of this disk", disk=other)
    evidence(dict(machine(other), members=good["members"]))
    says(7, "not proved that the machine runs this image", "the log does not replay")
    evidence(dict(good, members={}))
    says(7, "not proved that the machine runs this image")
    evidence(good)
    says(7, "the enclave ID of the disk is unknown", disk=F.disk(tmp + "/vm3.img", F.uki("258.1")))
    # files without evidence
    for what, data, why in (("text", b"hello", "expected JSON with the member tee-evidence"), ("an empty object", b"{}", "tee-evidence"),
                            ("a list", b"[]", "tee-evidence"), ("an unknown TEE", b'{"tee": "sgx", "tee-evidence": {}}', "known name"),
                            ("a member twice", b'{"tee": "tpm", "tee": "tpm"}', "line 1")):
        t.write(tmp + "/evidence", data)
        says(1, why)
    t.says(4, "/nosuch", "verify", path, "--evidence", "/nosuch", "--nonce", NONCE)
    # options that do not fit together
    t.says(1, "--evidence needs --nonce", "verify", path, "--evidence", tmp + "/evidence")
    t.says(1, "expected --event-log FILE, or --evidence FILE", "verify", path, "--nonce", NONCE)
    t.says(1, "expected --event-log FILE, or --evidence FILE", "verify", path, "--event-log", "x", "--evidence", "y")
    t.says(1, "need --evidence", "verify", path, "--event-log", "x", "--root", "y")
    t.says(1, "--ccdm-log and --tdx need --event-log", "verify", path, "--evidence", "x", "--nonce", NONCE, "--tdx")
    # a launch digest of SNP
    fw = t.write(tmp + "/fw.fd", t.ovmf(1))
    digest = t.measure(path, "--firmware", fw)["snp"][0]["launch-digest"]
    roots = "--root", tmp + "/proving/trust/roots/ark.pem", "--chain", tmp + "/proving/trust/certs/ask.pem"
    snp = {}
    for name, value in ("this", digest), ("other", "ab" * 48):
        said = json.loads(g.do(make="snp", nonce=NONCE, key=0, **{"is": {"measurement": value}})["message"])
        snp[name] = json.dumps(dict({"version": "0.4.0", "tee": "snp"}, **said)).encode()
    t.write(tmp + "/evidence", snp["this"])
    says(0, "accepted: the machine runs the image of this disk", auth=roots, words=("--firmware", fw))
    says(7, "give the firmware with --firmware", auth=roots)
    says(1, "do not prove the image", auth=roots, words=("--firmware", t.write(tmp + "/fw0.fd", t.ovmf(0))))
    t.write(tmp + "/evidence", snp["other"])
    says(7, "refused: the machine runs another image", auth=roots, words=("--firmware", fw))
    g.p.stdin.close()
    g.p.wait()
