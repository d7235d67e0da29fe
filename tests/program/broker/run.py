#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""run - the broker as a daemon: many guests, hostile ones, a log that says the truth

  tests/run program broker [--all]	--all: 2,000 handshakes in a row and 200 at once
  tests/run program broker --sanitize KIND	the programs built with -fsanitize=KIND (address, thread)
"""
import base64
import hashlib
import json
import os
import re
import select
import shutil
import socket
import sqlite3
import ssl
import stat
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(TOP, "tests/lib"))
SANITIZE = sys.argv[2] if sys.argv[1:2] == ["--sanitize"] else ""
if SANITIZE:
    os.environ["CCDM_BIN"] = "build/%s/bin" % SANITIZE
    # (a daemon that nobody may look into cannot look for leaks itself)
    os.environ["ASAN_OPTIONS"] = "detect_leaks=0"
    os.environ["TSAN_OPTIONS"] = "halt_on_error=1"
import devices  # noqa: E402
from broker import BIN, Broker  # noqa: E402
from sim import Signer  # noqa: E402
from anonymous import anonymous  # noqa: E402
from status import status  # noqa: E402
from verbs import verbs  # noqa: E402

LOAD = os.path.join(TOP, "build/tests/load")
PATH = "default/web/key"
OTHER = 65534  # a user that is not root
POLICY = """name: web
secrets: default/web/*
require: {tee: tpm, binding: tpm-only, phase: unknown, identity: any}
"""
results = []


def ok(cond, what, detail=""):
    results.append(bool(cond))
    print("%s %d %s" % ("ok" if cond else "not ok", len(results), what), flush=True)
    if not cond:
        for line in str(detail).splitlines()[-15:]:
            print("# " + line)


def load(b, key, n, processes):
    r = subprocess.run([LOAD, "run", key, "https://localhost:%d" % b.port, b.ca, PATH, str(n), str(processes)],
                       capture_output=True, text=True)
    return json.loads(r.stdout), r.stderr


def resident(b):
    with open("/proc/%d/status" % b.daemon.pid) as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))


def in_memory(b, control=()):
    """Where in the daemon's memory the secret is, in any form, or the master key as the file has it; control: other words."""
    if SANITIZE or os.geteuid():
        return []       # (a sanitizer's own memory is too large to look through)
    with open(b.dir + "/secrets.key", "rb") as f:
        master = f.readline()[16:56]    # (what malloc keeps of a free piece stands in its first 16 bytes)
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
    ctx = ssl.create_default_context(cafile=b.ca)
    for k, v in kw.items():
        setattr(ctx, k, v)
    return ctx.wrap_socket(socket.create_connection(("127.0.0.1", b.port), 10), server_hostname="localhost")


def answer(s, data):
    """Status of HTTP, or 0 if the connection ends."""
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
    return ("POST %s HTTP/1.1\r\nHost: localhost\r\n%sContent-Length: %d\r\n\r\n" % (path, more, len(body))).encode() + body


def signatures():
    """How often a second this machine makes and verifies what a handshake has: TLS, token; quote, token."""
    out = subprocess.run(["openssl", "speed", "-seconds", "1", "-mr", "ecdsap256"], check=True, capture_output=True)
    sign, verify = map(float, re.search(rb"\+F4:\d+:256:([\d.]+):([\d.]+)", out.stdout).groups())
    return 1 / (2 / sign + 2 / verify)


def many(b, key, whole):
    row, at_once = (2000, 200) if whole else (200, 50)
    load(b, key, 50, 2)     # what is loaded once
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
       "each stands in the log, once")


def hostile(b, key):
    try:
        tls(b, maximum_version=ssl.TLSVersion.TLSv1_2).close()
        old = True
    except (ssl.SSLError, OSError):
        old = False
    ok(not old, "TLS 1.2 is refused")
    s = tls(b)
    ok(s.version() == "TLSv1.3", "TLS 1.3 is not")
    s.close()
    s = socket.create_connection(("127.0.0.1", b.port), 10)
    ok(answer(s, b"GET /kbs/v0/auth HTTP/1.1\r\n\r\n") == 0, "HTTP without TLS gets no answer")

    for path in ("/kbs/v0/resource/../../etc/passwd", "/kbs/v0/resource/a/b/%2e%2e", "//", "/kbs/v0/resource/a/b/c%00",
                 "/metrics", "/kbs/v0/attestation-policy", "/kbs/v0/resource-policy", "http://x/kbs/v0/auth"):
        status = answer(tls(b), ("GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path).encode())
        ok(status in (400, 404), "GET %s: %d" % (path, status))
    ok(answer(tls(b), b"DELETE /kbs/v0/resource/default/web/key HTTP/1.1\r\nHost: x\r\n\r\n") in (0, 400, 404, 405, 501),
       "DELETE is not for guests")
    ok(answer(tls(b), post("/kbs/v0/resource/" + PATH, b"mine")) == 404, "nor is writing a secret")
    big = b"[" * (3 << 20)
    ok(answer(tls(b), post("/kbs/v0/attest", big)) in (0, 413), "a body that is too large")
    ok(answer(tls(b), post("/kbs/v0/auth", b"[" * (1 << 20))) == 401, "one that is nested a million deep")
    ok(answer(tls(b), b"GET / HTTP/1.1\r\nA: " + b"x" * (1 << 20) + b"\r\n\r\n") in (0, 400, 413), "headers without end")
    cookie = "Cookie: kbs-session-id=%s\r\n"
    ok(answer(tls(b), post("/kbs/v0/attest", b"{}", "Cookie: a=b; c=d\r\n")) == 401, "another one's cookies")
    for name, value in (("of nobody", "x" * 64 + ".tpm.0.4.0"), ("too long", "y" * 3000), ("longer than all there are", "z" * 8192),
                        ("empty", "")):
        ok(answer(tls(b), post("/kbs/v0/attest", b"{}", cookie % value)) == 401, "a cookie that is " + name)
    get = ("GET /kbs/v0/resource/%s HTTP/1.1\r\nHost: x\r\nAuthorization: Basic eDp5\r\n\r\n" % PATH).encode()
    ok(answer(tls(b), get) == 401, "a name and a password are no token")

    # who says a byte now and then is cut off, and is in nobody's way
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
    ok(ended == len(slow), "those are cut off, although they go on (%d of %d)" % (ended, len(slow)))
    # so many, and no more
    held = []
    for _ in range(80):
        try:
            held.append(socket.create_connection(("127.0.0.1", b.port), 5))
        except OSError:
            break
    n, left, end = 0, list(held), time.monotonic() + 10
    while n < 80 - 64 and time.monotonic() < end:
        for s in select.select(left, [], [], 1)[0]:     # they have nothing to say but that it is over
            left.remove(s)
            n += 1
    for s in held:
        s.close()
    ok(n >= 80 - 64, "more connections than allowed end at once (%d of 80)" % n)
    said, err = load(b, key, 10, 1)
    ok(said["right"] == 10, "and the next guest is served", err)
    said = json.loads(b.admin("status", "--json"))["refusals"]
    ok(said.get("late", 0) >= 40 and said.get("connections", 0) >= 16, "those who were late, and those too many, are counted", said)


def checked(b):
    """ccdm-brokerd --check."""
    r = subprocess.run([os.path.join(BIN, "ccdm-brokerd"), "--config", b.conf, "--check"],
                       capture_output=True, text=True)
    return r.returncode, r.stderr


def administration(b, key):
    mode = os.stat(os.path.join(b.dir, "admin.sock")).st_mode
    ok(stat.S_IMODE(mode) == 0o660, "the admin socket is for its group (%o)" % stat.S_IMODE(mode))
    for line in (b"\n", b"{\n", b"[]\n", b'{"do": 1}\n', b'{"do": "policy-add"}\n', b'{"do": "x"}\n',
                 b'{"do": "policy-remove"}\n', b'{"do": "secret-remove"}\n', b'{"do": "secret-put"}\n',
                 b'{"do": "secret-put", "path": "a/b/c"}\n', b'{"do": "secret-put", "path": "../x", "value": ""}\n'):
        s = socket.socket(socket.AF_UNIX)
        s.connect(os.path.join(b.dir, "admin.sock"))
        s.sendall(line)
        ok('"error"' in s.recv(4096).decode(), "an order that is none: %s" % line.decode().strip())
        s.close()
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(30)
    s.connect(os.path.join(b.dir, "admin.sock"))
    try:
        s.sendall(b"x" * (9 << 20))
        said = s.recv(1)
    except (BrokenPipeError, ConnectionResetError):
        said = b""
    s.close()
    ok(said == b"", "a line without end: the connection ends")
    if not os.geteuid():
        strange(b)
    ok(json.loads(b.admin("rotate-key", "--json"))["key-file"] == b.dir + "/secrets.key", "rotate-key --json")
    b.reload()
    said, err = load(b, key, 10, 2)
    ok(said["right"] == 10, "a new key: all goes on", err)
    out = b.admin("secret", "reseal")
    ok("1 of 1" in out, "secret reseal", out)
    key_file = os.path.join(b.dir, "secrets.key")
    with open(key_file) as f:
        two = f.read()
    b.admin("rotate-key")
    b.admin("rotate-key")
    rc, out = b.admin("rotate-key", check=False)
    with open(key_file) as f:
        four = f.read()
    ok(rc == 5 and "holds 4 keys" in out and four.endswith(two) and len(four) == 2 * len(two),
       "rotate-key: no key goes that a secret may be sealed under", out)
    with open(key_file, "w") as f:
        f.write(two)
    b.admin("renew", "--name", "localhost", "--name", "::1", "--days", "30")
    b.reload()
    said, err = load(b, key, 10, 2)
    ok(said["right"] == 10, "a new certificate: all goes on", err)
    os.rename(b.dir + "/server.pem", b.dir + "/server.away")
    b.daemon.send_signal(1)
    end = time.monotonic() + 10
    while "not reloaded" not in open(b.log_path).read() and time.monotonic() < end:
        time.sleep(0.02)
    said, err = load(b, key, 10, 2)
    ok(said["right"] == 10 and "not reloaded" in open(b.log_path).read(), "without one: not reloaded, and all goes on", err)
    os.rename(b.dir + "/server.away", b.dir + "/server.pem")
    for name in "server.key", "token.key", "secrets.key":
        key_file = os.path.join(b.dir, name)
        os.chmod(key_file, 0o640)
        rc, out = checked(b)
        os.chmod(key_file, 0o600)
        ok(rc and name + ": mode 0640" in out, "%s that others can read: refused" % name, out)
        if os.geteuid():
            continue
        os.chown(key_file, OTHER, OTHER)
        rc, out = checked(b)
        ok(not rc and not b.admin("log", "verify", check=False)[0], "%s of the service's own user: root reads it" % name, out)
        os.chown(key_file, 0, 0)
    rc, out = b.admin("policy", "add", "--dry-run", b.dir + "/policy.yaml", check=False)
    ok(rc == 0 and "dry run" in out and out.count("+") == 0, "policy add --dry-run of the same: no difference", out)
    line = POLICY.splitlines()[2]
    with open(b.dir + "/changed.yaml", "w") as f:
        f.write(POLICY.replace("unknown", "running"))
    rc, out = b.admin("policy", "add", "--dry-run", b.dir + "/changed.yaml", check=False)
    ok(rc == 0 and {"- " + line, "+ " + line.replace("unknown", "running")} <= set(out.splitlines()) and out.count("require") == 2,
       "policy add --dry-run of another: the lines that differ", out)
    b.admin("policy", "remove", "web")
    said, err = load(b, key, 1, 1)
    ok(said["right"] == 0 and "refused" in err, "without a policy nobody gets anything", err)


def strange(b):
    """A user who is not in the group of the admin socket."""
    mode = os.stat(b.dir).st_mode
    os.chmod(b.dir, 0o755)
    program = shutil.copy(BIN + "/ccdm-broker", b.dir)
    r = subprocess.run([program, "--config", b.conf, "policy", "list"], capture_output=True, text=True, user=OTHER, group=OTHER,
                       extra_groups=[], cwd="/")
    os.unlink(program)
    os.chmod(b.dir, mode)
    ok(r.returncode == 2 and "Permission denied" in r.stderr and "in the group of this socket" in r.stderr,
       "who is not in the socket's group is told so", r)


def without_nonce(b, key):
    """Evidence as the verb prints it, and with less of what it is bound to: that is no broker's yes."""
    with open(b.evidence(key)) as f:
        said = json.load(f)

    def explains(o, *more):
        with open(b.dir + "/evidence", "w") as f:
            json.dump(o, f)
        return b.admin("explain", b.dir + "/evidence", *more, check=False)
    rc, out = explains({**said, "attesters": [{"tee": "tpm", "what": "x", "here": True}]})
    ok(rc == 0 and "policy web: holds" in out and "was not checked" not in out, "explain: with the list of attesters", (rc, out))
    rc, out = explains({**said, "runtime-data": {**said["runtime-data"], "nonce": "another"}})
    ok(rc == 7 and "the evidence was refused: report-data: found " in out, "explain: with another nonce", (rc, out))
    nonces = set()
    with devices.Vtpm(b.dir + "/vtpm") as tpm:
        for words in ("--json",), ("--json",), ("--json", "--nonce", "any"), ("--nonce", "any"):
            rc, out, err = devices.setup("evidence", *words, tpm=tpm)
            own = json.loads(out or "{}")
            listed = [a["tee"] for a in own.get("attesters", []) if a["here"]]
            ok(rc == 0 and own["tee"] == "tpm" and listed == ([] if "--nonce" in words else ["tpm"]),
               "evidence %s: what a TPM says" % " ".join(words), (rc, out, err))
            nonces.add(own["runtime-data"]["nonce"])
            rc, out = explains(own)
            ok(rc == 7 and "the evidence was refused: ak: found " in out, "explain: it, of a TPM that nobody knows", (rc, out))
            known = b.know(base64.b64decode(own["tee-evidence"]["primary_evidence"]["ak_public"]))
            b.reload()
            rc, out = explains(own)
            ok(rc == 0 and "policy web: holds" in out, "explain: it, of one that is known", (rc, out))
            os.unlink(known)
            b.reload()
    ok(len(nonces) == 3 and "any" in nonces, "evidence --json draws another nonce each time", nonces)
    bare = {k: v for k, v in said.items() if k != "runtime-data"}
    for what, o in (("nonce", {**bare, "runtime-data": {"tee-pubkey": said["runtime-data"]["tee-pubkey"]}}), ("runtime data", bare)):
        rc, out = explains(o)
        ok(rc == 7 and "policy web: holds" in out and "FAILED" not in out and "note: the nonce was not checked" in out and
           "without one nothing is released" in out, "explain: without a %s: judged, and no yes" % what, (rc, out))
        rc, out = explains(o, "--json")
        ok(rc == 7 and '"nonce-checked": false' in out, "the same as JSON", (rc, out))
    quote = bare["tee-evidence"]["primary_evidence"]["tpm_quote"]
    quote["pcrs"][0] = "ff" * 32
    rc, out = explains(bare)
    ok(rc == 7 and "the evidence was refused: pcr-digest: found " in out, "explain: without a nonce a forged one is refused", (rc, out))
    rc, out = explains({"attesters": []})
    ok(rc == 1 and "primary_evidence is missing" in out, "explain: of a machine that makes none", (rc, out))
    for more in {}, 1:
        rc, out = explains({**said, "tee-evidence": {**said["tee-evidence"], "additional_evidence": more}})
        ok(rc == 1 and "additional_evidence is no text" in out, "explain: additional evidence that is no text", (rc, out))


def traced(b):
    """--verbose and --debug say what is done, and nothing that is secret."""
    value = os.urandom(24).hex().encode()
    # (a part of it would be too much as well)
    forms = [f[:12] for f in (value, value.hex().encode(), base64.b64encode(value))]
    token = b.dir + "/token"
    with devices.Vtpm(b.dir + "/traced") as tpm:
        _, out, _ = devices.setup("evidence", "--json", tpm=tpm)
        known = b.know(base64.b64decode(json.loads(out)["tee-evidence"]["primary_evidence"]["ak_public"]))
        b.reload()
        for level in "--verbose", "--debug":
            r = subprocess.run([BIN + "/ccdm-broker", level, "secret", "--config", b.conf, "put", PATH], input=value, capture_output=True)
            said = r.stdout + r.stderr
            ok(r.returncode == 0 and b"# admin: ask " in said and b": secret-put" in said and not [f for f in forms if f in said],
               "ccdm-broker %s secret put: the question, not the secret" % level, said)
            to = ("--broker", "https://localhost:%d" % b.port, "--ca", b.ca)
            rc, out, err = devices.setup("secret", "get", PATH, *to, level, tpm=tpm)
            steps = ("# tls: TLSv1.3, https://localhost", "known by its CA", "# http: POST", "# http: status 200", "# tpm: Quote (0x158)",
                     "# attest: collect evidence: TPM 2.0", "# attest: accepted", "# attest: %s: %d bytes" % (PATH, len(value)))
            missing = [s for s in steps if s not in err]
            ok(rc == 0 and out == value and not missing, "ccdm-setup secret get %s: TLS, HTTP, the TPM, attesting" % level, (missing, err))
            rc, _, more = devices.setup(level, "attest", *to, "--output", token, tpm=tpm)
            with open(token, encoding="ascii") as f:
                parts = [p[:16] for p in f.read().strip().split(".") if p]
            ok(rc == 0 and "# attest: accepted" in more and parts and
               not [f for f in [f.decode() for f in forms] + parts if f in err + more] and "Bearer" not in err + more,
               "neither the secret nor the token is in it", err + more)
            rc, _, err = devices.setup("attest", *to[:2], "--pin", "00" * 32, level, tpm=tpm)
            ok(rc == 8 and "not known by its pin" in err, "attest %s: a server that is another" % level, err)
        rc, _, err = devices.setup("attest", *to, tpm=tpm)
        ok(rc == 0 and not err, "without them nothing is said", err)
        os.unlink(known)
    b.reload()
    b.secret(PATH, b"correct horse")


def tool(b, key):
    """What an administrator sees, and which exit code tells what went wrong."""
    b.policy(POLICY.replace("phase: unknown", "phase: initrd"))
    load(b, key, 1, 1)
    rc, out = b.admin("explain", b.evidence(key), check=False)
    ok(rc == 7 and "policy web: does NOT hold" in out and re.search("^  FAILED  phase .*expected", out, re.M),
       "explain: a policy that does not hold, and where", (rc, out))
    with open(b.evidence(key)) as f:
        said = json.load(f)
    for where, name, value in (("", "tee", "x"), ("", "tee", None), ("runtime-data", "nonce", 1), ("runtime-data", "tee-pubkey", "x"),
                               ("runtime-data", "tee-pubkey", None), ("", "runtime-data", "x"), ("tee-evidence", "primary_evidence", None)):
        lacks = json.loads(json.dumps(said))
        part = lacks[where] if where else lacks
        part[name] = value
        if value is None:
            del part[name]
        with open(b.dir + "/evidence", "w") as f:
            json.dump(lacks, f)
        rc, out = b.admin("explain", b.dir + "/evidence", check=False)
        ok(rc == 1 and "is missing" in out, "explain: %s is %s" % (name, value or "not there"), (rc, out))
    b.policy(POLICY)
    load(b, key, 1, 1)
    lines = b.admin("log").splitlines()
    ok(any(re.match(r"\S+Z resource released \S+ [0-9a-f]{8} +" + PATH + "$", x) for x in lines) and
       any(re.match(r"\S+Z admin +done +uid \d+ policy-add web$", x) for x in lines), "log: who got what, who changed what", lines[-6:])
    released = [e for e in b.log() if e.get("result") == "released"][-1]
    ok(released.get("policy-hash") == hashlib.sha256(POLICY.encode()).hexdigest(),
       "log: the hash of the policy that decided", released)
    accepted = [e for e in b.log() if e["event"] == "attest" and e["result"] == "accepted"][-1]
    ok(accepted.get("policies") == {"web": released.get("policy-hash")}, "log: and of those that hold", accepted)
    b.admin("policy", "remove", "nosuch", check=False)
    began, ended = b.log()[-2:]
    ok((began["result"], ended["result"]) == ("begun", "failed") and "no nosuch" in ended["why"],
       "log: an order that failed, and why", (began, ended))
    with open(b.dir + "/odd.yaml", "w") as f:
        f.write("name: open\nsecrets: a/b/c\nrequire: {tee: snp}\n")
    b.admin("policy", "add", b.dir + "/odd.yaml", check=False)
    last = b.log()[-1]
    ok(last["result"] == "failed" and last["do"] == "policy-add" and "pins the image" in last["why"],
       "log: a policy that was not taken", last)
    b.reload()
    last = b.log()[-1]
    ok((last["event"], last.get("do"), last.get("result")) == ("daemon", "reload", "done"), "log: a reload", last)
    ok(any(e["event"] == "daemon" and e["do"] == "start" for e in b.log()), "log: the daemon's start")
    at = max([i for i, x in enumerate(lines) if x.endswith(" tpm: no policy holds")] or [-1])
    ok(" attest   refused " in lines[at] and lines[at + 1:at + 2] == ["    web: phase: expected [\"initrd\"], found unknown"],
       "log: and who did not, and why", lines[at:])
    os.rename(b.known, b.dir + "/load.der")
    b.reload()
    # (a guest tries again for two minutes)
    guest = subprocess.Popen([LOAD, "run", key, "https://localhost:%d" % b.port, b.ca, PATH, "1", "1"], start_new_session=True,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while "failed" not in b.log()[-1] and guest.poll() is None:
        pass
    os.killpg(guest.pid, 9)
    guest.wait()
    rc, out = b.admin("explain", b.evidence(key), check=False)
    ok(rc == 7 and "FAILED  ak " in out and "the evidence was refused: ak: found " in out and
       "no policy holds" not in out, "explain: a TPM that nobody knows", (rc, out))
    os.rename(b.dir + "/load.der", b.known)
    b.reload()
    lines = b.admin("log").splitlines()
    ok(any(re.match(r"\S+Z attest   refused .* tpm: ", x) and y.startswith("    ak: expected ") for x, y in zip(lines, lines[1:])),
       "log: and which check has failed", lines[-6:])
    rc, out = b.admin("explain", b.evidence(key), check=False)
    ok(rc == 0 and "policy web: holds" in out and "FAILED" not in out, "explain: one that is known", (rc, out))
    without_nonce(b, key)
    with open(b.evidence(key)) as f:
        said = json.load(f)
    said["tee-evidence"]["primary_evidence"]["manifest"] = "a.b"
    del said["tee-evidence"]["additional_evidence"]
    with open(b.dir + "/evidence", "w") as f:
        json.dump(said, f)
    rc, out = b.admin("explain", b.dir + "/evidence", check=False)
    ok(rc == 0 and re.search("^note: .*no signer$", out, re.M), "explain: a manifest that is none is a note", (rc, out))
    rc, out = b.admin("explain", b.dir + "/nosuch", check=False)
    ok(rc == 4 and "nosuch: No such file" in out, "explain: no such file", (rc, out))
    good = [b.admin(*w, "--json") for w in (("policy", "list"), ("secret", "list"), ("secret", "reseal"), ("log", "verify"),
                                            ("policy", "add", b.dir + "/policy.yaml"), ("explain", b.evidence(key)))]
    ok(all(json.loads(x) for x in good), "the same as JSON")
    with open(b.dir + "/two.yaml", "w") as f:
        f.write(POLICY + "---\n" + POLICY.replace("name: web", "name: other"))
    with open(b.dir + "/list", "w") as f:
        f.write("[]")
    with open(b.dir + "/zero.yaml", "w") as f:
        f.write(POLICY + "\0")
    for code, said, words in (
            (4, "there is no nosuch", ("policy", "remove", "nosuch")),
            (4, "there is no a/b/nosuch", ("secret", "remove", "a/b/nosuch")),
            (4, "No such file", ("policy", "add", b.dir + "/nosuch")),
            (1, "one policy at a time", ("policy", "add", b.dir + "/two.yaml")),
            (1, "zero byte", ("policy", "add", b.dir + "/zero.yaml")),
            (1, "is not REPO/TYPE/TAG", ("secret", "put", "x", b.dir + "/policy.yaml")),
            (1, "line 1", ("explain", b.dir + "/policy.yaml")),
            (1, "no object", ("explain", b.dir + "/list")),
            (1, "explain: too few arguments", ("explain",)),
            (5, "there is a broker already", ("init", "--name", "localhost")),
            (4, "nosuch: No such file", ("restore", b.dir + "/nosuch")),
            (1, "--name HOST", ("renew",)),
            (1, "too few arguments", ("policy", "add")),
            (1, "too many arguments", ("policy", "list", "x")),
            (1, "is not an option", ("policy", "list", "--nosuch")),
            (1, "needs a second word: check, add, list, remove", ("policy",)), (1, "did you mean 'policy list'?", ("policy", "lst")),
            (1, "did you mean 'policy'?", ("polcy", "list")),
            (1, "--name is not an option of policy list", ("policy", "list", "--name", "x")),
            (4, "/nosuch: No such file", ("--conf", "/nosuch", "policy", "list")),
            (1, "the URL has a user name in it", ("trust", "fetch", "--from", "https://u:pw@localhost:1")),
            (0, "usage: ccdm-broker policy list", ("policy", "--json", "list", "--help")), (0, "policy remove", ("policy", "--help")),
            (1, "usage:", ("policy",)), (1, "usage:", ()), (1, "usage:", ("init", "--days", "0")),
            (1, "usage:", ("init", "--days", "1x")), (1, "usage:", ("init", "--days", "36501")),
            (0, "usage:", ("--help",)), (0, "ccdm-broker ", ("--version",))):
        rc, out = b.admin(*words, check=False)
        ok(rc == code and said in out, "ccdm-broker %s: %d, %s" % (" ".join(words).replace(b.dir + "/", ""), code, said), (rc, out))
    for code, words in ((0, ["--help"]), (0, ["--version"]), (1, ["--nosuch"]), (1, ["x"])):
        r = subprocess.run([os.path.join(BIN, "ccdm-brokerd"), *words], capture_output=True, text=True)
        ok(r.returncode == code and "ccdm-brokerd" in r.stdout + r.stderr, "ccdm-brokerd %s: %d" % (words[0], code), r)
    terminal, end = os.openpty()
    r = subprocess.run([BIN + "/ccdm-broker", "--config", b.conf, "secret", "put", PATH], stdin=end, capture_output=True, text=True)
    os.close(terminal)
    os.close(end)
    ok(r.returncode == 1 and "is not typed" in r.stderr, "secret put: not from a terminal, which would show it", r)
    b.secret("default/web/other", b"x")
    b.admin("secret", "remove", "default/web/other")
    ok("default/web/other" not in b.admin("secret", "list"), "secret remove")


def platform(b, key):
    """A TD, judged with the collateral of its platform among others'; what its policy says of it."""
    with open(b.evidence(key)) as f:
        said = json.load(f)
    said["tee"], said["tee-evidence"] = "tdx", {"primary_evidence": {}, "additional_evidence": ""}
    bound = json.dumps({"additional-evidence": "", "nonce": said["runtime-data"]["nonce"],
                        "tee-pubkey": said["runtime-data"]["tee-pubkey"]}, sort_keys=True, separators=(",", ":"))
    data = hashlib.sha384(bound.encode()).digest() + bytes(16)
    trust, other, path = b.dir + "/trust", b.dir + "/other-trust", b.dir + "/evidence"

    def explains(quote):
        said["tee-evidence"]["primary_evidence"]["quote"] = base64.b64encode(quote).decode()
        with open(path, "w") as f:
            json.dump(said, f)
        return b.admin("explain", path, check=False)
    os.mkdir(other)
    with Signer("tdx", b.dir + "/tee1", trust) as s, Signer("tdx", b.dir + "/tee2", other) as of_others:
        # (what has another platform's name is never looked at, good or bad)
        shutil.copy(other + "/collateral/0a0b0c0d0e0f.json", trust + "/collateral/0a0b0c0d0e0e.json")
        b.reload()
        out = b.policy("name: td\nsecrets: default/td/*\n"
                       "require: {tee: tdx, measurement: %s, binding: none, phase: unknown, identity: any}\n" % ("5a" * 48))
        ok("no condition says" not in out, "a policy that names an image: no warning", out)
        for one, word, code, texts in (
                (s, "", 0, ("policy td: holds", "policy web: does NOT hold")),
                (s, "debug", 7, ("allowed debug", "policy td: does NOT hold")),
                (s, "forged", 7, ("FAILED  signature", "refused")),
                (of_others, "", 7, ("FAILED  pck-root", "refused"))):
            one.vm("5a" * 48, word)
            rc, out = explains(one.report(data)[0])
            ok(rc == code and all(t in out for t in texts), "explain: a TD%s: %s" %
               (" of other roots" if one is of_others else " " + word if word else "", texts[0]), (rc, out))
        s.vm("a5" * 48)
        rc, out = explains(s.report(data)[0])
        ok(rc == 7 and re.search("FAILED  measurement", out) and "no policy holds" in out and
           "was refused" not in out, "explain: another image", (rc, out))
        s.vm("5a" * 48)
        rc, out = explains(s.report(bytes(64))[0])
        ok(rc == 7 and "the evidence was refused: report-data: found " in out, "explain: a quote for another key", (rc, out))
        os.unlink(trust + "/collateral/0a0b0c0d0e0f.json")
        b.reload()
        rc, out = explains(s.report(data)[0])
        ok(rc == 7 and "refused" in out, "explain: without the platform's collateral", (rc, out))
    b.admin("policy", "remove", "td")
    for name in "collateral/0a0b0c0d0e0e.json", "roots/intel.pem":
        os.unlink(os.path.join(trust, name))
    b.reload()


def backup(b, key):
    """All of it in a file, taken while guests come, and back in another place."""
    b.policy(POLICY)
    copy = os.path.join(b.dir, "copy")
    out = b.admin("backup", copy)
    ok("lines of the audit log" in out and stat.S_IMODE(os.stat(copy).st_mode) == 0o600, "backup of a running broker", out)
    with open(copy, "rb") as f:
        ok(b"correct horse" not in f.read(), "no secret in it")
    rc, out = b.admin("backup", copy, check=False)
    ok(rc == 5 and "is there already" in out, "backup: never over a file that is there", out)
    rc, out = b.admin("restore", copy, check=False)
    ok(rc == 5 and "the broker runs" in out, "restore: not under a running broker", out)
    b.stop()
    rc, out = b.admin("restore", copy, check=False)
    ok(rc == 5 and "already" in out, "restore: never over a state that is there", out)
    state = os.path.join(b.dir, "state")
    os.rename(state, state + ".lost")
    os.mkdir(state, 0o700)
    with open(copy, "rb") as f:
        whole = f.read()
    for what, data in (("half of it", whole[:len(whole) // 2]), ("another file", b"x" * 8192),
                       ("one digit of the log", whole.replace(b'"prev":"0000', b'"prev":"0001', 1))):
        with open(copy, "wb") as f:
            f.write(data)
        rc, out = b.admin("restore", copy, check=False)
        ok(rc and os.listdir(state) == ["audit.log"], "restore of %s: refused, and nothing is left but a line" % what, out)
    with open(copy, "wb") as f:
        f.write(whole)
    out = b.admin("restore", copy)
    ok("restored" in out, "restore", out)
    b.start()
    ok("web" in b.admin("policy", "list") and PATH in b.admin("secret", "list"), "policies and secrets are there again")
    out = b.admin("log", "verify")
    ok("each follows" in out, "the log goes on", out)
    said, err = load(b, key, 1, 1)
    ok(said["right"] == 1, "and a guest gets its secret", err)


def files(b, key):
    """What a broker is made of, and is not what it should be: each file is named."""
    b.stop()
    p256, p384, rsa = (subprocess.run(["openssl", "genpkey", "-algorithm", *c], check=True, capture_output=True).stdout
                       for c in (("EC", "-pkeyopt", "ec_paramgen_curve:P-256"), ("EC", "-pkeyopt", "ec_paramgen_curve:P-384"), ("RSA",)))
    database = os.path.join(b.dir, "other.db")
    with sqlite3.connect(database) as db:
        db.execute("PRAGMA user_version = 7")
    with open(database, "rb") as f:
        other = f.read()
    line = b"ab" * 32 + b"\n"
    for what, name, data, said, words in (
            ("five keys", "secrets.key", line * 5, "more than 4 keys", ["--check"]),
            ("no key", "secrets.key", b"\n", "secrets.key: no key in it", ["--check"]),
            ("a key that is none", "secrets.key", line + b"xy\n", "line 2 is not 64 digits", ["--check"]),
            ("a token key on another curve", "token.key", p384, "token.key: no private key on P-256", ["--check"]),
            ("a token key of RSA", "token.key", rsa, "token.key: no private key on P-256", ["--check"]),
            ("a token key that is none", "token.key", b"x", "token.key: no private key on P-256", ["--check"]),
            ("another server's key", "server.key", p256, "server.key: not the key of ", ["--check"]),
            ("a certificate that is none", "server.pem", b"x", "server.pem: no certificate", ["--check"]),
            ("a provider's root that is none", "trust/ak-roots/x.pem", b"x", "x.pem", ["--check"]),
            ("roots of both kinds", "trust/tpm-roots/x.pem", b"x", "expected ak-roots and ek-roots", ["--check"]),
            ("a root that is none", "trust/roots/x.pem", b"x", "x.pem", ["--check"]),
            ("a file of certificates that is empty", "trust/certs/x.pem", b"", "0 bytes are no certificate", ["--check"]),
            ("a database of a later version", "state/broker.db", other, "version 7, not 2", []),
            ("a database that is none", "state/broker.db", b"x" * 8192, "broker.db: ", []),
            ("an audit log that is none", "state/audit.log", b"x\n", "audit.log: line 1", [])):
        path = os.path.join(b.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.exists(path):
            os.rename(path, path + ".away")
        with open(path, "wb") as f:
            f.write(data)
        os.chmod(path, 0o600)
        rc, out = daemon(b, *words)
        os.unlink(path)
        if os.path.exists(path + ".away"):
            os.rename(path + ".away", path)
        ok(rc and said in out, "%s: %s" % (what, said), (rc, out))
    with open(b.conf) as f:
        conf = f.read()
    for what, old, now, said in (
            ("an address of another machine", "listen = 127.0.0.1", "listen = 192.0.2.1", "192.0.2.1, port "),
            ("a socket with too long a name", b.dir + "/admin.sock", b.dir + "/" + "x" * 100, "too long for a socket"),
            ("a socket in no directory", b.dir + "/admin.sock", "/proc/nosuch/admin.sock", "/proc/nosuch/admin.sock: "),
            ("a state in no directory", b.dir + "/state", b.dir + "/nosuch", "nosuch/broker.db: ")):
        with open(b.conf, "w") as f:
            f.write(conf.replace(old, now))
        rc, out = daemon(b)
        ok(rc and said in out, "%s: %s" % (what, said), (rc, out))
        if "too long" in said:
            rc, out = b.admin("policy", "list", check=False)
            ok(rc and said in out, "ccdm-broker says so, too", (rc, out))
        with open(b.conf, "w") as f:
            f.write(conf)
    with open(b.dir + "/state/audit.log") as f:
        log = f.read()
    with open(b.dir + "/state/audit.log", "w") as f:
        f.write(log + "x\n")
    rc, out = b.admin("log", check=False)
    with open(b.dir + "/state/audit.log", "w") as f:
        f.write(log + "x")
    whole, said = b.admin("backup", b.dir + "/torn", check=False)
    with open(b.dir + "/state/audit.log", "w") as f:
        f.write(log)
    # (that there was one is a line, and so is the backup; a head may come between)
    more = int(re.search(r" (\d+) lines of the audit log", said).group(1)) - log.count("\n") if whole == 0 else 0
    ok(more in (2, 3), "backup: half a line is none", (whole, said))
    ok(rc == 1 and "?" in out.splitlines() and "1 lines cannot be read" in out, "log: a line that cannot be read is one", (rc, out))
    os.rename(b.dir + "/state/audit.log", b.dir + "/state/away")
    os.mkdir(b.dir + "/state/audit.log")
    rc, out = b.admin("log", check=False)
    os.rmdir(b.dir + "/state/audit.log")
    os.rename(b.dir + "/state/away", b.dir + "/state/audit.log")
    ok(rc == 4 and "audit.log: Is a directory" in out, "log: a directory in its place", (rc, out))
    os.rename(b.dir + "/state/audit.log", b.dir + "/state/away")
    os.symlink("audit.log", b.dir + "/state/audit.log")
    rc, out = b.admin("backup", b.dir + "/copy2", check=False)
    os.unlink(b.dir + "/state/audit.log")
    none = b.admin("backup", b.dir + "/copy3", check=False)
    os.rename(b.dir + "/state/away", b.dir + "/state/audit.log")
    ok(none[0] == 0 and " 1 lines of the audit log" in none[1], "backup of a state without a log: that it begins is in it", none)
    ok(rc and "audit.log: Too many levels" in out and not os.path.exists(b.dir + "/copy2"), "backup of a log that cannot be read",
       (rc, out))
    os.rename(b.dir + "/state/broker.db", b.dir + "/state/away")
    rc, out = b.admin("backup", b.dir + "/copy2", check=False)
    os.rename(b.dir + "/state/away", b.dir + "/state/broker.db")
    ok(rc == 4 and "broker.db: No such file" in out and not os.path.exists(b.dir + "/copy2"), "backup of no state", (rc, out))
    rc, out = b.admin("log", "verify", b.dir + "/nosuch", check=False)
    ok(rc == 4 and "nosuch: No such file" in out, "log verify of no file", (rc, out))
    key_file = b.dir + "/secrets.key"
    os.rename(key_file, key_file + ".away")
    with open(key_file, "wb") as f:
        f.write(line)
    os.chmod(key_file, 0o600)
    b.start()
    said, err = load(b, key, 1, 1)
    rc, out = b.admin("secret", "reseal", check=False)
    b.stop()
    os.rename(key_file + ".away", key_file)
    ok(rc and PATH + " cannot be opened" in out and not said["right"], "secrets under a key that is lost: no one gets them", (rc, out))
    other = os.path.join(b.dir, "other")
    os.mkdir(other)
    with open(other + "/brokerd.conf", "w") as f:
        f.write(conf.replace(b.dir, other))
    for names, said in (((), "needs a name"), (("a b",), "a b is no host name"), (("",), "is no host name"),
                        (["x" * 250 + str(i) for i in range(16)], "too many names"), (["x"] * 33, "usage:")):
        for verb in ("init", "renew"):
            words = [w for n in names for w in ("--name", n)]
            r = subprocess.run([BIN + "/ccdm-broker", "--config", (other if verb == "init" else b.dir) + "/brokerd.conf", verb, *words],
                               capture_output=True, text=True)
            ok(r.returncode == 1 and said in r.stderr, "%s: %s" % (verb, said), r)
    ok(not os.path.exists(other + "/secrets.key"), "no broker is half made by that")
    with open(other + "/ca.key", "w"):
        pass
    r = subprocess.run([BIN + "/ccdm-broker", "--config", other + "/brokerd.conf", "init", "--name", "x"], capture_output=True, text=True)
    ok(r.returncode == 5 and "ca.key: File exists" in r.stderr and "of another broker?" in r.stderr,
       "init: a key that is there is not replaced", r)
    b.start()


def daemon(b, *words):
    """ccdm-brokerd, which should end."""
    p = subprocess.Popen([BIN + "/ccdm-brokerd", "--config", b.conf, *words], stderr=subprocess.PIPE, text=True)
    try:
        out = p.communicate(timeout=30)[1]
    except subprocess.TimeoutExpired:
        p.kill()
        return 0, p.communicate()[1]
    return p.returncode, out


def answers(b):
    """What ccdm-broker makes of a daemon's answers, and of one that has none."""
    b.stop()
    path = os.path.join(b.dir, "admin.sock")
    for code, exit_code in (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (99, 4):
        rc, out = fake(b, path, b'{"error": "no", "code": %d}\n' % code)
        ok(rc == exit_code and out.startswith("ccdm-broker: no"), "an error with code %d: exit code %d" % (code, exit_code), (rc, out))
    for said in (b"", b"x\n", b'{"a": 1, "a": 2}\n', b"[" * (9 << 20)):
        rc, out = fake(b, path, said)
        ok(rc == 4 and "the broker does not answer" in out, "%r is no answer" % said[:20], (rc, out))
    b.start()


def fake(b, path, said):
    if os.path.exists(path):
        os.unlink(path)
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(path)
        s.listen()
        p = subprocess.Popen([BIN + "/ccdm-broker", "--config", b.conf, "policy", "list"], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True)
        c, _ = s.accept()
        with c:
            while not c.recv(4096).endswith(b"\n"):
                pass
            try:
                c.sendall(said)
            except OSError:  # (it does not read all of a line without end)
                pass
        out = p.communicate(timeout=30)[0]
    return p.returncode, out


def main():
    whole = "--all" in sys.argv[1:]
    tmp = tempfile.mkdtemp(prefix="ccdm-brokerd-")
    if SANITIZE:
        flags = "-O1 -g -fsanitize=" + SANITIZE + (",undefined -fno-sanitize-recover=all" if SANITIZE == "address" else "")
        subprocess.run(["make", "-s", "-j2", "BUILD=build/" + SANITIZE, "CFLAGS=" + flags, "build/%s/bin/ccdm-brokerd" % SANITIZE,
                        "build/%s/bin/ccdm-broker" % SANITIZE], cwd=TOP, check=True, stdout=subprocess.DEVNULL)
    print("KTAP version 1")
    try:
        b = Broker(tmp)
        key = os.path.join(tmp, "ak.key")
        subprocess.run([LOAD, "key", key, os.path.join(tmp, "ak.der")], check=True)
        with open(os.path.join(tmp, "ak.der"), "rb") as f:
            b.known = b.know(f.read())
        with b:
            b.policy(POLICY)
            b.secret(PATH, b"correct horse")
            found = in_memory(b)
            ok(not found, "a secret that was put is nowhere in the daemon's memory, nor is the master key", found)
            many(b, key, whole)
            found = in_memory(b)
            ok(not found, "nor after it was released", found)
            SANITIZE or os.geteuid() or ok(in_memory(b, [b.dir.encode() + b"/secrets.key"]), "control: what is in it is found there")
            b.configure("max_connections = 64\ntimeout = 5")
            b.reload()
            hostile(b, key)
            administration(b, key)
            tool(b, key)
            traced(b)
            platform(b, key)
            backup(b, key)
            verbs(b, ok)
            anonymous(b, ok)

            def one():
                said, err = load(b, key, 1, 1)
                return said["right"], err
            status(b, ok, one)
            files(b, key)
            answers(b)
            out = b.admin("log", "verify")
            ok("each follows" in out, "the audit log: " + out.strip(), out)
            ok("correct horse" not in open(tmp + "/state/audit.log").read() and
               b"correct horse" not in open(tmp + "/state/broker.db", "rb").read(), "no secret in log or database")
            ok(b.daemon.poll() is None, "the daemon lives")
    finally:
        shutil.rmtree(tmp)
    print("1..%d" % len(results))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
