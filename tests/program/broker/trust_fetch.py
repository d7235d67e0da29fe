# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""trust_fetch - ccdm-broker trust fetch: what it stores and refuses, and servers that misbehave"""
import base64
import fcntl
import http.server
import json
import os
import subprocess
import threading

from harness import ok
from broker import BIN
from trust_mirror import AT, FMSPC, SGX, TDX, intel, state


def honest(t):
    """Fetch everything, then fetch it again; ccdm-setup verify accepts the files."""
    t.m.honest()
    rc, out = t.b.admin("trust", "status", check=False)
    ok(rc == 0 and "the trust directory is empty; run ccdm-broker trust fetch" in out, "status of an empty directory", (rc, out))
    t.roots()
    rc, out = t.whole()
    got = state(t.trust)
    ok(rc == 0 and out.count("stored") == 11, "all is fetched, and stored", (rc, out))
    names = ["amd-%s-%s.pem" % (k, g) for k in ("vcek", "vlek") for g in ("milan", "genoa", "turin")]
    names += ["intel-root.pem", "intel-pck-platform.pem", "intel-pck-processor.pem"]
    chip = bytes(0xc0 + i for i in range(64)).hex()
    ok({"certs/" + n for n in names} | {"collateral/%s.json" % FMSPC, "vcek/%s.der" % chip} <= set(got), "each file has its place", got)
    ok("systemctl reload ccdm-brokerd" in out, "fetch says how to reload a running broker", out)
    ok(all(os.stat(os.path.join(t.trust, n)).st_mode & 0o777 == 0o644 for n in got if n.startswith(("certs/amd", "collateral", "vcek"))),
       "everybody may read the files")
    t.m.asked.clear()
    rc, out = t.fetch("--json")
    said = json.loads(out)
    ok(rc == 0 and {x["result"] for x in said} == {"unchanged"} and len(said) == 10 and state(t.trust) == got,
       "a second fetch: nothing changes, known platforms are fetched again", (rc, out))
    ok(all(set(x) == {"from", "what", "file", "result", "until"} for x in said), "--json: its fields", said)
    rc, out = t.fetch("snp", "--json")
    ok(rc == 0 and len(json.loads(out)) == 6, "fetch snp: only AMD's", (rc, out))
    rc, out = t.fetch("tdx", "--json")
    ok(rc == 0 and len(json.loads(out)) == 4, "fetch tdx: only Intel's", (rc, out))
    setup = [BIN + "/ccdm-setup", "verify"]
    root, certs = t.trust + "/roots/", t.trust + "/certs/"
    r = subprocess.run([*setup, "tdx", t.made + "/good/quote.bin", "--root", root + "intel.der", "--collateral",
                        "%s/collateral/%s.json" % (t.trust, FMSPC), "--crl", intel(t.trust), "--at", AT], capture_output=True, text=True)
    ok(r.returncode == 0 and "accepted" in r.stdout, "verify takes the collateral as it is stored", r.stdout)
    r = subprocess.run([*setup, "snp", t.made + "/good/report.bin", "--root", root + "milan.der", "--chain", certs + "ask.der", "--cert",
                        "%s/vcek/%s.der" % (t.trust, chip), "--crl", certs + "amd-vcek-milan.pem", "--allow", "tcb-out-of-date", "--at",
                        AT],
                       capture_output=True, text=True)
    ok(r.returncode == 0 and "accepted" in r.stdout, "verify takes the chip's certificate and list", r.stdout)
    rc, out = t.b.admin("trust", "fetch", "--print", "--fmspc", FMSPC, "--report", t.made + "/good/report.bin", check=False)
    urls = [x for x in out.splitlines() if x.startswith("https://")]
    ok(rc == 0 and len(urls) == 12 and "https://kdsintf.amd.com/vlek/v1/Turin/crl" in urls and
       "https://api.trustedservices.intel.com/tdx/certification/v4/tcb?fmspc=" + FMSPC in urls and
       "header TCB-Info-Issuer-Chain" in out, "--print: the URLs, for a machine without a network", out)
    rc, out = t.b.admin("trust", "fetch", "--print", "--json", check=False)
    ok(rc == 0 and len(json.loads(out)) == 11 and all(x["file"].startswith(t.trust) for x in json.loads(out)), "--print --json", out)


