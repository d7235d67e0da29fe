# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""scenario_broker - ccdm-broker and ccdm-brokerd"""
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import time

from harness import LOAD, PATH, POLICY, SECRET, TOP, broken, handshake, listing, ok
from broker import BIN, Broker      # after harness, which sets the programs' folder


def broker_new(t):
    """What makes a broker: init, renew, rotate-key."""
    top = os.path.join(t.dir, "new")
    b = Broker(top)
    tool = [BIN + "/ccdm-broker", "--config", b.conf]
    kept = top + ".kept"
    with open(b.conf) as f:
        conf = f.read()

    def empty():
        shutil.rmtree(top)
        os.mkdir(top)
        with open(b.conf, "w") as f:
            f.write(conf)

    def put_back():
        shutil.rmtree(top)
        shutil.copytree(kept, top)

    def made():
        # the folder's content once it is complete; before that, it does not matter
        return listing(top) if os.path.exists(b.dir + "/secrets.key") else None

    # failed requests are logged as well, so there is a log from the start
    b.admin("renew", "--name", "localhost")
    shutil.copytree(top, kept)
    t.command("init", tool + ["init", "--name", "localhost"], fresh=empty, state=made,
              same=lambda out: re.sub("[0-9a-f]{64}", "", out))
    put_back()
    t.command("renew", tool + ["renew", "--name", "localhost"], fresh=put_back, state=lambda: listing(top),
              same=lambda out: re.sub(r"\d", "", out))

    def lines():
        with open(b.dir + "/secrets.key") as f:
            return len(f.readlines())
    t.command("rotate-key", tool + ["rotate-key"], fresh=put_back, state=lambda: (listing(top), lines()))
    put_back()


def serving(t, name):
    """A broker with a policy and a secret, and the key of a guest."""
    b = Broker(os.path.join(t.dir, name))
    key = os.path.join(t.dir, "ak.key")
    spki = os.path.join(t.dir, "ak.der")
    subprocess.run([LOAD, "key", key, spki], check=True)
    with open(spki, "rb") as f:
        b.know(f.read())
    with b:
        b.policy(POLICY % "web")
        b.secret(PATH, SECRET)
    return b, key


def broker_tool(t):
    """ccdm-broker with a daemon whose calls do not fail."""
    b, key = serving(t, "tool")
    tool = [BIN + "/ccdm-broker", "--config", b.conf]
    policy = os.path.join(t.dir, "policy.yaml")
    with open(policy, "w") as f:
        f.write(POLICY % "other")
    nothing = os.path.join(b.dir, "nothing")
    with open(nothing, "w") as f:
        f.write("{}")
    genuine = b.evidence(key)

    def names():
        return [x["name"] for x in json.loads(b.admin("policy", "list", "--json"))["policies"]]

    def secrets():
        return [x["name"] for x in json.loads(b.admin("secret", "list", "--json"))["secrets"]]

    def forget():
        if "other" in names():
            b.admin("policy", "remove", "other")

    def have():
        if "other" not in names():
            b.admin("policy", "add", policy)

    def no_secret():
        if "default/web/other" in secrets():
            b.admin("secret", "remove", "default/web/other")

    def a_secret():
        no_secret()
        b.admin("secret", "put", "default/web/other", stdin=b"x")

    def no_copy():
        for f in listing(t.dir):
            if f.startswith("copy"):
                os.unlink(os.path.join(t.dir, f))

    def copies():
        return [f for f in listing(t.dir) if f.startswith("copy")]

    with b:
        t.command("policy check", tool + ["policy", "check", policy])
        t.command("policy check --json", tool + ["policy", "check", "--json", policy])
        t.command("policy add", tool + ["policy", "add", policy], fresh=forget, state=names)
        t.command("policy add --dry-run", tool + ["policy", "add", "--dry-run", policy], state=names)
        t.command("policy list", tool + ["policy", "list"])
        t.command("policy remove", tool + ["policy", "remove", "other"], fresh=have, state=names)
        t.command("secret put", tool + ["secret", "put", "default/web/other"], stdin=SECRET, fresh=no_secret, state=secrets)
        t.command("secret list", tool + ["secret", "list"])
        t.command("secret remove", tool + ["secret", "remove", "default/web/other"], fresh=a_secret, state=secrets)
        t.command("secret reseal", tool + ["secret", "reseal"])
        t.command("explain, what is no evidence", tool + ["explain", nothing], codes=(1,))
        t.command("explain", tool + ["explain", genuine])
        t.command("explain --json", tool + ["explain", genuine, "--json"])
        t.command("status", tool + ["status"], same=lambda out: re.sub(r"\nlog .*", "", out))
        t.command("trust status", tool + ["trust", "status"])
        t.command("trust fetch --print", tool + ["trust", "fetch", "--print"])
        made = os.path.join(t.dir, "made")
        subprocess.run([os.path.join(TOP, "build/tests/mirror"), made], check=True)
        for name in listing(made + "/roots"):
            shutil.copy(os.path.join(made, "roots", name), b.dir + "/trust/roots")

        for what, name, folder in (("a list", "vcek-milan.crl", "certs"), ("a platform's answers", "tcb.json", "collateral")):
            files = [os.path.join(made, "good", n) for n in ([name] if folder == "certs" else [name, "qe.json", "tcb.chain", "qe.chain"])]

            def gone(folder=folder):
                for n in listing(os.path.join(b.dir, "trust", folder)):
                    os.unlink(os.path.join(b.dir, "trust", folder, n))
            t.command("trust import, " + what, tool + ["trust", "import", "--at", "2025-07-01", *files], fresh=gone,
                      state=lambda folder=folder: listing(os.path.join(b.dir, "trust", folder)))
        t.command("log", tool + ["log"])
        t.command("log --json", tool + ["log", "--json"])
        t.command("log verify", tool + ["log", "verify"])
        t.command("backup", tool + ["backup", os.path.join(t.dir, "copy")], fresh=no_copy, state=copies,
                  same=lambda out: re.sub(r"\d", "", out))
        no_copy()
        b.admin("backup", os.path.join(t.dir, "copy"))
    state = os.path.join(b.dir, "state")

    def no_state(old=b""):
        shutil.rmtree(state)
        os.mkdir(state, 0o700)
        if old:
            with open(state + "/audit.log", "wb") as f:
                f.write(old)

    def restored(old=b""):
        """Is there a database, and the old log: in its place until then, afterwards under another name?"""
        files = listing(state)
        there = [f for f in files if f.startswith("audit.log") and ("broker.db" in files) == (f != "audit.log")]
        return [f for f in files if not f.startswith("audit.log")], not old or any(
            open(os.path.join(state, f), "rb").read().startswith(old) for f in there)
    argv = tool + ["restore", os.path.join(t.dir, "copy")]
    # a failed one leaves a line, and the next one keeps that
    t.command("restore", argv, fresh=no_state, state=restored, same=lambda out: out.splitlines()[:1])
    no_state()
    b.admin("restore", nothing, check=False)
    with open(state + "/audit.log", "rb") as f:
        old = f.read()
    t.command("restore, with a log", argv, fresh=lambda: no_state(old), state=lambda: restored(old), same=lambda out: out.splitlines()[:1])


