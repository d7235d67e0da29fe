#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""trust - ccdm-broker trust: from a mirror that is honest, from one that is not, and from files

A server on this machine has what AMD and Intel would publish, under keys of our own
(tests/program/broker/mirror.c). What it sends wrongly must be refused, and change nothing.
"""
import base64
import fcntl
import hashlib
import http.server
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(TOP, "tests/lib"))
from broker import BIN, Broker  # noqa: E402

VECTORS = os.environ.get("CCDM_VECTORS", os.path.join(TOP, "../shared/vectors"))
AT = "2025-07-01"
FMSPC = "0a0b0c0d0e0f"
SGX, TDX = "/sgx/certification/v4/", "/tdx/certification/v4/"
results = []


def ok(cond, what, detail=""):
    results.append(bool(cond))
    print("%s %d %s" % ("ok" if cond else "not ok", len(results), what), flush=True)
    if not cond:
        for line in str(detail).splitlines()[-15:]:
            print("# " + line)


def skip(what, why):
    results.append(True)
    print("ok %d %s # SKIP %s" % (len(results), what, why), flush=True)


class Mirror:
    """An HTTPS server; routes: path -> body, or (status, headers, body)."""

    def __init__(self, path, cert, key):
        mirror = self
        self.dir, self.routes, self.asked, self.newer = path, {}, [], False

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                mirror.asked.append(self.path)
                found = mirror.routes.get(self.path, (404, {}, b""))
                if callable(found):
                    return found(self)
                status, headers, body = found if isinstance(found, tuple) else (200, {}, found)
                self.send_response(status)
                for k, v in headers.items():
                    self.send_header(k, v)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *args):      # (a client that goes away is what is tested)
                pass
        self.server = Server(("localhost", 0), Handler)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(cert, key)
        self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.url = "https://localhost:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def read(self, name):
        with open(os.path.join(self.dir, name), "rb") as f:
            return f.read()

    def chain(self, name):
        return urllib.parse.quote(self.read(name).decode(), safe="")

    def answer(self, header, chain, name):
        return 200, {header: self.chain(chain)}, self.read(name)

    def honest(self):
        r = {}
        for gen in ("Milan", "Genoa", "Turin"):
            for kind in ("vcek", "vlek"):
                r["/%s/v1/%s/crl" % (kind, gen)] = self.read("good/%s-%s.crl" % (kind, gen.lower()))
        if self.newer:
            r["/vcek/v1/Milan/crl"] = self.read("good/newer.crl")
        r["/IntelSGXRootCA.der"] = self.read("good/root.crl")
        for ca in ("platform", "processor"):
            r[SGX + "pckcrl?ca=%s&encoding=der" % ca] = self.answer("SGX-PCK-CRL-Issuer-Chain", "good/%s.chain" % ca,
                                                                    "good/%s.crl" % ca)
        r[TDX + "qe/identity"] = self.answer("SGX-Enclave-Identity-Issuer-Chain", "good/qe.chain", "good/qe.json")
        r[TDX + "tcb?fmspc=" + FMSPC] = self.answer("TCB-Info-Issuer-Chain", "good/tcb.chain",
                                                    "good/tcb%s.json" % ("-newer" if self.newer else ""))
        chip = bytes(0xc0 + i for i in range(64)).hex()
        r["/vcek/v1/Milan/%s?blSPL=03&teeSPL=01&snpSPL=29&ucodeSPL=219" % chip] = self.read("good/vcek.der")
        self.routes = r
        return r


def state(trust):
    """All files below a directory, and what is in them."""
    found = {}
    for where, _, names in os.walk(trust):
        for n in names:
            path = os.path.join(where, n)
            with open(path, "rb") as f:
                found[os.path.relpath(path, trust)] = hashlib.sha256(f.read()).hexdigest()
    return found


class Test:
    def __init__(self, tmp):
        self.b = Broker(os.path.join(tmp, "broker"))
        self.trust = self.b.dir + "/trust"
        self.made = os.path.join(tmp, "made")
        subprocess.run([TOP + "/build/tests/mirror", self.made], check=True)
        self.m = Mirror(self.made, self.b.dir + "/server.pem", self.b.dir + "/server.key")

    def roots(self):
        for name in os.listdir(self.made + "/roots"):
            shutil.copy(os.path.join(self.made, "roots", name), self.trust + "/roots")
        # (of a chip's certificate, what stands above it)
        shutil.copy(self.made + "/good/ask.der", self.trust + "/certs")

    def fetch(self, *words, at=AT, ca=None):
        return self.b.admin("trust", "fetch", "--from", self.m.url, "--ca", ca or self.b.ca, "--at", at, *words, check=False)

    def whole(self, *words):
        return self.fetch("--fmspc", FMSPC.upper(), "--report", self.made + "/good/report.bin", *words)

    def refused(self, what, said, path, route, *words, codes=(7,), **kw):
        """A mirror that sends this for a path is told so, and nothing changes."""
        self.m.honest()[path] = route
        before = state(self.trust)
        rc, out = self.fetch(*words, **kw)
        ok(rc in codes and said in out, "%s: %d, %s" % (what, rc, said), out)
        ok(state(self.trust) == before, "%s: what is stored stays as it is" % what, set(state(self.trust).items()) ^ set(before.items()))
        self.m.honest()


def intel(trust):
    """Intel's lists in one file."""
    path = os.path.join(os.path.dirname(trust), "lists.pem")
    with open(path, "wb") as out:
        for name in sorted(os.listdir(trust + "/certs")):
            if name.startswith("intel-"):
                with open(os.path.join(trust, "certs", name), "rb") as f:
                    out.write(f.read())
    return path


