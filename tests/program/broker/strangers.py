#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""strangers - peers that have proved nothing: they keep out nobody else, and do not fill the disk

  tests/run program strangers

The attacker is 127.0.0.2. While it attacks, a guest at 127.0.0.1 gets its secret.
"""
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(TOP, "tests/lib"))
from harness import LOAD, PATH, POLICY, load, ok, results  # noqa: E402
from anonymous import Peer  # noqa: E402
from broker import Broker  # noqa: E402

STRANGER, GUEST = "127.0.0.2", "127.0.0.1"
AUTH = b'{"version": "0.4.0", "tee": "tpm", "extra-params": ""}'
# no limit but the one that a test is about
FREE = {"rate": 1000000, "burst": 1000000, "refusals": 1000000, "refusals_size": 1 << 20}


def limits(**kw):
    return "\n".join("%s = %d" % x for x in {**FREE, **kw}.items())


def status(b):
    return json.loads(b.admin("status", "--json"))


def counted(b, why):
    return status(b)["refusals"].get(why, 0)


def cpu(b):
    """Seconds of CPU time of the daemon."""
    with open("/proc/%d/schedstat" % b.daemon.pid) as f:
        return int(f.read().split()[0]) / 1e9


def connect(b, source=STRANGER):
    return socket.create_connection(("127.0.0.1", b.port), 15, (source, 0))


def ended(s):
    """True if the server has closed the connection; waits for its next byte or the end."""
    try:
        return not s.recv(1)
    except TimeoutError:
        return False
    except OSError:
        return True


def served(b, key, what):
    """A guest at another address gets its secret, without a second try."""
    begun = time.monotonic()
    said, err = load(b, key, 3, 1)
    ok(said["right"] == 3 and not err, "%s: a guest of another address gets its secret (%.1f s)" %
       (what, time.monotonic() - begun), err)


def works(peer):
    """True if a connection gets an answer."""
    try:
        return peer.ask("POST", "/kbs/v0/auth", AUTH)[0] == 200
    except OSError:
        return False


def opens(b):
    """True if a peer of another address can open a connection and gets an answer."""
    try:
        peer = Peer(b)
    except OSError:
        return False
    said = works(peer)
    peer.s.close()
    return said


def challenge(peer):
    """Return: the nonce, and the cookie as a header."""
    status_, head, body = peer.said("POST", "/kbs/v0/auth", AUTH)
    if status_ != 200:
        raise OSError("no nonce: %d" % status_)
    cookie = [x.split(":", 1)[1].split(";")[0].strip() for x in head.split("\r\n") if x.lower().startswith("set-cookie:")][0]
    return json.loads(body)["nonce"], "Cookie: %s\r\n" % cookie


class Stranger:
    """A peer with a quote of a TPM that nobody knows, for a nonce that is not the broker's."""

    def __init__(self, b, key, source=STRANGER):
        self.b, self.source, self.peer = b, source, None
        with open(b.evidence(key), encoding="ascii") as f:
            self.evidence = json.load(f)
        self.nonce, self.cookie = None, None

    def refused(self, anew=True):
        """Send the quote. anew: ask for a nonce first. Return: the status"""
        for last in (False, True):
            try:
                self.peer = self.peer or Peer(self.b, self.source)
                if anew or not self.nonce:
                    self.nonce, self.cookie = challenge(self.peer)
                body = {"runtime-data": {**self.evidence["runtime-data"], "nonce": self.nonce},
                        "tee-evidence": self.evidence["tee-evidence"]}
                return self.peer.ask("POST", "/kbs/v0/attest", json.dumps(body).encode(), self.cookie)[0]
            except OSError:         # the time limit of a connection
                self.peer = None
                if last:
                    raise
        return 0


def idle(b, key):
    b.limit(limits(), "max_connections = 512")
    early = Peer(b)
    ok(works(early), "520 idle connections: a guest has a connection before")
    held = [connect(b) for _ in range(520)]
    ok(opens(b), "520 idle connections: another address can open one at once")
    ok(works(early), "and the earlier connection still works")
    early.s.close()
    served(b, key, "520 idle connections")
    ok(ended(held[0]), "the oldest of the 520 made room")
    held[-1].setblocking(False)
    try:
        young = bool(held[-1].recv(1))
    except BlockingIOError:
        young = True
    except OSError:
        young = False
    ok(young, "the newest did not")
    for s in held:
        s.close()
    ok(counted(b, "connections") >= 8, "status counts them", status(b)["refusals"])


