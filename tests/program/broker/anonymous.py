# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""anonymous - requests without a session: each is counted, and none fills the log"""
import json
import os
import socket
import ssl


class Peer:
    """A connection that repeats its request."""

    def __init__(self, b, source="127.0.0.1"):
        ctx = ssl.create_default_context(cafile=b.ca)
        self.s = ctx.wrap_socket(socket.create_connection(("127.0.0.1", b.port), 10, (source, 0)), server_hostname="localhost")

    def ask(self, method, path, body=b"", more=""):
        """Return: status and headers."""
        return self.said(method, path, body, more)[:2]

    def said(self, method, path, body=b"", more=""):
        """Return: status, headers and body."""
        self.s.sendall(("%s %s HTTP/1.1\r\nHost: localhost\r\n%sContent-Length: %d\r\n\r\n" % (method, path, more,
                                                                                               len(body))).encode() + body)
        return self.answer()

    def answer(self):
        """Receive the answer to a request. Return: status, headers and body."""
        said = b""
        while b"\r\n\r\n" not in said:
            said += self.s.recv(4096) or self.gone()
        head, rest = said.split(b"\r\n\r\n", 1)
        size = int([x for x in head.split(b"\r\n") if x.lower().startswith(b"content-length:")][0].split(b":")[1])
        while len(rest) < size:
            rest += self.s.recv(4096) or self.gone()
        return int(head.split()[1]), head.decode(), rest

    @staticmethod
    def gone():
        raise OSError("the connection has ended")


def lines(b):
    with open(os.path.join(b.dir, "state/audit.log")) as f:
        return [e for e in map(json.loads, f) if e["event"] != "head"]


def plain(b, data):
    """Send bytes without TLS, and wait until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", b.port), 10) as s:
        s.sendall(data)
        try:
            while s.recv(4096):
                pass
        except OSError:
            pass


def anonymous(b, ok):
    b.reload()  # earlier counts are in the log now
    before, size = len(lines(b)), os.stat(os.path.join(b.dir, "state/audit.log")).st_size
    asked = [("path", "GET", "/metrics", b"", ""), ("message", "POST", "/kbs/v0/auth", b"{", ""),
             ("version", "POST", "/kbs/v0/auth", b'{"version": "9.9", "tee": "tpm"}', ""),
             ("tee", "POST", "/kbs/v0/auth", b'{"version": "0.4.0", "tee": "x"}', ""),
             ("session", "POST", "/kbs/v0/attest", b"{}", ""),
             ("session", "POST", "/kbs/v0/attest", b"{}", "Cookie: kbs-session-id=x.tpm.0.4.0\r\n"),
             ("session", "GET", "/kbs/v0/resource/default/web/key", b"", "Authorization: Bearer a.b.c\r\n")]
    want, wrong = {}, []
    for _ in range(10):
        peer = Peer(b)
        for i in range(94):
            why, *words = asked[i % len(asked)]
            status, _ = peer.ask(*words)
            want[why] = want.get(why, 0) + 1
            if status not in (401, 404):
                wrong.append((words, status))
        peer.s.close()
    for _ in range(20):
        plain(b, b"GET / HTTP/1.1\r\n\r\n")                 # no TLS
        peer = Peer(b)
        peer.s.sendall(b"nothing of HTTP\r\n\r\n")
        try:
            while peer.s.recv(4096):
                pass
        except OSError:
            pass
        peer.s.close()
        peer = Peer(b)
        try:
            peer.s.sendall(b"POST /kbs/v0/auth HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n")
            while peer.s.recv(4096):
                pass
        except OSError:
            pass
        peer.s.close()
    want["tls"], want["request"] = 20, 40
    ok(not wrong and sum(want.values()) == 1000, "1,000 requests without a session are refused", wrong[:3])
    # a message with a valid nonce that cannot be read has a line; repetitions are only counted
    peer = Peer(b)
    status, head = peer.ask("POST", "/kbs/v0/auth", b'{"version": "0.4.0", "tee": "tpm", "extra-params": ""}')
    cookie = [x.split(":", 1)[1].split(";")[0].strip() for x in head.split("\r\n") if x.lower().startswith("set-cookie:")][0]
    for _ in range(50):
        peer.ask("POST", "/kbs/v0/attest", b"{}", "Cookie: %s\r\n" % cookie)
    peer.s.close()
    b.reload()
    new = lines(b)[before:]
    said, own = {}, [e for e in new if e["event"] == "attest"]
    summaries = [e for e in new if e["event"] == "anonymous"]
    for e in summaries:
        ok(e["count"] == sum(e["reasons"].values()) and e["since"] <= e["time"] and e["result"] == "refused", "a line adds up", e)
        for why, n in e["reasons"].items():
            said[why] = said.get(why, 0) + n
    want["message"] += 1 - len(own)
    want["nonce"] = 49      # a nonce is good for one message
    ok(said == want, "the log's numbers are right, for each reason", (said, want))
    ok(len(own) == 1 and len(summaries) <= 5, "and they are few lines (%d and %d)" % (len(own), len(summaries)))
    grown = os.stat(os.path.join(b.dir, "state/audit.log")).st_size - size
    ok(grown < 40000, "%d bytes" % grown)
    out = b.admin("log")
    ok(" anonymous refused  " in out and "session " in out, "log: they are shown", out[-400:])
    # stopping writes the remaining counts
    plain(b, b"GET / HTTP/1.1\r\n\r\n")
    before = len(lines(b))
    b.stop()
    new = lines(b)[before:]
    ok([e["event"] for e in new] == ["anonymous", "daemon"] and new[0]["reasons"] == {"tls": 1},
       "at its end the daemon writes those that are left",
       new)
    b.start()