def lists(t):
    """Lists that must not replace the stored one."""
    url = "/vcek/v1/Milan/crl"
    t.m.newer = True
    t.m.honest()
    rc, out = t.fetch("snp")
    ok(rc == 0 and out.count("stored") == 1, "a newer list replaces the older one", (rc, out))
    good = t.m.read("good/newer.crl")
    for name, said in (("delta", "delta list"), ("critical", "unknown critical extension"), ("indirect", "indirect"),
                       ("forged", "list-signature"), ("expired", "list-date"), ("early", "list-date"),
                       ("older-number", "its number is lower"), ("no-number", "its number is lower"),
                       ("older-date", "it has an older date"), ("forgets", "lacks a certificate that was revoked before")):
        t.refused("a list: " + name, said, url, t.m.read("bad/%s.crl" % name), "snp")
    t.refused("the earlier list", "its number is lower", url, t.m.read("good/vcek-milan.crl"), "snp")
    t.refused("the list of another generation", "refused: issuer", url, t.m.read("good/vcek-genoa.crl"), "snp")
    t.refused("the list of another maker", "refused: issuer", url, t.m.read("good/root.crl"), "snp")
    for what, body in (("truncated", good[:-1]), ("cut in half", good[:len(good) // 2]), ("with a byte behind it", good + b"\0"),
                       ("with a byte changed", good[:60] + bytes([good[60] ^ 1]) + good[61:]), ("a page", b"<html>not here</html>")):
        t.refused("a list " + what, "", url, body, "snp", codes=(1, 7))
    t.refused("a certificate instead of a list", "expected one revocation list, found none", url, t.m.read("good/ask.der"), "snp",
              codes=(1,))
    pem = b"".join(b"-----BEGIN X509 CRL-----\n" + base64.encodebytes(x) + b"-----END X509 CRL-----\n" for x in (good, good))
    t.refused("two lists", "found several", url, pem, "snp", codes=(1,))
    # certificates stored with a list would count as the operator's; with too many of them no daemon starts
    crl = b"-----BEGIN X509 CRL-----\n" + base64.encodebytes(good) + b"-----END X509 CRL-----\n"
    with open(t.b.ca, "rb") as f:
        foreign = f.read()
    for what, body in ("a certificate behind it", crl + foreign), ("a certificate before it", foreign + crl), \
            ("many of them", crl + 1000 * foreign):
        t.refused("a list with " + what, "expected only a revocation list, found certificates as well", url, body, "snp", codes=(1,))
    t.refused("an empty answer", "the answer is empty", url, b"", "snp", codes=(8,))
    rc, out = t.fetch("tdx")
    ok(rc == 0 and "FMSPC %s: stored" % FMSPC in out, "newer TCB info replaces the older one", (rc, out))
    path = SGX + "pckcrl?ca=platform&encoding=der"
    chain = "SGX-PCK-CRL-Issuer-Chain"
    newer = t.m.read("good/platform-newer.crl")
    t.refused("a list without its issuer", "list-signature", path, newer, "tdx")
    t.refused("a list with another's issuer", "list-signature", path, (200, {chain: t.m.chain("good/processor.chain")}, newer), "tdx")
    t.refused("a list with an invalid issuer", "neither a certificate", path, (200, {chain: "x"}, newer), "tdx", codes=(1,))
    t.refused("a list with a zero byte in the issuer", "invalid header", path, (200, {chain: "a%00b"}, newer), "tdx", codes=(8,))
    t.m.honest()["/IntelSGXRootCA.der"] = t.m.read("bad/revoking.crl")
    t.m.routes[path] = 200, {chain: t.m.chain("good/platform.chain")}, newer
    before = t.m.routes, state(t.trust)["certs/intel-pck-platform.pem"]
    rc, out = t.fetch("tdx")
    ok(rc == 7 and "revocation: Intel SGX PCK Platform CA is revoked" in out and
       state(t.trust)["certs/intel-pck-platform.pem"] == before[1], "the list of a CA that the root's new list revokes", (rc, out))
    t.refused("a root's list that forgets it", "it has an older date", "/IntelSGXRootCA.der", t.m.read("good/root.crl"), "tdx")


def servers(t):
    """Servers that misbehave, and files of the broker that are missing."""
    url = "/vcek/v1/Turin/crl"

    def endless(h):
        h.send_response(200)
        h.end_headers()
        while True:
            h.wfile.write(b"x" * 65536)

    def headers(h):
        h.send_response(200)
        while True:
            h.wfile.write(b"A: " + b"x" * 1000 + b"\r\n")

    t.refused("a body without end", "larger than", url, endless, "snp", codes=(1,))
    t.refused("headers without end", "", url, headers, "snp", codes=(8,))
    plain = http.server.HTTPServer(("localhost", 0), http.server.BaseHTTPRequestHandler)
    asked = []
    plain.process_request = lambda *a: asked.append(a)
    threading.Thread(target=plain.serve_forever, daemon=True).start()
    for where in "http://localhost:%d/" % plain.server_port, t.m.url + "/vcek/v1/Milan/crl":
        t.refused("a redirect to " + where[:5], "the server redirects (302)", url, (302, {"Location": where}, b""), "snp", codes=(8,))
    ok(not asked, "no redirect is followed")
    plain.shutdown()
    for code, said in ((404, "does not have it (404)"), (500, "answers 500"), (204, "answers 204"), (206, "answers 206")):
        t.refused("HTTP %d" % code, said, url, (code, {}, t.m.read("good/vcek-turin.crl") if code == 206 else b""), "snp", codes=(8,))
    t.m.asked.clear()
    t.refused("HTTP 429", "refuses more requests for now (429); try again in 17 seconds", "/vcek/v1/Milan/crl",
              (429, {"Retry-After": "17"}, b""), codes=(8,))
    ok(len([x for x in t.m.asked if x.startswith("/v")]) == 1 and any(x.startswith("/sgx") for x in t.m.asked),
       "this server gets no more requests, the other one does", t.m.asked)
    gone = threading.Event()
    t.m.asked.clear()
    t.m.routes["/vcek/v1/Milan/crl"] = lambda h: gone.wait()
    before = state(t.trust)
    rc, out = t.b.admin("trust", "fetch", "snp", "tdx", "--from", t.m.url, "--ca", t.b.ca, "--at", AT, "--timeout", "1", check=False)
    gone.set()
    ok(rc == 8 and out.count("not requested: its server did not answer in time") == 5 and state(t.trust) == before,
       "a server that does not answer is a failure", (rc, out))
    ok(len([x for x in t.m.asked if x.startswith("/v")]) == 1 and any(x.startswith("/sgx") for x in t.m.asked),
       "it gets no more requests, the other one does", t.m.asked)
    t.m.honest()
    before = state(t.trust)
    rc, out = t.b.admin("trust", "fetch", "snp", "--from", t.m.url + "/", "--ca", t.b.ca, "--at", AT, check=False)
    ok(rc == 0 and out.count("unchanged") == 6, "a mirror whose URL ends with a slash", (rc, out))
    for what, words, codes, said in (
            ("another server", ["--from", t.m.url, "--ca", t.b.dir + "/other.pem"], (8,), "cannot verify the server"),
            ("plain HTTP", ["--from", "http://localhost:1", "--ca", t.b.ca], (1,), "expected a URL with https"),
            ("no CA", ["--from", t.m.url, "--ca", t.b.dir + "/nosuch"], (1, 4), "nosuch"),
            ("nobody there", ["--from", "https://localhost:1", "--ca", t.b.ca], (8,), "")):
        if "other.pem" in words[-1]:
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x",
                            "-keyout", "/dev/null", "-out", words[-1]], check=True, capture_output=True)
        rc, out = t.b.admin("trust", "fetch", *words, "--at", AT, check=False)
        ok(rc in codes and said in out and state(t.trust) == before, "%s: %d" % (what, rc), out)
    lock = os.open(t.trust + "/.lock", os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    rc, out = t.fetch("snp")
    os.close(lock)
    ok(rc == 5 and "another ccdm-broker is changing it" in out, "two fetches at a time: the second one ends", (rc, out))
    os.rename(t.trust + "/.lock", t.trust + "/.lock.away")
    os.symlink(".lock.away", t.trust + "/.lock")
    rc, out = t.fetch("snp")
    os.rename(t.trust + "/.lock.away", t.trust + "/.lock")
    ok(rc == 1 and ".lock: Too many levels" in out, "a lock that leads elsewhere", (rc, out))
    os.rename(t.trust, t.trust + ".away")
    rc, out = t.fetch("snp")
    os.rename(t.trust + ".away", t.trust)
    ok(rc == 4 and "No such file" in out, "no trust directory", (rc, out))
    for words in ["fetch"], ["status"], ["import", "x"]:
        r = subprocess.run([BIN + "/ccdm-broker", "--config", t.b.dir + "/nosuch", "trust", *words], capture_output=True, text=True)
        ok(r.returncode == 4 and "nosuch: No such file" in r.stderr, "trust %s: no configuration" % words[0], r)


def platforms(t):
    """Collateral that must not be stored."""
    tcb, qe = TDX + "tcb?fmspc=" + FMSPC, TDX + "qe/identity"
    chain, qe_chain = "TCB-Info-Issuer-Chain", "SGX-Enclave-Identity-Issuer-Chain"

    def says(name, by="good/tcb.chain"):
        return 200, {chain: t.m.chain(by)}, t.m.read(name)
    # the root's list revokes the platform's CA, whose own list would be refused
    os.unlink(t.trust + "/certs/intel-root.pem")
    rc, out = t.fetch("tdx")
    ok(rc == 0 and out.count("unchanged") == 3, "without the root's list it is fetched again", (rc, out))
    for name, said in (("forged", "tcb-info-signature"), ("other", "of another FMSPC"), ("expired", "tcb-info-date"),
                       ("sgx", "tcb-info-version"),
                       ("number", "its evaluation number is lower"), ("nowhere", "without an FMSPC")):
        t.refused("TCB info: " + name, said, tcb, says("bad/tcb-%s.json" % name), "tdx")
    t.refused("the earlier TCB info", "evaluation number is lower", tcb, says("good/tcb.json"), "tdx")
    t.refused("a signer of another root", "tcb-info-", tcb, says("good/tcb-newer.json", "bad/tcb.chain"), "tdx")
    good = t.m.read("good/tcb-newer.json")
    for what, body in (("truncated", good[:-1]), ("a list", b"[]"), ("nested", b"[" * 100000), ("a page", b"<html>"),
                       ("a byte changed", good.replace(b"UpToDate", b"UpToData", 1)),
                       ("twice the same member", good.replace(b'{"tcbInfo":', b'{"signature":"00","tcbInfo":', 1))):
        t.refused("TCB info: " + what, "", tcb, (200, {chain: t.m.chain("good/tcb.chain")}, body), "tdx", codes=(1, 7))
    for name, said in (("forged", "qe-identity-signature"), ("expired", "qe-identity-date")):
        t.refused("identity: " + name, said, qe, (200, {qe_chain: t.m.chain("good/qe.chain")}, t.m.read("bad/qe-%s.json" % name)), "tdx")
    t.refused("identity: missing", "does not have it", qe, (404, {}, b""), "tdx", codes=(8,))
    rc, out = t.fetch("tdx", "--fmspc", "000000000001", "--fmspc", FMSPC)
    ok(rc == 8 and out.count("unchanged") == 4 and "1 of 5" in out, "an unknown platform does not stop the others", (rc, out))
    rc, out = t.fetch("tdx", "--fmspc", "0a0b")
    ok(rc == 1 and "expected 12 hex digits" in out, "an invalid FMSPC", (rc, out))
    # the platforms of a large fleet are all fetched
    names = [os.path.join(t.trust, "collateral", "%012x.json" % (1 << 40 | i)) for i in range(300)]
    for name in names:
        with open(name, "w"):
            pass
    rc, out = t.b.admin("trust", "fetch", "tdx", "--print", check=False)
    ok(rc == 0 and out.count("/tcb?fmspc=") == 301, "300 more known platforms are fetched again", (rc, out[-500:]))
    for name in names:
        os.unlink(name)
    rc, out = t.fetch("sgx")
    ok(rc == 1 and "expected snp or tdx" in out, "an unknown vendor", (rc, out))


def chips(t):
    """Certificates of chips."""
    chip = bytes(0xc0 + i for i in range(64)).hex()
    path = "/vcek/v1/Milan/%s?blSPL=03&teeSPL=01&snpSPL=29&ucodeSPL=219" % chip
    report = t.made + "/good/report.bin"
    for name, said in (("key", "refused: signature"), ("tcb", "refused: tcb"), ("chip", "refused: chip-id"),
                       ("expired", "refused: validity")):
        t.refused("a chip's certificate: " + name, said, path, t.m.read("bad/vcek-%s.der" % name), "tdx", "--report", report)
    t.refused("a chip's certificate: cut off", "neither a certificate", path, t.m.read("good/vcek.der")[:-1], "tdx", "--report", report,
              codes=(1,))
    t.refused("a chip's certificate: an ASK", "refused: certificate: SEV-Milan", path, t.m.read("good/ask.der"), "tdx", "--report", report)
    t.refused("a chip's certificate: a list", "expected a certificate", path, t.m.read("good/newer.crl"), "tdx", "--report", report,
              codes=(1,))
    stored = "%s/vcek/%s.der" % (t.trust, chip)
    for name in "report.json", "evidence.json":
        os.unlink(stored)
        rc, out = t.fetch("snp", "--report", t.made + "/good/" + name)
        ok(rc == 0 and os.path.exists(stored), "a report in JSON: " + name, (rc, out))
    for what, text, said in (("that is none", "{", "line 1"), ("of nothing", "{}", "attestation_report")):
        with open(t.b.dir + "/report.json", "w") as f:
            f.write(text)
        rc, out = t.fetch("snp", "--report", t.b.dir + "/report.json")
        ok(rc == 1 and said in out, "JSON %s: %s" % (what, said), (rc, out))
    rc, out = t.fetch("snp", "--report", t.b.dir + "/nosuch")
    ok(rc == 4 and "nosuch: No such file" in out, "no report", (rc, out))
    for what, change, said in (("it has version 2", lambda r: r[:0] + b"\2" + r[1:], "does not identify its certificate"),
                               ("with a masked chip", lambda r: r[:0x1a0] + bytes(64) + r[0x1e0:], "does not identify its certificate"),
                               ("truncated", lambda r: r[:-1], "expected an SNP report of 1184 bytes, found 1183")):
        with open(t.b.dir + "/report", "wb") as f:
            f.write(change(t.m.read("good/report.bin")))
        rc, out = t.fetch("snp", "--report", t.b.dir + "/report")
        ok(rc == 1 and said in out, "a report %s: %s" % (what, said), (rc, out))