def hello():
    """The first message of TLS."""
    said = ssl.MemoryBIO()
    try:
        ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), said, server_hostname="localhost").do_handshake()
    except ssl.SSLWantReadError:
        pass
    return said.read()


def rate(b, key):
    b.limit("", "")        # the defaults
    first, all_ = hello(), []
    ok(opens(b), "a flood of new connections: the guest's address is new")
    begun, before = time.monotonic(), cpu(b)
    for _ in range(600):
        s = connect(b)
        try:
            s.sendall(first)
        except OSError:
            pass
        all_.append(s)
    answered = sum(not ended(s) for s in all_)
    took, spent = time.monotonic() - begun, cpu(b) - before
    most = 60 + 20 * took + 1
    ok(0 < answered <= most, "%d of 600 get an answer of TLS in %.1f s, at most %d" % (answered, took, most))
    for s in all_:
        s.close()
    # connections beyond the allowance; the daemon accepts one more only after it has seen them all
    before, held = cpu(b), [connect(b) for _ in range(300)]
    ok(opens(b), "and another address opens one")
    refused = (cpu(b) - before) / 300
    print("# CPU: %.0f µs for each of the 600, %.0f µs for each of 300 more" % (spent / 600 * 1e6, refused * 1e6))
    for s in held:
        s.close()
    served(b, key, "a flood of new connections")
    ok(counted(b, "rate") >= 600 - most, "status counts them", status(b)["refusals"])


def handshake(b):
    b.limit(limits(handshake=1), "timeout = 60")
    quiet = connect(b)
    up = Peer(b, STRANGER)
    begun = time.monotonic()
    quiet.settimeout(20)
    ok(ended(quiet), "a connection that never begins TLS ends after 1 s, not after 60 (%.1f s)" % (time.monotonic() - begun))
    ok(works(up), "one with TLS lives on")
    up.s.close()
    quiet.close()
    ok(counted(b, "late") == 1, "status counts it", status(b)["refusals"])


def request(body):
    return b"POST /kbs/v0/auth HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def at_once(b):
    """100 requests of a stranger, then one of another address, which all are there before the first answer."""
    many, one = [Peer(b, STRANGER) for _ in range(100)], Peer(b)
    for peer in (*many, one):
        peer.ask("POST", "/kbs/v0/auth", AUTH)      # so no handshake is under way
    b.daemon.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, b.daemon.pid, os.WSTOPPED | os.WNOWAIT)
    for peer in (*many, one):
        peer.s.sendall(request(AUTH))
    b.daemon.send_signal(signal.SIGCONT)
    return many, one


def queue(b):
    b.limit(limits(queue=8), "", "-v")
    many, one = at_once(b)
    said = [peer.answer() for peer in many]
    mine = one.answer()
    for peer in (*many, one):
        peer.s.close()
    busy = [head for status_, head, _ in said if status_ == 503]
    ok(mine[0] == 200, "100 requests at once for 8 places: that of another address is answered", mine)
    ok(0 < len(busy) < 100 and len(busy) + sum(s == 200 for s, *_ in said) == 100,
       "of the 100, %d are answered with 503" % len(busy), sorted(s for s, *_ in said))
    ok(all("retry-after:" in head.lower() for head in busy), "which says when to try again", busy[:1])
    ok(counted(b, "busy") == len(busy), "status counts them", status(b)["refusals"])
    # there is room for all, and the addresses take turns
    b.limit(limits(queue=1000), "", "-v")
    many, one = at_once(b)
    ok(one.answer()[0] == 200 and all(peer.answer()[0] == 200 for peer in many), "with 1,000 places all are answered")
    for peer in (*many, one):
        peer.s.close()
    with open(b.log_path) as f:
        order = [line.split()[2].rstrip(":") for line in f if " request: " in line][-101:]
    place = order.index(GUEST) + 1 if GUEST in order else 0
    ok(0 < place < 20, "the address with one request is not the last one (%d. of %d)" % (place, len(order)))


