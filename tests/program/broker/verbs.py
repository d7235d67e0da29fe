# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""verbs - the audit log has each operation of ccdm-broker with its result, with and without a daemon"""
import contextlib
import fcntl
import hashlib
import json
import os
import resource
import signal
import socket
import sqlite3
import subprocess

from broker import BIN


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def content(path):
    with open(path, "rb") as f:
        return f.read()


class Verbs:
    def __init__(self, b, ok):
        self.b, self.ok, self.log = b, ok, os.path.join(b.dir, "state/audit.log")

    def entries(self):
        """The log's entries of operations of the tool itself."""
        if not os.path.exists(self.log):
            return []
        with open(self.log) as f:
            return [e for e in map(json.loads, f) if e["event"] == "tool"]

    def run(self, *words, room=None):
        """room: the largest size of a file, in bytes"""
        def limit():
            if room is not None:
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
        r = subprocess.run([BIN + "/ccdm-broker", "--config", self.b.conf, *words], capture_output=True, text=True, preexec_fn=limit)
        return r.returncode, r.stdout + r.stderr

    def verified(self):
        rc, out = self.b.admin("log", "verify", check=False)
        return rc == 0 and "hash chain valid" in out

    def both(self, when):
        """Operations that succeed or fail: two lines each."""
        b, ok = self.b, self.ok
        copy, key_file = os.path.join(b.dir, "copy-" + when), os.path.join(b.dir, "secrets.key")
        if os.path.exists(copy):
            os.unlink(copy)
        first = content(key_file)
        for words, code, name, result, why in (
                (("backup", copy), 0, copy, "done", None),
                (("backup", copy), 5, copy, "failed", "already exists"),
                (("backup", "/nosuch/copy"), 4, "/nosuch/copy", "failed", "/nosuch/copy"),
                (("renew", "--name", "localhost", "--name", "::1"), 0, b.dir + "/server.pem", "done", None),
                (("renew", "--name", "a b"), 1, b.dir + "/server.pem", "failed", "'a b': expected a host name"),
                (("rotate-key",), 0, key_file, "done", None)):
            before = len(self.entries())
            rc, out = self.run(*words)
            new = self.entries()[before:] or [{k: None for k in ("do", "name", "result", "who", "lines")}]
            what = "%s: %s: %s" % (when, " ".join(words[:1] + words[2:] if words[0] == "renew" else words[:1]), result)
            ok(rc == code and [(e["do"], e["name"], e["result"], e["who"]) for e in new] ==
               [(words[0], name, x, "uid %d" % os.getuid()) for x in ("begun", result)] and
               (new[-1].get("why") is None if why is None else why in new[-1]["why"]), "log: %s" % what, (rc, out, new))
            if result == "done" and words[0] != "rotate-key":
                ok(new[-1].get("hash") == digest(name), "log: %s, with the hash of the file" % what, new)
            if result == "done" and words[0] == "backup":
                with contextlib.closing(sqlite3.connect("file:%s?mode=ro&immutable=1" % copy, uri=True)) as db:
                    kept = [x for x, in db.execute("SELECT line FROM kept ORDER BY n")]
                last = [e for e in map(json.loads, kept) if e["event"] == "tool"][-1]
                ok(new[-1]["lines"] == len(kept) and last == new[0] and " %d lines" % len(kept) in out,
                   "%s: its own beginning is in the backup" % when, (new, last))
        # the same if there is no room, or no place, for a key
        keys = content(key_file)
        with open(key_file, "ab") as f:
            f.write(b"".join(b"%064x\n" % n for n in range(10, 14 - keys.count(b"\n"))))
        full = content(key_file)
        before = len(self.entries())
        rc, out = self.run("rotate-key")
        new = self.entries()[before:]
        ok(rc == 5 and [e["result"] for e in new] == ["begun", "failed"] and "holds 4 keys" in new[1]["why"] and
           content(key_file) == full, "log: %s: a key file that is full" % when, (rc, out, new))
        with open(key_file, "wb") as f:
            f.write(keys)
        before = len(self.entries())
        rc, out = self.run("restore", "/nosuch/copy")
        new = self.entries()[before:]
        ok(rc == 4 and [(e["do"], e["result"], e["name"]) for e in new] == [("restore", "failed", "/nosuch/copy")] and
           "No such file" in new[0]["why"], "log: %s: a restore of no file" % when, (rc, out, new))
        before = len(self.entries())
        rc, out = self.run("restore", copy)
        new = self.entries()[before:]
        ok(rc == 5 and [(e["do"], e["result"], e["name"]) for e in new] == [("restore", "failed", copy)],
           "log: %s: a restore onto a state" % when,
           (rc, out, new))
        ok(self.verified(), "log: %s: the hash chain is valid" % when)
        with open(key_file, "wb") as f:
            f.write(first)
        return copy

    def running(self):
        copy = self.both("a daemon")
        before = len(self.entries())
        os.unlink(copy)
        rc, out = self.run("backup", copy, room=8192)
        new = self.entries()[before:]
        self.ok(rc and [e["result"] for e in new] == ["begun", "failed"] and not os.path.exists(copy) and not os.path.exists(copy + ".new"),
                "log: a backup without room", (rc, out, new))
        # a member of the socket's group can add notes of operations, and nothing else
        good = {"do": "note", "what": "backup", "name": "x", "result": "begun"}
        for change in ({"what": "policy-add"}, {"what": None}, {"what": "attest"}, {"result": "accepted"}, {"result": None}, {"name": 1},
                       {"hash": "x"}, {"hash": "A" * 64}, {"hash": 1}, {"why": []}, {"lines": "1"}, {"lines": -1}, {"name": "x" * 5000},
                       {"what": "restore", "result": "done"}, {"what": "restore", "result": "begun"}):
            before = len(self.entries())
            said = self.asked({k: v for k, v in dict(good, **change).items() if v is not None})
            self.ok("error" in said and len(self.entries()) == before, "a note that is none: %s" % str(change)[:60], said)
        said = self.asked(dict(good, who="uid 12345", event="admin", prev="0" * 64, more={}))
        last = self.entries()[-1]
        self.ok("error" not in said and last["who"] == "uid %d" % os.getuid() and "more" not in last and self.verified(),
                "what else is in one is left out", (said, last))

    def asked(self, question):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(os.path.join(self.b.dir, "admin.sock"))
            s.sendall(json.dumps(question).encode() + b"\n")
            return json.loads(s.recv(65536))

    def stopped(self):
        """If an operation cannot be noted, it is not done."""
        b, ok = self.b, self.ok
        copy = self.both("no daemon")
        st = os.stat(self.log)
        ok((st.st_uid, st.st_mode & 0o777) == (os.stat(os.path.dirname(self.log)).st_uid, 0o640), "the log is still the daemon's",
           oct(st.st_mode))
        whole, key, cert = content(self.log), content(b.dir + "/secrets.key"), content(b.dir + "/server.pem")
        orders = (("backup", copy + "2"), ("renew", "--name", "localhost"), ("rotate-key",))

        def nothing(what, code, text, **kw):
            for words in orders:
                rc, out = self.run(*words, **kw)
                ok(rc == code and text in out and content(b.dir + "/secrets.key") == key and content(b.dir + "/server.pem") == cert and
                   not os.path.exists(copy + "2"), "%s: no %s" % (what, words[0]), (rc, out))
        with open(self.log, "ab") as f:
            f.write(b"{}\n")
        nothing("a log that was changed", 6, "does not continue the hash chain")
        with open(self.log, "wb") as f:
            f.write(whole)
        with open(self.log) as f:
            fcntl.flock(f, fcntl.LOCK_EX)
            nothing("a log that another one writes", 5, "another broker is writing to it")
        nothing("a log without room", 4, "the audit log: ", room=len(whole) + 10)
        ok(content(self.log) == whole and self.verified(), "it is as it was")
        os.rename(self.log, self.log + ".away")
        os.symlink("audit.log.away", self.log)
        nothing("a log that is a link", 1, "Too many levels")
        os.unlink(self.log)
        # the first line of a log may be the tool's
        rc, out = self.run("rotate-key")
        st = os.stat(self.log)
        ok(rc == 0 and [e["result"] for e in self.entries()] == ["begun", "done"] and self.verified() and st.st_mode & 0o777 == 0o640,
           "a state without a log: it begins", (rc, out))
        os.rename(self.log + ".away", self.log)
        with open(b.dir + "/secrets.key", "wb") as f:
            f.write(key)
        # done, but there is no room to note it (nor for a signed head, which must not come between)
        while content(self.log).count(b"\n") % 64 > 60:
            self.run("restore", "/nosuch/copy")
        whole = content(self.log)
        rc, out = self.run("rotate-key", room=len(whole) + 400)
        ok(rc == 4 and "done, but not written to the" in out and [e["result"] for e in self.entries()][-1] == "begun" and self.verified(),
           "an order whose end cannot be noted: it says so", (rc, out))
        with open(b.dir + "/secrets.key", "wb") as f:
            f.write(key)

    def restored(self):
        """A state without a database: an existing log is kept, and the new one names it."""
        b, ok = self.b, self.ok
        copy, state = os.path.join(b.dir, "copy-restored"), os.path.dirname(self.log)
        self.run("backup", copy)
        good, hash_ = content(copy), digest(copy)
        ok(self.entries()[-1]["hash"] == hash_, "the log knows the backup")
        os.rename(state, state + ".old")
        os.mkdir(state, 0o700)
        for what, data in (("half of it", good[:len(good) // 2]), ("another file", b"x" * 8192)):
            with open(copy, "wb") as f:
                f.write(data)
            rc, out = self.run("restore", copy)
            last = self.entries()[-1]
            ok(rc and (last["do"], last["result"], last["name"]) == ("restore", "failed",
                                                                     copy) and last["why"] in out and self.verified() and
               os.listdir(state) == ["audit.log"], "log: restore of %s: failed" % what, (rc, out, last))
        with open(copy, "wb") as f:
            f.write(good)
        before = content(self.log)
        head, lines = hashlib.sha256(before.splitlines()[-1]).hexdigest(), before.count(b"\n")
        # a changed log is kept where it is
        with open(self.log, "ab") as f:
            f.write(b"{}\n")
        rc, out = self.run("restore", copy)
        ok(rc == 6 and "does not continue the" in out and content(self.log) == before + b"{}\n" and os.listdir(state) == ["audit.log"],
           "restore beside a log that was changed: refused", (rc, out))
        with open(self.log, "wb") as f:
            f.write(before)
        rc, out = self.run("restore", copy)
        last, kept = self.entries()[-1], "audit.log." + head[:16]
        ok(rc == 0 and (last["do"], last["result"], last["name"], last["hash"]) == ("restore", "done", copy, hash_),
           "log: a restore, and of what", (rc, out, last))
        ok(last.get("before") == {"head": head, "lines": lines, "kept": kept} and kept in out and content(os.path.join(state,
                                                                                                                       kept)) == before,
           "log: the head of the log before, which is kept", (last, out))
        with contextlib.closing(sqlite3.connect("file:%s?mode=ro&immutable=1" % copy, uri=True)) as db:
            lines = [x for x, in db.execute("SELECT line FROM kept ORDER BY n")]
        ok(last["lines"] == len(lines) and [x.decode() for x in content(self.log).splitlines()[:len(lines)]] == lines and
           last["prev"] == hashlib.sha256(content(self.log).splitlines()[-2]).hexdigest() and self.verified() and
           self.run("log", "verify", os.path.join(state, kept))[0] == 0, "the chain goes on over it", last)
        ok(sorted(os.listdir(state)) == sorted(["audit.log", "broker.db", kept]) and
           {os.stat(os.path.join(state, x)).st_uid for x in os.listdir(state)} == {os.stat(state).st_uid}, "nothing else is left",
           os.listdir(state))
        # and into an empty place
        os.rename(state, state + ".once")
        os.mkdir(state, 0o700)
        rc, out = self.run("restore", copy)
        last = self.entries()[-1]
        ok(rc == 0 and last["result"] == "done" and "before" not in last and last["hash"] == hash_ and self.verified() and
           sorted(os.listdir(state)) == ["audit.log", "broker.db"], "log: a restore into a new place", (rc, out, last))


def verbs(b, ok):
    v = Verbs(b, ok)
    v.running()
    b.stop()
    v.stopped()
    v.restored()
    b.start()
    ok(v.verified(), "the daemon goes on with the log")