class Daemon:
    """ccdm-brokerd, which is armed while it runs."""

    def __init__(self, t, b):
        self.t, self.b = t, b

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc):
        self.b.stop()

    def start(self):
        os.environ.update(CCDM_FAULTS=self.t.faults.path, CCDM_FAULTS_LATER="1")
        self.b.start()
        del os.environ["CCDM_FAULTS"], os.environ["CCDM_FAULTS_LATER"]

    def reload(self):
        """Like Broker.reload(), but the message that it has reloaded may be what fails."""
        b, end = self.b, time.monotonic() + 30
        said = open(b.log_path).read().count("reloaded")
        b.daemon.send_signal(signal.SIGHUP)
        while open(b.log_path).read().count("reloaded") == said and not self.t.faults.get()[0] and b.daemon.poll() is None:
            if time.monotonic() > end:
                raise RuntimeError("the broker does not reload")
            time.sleep(0.005)

    def each(self, what, do, well):
        """do(): a request; well(): None if nothing is lost, else why."""
        t = self.t

        def armed(n):
            t.faults.set(n, 1)
            try:
                return do()
            finally:
                struct.pack_into("Q", t.faults.map, 0, 0)
                t.failed += bool(t.faults.get()[0])

        # The first request does the work. Each 64th line of the audit log is signed, and once a minute the
        # daemon prunes: their calls do not occur the next time.
        seen = []
        for _ in range(8):
            armed(0)
            calls = t.faults.get()[1]
            if calls in seen[1:]:
                break
            seen.append(calls)
        reference = well()

        def once(n):
            said = armed(n)
            bad = broken(0, str(said)) or well()
            if not bad:
                return bad
            try:
                self.b.daemon.wait(10)      # the client sees the end of its connection before the process is gone
            except subprocess.TimeoutExpired:
                return bad
            with open(self.b.log_path) as f:
                log = f.read()
            code = self.b.daemon.returncode
            self.start()
            # where libevent runs out of memory
            if code != 3 or not log.endswith("ccdm-brokerd: out of memory\n"):
                return "the daemon has ended with %d: %s" % (code, log)
            return well()
        t.each(what, once, reference)