def quotes(b, key, other):
    b.limit("rate = 1000000\nburst = 1000000", "")      # the defaults for the log
    lines, begun, before = status(b)["log"]["lines"], time.monotonic(), cpu(b)
    stranger = Stranger(b, other)
    said = [stranger.refused() for _ in range(300)]
    each = (cpu(b) - before) / 300
    ok(set(said) == {401}, "300 quotes that fit nothing are refused", set(said))
    print("# CPU: %.0f µs for a nonce and a refused quote" % (each * 1e6))
    # 10 lines a minute, and each may have a line with counts before it
    grown, most = status(b)["log"]["lines"] - lines, 2 * (11 + 10 * (time.monotonic() - begun) / 60) + 3
    ok(0 < grown <= most, "the log has %d lines more, at most %d" % (grown, most))
    ok(counted(b, "evidence") >= 300 - most, "status counts the others", status(b)["refusals"])
    seen = len(b.log())
    ok(Stranger(b, other, GUEST).refused() == 401, "a quote of another address is refused")
    new = [e for e in b.log()[seen:] if e["event"] == "attest"]
    ok(len(new) == 1 and new[0]["peer"] == GUEST and new[0]["failed"], "and that has its line, with the reason", new)
    served(b, key, "quotes that fit nothing")


def cookie(b, key, other):
    b.limit(limits(), "")
    stranger = Stranger(b, other)
    stranger.refused()
    lines, before = status(b)["log"]["lines"], cpu(b)
    said = [stranger.refused(anew=False) for _ in range(100)]
    each = (cpu(b) - before) / 100
    ok(set(said) == {401}, "100 refusals on one cookie", set(said))
    print("# CPU: %.0f µs for each" % (each * 1e6))
    ok(status(b)["log"]["lines"] <= lines + 1, "the log does not have them one by one", status(b)["log"]["lines"] - lines)
    ok(counted(b, "nonce") == 100, "status counts them", status(b)["refusals"])
    ok(stranger.refused() == 401 and counted(b, "nonce") == 100, "a new nonce is looked at again", status(b)["refusals"])
    served(b, key, "100 refusals on one cookie")


def disk(tmp, key, known, other):
    """A disk with little room, for a broker that writes each refusal."""
    if subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "t", "/mnt"], check=False, capture_output=True).returncode:
        print("ok %d a full disk # SKIP cannot mount a file system" % (len(results) + 1))
        results.append(True)
        return
    path = os.path.join(tmp, "small")
    mount = "mount -t tmpfs -o size=16m,mode=0700 t %s/state && head -c %d /dev/zero >%s/state/ballast && exec \"$@\"" % (
        path, (16 << 20) - (2 << 20) - (600 << 10), path)
    b = Broker(path, under=["unshare", "-rm", "sh", "-c", mount, "sh"], limits=limits())
    b.know(known)
    with b:
        b.policy(POLICY)
        b.secret(PATH, b"correct horse")
        stranger, same, n, lines = Stranger(b, other), 0, 0, 0
        while same < 20 and n < 6000:       # until the log grows no more
            stranger.refused()
            n += 1
            now = status(b)["log"]["lines"] if n % 20 == 0 else lines + 1
            same = same + 20 if now == lines else 0
            lines = now if n % 20 == 0 else lines
        ok(same, "a full disk by refusals: after %d of them the log grows no more" % n)
        served(b, key, "a full disk by refusals")
        ok(any("nearly full" in w for w in status(b)["warnings"]), "status warns of the disk", status(b)["warnings"])
        ok(counted(b, "evidence") > 0, "and counts the refusals", status(b)["refusals"])


class Limited(Broker):
    def limit(self, limits_, server, *words):
        """Start again with these settings."""
        self.stop()
        self.limits = limits_
        self.configure(server)
        self.start(*words)


def main():
    tmp = tempfile.mkdtemp(prefix="ccdm-strangers-")
    print("KTAP version 1")
    try:
        key, other = os.path.join(tmp, "ak.key"), os.path.join(tmp, "other.key")
        for name in (key, other):
            subprocess.run([LOAD, "key", name, name + ".der"], check=True)
        with open(key + ".der", "rb") as f:
            known = f.read()
        b = Limited(os.path.join(tmp, "broker"), limits=limits())
        b.know(known)
        with b:
            b.policy(POLICY)
            b.secret(PATH, b"correct horse")
            served(b, key, "control")
            idle(b, key)
            rate(b, key)
            handshake(b)
            queue(b)
            quotes(b, key, other)
            cookie(b, key, other)
            ok(b.daemon.poll() is None, "the daemon still runs")
            ok("hash chain valid" in b.admin("log", "verify"), "the audit log is valid")
        disk(tmp, key, known, other)
    finally:
        shutil.rmtree(tmp)
    print("1..%d" % len(results))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
