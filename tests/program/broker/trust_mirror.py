# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""trust_mirror - a mirror of AMD's and Intel's servers, and a broker that fetches from it"""
import hashlib
import http.server
import os
import shutil
import ssl
import subprocess
import threading
import urllib.parse

from harness import TOP, ok
from broker import Broker

AT = "2025-07-01"
FMSPC = "0a0b0c0d0e0f"
SGX, TDX = "/sgx/certification/v4/", "/tdx/certification/v4/"


class Mirror:
    """An HTTPS server. routes: path -> body, (status, headers, body), or a function of the handler."""

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

            def handle_error(self, *args):      # some tests make the client disconnect
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
        """Serve the file name, with the chain in a header."""
        return 200, {header: self.chain(chain)}, self.read(name)

    def honest(self):
        """Serve the files that AMD and Intel would publish."""
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
    """{file: hash of its content} of all files below a directory."""
    found = {}
    for where, _, names in os.walk(trust):
        for n in names:
            path = os.path.join(where, n)
            with open(path, "rb") as f:
                found[os.path.relpath(path, trust)] = hashlib.sha256(f.read()).hexdigest()
    return found


class Test:
    """A broker and a mirror."""

    def __init__(self, tmp):
        self.b = Broker(os.path.join(tmp, "broker"))
        self.trust = self.b.dir + "/trust"
        self.made = os.path.join(tmp, "made")
        subprocess.run([TOP + "/build/tests/mirror", self.made], check=True)
        self.m = Mirror(self.made, self.b.dir + "/server.pem", self.b.dir + "/server.key")

    def roots(self):
        """Trust the mirror's roots."""
        for name in os.listdir(self.made + "/roots"):
            shutil.copy(os.path.join(self.made, "roots", name), self.trust + "/roots")
        # the issuer of a chip's certificate
        shutil.copy(self.made + "/good/ask.der", self.trust + "/certs")

    def fetch(self, *words, at=AT, ca=None):
        return self.b.admin("trust", "fetch", "--from", self.m.url, "--ca", ca or self.b.ca, "--at", at, *words, check=False)

    def whole(self, *words):
        """Fetch for both vendors, for a platform and for the chip of a report."""
        return self.fetch("--fmspc", FMSPC.upper(), "--report", self.made + "/good/report.bin", *words)

    def refused(self, what, said, path, route, *words, codes=(7,), **kw):
        """Expect that fetch refuses what the mirror sends for this path, and changes no file."""
        self.m.honest()[path] = route
        before = state(self.trust)
        rc, out = self.fetch(*words, **kw)
        ok(rc in codes and said in out, "%s: %d, %s" % (what, rc, said), out)
        ok(state(self.trust) == before, "%s: no file changes" % what, set(state(self.trust).items()) ^ set(before.items()))
        self.m.honest()


def intel(trust):
    """Intel's stored lists in one file. Return: its path"""
    path = os.path.join(os.path.dirname(trust), "lists.pem")
    with open(path, "wb") as out:
        for name in sorted(os.listdir(trust + "/certs")):
            if name.startswith("intel-"):
                with open(os.path.join(trust, "certs", name), "rb") as f:
                    out.write(f.read())
    return path
