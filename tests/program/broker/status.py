# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""status - ccdm-broker status shows the true state"""
import contextlib
import hashlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import time

from broker import BIN
from anonymous import Peer, plain


def sql(b, text):
    """The first row. (Close the database: an open one keeps its write-ahead log.)"""
    with contextlib.closing(sqlite3.connect(os.path.join(b.dir, "state/broker.db"), timeout=10)) as db, db:
        return list(db.execute(text).fetchone() or ())


def notified(b, ok):
    """What the daemon tells systemd."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(os.path.join(b.dir, "notify"))
        s.settimeout(30)
        os.environ.update(NOTIFY_SOCKET=os.path.join(b.dir, "notify"), WATCHDOG_USEC="100000")
        b.stop()
        b.start()
        said = [s.recv(100) for _ in range(3)]
        ok(said == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"], "the daemon tells systemd that it is ready, and that it runs", said)
        b.daemon.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, b.daemon.pid, os.WSTOPPED | os.WNOWAIT)
        s.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while s.recv(100):
                pass
        s.settimeout(0.5)
        try:
            said = s.recv(100)
        except TimeoutError:
            said = b""
        ok(not said, "one that is stopped does not", said)
        b.daemon.send_signal(signal.SIGCONT)
        s.settimeout(30)
        os.environ["WATCHDOG_PID"] = "1"
        b.stop()
        b.start()
        said = []
        while b"READY=1" not in said:
            said.append(s.recv(100))
        b.stop()
        said = s.recv(100)
        ok(said == b"STOPPING=1", "it sends nothing for another process's watchdog, and says that it stops", said)
        for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"):
            del os.environ[name]
        b.start()


def status(b, ok, load):
    notified(b, ok)

    def said():
        return json.loads(b.admin("status", "--json"))
    b.stop()
    rc, out = b.admin("status", check=False)
    ok(rc == 8 and "check that ccdm-brokerd runs" in out, "status: no daemon", (rc, out))
    b.start()
    s, log = said(), os.path.join(b.dir, "state/audit.log")
    ok(set(s) == {"version", "started", "policies", "secrets", "database", "log", "reload", "refusals", "connections", "rows-refused",
                  "trust", "warnings"},
       "status --json: its members", s)
    version = subprocess.run([BIN + "/ccdm-brokerd", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    ok(s["version"] == version and s["started"] == [e for e in b.log() if e.get("do") == "start"][-1]["time"],
       "status: version, and since when", s)
    ok(s["policies"] == len(json.loads(b.admin("policy", "list", "--json"))["policies"]) and
       s["secrets"] == len(json.loads(b.admin("secret", "list", "--json"))["secrets"]) and s["secrets"] > 0, "status: policies and secrets",
       s)
    ok([s["database"]["schema"]] == sql(b, "PRAGMA user_version"), "status: the schema of the database", s)
    with open(log, "rb") as f:
        lines = f.read().splitlines()
    ok(s["log"] == {"lines": len(lines), "head": hashlib.sha256(lines[-1]).hexdigest()}, "status: length and head of the log", s)
    ok(s["reload"] is None and s["refusals"] == {} and s["connections"] == {"evicted": 0, "late": 0} and
       s["rows-refused"] == 0 and s["warnings"] == [], "status: nothing else happened yet",
       s)
    trust = os.path.join(b.dir, "trust")
    for name in "ak-roots/x.usage", "certs/.hidden":
        with open(os.path.join(trust, name), "w"):
            pass
    s = said()
    names = ("roots", "ak-roots", "ek-roots", "certs", "tpm-keys", "vcek", "collateral")
    ok(s["trust"] == {d: len([f for f in os.listdir(os.path.join(trust, d)) if not f.startswith(".") and not f.endswith(".usage")])
                      if os.path.isdir(os.path.join(trust, d)) else 0 for d in names} and s["trust"]["tpm-keys"] == 1,
       "status: files of the trust directory", s)
    for name in "ak-roots/x.usage", "certs/.hidden":
        os.unlink(os.path.join(trust, name))
    # since the start, whether or not the log has them
    for _ in range(3):
        plain(b, b"GET / HTTP/1.1\r\n\r\n")
    peer = Peer(b)
    for _ in range(5):
        peer.ask("GET", "/metrics")
    peer.s.close()
    b.reload()
    peer = Peer(b)
    peer.ask("GET", "/kbs/v0/resource/default/web/key")
    peer.s.close()
    s = said()
    ok(s["refusals"] == {"tls": 3, "path": 5, "session": 1}, "status: refusals since the start, by reason", s)
    last = [e for e in b.log() if e.get("do") == "reload"][-1]
    ok(s["reload"] == {"time": last["time"], "result": "done"} and s["warnings"] == [], "status: the last reload", (s, last))
    os.rename(b.dir + "/server.pem", b.dir + "/server.away")
    b.daemon.send_signal(signal.SIGHUP)
    end = time.monotonic() + 30
    while said()["reload"]["result"] != "failed" and time.monotonic() < end:
        pass
    os.rename(b.dir + "/server.away", b.dir + "/server.pem")
    s, last = said(), [e for e in b.log() if e.get("do") == "reload"][-1]
    ok(s["reload"] == {"time": last["time"], "result": "failed", "why": last["why"]} and last["result"] == "failed" and
       s["warnings"] == ["the last reload failed: " + last["why"]], "status: a reload that failed", (s, last))
    rc, out = b.admin("status", check=False)
    ok(rc == 0 and "warning: the last reload failed: " in out and " failed at " in out, "status: the same for a person", out)
    b.reload()
    ok(said()["warnings"] == [], "status: the next one is better")
    sql(b, "INSERT INTO policy (name, text, mac) VALUES ('evil', 'x', zeroblob(32))")
    before, s = s["policies"], said()
    ok(s["policies"] == before and s["rows-refused"] > 0 and any("rows" in w for w in s["warnings"]), "status: a row without a MAC", s)
    sql(b, "DELETE FROM policy WHERE name = 'evil'")
    out = b.admin("status")
    ok(all(w in out for w in ("ccdm-brokerd " + version, "policies ", "secrets ", "schema 2", " lines, head ", "reload ", "session 1",
                              "tpm-keys 1")) and
       "default/web" not in out, "status: all of it for a person, and no name of a secret", out)
    right, err = load()
    ok(right == 1, "status: a guest is served at the same time", err)