def honest(t):
    """All of it, once and again; what the broker and verify make of it."""
    t.m.honest()
    rc, out = t.b.admin("trust", "status", check=False)
    ok(rc == 0 and "nothing is there: ccdm-broker trust fetch" in out, "status of an empty directory", (rc, out))
    t.roots()
    rc, out = t.whole()
    got = state(t.trust)
    ok(rc == 0 and out.count("stored") == 11, "all is fetched, and stored", (rc, out))
    names = ["amd-%s-%s.pem" % (k, g) for k in ("vcek", "vlek") for g in ("milan", "genoa", "turin")]
    names += ["intel-root.pem", "intel-pck-platform.pem", "intel-pck-processor.pem"]
    chip = bytes(0xc0 + i for i in range(64)).hex()
    ok({"certs/" + n for n in names} | {"collateral/%s.json" % FMSPC, "vcek/%s.der" % chip} <= set(got), "in its place each", got)
    ok("systemctl reload ccdm-brokerd" in out, "and what a running broker needs is said", out)
    ok(all(os.stat(os.path.join(t.trust, n)).st_mode & 0o777 == 0o644 for n in got if n.startswith(("certs/amd", "collateral", "vcek"))),
       "for everybody to read")
    t.m.asked.clear()
    rc, out = t.fetch("--json")
    said = json.loads(out)
    ok(rc == 0 and {x["result"] for x in said} == {"unchanged"} and len(said) == 10 and state(t.trust) == got,
       "once more: the same, with the platforms that are there", (rc, out))
    ok(all(set(x) == {"from", "what", "file", "result", "until"} for x in said), "as JSON", said)
    rc, out = t.fetch("snp", "--json")
    ok(rc == 0 and len(json.loads(out)) == 6, "AMD's alone", (rc, out))
    rc, out = t.fetch("tdx", "--json")
    ok(rc == 0 and len(json.loads(out)) == 4, "Intel's alone", (rc, out))
    setup = [BIN + "/ccdm-setup", "verify"]
    root, certs = t.trust + "/roots/", t.trust + "/certs/"
    r = subprocess.run([*setup, "tdx", t.made + "/good/quote.bin", "--root", root + "intel.der", "--collateral",
                        "%s/collateral/%s.json" % (t.trust, FMSPC), "--crl", intel(t.trust), "--at", AT], capture_output=True, text=True)
    ok(r.returncode == 0 and "accepted" in r.stdout, "verify takes the collateral as it is stored", r.stdout)
    r = subprocess.run([*setup, "snp", t.made + "/good/report.bin", "--root", root + "milan.der", "--chain", certs + "ask.der", "--cert",
                        "%s/vcek/%s.der" % (t.trust, chip), "--crl", certs + "amd-vcek-milan.pem", "--allow", "tcb-out-of-date", "--at",
                        AT],
                       capture_output=True, text=True)
    ok(r.returncode == 0 and "accepted" in r.stdout, "and the chip's certificate and list", r.stdout)
    rc, out = t.b.admin("trust", "fetch", "--print", "--fmspc", FMSPC, "--report", t.made + "/good/report.bin", check=False)
    urls = [x for x in out.splitlines() if x.startswith("https://")]
    ok(rc == 0 and len(urls) == 12 and "https://kdsintf.amd.com/vlek/v1/Turin/crl" in urls and
       "https://api.trustedservices.intel.com/tdx/certification/v4/tcb?fmspc=" + FMSPC in urls and
       "its header TCB-Info-Issuer-Chain" in out, "--print: what to fetch, by whom it may be", out)
    rc, out = t.b.admin("trust", "fetch", "--print", "--json", check=False)
    ok(rc == 0 and len(json.loads(out)) == 11 and all(x["file"].startswith(t.trust) for x in json.loads(out)), "and as JSON", out)


