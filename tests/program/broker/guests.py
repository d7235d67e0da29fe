# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""guests - many guests, hostile guests, and traces of a secret in the daemon's memory"""
import base64
import json
import os
import re
import select
import socket
import ssl
import subprocess
import time

from harness import PATH, SANITIZE, load, ok


def resident(b):
    with open("/proc/%d/status" % b.daemon.pid) as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))


def in_memory(b, control=()):
    """Addresses in the daemon's memory of the secret in any form, and of the master key. control: other strings."""
    if SANITIZE or os.geteuid():
        return []       # a sanitizer's own memory is too large to search
    with open(b.dir + "/secrets.key", "rb") as f:
        master = f.readline()[16:56]    # malloc overwrites the first 16 bytes of a chunk that is freed
    words, found = (b"correct horse", base64.b64encode(b"correct horse")[:-3], master, bytes.fromhex(master.decode()), *control), []
    with open("/proc/%d/maps" % b.daemon.pid) as maps, open("/proc/%d/mem" % b.daemon.pid, "rb", 0) as mem:
        for line in maps:
            begin, end = (int(x, 16) for x in line.split()[0].split("-"))
            if "r" not in line.split()[1] or "[v" in line:
                continue
            mem.seek(begin)
            bytes_ = mem.read(end - begin)
            found += [(w, line.split()[-1]) for w in words if w in bytes_]
    return found


def tls(b, **kw):
    """Open a connection; kw: attributes of its SSL context."""
    ctx = ssl.create_default_context(cafile=b.ca)
    for k, v in kw.items():
        setattr(ctx, k, v)
    return ctx.wrap_socket(socket.create_connection(("127.0.0.1", b.port), 10), server_hostname="localhost")


def answer(s, data):
    """Return: HTTP status, or 0 if the connection ends."""
    try:
        s.sendall(data)
        head = s.recv(4096)
    except OSError:
        return 0
    finally:
        s.close()
    m = re.match(rb"HTTP/1\.1 (\d+)", head)
    return int(m.group(1)) if m else 0


def post(path, body, more=""):
    """A request; more: additional header lines."""
    return ("POST %s HTTP/1.1\r\nHost: localhost\r\n%sContent-Length: %d\r\n\r\n" % (path, more, len(body))).encode() + body


def signatures():
    """Handshakes per second if only the signatures took time: TLS and token are signed, quote and token verified."""
    out = subprocess.run(["openssl", "speed", "-seconds", "1", "-mr", "ecdsap256"], check=True, capture_output=True)
    sign, verify = map(float, re.search(rb"\+F4:\d+:256:([\d.]+):([\d.]+)", out.stdout).groups())
    return 1 / (2 / sign + 2 / verify)


def many(b, key, whole):
    row, at_once = (2000, 200) if whole else (200, 50)
    load(b, key, 50, 2)     # load code and data that are loaded once
    before = resident(b)
    seen = len(b.log())
    said, err = load(b, key, row, 1)
    ok(said["right"] == row, "%d handshakes in a row, each with its secret" % row, err)
    print("# %.0f handshakes a second; the signatures in one (2 made, 2 verified, ECDSA P-256) would allow %.0f" %
          (row / said["seconds"], signatures()))
    after = resident(b)
    # SQLite may fill its cache of 2 MiB
    SANITIZE or ok(after - before < 3072, "memory is flat (%d KiB, then %d)" % (before, after))
    said, err = load(b, key, 2 * at_once, at_once)
    ok(said["right"] == 2 * at_once, "%d at once, twice" % at_once, err)
    entries = b.log()[seen:]
    ok(len([e for e in entries if e["event"] == "attest" and e["result"] == "accepted"]) == row + 2 * at_once and
       len([e for e in entries if e["event"] == "resource" and e["result"] == "released"]) == row + 2 * at_once,
       "each is in the log, once")


