#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""neighbours - peers of one network, of many networks, and behind a load balancer: what each leaves for the others

  tests/run program neighbours

It runs in a network namespace of its own, in which all addresses of 2001:db8::/32 are local.
"""
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(TOP, "tests/lib"))
from harness import LOAD, PATH, POLICY, load, ok, results  # noqa: E402
from anonymous import Peer  # noqa: E402
from strangers import AUTH, Limited, Stranger, challenge, counted, ended, hello, limits, request, status, works  # noqa: E402
from broker import Broker  # noqa: E402

GUEST = "127.0.0.1"
BALANCER = "127.0.0.9"
INSIDE = "CCDM_NEIGHBOURS"


def namespace():
    """Go on in a network namespace. Return: False if that is not possible."""
    if os.environ.get(INSIDE):
        return True
    script = "ip link set lo up && ip -6 route add local 2001:db8::/32 dev lo"
    under = ["unshare", "-rn"] if os.geteuid() else ["unshare", "-n"]
    if subprocess.run([*under, "sh", "-c", script], check=False, capture_output=True).returncode:
        return False
    os.environ[INSIDE] = "1"
    os.execvp(under[0], [*under, "sh", "-c", script + ' && exec "$@"', "sh", sys.executable, os.path.abspath(__file__), *sys.argv[1:]])
    return True


def let_in(b, sources):
    """How many connections from these addresses get an answer of TLS."""
    first, all_ = hello(), []
    for source in sources:
        s = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        s.settimeout(15)
        s.setsockopt(socket.IPPROTO_IPV6, 78, 1)        # IPV6_FREEBIND
        s.bind((source, 0))
        s.connect(("2001:db8:ffff::1", b.port))
        try:
            s.sendall(first)
        except OSError:
            pass
        all_.append(s)
    n = sum(not ended(s) for s in all_)
    for s in all_:
        s.close()
    return n


def networks(b):
    """rate 1, burst 4: 4 for an address, 16 for a network of 64 bits, 64 for one of 48 bits."""
    drop_in = b.conf + ".d/listen.conf"
    os.mkdir(b.conf + ".d")
    with open(drop_in, "w") as f:
        f.write("[server]\nlisten = ::\n")
    b.limit(limits(rate=1, burst=4), "max_connections = 2000")
    begun = time.monotonic()
    n = let_in(b, ["2001:db8:1:1::1"] * 40)
    most = 4 + (time.monotonic() - begun) + 1
    ok(0 < n <= most, "IPv6: of 40 connections of one address, %d get in" % n, most)
    ok(let_in(b, ["2001:db8:1:1::2"]) == 1, "another address of its network of 64 bits has not lost its own ones")
    begun = time.monotonic()
    n = let_in(b, ["2001:db8:2:1::%x" % i for i in range(1, 100)])
    most = 16 + 4 * (time.monotonic() - begun) + 1
    ok(0 < n <= most, "of 99 addresses of one network of 64 bits, %d get in" % n, most)
    begun = time.monotonic()
    n = let_in(b, ["2001:db8:3:%x::1" % i for i in range(300)])
    most = 64 + 16 * (time.monotonic() - begun) + 1
    ok(0 < n <= most, "of 300 networks of 64 bits in one of 48 bits, %d get in" % n, most)
    ok(let_in(b, ["2001:db8:4::1"]) == 1, "and one of another network does")
    os.unlink(drop_in)


def tie(b):
    """8 addresses have a place each in a full queue; a ninth one has none."""
    b.limit(limits(queue=8), "")
    many, one = [Peer(b, "127.0.0.%d" % (10 + i)) for i in range(8)], Peer(b)
    for peer in (*many, one):
        peer.ask("POST", "/kbs/v0/auth", AUTH)
    b.daemon.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, b.daemon.pid, os.WSTOPPED | os.WNOWAIT)
    for peer in (*many, one):
        peer.s.sendall(request(AUTH))
    b.daemon.send_signal(signal.SIGCONT)
    said = [peer.answer()[0] for peer in many]
    ok(one.answer()[0] == 200, "a full queue of 8 addresses with a request each: the ninth one is answered")
    ok(sorted(said) == [200] * 7 + [503], "one of the 8 tries again later", said)
    for peer in (*many, one):
        peer.s.close()


def text(b, other):
    """20 addresses fill the log with refusals; then one is refused that is quiet."""
    b.limit(limits(refusals_size=1), "")
    n, seen = 0, status(b)["log"]["lines"]
    for i in range(20):
        stranger = Stranger(b, other, "127.0.1.%d" % (i + 1))
        for _ in range(150):
            stranger.refused()
            n += 1
        if i > 8 and status(b)["log"]["lines"] - seen < 20:
            break
        seen = status(b)["log"]["lines"]
    only = counted(b, "evidence")
    ok(only > 150, "%d refusals of evidence: the log has no room for %d of them" % (n, only))
    seen = len(b.log())
    ok(Stranger(b, other, GUEST).refused() == 401, "one of a quiet address")
    new = [e for e in b.log()[seen:] if e["event"] == "attest"]
    ok(len(new) == 1 and new[0]["peer"] == GUEST and (new[0].get("failed") or new[0].get("why")), "has its line, and why", new)


# ---- a load balancer ----------------------------------------------------------------------------

def header(source="192.0.2.7", command=0x21, more=b""):
    """PROXY protocol, version 2."""
    if command == 0x20:
        family, body = 0, b""
    elif ":" in source:
        family, body = 0x21, socket.inet_pton(socket.AF_INET6, source) + bytes(15) + b"\1" + struct.pack(">HH", 1234, 443)
    else:
        family, body = 0x11, socket.inet_aton(source) + bytes([127, 0, 0, 1]) + struct.pack(">HH", 1234, 443)
    return b"\r\n\r\n\0\r\nQUIT\n" + struct.pack(">BBH", command, family, len(body + more)) + body + more


class Balanced(Peer):
    """A connection whose first bytes are a header. slow: one byte at a time."""

    def __init__(self, b, head, source=BALANCER, slow=False):
        import ssl
        raw = socket.create_connection(("127.0.0.1", b.port), 10, (source, 0))
        for part in ([bytes([x]) for x in head] if slow else [head]):
            raw.sendall(part)
            if slow:
                time.sleep(0.002)
        self.s = ssl.create_default_context(cafile=b.ca).wrap_socket(raw, server_hostname="localhost")


def opened(b, *args, **kw):
    try:
        peer = Balanced(b, *args, **kw)
    except OSError:
        return False
    said = works(peer)
    peer.s.close()
    return said


def peers(b, seen):
    return [e["peer"] for e in b.log()[seen:] if e["event"] == "attest"]


def refuse(b, peer):
    """An unreadable message with a nonce: it has a line in the log."""
    _, cookie = challenge(peer)
    peer.ask("POST", "/kbs/v0/attest", b"{}", cookie)
    peer.s.close()


def balancer(b):
    b.limit(limits(), "")
    ok(not opened(b, header()), "PROXY header: off unless an address is listed")
    b.limit(limits(rate=1, burst=5), "proxies = %s 2001:db8:9::/64" % BALANCER)
    seen = len(b.log())
    refuse(b, Balanced(b, header()))
    refuse(b, Balanced(b, header("2001:db8:5::7", more=b"\4\0\1x"), slow=True))
    ok(peers(b, seen) == ["192.0.2.7", "2001:db8:5::7"], "the log has the addresses of the guests, not the load balancer's", peers(b, seen))
    ok(not opened(b, header(), source="127.0.0.8"), "from an address that is not listed it is refused")
    ok(opened(b, header(command=0x20)), "a question of the load balancer itself is answered")
    n = sum(opened(b, header("192.0.2.8")) for _ in range(40))
    ok(5 <= n < 20, "of 40 connections of one guest behind it, %d get in" % n)
    ok(all(opened(b, header("198.51.100.%d" % i)) for i in range(1, 40)), "39 other guests behind it do")
    ok(works(Peer(b)), "a guest that comes directly needs no header")
    before = counted(b, "proxy")
    bad = {"none": hello(), "version 1": b"PROXY TCP4 192.0.2.7 127.0.0.1 1234 443\r\n", "UDP": header()[:13] + b"\x12" + header()[14:],
           "no address": header()[:13] + b"\0" + header()[14:], "too long": header(more=bytes(1000)),
           "65,535 bytes": header(more=bytes(65523)),
           "too short": header()[:14] + b"\0\4" + bytes(4)}
    wrong = [name for name, head in bad.items() if opened(b, head)]
    ok(not wrong and counted(b, "proxy") == before + len(bad), "%d kinds of false headers are refused, and counted" % len(bad),
       (wrong, status(b)["refusals"]))
    # the header never comes: the time limit of the handshake holds
    b.limit(limits(handshake=1), "timeout = 60\nproxies = %s\nmax_connections = 8" % BALANCER)
    begun, quiet = time.monotonic(), socket.create_connection(("127.0.0.1", b.port), 15, (BALANCER, 0))
    quiet.sendall(header()[:10])
    ok(ended(quiet), "a header that never ends: its connection does, after 1 s (%.1f s)" % (time.monotonic() - begun))
    # 20 connections without a header have no more room than those of one address
    held = [socket.create_connection(("127.0.0.1", b.port), 15, (BALANCER, 0)) for _ in range(20)]
    ok(opened(b, header("192.0.2.99")) and works(Peer(b)), "20 connections of it without a header keep out nobody")
    for s in held:
        s.close()
    rc, out = b.admin("--config", "/dev/stdin", "status", stdin=b"[server]\nproxies = 192.0.2.1/24\n", check=False)
    ok(rc == 1 and "proxies: 192.0.2.1: expected zeros after 24 bits" in out, "a list that is not exact is refused", (rc, out))


# ---- the end, the disk, and open files ------------------------------------------------------------

def end(b):
    """Requests that wait when the daemon ends."""
    b.limit(limits(queue=1000), "")
    many = [Peer(b, "127.0.0.%d" % (10 + i % 5)) for i in range(50)]
    for peer in many:
        peer.ask("POST", "/kbs/v0/auth", AUTH)
    b.daemon.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, b.daemon.pid, os.WSTOPPED | os.WNOWAIT)
    for peer in many:
        peer.s.sendall(request(AUTH))
    b.daemon.send_signal(signal.SIGTERM)
    begun = time.monotonic()
    b.daemon.send_signal(signal.SIGCONT)
    said = []
    for peer in many:
        try:
            said.append(peer.answer()[:2])
        except OSError:
            said.append((0, ""))
        peer.s.close()
    code, took = b.daemon.wait(20), time.monotonic() - begun
    b.daemon = None
    ok(all(s in (200, 503) for s, _ in said) and any(s == 503 for s, _ in said),
       "50 requests wait when the daemon ends: each has an answer, 503 for %d" % sum(s == 503 for s, _ in said), sorted(s for s, _ in said))
    ok(all("retry-after:" in head.lower() for s, head in said if s == 503), "and it says when to try again", said[-1])
    ok(not code and took < 10, "the daemon ends soon (%.1f s)" % took, code)
    # a peer that takes nothing does not delay it for long
    b.start()
    held = [Peer(b, "127.0.0.10") for _ in range(5)]
    begun = time.monotonic()
    b.stop()
    ok(time.monotonic() - begun < 10, "connections without a request do not delay the end")
    for peer in held:
        peer.s.close()
    b.start()


def files(tmp):
    b = Broker(os.path.join(tmp, "files"), server="max_connections = 4000", under=["prlimit", "--nofile=400:400"], limits=limits())
    with b:
        with open(b.log_path) as f:
            said = f.read()
        ok("warning: max_connections: 4000 connections need more open files" in said and "accepting 272" in said,
           "400 open files for 4,000 connections: the daemon says how many it accepts", said)
        held = [socket.create_connection(("127.0.0.1", b.port), 15, ("127.0.0.2", 0)) for _ in range(500)]
        ok(works(Peer(b)), "500 connections: another address can open one")
        said = status(b)["connections"]
        ok(said["evicted"] >= 500 - 272, "status counts those that made room", said)
        out = b.admin("status")
        ok("evicted %d" % said["evicted"] in out, "also for a person", out)
        for s in held:
            s.close()


def full(tmp, key, known):
    """A disk without room: the guest is told to try again, and then gets its secret."""
    if subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "t", "/mnt"], check=False, capture_output=True).returncode:
        ok(True, "a full disk # SKIP cannot mount a file system")
        return
    path = os.path.join(tmp, "full")
    b = Broker(path, under=["unshare", "-rm", "sh", "-c", "mount -t tmpfs -o size=4m,mode=0700 t %s/state && exec \"$@\"" % path, "sh"],
               limits=limits())
    b.know(known)
    with b:
        b.policy(POLICY)
        b.secret(PATH, b"correct horse")
        state = "/proc/%d/root%s/state/" % (b.daemon.pid, path)
        ballast = state + "ballast"
        try:
            with open(ballast, "wb", buffering=0) as f:
                while f.write(bytes(4096)):
                    pass
        except PermissionError:
            ok(True, "a full disk # SKIP cannot write to the daemon's file system")
            return
        except OSError:
            pass
        guest = subprocess.Popen([LOAD, "run", key, "https://localhost:%d" % b.port, b.ca, PATH, "1", "1"], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True)
        time.sleep(3)
        ok(guest.poll() is None, "a full disk: the guest does not give up", guest.poll())
        ok(any("nearly full" in w for w in status(b)["warnings"]), "status warns of the disk")
        os.unlink(ballast)
        said, err = guest.communicate(timeout=120)
        ok(json.loads(said)["right"] == 1, "there is room again: it gets its secret", (said, err))
        with open(state + "audit.log") as f:
            released = [e for e in map(json.loads, f) if e["event"] == "resource"]
        ok([e["result"] for e in released] == ["released"], "the log has one release", released)
        ok("hash chain valid" in b.admin("log", "verify", state + "audit.log"), "and is valid")
        said, err = load(b, key, 1, 1)
        ok(said["right"] == 1, "and the next guest is served", err)


def main():
    print("KTAP version 1")
    if not namespace():
        print("1..0 # SKIP cannot make a network namespace")
        return 0
    tmp = tempfile.mkdtemp(prefix="ccdm-neighbours-")
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
            tie(b)
            balancer(b)
            networks(b)
            text(b, other)
            end(b)
            ok(b.daemon.poll() is None, "the daemon still runs")
            ok("hash chain valid" in b.admin("log", "verify"), "the audit log is valid")
        files(tmp)
        full(tmp, key, known)
    finally:
        shutil.rmtree(tmp)
    print("1..%d" % len(results))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