def brokerd(t):
    """The daemon: requests of guests and administrators while its calls fail."""
    b, key = serving(t, "daemon")
    other = os.path.join(t.dir, "policy.yaml")
    with open(other, "w") as f:
        f.write(POLICY % "other")
    genuine, released, wrong, heard = b.evidence(key), [0], [], []

    def shake():
        good, err = handshake(b, key)
        released[0] += good
        return err

    def shakes():
        good, err = handshake(b, key)
        released[0] += good
        return None if good else "the next handshake: " + err

    def lists():
        rc, out = b.admin("policy", "list", check=False)
        return None if not rc and "web" in out else "policy list: %d: %s" % (rc, out)

    def ask(*args, **kw):
        return lambda: b.admin(*args, check=False, **kw)

    def plain():
        with socket.create_connection(("127.0.0.1", b.port), 10) as s:
            try:
                s.sendall(b"POST /kbs/v0/auth HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}")
                s.shutdown(socket.SHUT_WR)
                said = s.recv(4096)
            except OSError:
                return ""
        if said.startswith(b"HTTP") and b" 503 " not in said:
            heard.append(said)
        return ""

    def explain():
        rc, out = b.admin("explain", genuine, check=False)
        # if OpenSSL fails to verify a signature, it counts as invalid
        if (rc == 0 and out != good[1]) or (rc == 7 and "FAILED" not in out):
            wrong.append((rc, out))
        return out

    with Daemon(t, b) as d:
        shake()
        good = b.admin("explain", genuine, check=False)
        d.each("ccdm-brokerd, a handshake", shake, shakes)
        d.each("ccdm-brokerd, policy add", ask("policy", "add", other), lists)
        d.each("ccdm-brokerd, policy list", ask("policy", "list"), lists)
        d.each("ccdm-brokerd, policy remove", ask("policy", "remove", "other"), lists)
        d.each("ccdm-brokerd, secret put", ask("secret", "put", "default/web/other", stdin=b"x"), lists)
        d.each("ccdm-brokerd, secret list", ask("secret", "list"), lists)
        d.each("ccdm-brokerd, status", ask("status"), lists)
        d.each("ccdm-brokerd, secret reseal", ask("secret", "reseal"), lists)
        d.each("ccdm-brokerd, secret remove", ask("secret", "remove", "default/web/other"), lists)
        d.each("ccdm-brokerd, explain", explain, lists)
        ok(not good[0] and not wrong, "nothing of it is left out, and no check that failed passes", (good, wrong[:1]))
        d.each("ccdm-brokerd, HTTP without TLS", plain, lists)
        ok(not heard, "a client without TLS gets no answer of the broker", heard)
        d.each("ccdm-brokerd, a reload", d.reload, lists)
        bad = shakes()
        ok(not bad, "after all of them a guest gets its secret", bad)
        rc, out = b.admin("log", "verify", check=False)
        ok(not rc and "hash chain valid" in out, "the audit log is whole", out)
        entries = [e for e in b.log() if e["event"] == "resource" and e["result"] == "released"]
        ok(len(entries) >= released[0], "no secret was released that is not in the log (%d, %d)" % (released[0], len(entries)))
        daemon = b.daemon
    with open(b.log_path) as f:
        log = f.read()
    ok(daemon.returncode == 0 and "Sanitizer" not in log and "runtime error" not in log, "the daemon ends well, nothing is lost",
       log[-6000:])
    ok(SECRET.decode() not in log, "nor did it say the secret")


def brokerd_start(t):
    """The daemon: its start."""
    b, key = serving(t, "start")
    argv = [BIN + "/ccdm-brokerd", "--config", b.conf]
    t.command("ccdm-brokerd --check", argv + ["--check"])

    state = os.path.join(b.dir, "state")
    shutil.copytree(state, state + ".kept")

    def start(n):
        bad = None
        # it reads the log, which grows with each guest
        shutil.rmtree(state)
        shutil.copytree(state + ".kept", state)
        t.faults.set(n)
        os.environ["CCDM_FAULTS"] = t.faults.path
        try:
            b.start()
        except RuntimeError:
            pass        # it has ended, and printed why
        finally:
            del os.environ["CCDM_FAULTS"]
        t.failed += bool(t.faults.get()[0])
        struct.pack_into("Q", t.faults.map, 0, 0)
        if b.daemon.poll() is None:
            good, err = handshake(b, key)
            bad = None if good else "it runs, and a handshake fails: " + err
            b.daemon.terminate()
            if b.daemon.wait():
                bad = bad or "it ends with %d" % b.daemon.returncode
        rc = b.daemon.wait()
        with open(b.log_path) as f:
            log = f.read()
        if rc and not re.search("^ccdm-brokerd: .", log, re.M):
            bad = "exit code %d without a text" % rc
        return broken(rc, log) or bad
    bad = start(0)
    t.each("ccdm-brokerd, its start", start, bad)
