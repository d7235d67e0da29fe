#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""run - the programs, with each of their calls failing once

  tests/run program faults [--every N] [SCENARIO...]

ccdm-setup, ccdm-broker and ccdm-brokerd, under the address and undefined-behaviour sanitizers,
linked so that the n-th call into a library or the kernel can fail (fail.c). A scenario first runs
whole and tells which ways lead to which call; then, for each way, its first and its last call
fails. After each: the result is right, or there is an error with its exit code and a text; the
state is that of before or that of after; nothing crashes, leaks or says the secret, and the same
once more, without a failure, goes well. --every N: of the ways only each N-th.
"""
import argparse
import contextlib
import json
import mmap
import os
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(TOP, "tests/lib"))
HERE = os.path.join(TOP, "tests/program/faults")
BUILD = "build/faults"
os.environ["CCDM_BIN"] = BUILD + "/bin"
os.environ["ASAN_OPTIONS"] = "exitcode=99"
os.environ["UBSAN_OPTIONS"] = "exitcode=99"
from broker import BIN, Broker  # noqa: E402
from guest import BOOT  # noqa: E402
from sim import Signer  # noqa: E402

LOAD = os.path.join(TOP, "build/tests/load")
SECRET = b"correct horse"
PATH = "default/web/key"
POLICY = """name: %s
secrets: default/web/*
require: {tee: tpm, binding: tpm-only, phase: unknown, identity: any}
"""
MAX = 1 << 16       # as in fail.c
SIZE = 32 + MAX * 10
results = []


def ok(cond, what, detail=""):
    results.append(bool(cond))
    print("%s %d %s" % ("ok" if cond else "not ok", len(results), what), flush=True)
    if not cond:
        for line in str(detail).splitlines()[-60:]:
            print("# " + line)
    return cond


def functions():
    with open(os.path.join(HERE, "functions.h")) as f:
        return re.findall(r"^[FW]\((\w+), ", f.read(), re.M)


def build():
    os.makedirs(os.path.join(TOP, BUILD), exist_ok=True)
    shim = os.path.join(TOP, BUILD, "fail.o")
    counts = "CCDM_COVERAGE" in os.environ
    subprocess.run(["gcc", "-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-D_GNU_SOURCE", "-fPIE",
                    "-fno-omit-frame-pointer", "-c", "-o", shim, os.path.join(HERE, "fail.c")] + ["-DCOVERAGE"] * counts,
                   check=True)
    # (what a sanitizer puts in is no line and no branch of ours; optimized, lines that do the same are counted as one of them)
    how = ("-O0 --coverage -fprofile-update=atomic -include tests/gauge/coverage/plain.h" if counts else
           "-O1 -fsanitize=address,undefined -fno-sanitize-recover=all")
    wraps = os.path.join(TOP, BUILD, "wraps")
    with open(wraps, "w") as f:
        f.write("\n".join("--wrap=" + f for f in (*functions(), "main", "exit", "prctl", *["_exit"] * counts)) + "\n")
    for program in ("ccdm-setup", "ccdm-broker", "ccdm-brokerd"):
        path = os.path.join(TOP, BUILD, "bin", program)
        if os.path.exists(path) and os.path.getmtime(path) < os.path.getmtime(shim):
            os.unlink(path)
    # (--no-as-needed: some libraries are called by the wrappers alone)
    subprocess.run(["make", "-s", "-j2", "BUILD=" + BUILD, "CFLAGS=-std=gnu11 -g -fPIE -fno-omit-frame-pointer "
                    "-fno-optimize-sibling-calls " + how,
                    "LDFLAGS=-pie -Wl,--no-as-needed %s -Wl,@%s" % (shim, wraps)] +
                   [BUILD + "/bin/" + p for p in ("ccdm-setup", "ccdm-broker", "ccdm-brokerd")],
                   cwd=TOP, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["make", "-s", "build/tests/load", "build/tests/signer", "build/tests/mirror"], cwd=TOP, check=True,
                   stdout=subprocess.DEVNULL)


class Faults:
    """struct faults, shared with the program."""

    def __init__(self, path):
        self.path, self.names = path, functions()
        with open(path, "wb") as f:
            f.truncate(SIZE)
        with open(path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), SIZE)

    def set(self, fail_at, armed=0):
        struct.pack_into("QQQQ", self.map, 0, 0, fail_at, 0, 0)
        struct.pack_into("Q", self.map, 0, armed)

    def get(self):
        """Which call has failed, if any, and how many there were."""
        return struct.unpack_from("QQ", self.map, 16)

    def name(self, n):
        return self.names[struct.unpack_from("H", self.map, 32 + 8 * MAX + 2 * (n - 1))[0]]

    def points(self):
        """Of each way, its first and its last call: [(number, name)]."""
        calls = min(self.get()[1], MAX)
        first, last = {}, {}
        for n in range(1, calls + 1):
            way = bytes(self.map[32 + 8 * (n - 1):32 + 8 * n]), self.name(n)
            first.setdefault(way, n)
            last[way] = n
        return [(n, self.name(n)) for n in sorted({*first.values(), *last.values()})]


class Test:
    def __init__(self, dir_, every):
        self.dir, self.every, self.failed = dir_, every, 0
        self.faults = Faults(os.path.join(dir_, "faults"))
        self.env = dict(os.environ, CCDM_FAULTS=self.faults.path)

    def run(self, argv, fail_at=0, stdin=b""):
        """A command, armed from its beginning."""
        self.faults.set(fail_at)
        try:
            r = subprocess.run(argv, input=stdin, capture_output=True, env=self.env, timeout=120)
        except subprocess.TimeoutExpired:
            return -signal.SIGKILL, "", "it does not end"
        self.failed += bool(self.faults.get()[0])
        return r.returncode, r.stdout.decode(errors="replace"), r.stderr.decode(errors="replace")

    def each(self, what, once, reference, least=0.9):
        """once(n) -> complaint or None, with the n-th call failing, for the calls that were just counted."""
        points = self.faults.points()[::self.every]
        wrong, unmet, self.failed = [], [], 0
        for n, name in points:
            seen = self.failed
            try:
                bad = once(n)
            except RuntimeError as e:       # (a daemon that does not start any more)
                wrong.append("call %d, %s: %s" % (n, name, e))
                break
            if self.failed == seen:
                unmet.append("%d %s" % (n, name))
            if bad:
                wrong.append("call %d, %s: %s" % (n, name, bad if len(bad) < 3000 else bad[:1500] + " ... " + bad[-1500:]))
        # (a daemon may be at its last call when it has answered: that one is not met each time)
        ok(not reference and points and not wrong and self.failed >= int(len(points) * least),
           "%s: %d of its calls fail, one at a time (%d ways led there)" % (what, self.failed, len(points)),
           "\n".join([reference or "%d of %d failed, not met: %s" % (self.failed, len(points), ", ".join(unmet))] + wrong))

    def command(self, what, argv, stdin=b"", fresh=lambda: None, state=lambda: None, same=lambda out: out, codes=(0,),
                least=0.9):
        """A program from its beginning to its end. fresh(): the state of before; state(): what it is; same(): of its
        output what does not differ from one time to another; codes: exit codes without a failure; least: the part of
        the calls that must have failed, where their number varies."""
        fresh()
        before = state()
        rc, out, err = self.run(argv, 0, stdin)
        after, good = state(), same(out)
        reference = None if rc in codes else "without a failure: %d: %s" % (rc, err)

        def once(n):
            fresh()
            rc, out, err = self.run(argv, n, stdin)
            is_ = state()
            bad = broken(rc, err if SECRET.decode() in good else out + err)
            if bad:
                return bad
            if rc in codes:
                if same(out) != good or is_ != after:
                    return "no error, and not the same: %s, %s (was %s, %s)" % (same(out), is_, good, after)
                return None
            # (a verdict is no error)
            if not re.search(r"^ccdm-\w+[^:]*: .", err, re.M) and not (rc == 7 and "refused" in out):
                return "exit code %d without a text: %r" % (rc, err)
            if is_ not in (before, after):
                return "exit code %d, and a state that is neither: %s" % (rc, is_)
            if is_ == before:
                rc, out, err = self.run(argv, 0, stdin)
                if rc not in codes or same(out) != good or state() != after:
                    return "it does not go well afterwards: %d: %s" % (rc, err)
            return None

        self.each(what, once, reference, least)


def broken(rc, text):
    """What is wrong whatever the error is."""
    if SECRET.decode() in text:
        return "it says the secret: " + text
    if rc < 0 or rc == 99 or re.search("Sanitizer|runtime error", text):
        return "it ends with %d: %s" % (rc, text)
    if rc > 8:
        return "no exit code of ours: %d" % rc
    return None


def listing(path):
    return sorted(os.path.relpath(os.path.join(d, f), path) for d, _, files in os.walk(path) for f in files)


def handshake(b, key):
    """Did a guest get its secret? It does not go on asking a daemon that has ended."""
    p = subprocess.Popen([LOAD, "run", key, "https://localhost:%d" % b.port, b.ca, PATH, "1", "1"], stdout=subprocess.DEVNULL,
                         stderr=subprocess.PIPE, text=True, start_new_session=True)
    ends = [os.pidfd_open(p.pid), os.pidfd_open(b.daemon.pid)]
    if select.select(ends, [], [])[0] == ends[1:]:
        os.killpg(p.pid, signal.SIGKILL)
    for fd in ends:
        os.close(fd)
    return p.wait() == 0, p.stderr.read()


# ---- the scenarios -----------------------------------------------------------

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
        # what there is once all is there; before, it does not matter
        return listing(top) if os.path.exists(b.dir + "/secrets.key") else None

    # (an order that fails is in the log as well: there is one from the beginning)
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
    """ccdm-broker beside a daemon that is well."""
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
        """Is there a database? And the log of before, in its place until then, and under another name from then on?"""
        files = listing(state)
        there = [f for f in files if f.startswith("audit.log") and ("broker.db" in files) == (f != "audit.log")]
        return [f for f in files if not f.startswith("audit.log")], not old or any(
            open(os.path.join(state, f), "rb").read().startswith(old) for f in there)
    argv = tool + ["restore", os.path.join(t.dir, "copy")]
    # (one that fails leaves a line, and the next one keeps that)
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
        """As Broker.reload(); that it has done so may be what it cannot say."""
        b, end = self.b, time.monotonic() + 30
        said = open(b.log_path).read().count("reloaded")
        b.daemon.send_signal(signal.SIGHUP)
        while open(b.log_path).read().count("reloaded") == said and not self.t.faults.get()[0] and b.daemon.poll() is None:
            if time.monotonic() > end:
                raise RuntimeError("the broker does not reload")
            time.sleep(0.005)

    def each(self, what, do, well):
        """do(): an order; well(): nothing is lost, or why not."""
        t = self.t

        def armed(n):
            t.faults.set(n, 1)
            try:
                return do()
            finally:
                struct.pack_into("Q", t.faults.map, 0, 0)
                t.failed += bool(t.faults.get()[0])

        # (the first does what there is to do; each 64th line of the audit log is signed, and once a minute the
        # daemon looks round: the calls of that are not there the next time)
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
            if not bad or self.b.daemon.poll() is None:
                return bad
            with open(self.b.log_path) as f:
                log = f.read()
            code = self.b.daemon.returncode
            self.start()
            # (where libevent runs out of memory)
            if code != 3 or not log.endswith("ccdm-brokerd: out of memory\n"):
                return "the daemon has ended with %d: %s" % (code, log)
            return well()
        t.each(what, once, reference)


def brokerd(t):
    """The daemon: what guests and administrators ask while its calls fail."""
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
        # (a signature that OpenSSL cannot verify is none)
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
        ok(not heard, "who speaks no TLS gets no answer of the broker's", heard)
        d.each("ccdm-brokerd, a reload", d.reload, lists)
        bad = shakes()
        ok(not bad, "after all of them a guest gets its secret", bad)
        rc, out = b.admin("log", "verify", check=False)
        ok(not rc and "each follows" in out, "the audit log is whole", out)
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
        # (it reads the log, which grows by each guest)
        shutil.rmtree(state)
        shutil.copytree(state + ".kept", state)
        t.faults.set(n)
        os.environ["CCDM_FAULTS"] = t.faults.path
        try:
            b.start()
        except RuntimeError:
            pass        # it has ended, and says why
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


def report(signer):
    """What a guest's report is, from who signs for its processor."""
    def get(n):
        out = b""
        while len(out) < n:
            out += c.recv(n - len(out))
        return out

    signer.vm("a1" * 48)
    with socket.socket(socket.AF_UNIX) as c:
        c.connect(signer.sockets[0])
        c.sendall(b"CCDMR\0" + bytes(64))
        n, _ = struct.unpack("<II", get(8))
        return get(n)


CONFIG = BOOT % ("ab" * 32) + "[measure]\n"


def setup_files(t):
    """ccdm-setup, where it needs no device: evidence that is verified, a configuration that is checked."""
    tool = [BIN + "/ccdm-setup"]
    for tee, beside in (("snp", ("--cert", "beside/vcek.pem", "--chain", "certs/ask.pem", "--root", "roots/ark.pem")),
                        ("tdx", ("--collateral", "collateral/0a0b0c0d0e0f.json", "--root", "roots/intel.pem"))):
        trust = os.path.join(t.dir, tee)
        for sub in ("roots", "certs", "collateral", "beside"):
            os.makedirs(os.path.join(trust, sub))
        with Signer(tee, os.path.join(t.dir, "signer-" + tee), trust) as s:
            evidence = os.path.join(trust, "report")
            with open(evidence, "wb") as f:
                f.write(report(s))
        argv = tool + ["verify", tee, evidence]
        argv += [os.path.join(trust, w) if "/" in w else w for w in beside]
        for more in [], ["--json"]:
            t.command(" ".join(["verify", tee, *more]), argv + more, same=lambda out: re.sub(r" at \S+Z", "", out))
    config = os.path.join(t.dir, "ccdm.conf")
    with open(config, "w") as f:
        f.write(CONFIG)
    for verb in "check", "files":
        t.command("config " + verb, tool + ["config", verb, config])
    t.command("measure --dry-run", tool + ["measure", "--dry-run", "--config", config])
    t.command("evidence", tool + ["evidence", "--json"])


# ---- in a VM, for tests/vm/95-faults.py ---------------------------------------

@contextlib.contextmanager
def scrubs(tool):
    """One scrub of x after the other, whose events somebody waits for."""
    over = threading.Event()

    def scrub():
        while not over.is_set():
            subprocess.run(tool + ["scrub", "x"], check=True, capture_output=True)
    thread = threading.Thread(target=scrub)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def setup_device(t):
    """ccdm-setup and a device: the module is there, CCDM_DISK and nobody uses it."""
    tool, disk = [BIN + "/ccdm-setup"], os.environ["CCDM_DISK"]

    def mappings():
        out = subprocess.run(["dmsetup", "ls", "--target", "ccdm"], capture_output=True, text=True).stdout
        return sorted(line.split()[0] for line in out.splitlines() if "(" in line)

    def closed():
        for name in mappings():
            subprocess.run(["dmsetup", "remove", "--retry", name], check=True, stdout=subprocess.DEVNULL)

    def opened():
        closed()
        subprocess.run(tool + ["open", disk, "x", "--yes", "--cache-size", "4M"], check=True)

    def size():
        out = subprocess.run(["dmsetup", "status", "x"], capture_output=True, text=True).stdout
        return re.findall(r"cache_kib:\d+", out)

    def same(out):
        return re.sub(r"\d+", "", out)

    with open("/etc/ccdmtab", "w") as f:
        f.write("ccdm-y %s cache-size=4M,mkfs=ext4\n" % disk)
    t.command("open", tool + ["open", disk, "x", "--yes", "--cache-size", "4M"], fresh=closed, state=mappings)
    t.command("attach", tool + ["attach", "ccdm-y"], fresh=closed, state=mappings)
    t.command("close", tool + ["close", "x"], fresh=opened, state=mappings)
    opened()
    t.command("status", tool + ["status", "x"], same=same)
    t.command("status --json", tool + ["status", "x", "--json"], same=same)
    t.command("list", tool + ["list"])
    t.command("list --json", tool + ["list", "--json"], same=same)
    t.command("cache", tool + ["cache", "x", "8M"], fresh=lambda: subprocess.run(
        ["dmsetup", "message", "x", "0", "cache_mib", "4"], check=True), state=size, same=same)
    t.command("scrub", tool + ["scrub", "x"], same=same, least=0.5)
    with scrubs(tool):
        t.command("monitor", tool + ["monitor", "--count", "1", "x"], same=same)
        t.command("monitor --json", tool + ["monitor", "--json", "--count", "1", "x"], same=same)
    t.command("benchmark", tool + ["benchmark", "--json"], same=lambda out: re.sub(r"[\d.]+|true|false", "", out), least=0.3)
    closed()


def setup_tpm(t):
    """ccdm-setup and a TPM, and a broker that believes it at CCDM_BROKER; its CA in /tmp/ca.pem."""
    tool, url = [BIN + "/ccdm-setup"], os.environ["CCDM_BROKER"]
    with_ = ["--broker", url, "--ca", "/tmp/ca.pem", "--timeout", "20"]

    def shape(out):
        return sorted(json.loads(out)) if out else None
    t.command("evidence --nonce", tool + ["evidence", "--nonce", "any"], same=shape)
    t.command("attest", tool + ["attest", *with_])
    token = os.path.join(t.dir, "token")
    t.command("attest --output", tool + ["attest", *with_, "--output", token],
              fresh=lambda: os.path.exists(token) and os.unlink(token),
              state=lambda: [f for f in listing(t.dir) if f.startswith("token")])
    t.command("secret get", tool + ["secret", "get", PATH, *with_])
    config = os.path.join(t.dir, "ccdm.conf")
    with open(config, "w") as f:
        f.write(CONFIG + "[attest]\nbroker = %s\nca = /tmp/ca.pem\ntimeout = 20\n[secrets]\none = %s\nkey = %s\n" %
                (url, PATH, "default/cryptsetup/disk"))
    fetch, drop = [*tool, "secret", "fetch", "--config", config], [*tool, "secret", "drop"]

    def secrets():
        return listing("/run/credstore") + listing("/run/cryptsetup-keys.d")

    def nowhere():
        for where in "/run/credstore", "/run/cryptsetup-keys.d":
            subprocess.run(["umount", where], stderr=subprocess.DEVNULL)

    def fetched():
        subprocess.run(fetch, check=True)
    t.command("secret fetch", fetch, fresh=nowhere, state=secrets)
    # (some of them gone is not all of them gone)
    t.command("secret drop", drop, fresh=fetched, state=lambda: not secrets())
    nowhere()
    t.command("measure --check", tool + ["measure", "--check"], same=lambda out: "")


HOST = (broker_new, broker_tool, brokerd, brokerd_start, setup_files)
GUEST = (setup_device, setup_tpm)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--every", type=int, default=1)
    p.add_argument("--build", action="store_true", help="only build them")
    p.add_argument("--built", action="store_true", help="the programs are there")
    p.add_argument("scenarios", nargs="*")
    args = p.parse_args()
    known = {f.__name__.replace("_", "-"): f for f in HOST + GUEST}
    unknown = [s for s in args.scenarios if s not in known]
    if unknown:
        p.error("no scenario %s; there are %s" % (" ".join(unknown), " ".join(known)))
    if not args.built:
        build()
    if args.build:
        return 0
    print("KTAP version 1", flush=True)
    for name in args.scenarios or [f.__name__.replace("_", "-") for f in HOST]:
        tmp = tempfile.mkdtemp(prefix="ccdm-faults-")
        try:
            known[name](Test(tmp, args.every))
        finally:
            shutil.rmtree(tmp)
    print("1..%d" % len(results))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