def lists(t):
    """Lists that must not be stored; each attack against the list that is there."""
    url = "/vcek/v1/Milan/crl"
    t.m.newer = True
    t.m.honest()
    rc, out = t.fetch("snp")
    ok(rc == 0 and out.count("stored") == 1, "a newer list replaces the older one", (rc, out))
    good = t.m.read("good/newer.crl")
    for name, said in (("delta", "delta list"), ("critical", "unknown critical extension"), ("indirect", "indirect"),
                       ("forged", "list-signature"), ("expired", "list-date"), ("early", "list-date"),
                       ("older-number", "its number is lower"), ("no-number", "its number is lower"),
                       ("older-date", "older by its date"), ("forgets", "forgets a certificate that was revoked")):
        t.refused("a list: " + name, said, url, t.m.read("bad/%s.crl" % name), "snp")
    t.refused("the list of before", "its number is lower", url, t.m.read("good/vcek-milan.crl"), "snp")
    t.refused("the list of another generation", "refused: issuer", url, t.m.read("good/vcek-genoa.crl"), "snp")
    t.refused("the list of another maker", "refused: issuer", url, t.m.read("good/root.crl"), "snp")
    for what, body in (("cut off", good[:-1]), ("cut in half", good[:len(good) // 2]), ("with a byte behind it", good + b"\0"),
                       ("with a byte changed", good[:60] + bytes([good[60] ^ 1]) + good[61:]), ("a page", b"<html>not here</html>")):
        t.refused("a list " + what, "", url, body, "snp", codes=(1, 7))
    t.refused("no list but a certificate", "expected one revocation list, found none", url, t.m.read("good/ask.der"), "snp", codes=(1,))
    pem = b"".join(b"-----BEGIN X509 CRL-----\n" + base64.encodebytes(x) + b"-----END X509 CRL-----\n" for x in (good, good))
    t.refused("two lists", "found several", url, pem, "snp", codes=(1,))
    # certificates that came beside a list would be the operator's, once they are in certs/: more than there may be, and no daemon starts
    crl = b"-----BEGIN X509 CRL-----\n" + base64.encodebytes(good) + b"-----END X509 CRL-----\n"
    with open(t.b.ca, "rb") as f:
        foreign = f.read()
    for what, body in ("a certificate behind it", crl + foreign), ("a certificate before it", foreign + crl), \
            ("many of them", crl + 1000 * foreign):
        t.refused("a list with " + what, "found certificates beside it", url, body, "snp", codes=(1,))
    t.refused("nothing", "the answer is empty", url, b"", "snp", codes=(8,))
    rc, out = t.fetch("tdx")
    ok(rc == 0 and "FMSPC %s: stored" % FMSPC in out, "newer TCB info replaces the older one", (rc, out))
    path = SGX + "pckcrl?ca=platform&encoding=der"
    chain = "SGX-PCK-CRL-Issuer-Chain"
    newer = t.m.read("good/platform-newer.crl")
    t.refused("a list without its issuer", "list-signature", path, newer, "tdx")
    t.refused("a list with another's issuer", "list-signature", path, (200, {chain: t.m.chain("good/processor.chain")}, newer), "tdx")
    t.refused("a list with an issuer that is none", "neither a certificate", path, (200, {chain: "x"}, newer), "tdx", codes=(1,))
    t.refused("a list with a zero byte in the issuer", "cannot be read", path, (200, {chain: "a%00b"}, newer), "tdx", codes=(8,))
    t.m.honest()["/IntelSGXRootCA.der"] = t.m.read("bad/revoking.crl")
    t.m.routes[path] = 200, {chain: t.m.chain("good/platform.chain")}, newer
    before = t.m.routes, state(t.trust)["certs/intel-pck-platform.pem"]
    rc, out = t.fetch("tdx")
    ok(rc == 7 and "revocation: Intel SGX PCK Platform CA is revoked" in out and
       state(t.trust)["certs/intel-pck-platform.pem"] == before[1], "the list of a CA that the root has just revoked", (rc, out))
    t.refused("a root's list that forgets it", "older by its date", "/IntelSGXRootCA.der", t.m.read("good/root.crl"), "tdx")


def servers(t):
    """Servers that are not what they should be."""
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
    ok(not asked, "which nobody follows")
    plain.shutdown()
    for code, said in ((404, "does not have it (404)"), (500, "answers 500"), (204, "answers 204"), (206, "answers 206")):
        t.refused("HTTP %d" % code, said, url, (code, {}, t.m.read("good/vcek-turin.crl") if code == 206 else b""), "snp", codes=(8,))
    t.m.asked.clear()
    t.refused("HTTP 429", "takes no more requests now (429); try again in 17 seconds", "/vcek/v1/Milan/crl",
              (429, {"Retry-After": "17"}, b""), codes=(8,))
    ok(len([x for x in t.m.asked if x.startswith("/v")]) == 1 and any(x.startswith("/sgx") for x in t.m.asked),
       "this server is asked for nothing more; the other is", t.m.asked)
    gone = threading.Event()
    t.m.asked.clear()
    t.m.routes["/vcek/v1/Milan/crl"] = lambda h: gone.wait()
    before = state(t.trust)
    rc, out = t.b.admin("trust", "fetch", "snp", "tdx", "--from", t.m.url, "--ca", t.b.ca, "--at", AT, "--timeout", "1", check=False)
    gone.set()
    ok(rc == 8 and out.count("not asked for: its server did not answer in time") == 5 and state(t.trust) == before,
       "a server that does not answer is a failure", (rc, out))
    ok(len([x for x in t.m.asked if x.startswith("/v")]) == 1 and any(x.startswith("/sgx") for x in t.m.asked),
       "and is asked for nothing more; the other is", t.m.asked)
    t.m.honest()
    before = state(t.trust)
    rc, out = t.b.admin("trust", "fetch", "snp", "--from", t.m.url + "/", "--ca", t.b.ca, "--at", AT, check=False)
    ok(rc == 0 and out.count("unchanged") == 6, "a mirror whose URL ends with a slash", (rc, out))
    for what, words, codes, said in (
            ("a server that is another", ["--from", t.m.url, "--ca", t.b.dir + "/other.pem"], (8,), "not the server it should be"),
            ("plain HTTP", ["--from", "http://localhost:1", "--ca", t.b.ca], (1,), "no URL of https"),
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
    ok(rc == 5 and "another ccdm-broker changes it" in out, "two at a time: the second one ends", (rc, out))
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
    # (the root's list has revoked the platform's CA by now: its list would stay out)
    os.unlink(t.trust + "/certs/intel-root.pem")
    rc, out = t.fetch("tdx")
    ok(rc == 0 and out.count("unchanged") == 3, "without the root's list it is fetched again", (rc, out))
    for name, said in (("forged", "tcb-info-signature"), ("other", "of another FMSPC"), ("expired", "tcb-info-date"),
                       ("sgx", "tcb-info-version"),
                       ("number", "its evaluation number is lower"), ("nowhere", "without an FMSPC")):
        t.refused("TCB info: " + name, said, tcb, says("bad/tcb-%s.json" % name), "tdx")
    t.refused("the TCB info of before", "evaluation number is lower", tcb, says("good/tcb.json"), "tdx")
    t.refused("a signer of another root", "tcb-info-", tcb, says("good/tcb-newer.json", "bad/tcb.chain"), "tdx")
    good = t.m.read("good/tcb-newer.json")
    for what, body in (("cut off", good[:-1]), ("a list", b"[]"), ("nested", b"[" * 100000), ("a page", b"<html>"),
                       ("a byte changed", good.replace(b"UpToDate", b"UpToData", 1)),
                       ("twice the same member", good.replace(b'{"tcbInfo":', b'{"signature":"00","tcbInfo":', 1))):
        t.refused("TCB info: " + what, "", tcb, (200, {chain: t.m.chain("good/tcb.chain")}, body), "tdx", codes=(1, 7))
    for name, said in (("forged", "qe-identity-signature"), ("expired", "qe-identity-date")):
        t.refused("identity: " + name, said, qe, (200, {qe_chain: t.m.chain("good/qe.chain")}, t.m.read("bad/qe-%s.json" % name)), "tdx")
    t.refused("identity: none", "does not have it", qe, (404, {}, b""), "tdx", codes=(8,))
    rc, out = t.fetch("tdx", "--fmspc", "000000000001", "--fmspc", FMSPC)
    ok(rc == 8 and out.count("unchanged") == 4 and "1 of 5" in out, "a platform that is not known keeps no other out", (rc, out))
    rc, out = t.fetch("tdx", "--fmspc", "0a0b")
    ok(rc == 1 and "expected 12 hex digits" in out, "an FMSPC that is none", (rc, out))
    # a fleet is fetched whole, or it is said
    names = [os.path.join(t.trust, "collateral", "%012x.json" % (1 << 40 | i)) for i in range(300)]
    for name in names:
        with open(name, "w"):
            pass
    rc, out = t.b.admin("trust", "fetch", "tdx", "--print", check=False)
    ok(rc == 0 and out.count("/tcb?fmspc=") == 301, "300 more platforms that are there are fetched again", (rc, out[-500:]))
    for name in names:
        os.unlink(name)
    rc, out = t.fetch("sgx")
    ok(rc == 1 and "expected snp or tdx" in out, "a maker that is none", (rc, out))


def chips(t):
    chip = bytes(0xc0 + i for i in range(64)).hex()
    path = "/vcek/v1/Milan/%s?blSPL=03&teeSPL=01&snpSPL=29&ucodeSPL=219" % chip
    report = t.made + "/good/report.bin"
    for name, said in (("key", "refused: signature"), ("tcb", "refused: tcb"), ("chip", "refused: chip-id"),
                       ("expired", "refused: validity")):
        t.refused("a chip's certificate: " + name, said, path, t.m.read("bad/vcek-%s.der" % name), "tdx", "--report", report)
    t.refused("a chip's certificate: cut off", "neither a certificate", path, t.m.read("good/vcek.der")[:-1], "tdx", "--report", report,
              codes=(1,))
    t.refused("a chip's certificate: an ASK", "refused: certificate: SEV-Milan", path, t.m.read("good/ask.der"), "tdx", "--report", report)
    t.refused("a chip's certificate: a list", "no certificate in it", path, t.m.read("good/newer.crl"), "tdx", "--report", report,
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
    for what, change, said in (("of version 2", lambda r: r[:0] + b"\2" + r[1:], "does not say where"),
                               ("with a masked chip", lambda r: r[:0x1a0] + bytes(64) + r[0x1e0:], "does not say where"),
                               ("cut off", lambda r: r[:-1], "expected an SNP report of 1184 bytes, found 1183")):
        with open(t.b.dir + "/report", "wb") as f:
            f.write(change(t.m.read("good/report.bin")))
        rc, out = t.fetch("snp", "--report", t.b.dir + "/report")
        ok(rc == 1 and said in out, "a report %s: %s" % (what, said), (rc, out))


def imports(t):
    """The same pieces from files, into a directory that lacks them."""
    shutil.rmtree(t.trust)
    for sub in "roots", "certs", "vcek":
        os.makedirs(os.path.join(t.trust, sub))
    t.roots()
    good, bad = (os.path.join(t.made, x) + "/" for x in ("good", "bad"))

    def put(*names):
        return t.b.admin("trust", "import", "--at", AT, *names, check=False)
    # (a daemon with a user of its own reads it, whatever files this shell makes)
    mask = os.umask(0o077)
    rc, out = put(good + "platform.crl", good + "platform.chain", good + "root.crl", good + "newer.crl", good + "vcek.der",
                  good + "tcb-newer.json",
                  good + "qe.json", good + "tcb.chain", good + "qe.chain")
    ok(rc == 0 and out.count("stored") == 5, "files of all kinds, in any order", (rc, out))
    os.umask(mask)
    got = state(t.trust)
    ok(all(os.stat(os.path.join(t.trust, n)).st_mode & 0o777 == 0o644 for n in got
           if n.startswith(("certs/amd", "certs/intel", "collateral", "vcek"))) and
       os.stat(t.trust + "/collateral").st_mode & 0o777 == 0o755, "for everybody to read, whatever the umask")
    ok(os.path.exists("%s/collateral/%s.json" % (t.trust, FMSPC)), "the directory for it is made", got)
    rc, out = t.b.admin("trust", "import", "--vlek", "--at", AT, good + "vlek-milan.crl", check=False)
    ok(rc == 0 and "VLEKs of Milan" in out and os.path.exists(t.trust + "/certs/amd-vlek-milan.pem"),
       "a list for VLEKs, which does not say so", (rc, out))
    got = state(t.trust)
    bundle = "%s/collateral/%s.json" % (t.trust, FMSPC)
    copy = t.b.dir + "/bundle.json"
    shutil.copy(bundle, copy)
    rc, out = put(copy)
    ok(rc == 0 and "unchanged" in out and state(t.trust) == got, "a bundle, as it is stored", (rc, out))
    with open(copy) as f:
        whole = json.load(f)
    with open(copy, "w") as f:
        json.dump(dict(whole, qe_identity_signature="00" * 64), f)
    lists = dict(whole, root_ca_crl=t.m.read("good/root.crl").hex())
    with open(t.b.dir + "/lists.json", "w") as f:
        json.dump(lists, f)
    rc, out = put(t.b.dir + "/lists.json")
    ok(rc == 0 and ": stored" in out, "a bundle with a list in it", (rc, out))
    with open(t.b.dir + "/plain.json", "w") as f:
        json.dump(whole, f)
    rc, out = put(t.b.dir + "/plain.json")
    ok(rc == 0 and state(t.trust) == got, "and the one without it again", (rc, out))
    with open(t.b.dir + "/lists.json", "w") as f:
        json.dump(dict(lists, root_ca_crl=t.m.read("bad/root-expired.crl").hex()), f)
    with open(t.b.dir + "/half.json", "w") as f:
        f.write("{")
    for name, code, said in ((t.b.dir + "/lists.json", 7, "list-date"), (t.b.dir + "/half.json", 1, "line 1"),
                             ("delta.crl", 7, "delta list"), ("forged.crl", 7, "list-signature"),
                             ("older-number.crl", 7, "number is lower"),
                             ("forgets.crl", 7, "forgets"), ("expired.crl", 7, "list-date"), ("vcek-expired.der", 7, "validity"),
                             (copy, 7, "qe-identity-signature"), ("tcb-number.json", 1, "expected a file with the identity"),
                             ("nosuch", 4, "No such file")):
        rc, out = put(name if name[0] == "/" else bad + name)
        ok(rc == code and said in out and state(t.trust) == got, "import of %s: %s" % (os.path.basename(name), said), (rc, out))
    # what is of use beside something else alone is not imported, and that is no success
    for names, stored in ((["qe.json"], 0), (["platform.chain"], 0), (["qe.json", "qe.chain", "platform.chain"], 0),
                          (["root.crl", "qe.json"], 1)):
        rc, out = put(*(good + n for n in names))
        ok(rc == 1 and ("expected a file with TCB info beside it" if "qe.json" in names else "nothing that is stored by itself") in out and
           out.count("unchanged") == stored and state(t.trust) == got, "import of %s alone: an error" % ", ".join(names), (rc, out))
    with open(t.b.dir + "/page", "w") as f:
        f.write("<html>")
    with open(t.b.dir + "/other.json", "w") as f:
        f.write("{}")
    for name, said in (("page", "neither a certificate"), ("other.json", "expected TCB info")):
        rc, out = put(good + "platform-newer.crl", t.b.dir + "/" + name)
        ok(rc == 1 and said in out and state(t.trust) == got, "beside a file that is none nothing is stored", (rc, out))
    os.unlink(t.trust + "/certs/amd-vcek-milan.pem")
    rc, out = put(bad + "delta.crl", good + "newer.crl", "--json")
    said = json.loads(out[:out.rindex("]") + 1])
    ok(rc == 7 and [x["result"] for x in said] == ["refused", "stored"] and "delta" in said[0]["why"],
       "one that is refused keeps no other out", (rc, out))
    # a list of somebody who is no issuer
    r = subprocess.run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=other -keyout k -out c && "
                       "touch i && openssl ca -gencrl -keyfile k -cert c -crldays 9 -md sha256 -out l -config "
                       "<(printf '[ca]\\ndefault_ca=d\\n[d]\\ndatabase=i\\n')",
                       shell=True, executable="/bin/bash", cwd=t.b.dir, capture_output=True)
    rc, out = put(t.b.dir + "/l")
    ok(r.returncode == 0 and rc == 1 and "neither AMD's nor Intel's" in out, "a list of others: it is for certs/, by hand",
       (rc, out, r.stderr))


def status(t):
    def at(when, *words):
        return t.b.admin("trust", "status", "--at", when, *words, check=False)
    rc, out = at(AT)
    ok(rc == 0 and re.search(r"^valid +list of ARK-Milan \(certs/amd-vcek-milan.pem\) is valid until 2039-01-01", out, re.M) and
       "tcb-info of " + FMSPC in out and "qe-identity of " + FMSPC in out and "vcek of c0c1" in out, "status: each piece", (rc, out))
    rc, out = at("2038-12-17T23:59:59Z")
    ok(rc == 0, "14 days and a second before the end: all is well", (rc, out))
    rc, out = at("2038-12-18T00:00:01Z")
    ok(rc == 5 and re.search("^expires +list of ARK-Milan", out, re.M) and "warning: 6 expire within 14 days" in out and
       '"ccdm-broker trust fetch" renews' in out, "less than that: a warning, exit code 5", (rc, out))
    rc, out = at("2039-01-02")
    ok(rc == 7 and re.search("^expired +list of ARK-Milan", out, re.M) and "6 have expired" in out, "behind it: exit code 7", (rc, out))
    rc, out = at("2025-05-01")
    ok(rc == 7 and re.search("^early +tcb-info", out, re.M) and "are not valid yet" in out, "before its time, too", (rc, out))
    rc, out = at("2039-01-02", "--json")
    said = json.loads(out[:out.rindex("]") + 1])
    ok({x["state"] for x in said} == {"valid", "expired"} and
       all({"kind", "what", "file", "state", "from", "until"} == set(x) for x in said),
       "status --json", out)
    shutil.copy(t.made + "/bad/expired.crl", t.trust + "/certs/old.crl")
    rc, out = at(AT)
    ok(rc == 0 and re.search("^superseded +list of ARK-Milan", out, re.M), "an old list beside one that is in force: superseded", (rc, out))
    # a bundle brings lists of its own
    bundle = "%s/collateral/%s.json" % (t.trust, FMSPC)
    with open(bundle) as f:
        whole = f.read()
    with open(bundle, "w") as f:
        json.dump(dict(json.loads(whole), root_ca_crl=t.m.read("bad/root-expired.crl").hex()), f)
    rc, out = at(AT)
    ok(rc == 0 and re.search(r"^superseded +list of Intel SGX Root CA \(collateral/%s.json\)" % FMSPC, out, re.M),
       "an old list in a bundle, beside one that is in force: superseded", (rc, out))
    os.rename(t.trust + "/certs/intel-root.pem", t.b.dir + "/away")
    rc, out = at(AT)
    ok(rc == 7 and re.search(r"^expired +list of Intel SGX Root CA \(collateral/%s.json\)" % FMSPC, out, re.M),
       "and without that one: expired", (rc, out))
    with open(bundle, "w") as f:
        json.dump(dict(json.loads(whole), root_ca_crl=t.m.read("good/root.crl").hex()), f)
    shutil.copy(t.made + "/bad/root-expired.crl", t.trust + "/certs/by-hand.crl")
    rc, out = at(AT)
    ok(rc == 7 and re.search(r"^expired +list of Intel SGX Root CA \(certs/by-hand.crl\)", out, re.M),
       "one in a bundle is for its platform alone", (rc, out))
    os.unlink(t.trust + "/certs/by-hand.crl")
    os.rename(t.b.dir + "/away", t.trust + "/certs/intel-root.pem")
    with open(bundle, "w") as f:
        f.write(whole)
    # what a vendor's list says of VCEKs, that of VLEKs does not, though its issuer is the same
    vcek = t.trust + "/certs/amd-vcek-milan.pem"
    os.rename(vcek, t.b.dir + "/away")
    shutil.copy(t.made + "/bad/expired.crl", vcek)
    rc, out = at(AT)
    ok(rc == 7 and re.search(r"^expired +list of ARK-Milan \(certs/amd-vcek-milan.pem\)", out, re.M) and
       re.search(r"^valid +list of ARK-Milan \(certs/amd-vlek-milan.pem\)", out, re.M),
       "a list for VCEKs that expired, beside one for VLEKs: expired", (rc, out))
    os.rename(t.b.dir + "/away", vcek)
    # and two whose issuers have but a word in common are two
    os.makedirs(t.trust + "/ek-roots")
    for name, days in ("one", "9"), ("other", "3000"):
        r = subprocess.run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/O=%s/CN=Root CA' -days %s "
                           "-keyout k -out c && rm -f i && touch i && "
                           "openssl ca -gencrl -keyfile k -cert c -crldays %s -md sha256 -out l -config "
                           "<(printf '[ca]\\ndefault_ca=d\\n[d]\\ndatabase=i\\n') && cp c %s/ek-roots/%s.pem && cp l %s/certs/%s.pem" % (
                               name, days, days, t.trust, name, t.trust, name), shell=True, executable="/bin/bash", cwd=t.b.dir,
                           capture_output=True)
        ok(r.returncode == 0, "a maker whose root is called Root CA", r.stderr)
    rc, out = at(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60)))
    ok(rc == 5 and all(re.search(r"^%s +%s of Root CA \(%s/%s.pem\)" % (x, kind, d, name), out, re.M) for kind, d in
                       (("list", "certs"), ("certificate", "ek-roots")) for x, name in (("expires", "one"), ("valid", "other"))),
       "what expires is not superseded by what is of another maker", (rc, out))
    for name in "one", "other":
        os.unlink("%s/ek-roots/%s.pem" % (t.trust, name))
        os.unlink("%s/certs/%s.pem" % (t.trust, name))
    for sub, name in (("certs", "x.pem"), ("collateral", "000000000000.json"), ("vcek", "00.der")):
        path = os.path.join(t.trust, sub, name)
        with open(path, "w") as f:
            f.write("{")
        rc, out = at(AT)
        ok(rc == 7 and re.search("^broken +%s/%s cannot be read" % (sub, name), out, re.M), "a file that is none: %s" % sub, (rc, out))
        os.unlink(path)
    os.unlink(t.trust + "/certs/old.crl")
    os.mkdir(t.trust + "/certs/folder")
    os.makedirs(t.trust + "/ak-roots", exist_ok=True)
    with open(t.trust + "/ak-roots/x.usage", "w") as f:
        f.write("2.23.133.8.1")
    rc, out = at(AT)
    ok(rc == 7 and "certs/folder cannot be read" in out and "usage" not in out,
       "a folder among the files is broken; a usage is no certificate", (rc, out))
    os.rmdir(t.trust + "/certs/folder")
    rc, out = at("never")
    ok(rc == 1, "a time that is none", (rc, out))