def hostile(b, key):
    try:
        tls(b, maximum_version=ssl.TLSVersion.TLSv1_2).close()
        old = True
    except (ssl.SSLError, OSError):
        old = False
    ok(not old, "TLS 1.2 is refused")
    s = tls(b)
    ok(s.version() == "TLSv1.3", "TLS 1.3 is accepted")
    s.close()
    s = socket.create_connection(("127.0.0.1", b.port), 10)
    ok(answer(s, b"GET /kbs/v0/auth HTTP/1.1\r\n\r\n") == 0, "HTTP without TLS gets no answer")

    for path in ("/kbs/v0/resource/../../etc/passwd", "/kbs/v0/resource/a/b/%2e%2e", "//", "/kbs/v0/resource/a/b/c%00",
                 "/metrics", "/kbs/v0/attestation-policy", "/kbs/v0/resource-policy", "http://x/kbs/v0/auth"):
        status = answer(tls(b), ("GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path).encode())
        ok(status in (400, 404), "GET %s: %d" % (path, status))
    ok(answer(tls(b), b"DELETE /kbs/v0/resource/default/web/key HTTP/1.1\r\nHost: x\r\n\r\n") in (0, 400, 404, 405, 501),
       "DELETE is not for guests")
    ok(answer(tls(b), post("/kbs/v0/resource/" + PATH, b"mine")) == 404, "writing a secret is not for guests")
    big = b"[" * (3 << 20)
    ok(answer(tls(b), post("/kbs/v0/attest", big)) in (0, 413), "a body that is too large")
    ok(answer(tls(b), post("/kbs/v0/auth", b"[" * (1 << 20))) == 401, "a body that is nested a million deep")
    ok(answer(tls(b), b"GET / HTTP/1.1\r\nA: " + b"x" * (1 << 20) + b"\r\n\r\n") in (0, 400, 413), "headers without end")
    cookie = "Cookie: kbs-session-id=%s\r\n"
    ok(answer(tls(b), post("/kbs/v0/attest", b"{}", "Cookie: a=b; c=d\r\n")) == 401, "cookies of another server")
    for name, value in (("of nobody", "x" * 64 + ".tpm.0.4.0"), ("too long", "y" * 3000), ("longer than all there are", "z" * 8192),
                        ("empty", "")):
        ok(answer(tls(b), post("/kbs/v0/attest", b"{}", cookie % value)) == 401, "a cookie that is " + name)
    get = ("GET /kbs/v0/resource/%s HTTP/1.1\r\nHost: x\r\nAuthorization: Basic eDp5\r\n\r\n" % PATH).encode()
    ok(answer(tls(b), get) == 401, "a name and a password are no token")

    # a client that sends one byte at a time is disconnected, and delays nobody
    slow = [tls(b) for _ in range(40)]
    begun = time.monotonic()
    for s in slow:
        s.sendall(b"POST /kbs/v0/auth HTTP/1.1\r\nContent-Length: 100\r\n\r\n{")
    said, err = load(b, key, 20, 2)
    ok(said["right"] == 20, "20 guests beside 40 that are slow", err)
    ended = 0
    for s in slow:
        s.settimeout(30)
        try:
            while time.monotonic() < begun + 30:
                s.sendall(b" ")
                s.settimeout(0.05)
                try:
                    if not s.recv(1):
                        break
                except TimeoutError:
                    pass
            else:
                continue
        except OSError:
            pass
        ended += 1
    ok(ended == len(slow), "the slow ones are cut off, although they still send (%d of %d)" % (ended, len(slow)))
    # the limit on connections
    held = []
    for _ in range(80):
        try:
            held.append(socket.create_connection(("127.0.0.1", b.port), 5))
        except OSError:
            break
    n, left, end = 0, list(held), time.monotonic() + 10
    while n < 80 - 64 and time.monotonic() < end:
        for s in select.select(left, [], [], 1)[0]:     # the daemon sends nothing before it closes a connection
            left.remove(s)
            n += 1
    for s in held:
        s.close()
    ok(n >= 80 - 64, "more connections than allowed end at once (%d of 80)" % n)
    said, err = load(b, key, 10, 1)
    ok(said["right"] == 10, "and the next guest is served", err)
    said = json.loads(b.admin("status", "--json"))["refusals"]
    ok(said.get("late", 0) >= 40 and said.get("connections", 0) >= 16, "status counts the late and the surplus connections", said)
