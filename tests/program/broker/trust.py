#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""trust - ccdm-broker trust: from an honest mirror, from a dishonest one, and from files

A server on this machine has the files that AMD and Intel would publish, under test keys
(tests/program/broker/mirror.c, trust_mirror.py). If it sends something wrong, fetch must refuse
it and change nothing. The tests are in trust_fetch.py and trust_stored.py; those with the
vendors' own keys are here.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(TOP, "tests/lib"))
from harness import ok, results, skip  # noqa: E402
from broker import BIN, Broker  # noqa: E402
from trust_fetch import chips, honest, lists, platforms, servers  # noqa: E402
from trust_mirror import AT, SGX, TDX, Mirror, Test, intel  # noqa: E402
from trust_stored import daemon, imports, status  # noqa: E402

VECTORS = os.environ.get("CCDM_VECTORS", os.path.join(TOP, "../shared/vectors"))


def real(tmp):
    """AMD's and Intel's own keys: a fresh broker, and real collateral through a mirror."""
    if not os.path.exists(VECTORS + "/README.md"):
        return skip("real evidence", "no folder " + VECTORS)
    b = Broker(os.path.join(tmp, "fresh"))
    with open(VECTORS + "/trustee-az/snp-evidence-v0.json") as f:
        evidence = json.load(f)
    with b:
        with open(b.dir + "/evidence", "w") as f:
            json.dump({"version": "0.4.0", "tee": "az-snp-vtpm", "runtime-data": {"nonce": "bm9uY2U=", "tee-pubkey": {"kty": "x"}},
                       "tee-evidence": {"primary_evidence": evidence, "additional_evidence": ""}}, f)
        out = b.admin("explain", b.dir + "/evidence", check=False)[1]
        ok(re.search(r"ok +chain +complete", out) and re.search(r"ok +root +ARK-Milan", out) and
           "FAILED  crl" in out and "fetch https://kdsintf.amd.com/vcek/v1/Milan/crl" in out,
           "a new broker has AMD's chain, and names the URL of the list", out)
    m = Mirror("", b.dir + "/server.pem", b.dir + "/server.key")
    with open(VECTORS + "/dcap-qvl/tdx_quote_collateral.json") as f:
        c = json.load(f)

    def answer(header, chain, body):
        return 200, {header: urllib.parse.quote(c[chain], safe="")}, body
    m.routes = {
        "/IntelSGXRootCA.der": bytes.fromhex(c["root_ca_crl"]),
        SGX + "pckcrl?ca=platform&encoding=der": answer("SGX-PCK-CRL-Issuer-Chain", "pck_crl_issuer_chain", bytes.fromhex(c["pck_crl"])),
        TDX + "qe/identity": answer("SGX-Enclave-Identity-Issuer-Chain", "qe_identity_issuer_chain", (
            '{"enclaveIdentity":%s,"signature":"%s"}' % (c["qe_identity"], c["qe_identity_signature"])).encode()),
        TDX + "tcb?fmspc=b0c06f000000": answer("TCB-Info-Issuer-Chain", "tcb_info_issuer_chain", (
            '{"tcbInfo":%s,"signature":"%s"}' % (c["tcb_info"], c["tcb_info_signature"])).encode())}
    rc, out = b.admin("trust", "fetch", "tdx", "--fmspc", "B0C06F000000", "--from", m.url, "--ca", b.ca, "--at", AT, check=False)
    ok(rc == 8 and out.count("stored") == 3 and "1 of 4" in out, "Intel's own collateral is stored; the processor CA's list is missing",
       (rc, out))
    r = subprocess.run([BIN + "/ccdm-setup", "verify", "tdx", VECTORS + "/dcap-qvl/tdx_quote", "--collateral",
                        b.dir + "/trust/collateral/b0c06f000000.json", "--crl", intel(b.dir + "/trust"), "--at", AT], capture_output=True,
                       text=True)
    ok(r.returncode == 0 and "accepted" in r.stdout, "a real quote is accepted with it", r.stdout)
    rc, out = b.admin("trust", "status", "--at", "2025-07-10", check=False)
    ok(rc == 5 and "expires" in out, "status says that it expires soon", (rc, out))
    vcek = VECTORS + "/trustee-snp/test-vcek.der"
    rc, out = b.admin("trust", "import", vcek, "--at", AT, check=False)
    ok(rc == 0 and "VCEK of a chip of Milan: stored" in out, "a real VCEK, below the built-in chain", (rc, out))
    for name in "legacy", "new":
        rc, out = b.admin("trust", "import", VECTORS + "/trustee-snp/test-vcek-invalid-%s.der" % name, "--at", AT, check=False)
        ok(rc == 7 and "refused: chain" in out, "an invalid VCEK: " + name, (rc, out))


def main():
    tmp = tempfile.mkdtemp(prefix="ccdm-trust-")
    print("KTAP version 1")
    try:
        t = Test(tmp)
        honest(t)
        lists(t)
        servers(t)
        platforms(t)
        chips(t)
        imports(t)
        status(t)
        daemon(t)
        real(tmp)
    finally:
        shutil.rmtree(tmp)
    print("1..%d" % len(results))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