def health(b):
    ctx = ssl.create_default_context(cafile=b.ca)
    with urllib.request.urlopen("https://localhost:%d/healthz" % b.port, context=ctx) as f:
        return json.load(f)


def daemon(t):
    """What the running broker makes of it."""
    with open(t.trust + "/certs/amd-vcek-turin.pem.tmp", "w") as f:
        f.write("-----BEGIN X509 CRL-----\nAAAA")
    shutil.copy(t.made + "/bad/root-expired.crl", t.trust + "/certs/intel-root.pem")

    def log():
        with open(t.b.log_path) as f:
            return f.read()
    warning = "warning: list of Intel SGX Root CA (certs/intel-root.pem) expired at 2025-06-20T00:00:00Z"
    with t.b:
        ok(warning in log(), "a daemon starts beside a file that was never finished, and warns of an expired list", log())
        ok(health(t.b) == {"status": "warning", "trust": "expired"}, "/healthz says so", health(t.b))
        out = t.b.admin("status")
        ok(warning in out, "so does ccdm-broker status", out)
        t.b.reload()
        ok(log().count(warning) == 1, "the same warning comes once a day", log())
        for i in range(20):
            shutil.copy(t.made + "/bad/root-expired.crl", t.trust + "/certs/many%02d.crl" % i)
        t.b.reload()
        t.b.reload()
        ok(log().count("warning: list of") == 16 and log().count("warning: 5 more: ") == 1, "of many, the first are named, once", log())
        for i in range(20):
            os.unlink(t.trust + "/certs/many%02d.crl" % i)
        quote = {"quote": base64.b64encode(t.m.read("good/quote.bin")).decode()}
        path = t.b.dir + "/evidence"

        def explain():
            with open(path, "w") as f:
                json.dump({"version": "0.4.0", "tee": "tdx", "runtime-data": {"nonce": "bm9uY2U=", "tee-pubkey": {"kty": "x"}},
                           "tee-evidence": {"primary_evidence": quote, "additional_evidence": ""}}, f)
            out = t.b.admin("explain", path, check=False)[1]
            return [x.split()[1] for x in out.splitlines() if x.strip().startswith("FAILED")], out
        failed, out = explain()
        ok("pck-crl" in failed, "with that list a TD is refused", (failed, out))
        t.m.honest()
        rc, out = t.fetch("tdx")
        ok(rc == 0, "it is fetched anew", (rc, out))
        changed = "the trust directory has changed since it was read: reload the daemon"
        out = t.b.admin("status")
        ok(changed in out, "as long as the daemon has not read it, ccdm-broker status says so", out)
        t.b.reload()
        out = t.b.admin("status")
        ok(health(t.b) == {"status": "ok", "trust": "valid"} and changed not in out, "after a reload /healthz is content", log() + out)
        put_back = t.trust + "/snp-floor"
        with open(put_back, "w") as f:
            f.write("milan snp 0 ours\n")
        ok(changed in t.b.admin("status"), "a list that is new is not read, and that is said")
        os.unlink(put_back)
        ok(changed not in t.b.admin("status"), "and without it all is as it was read")
        failed, out = explain()
        ok(failed == ["report-data"], "and the TD is refused for nothing but the nonce", (failed, out))


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
           "a fresh broker knows AMD's chain, and says where the list is", out)
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
    ok(rc == 8 and out.count("stored") == 3 and "1 of 4" in out, "Intel's own collateral; of the processor CA's list there is none",
       (rc, out))
    r = subprocess.run([BIN + "/ccdm-setup", "verify", "tdx", VECTORS + "/dcap-qvl/tdx_quote", "--collateral",
                        b.dir + "/trust/collateral/b0c06f000000.json", "--crl", intel(b.dir + "/trust"), "--at", AT], capture_output=True,
                       text=True)
    ok(r.returncode == 0 and "accepted" in r.stdout, "with which a real quote is accepted", r.stdout)
    rc, out = b.admin("trust", "status", "--at", "2025-07-10", check=False)
    ok(rc == 5 and "expires" in out, "and which soon expires", (rc, out))
    vcek = VECTORS + "/trustee-snp/test-vcek.der"
    rc, out = b.admin("trust", "import", vcek, "--at", AT, check=False)
    ok(rc == 0 and "VCEK of a chip of Milan: stored" in out, "a real VCEK, below what is built in", (rc, out))
    for name in "legacy", "new":
        rc, out = b.admin("trust", "import", VECTORS + "/trustee-snp/test-vcek-invalid-%s.der" % name, "--at", AT, check=False)
        ok(rc == 7 and "refused: chain" in out, "one that is not: " + name, (rc, out))


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
