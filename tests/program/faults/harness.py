# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""harness - build the programs with calls that can fail, and let the calls fail one at a time"""
import mmap
import os
import re
import select
import signal
import struct
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(TOP, "tests/lib"))
HERE = os.path.join(TOP, "tests/program/faults")
BUILD = "build/faults"
os.environ["CCDM_BIN"] = BUILD + "/bin"
os.environ["ASAN_OPTIONS"] = "exitcode=99"
os.environ["UBSAN_OPTIONS"] = "exitcode=99"

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
    # code that a sanitizer inserts is no line or branch of ccdm's; with optimization, lines that do the same are counted as one
    how = ("-O0 --coverage -fprofile-update=atomic -include tests/gauge/coverage/plain.h" if counts else
           "-O1 -fsanitize=address,undefined -fno-sanitize-recover=all")
    wraps = os.path.join(TOP, BUILD, "wraps")
    with open(wraps, "w") as f:
        f.write("\n".join("--wrap=" + f for f in (*functions(), "main", "exit", "prctl", *["_exit"] * counts)) + "\n")
    for program in ("ccdm-setup", "ccdm-image", "ccdm-broker", "ccdm-brokerd"):
        path = os.path.join(TOP, BUILD, "bin", program)
        if os.path.exists(path) and os.path.getmtime(path) < os.path.getmtime(shim):
            os.unlink(path)
    # --no-as-needed: only the wrappers call some of the libraries
    subprocess.run(["make", "-s", "-j2", "BUILD=" + BUILD, "CFLAGS=-std=gnu11 -g -fPIE -fno-omit-frame-pointer "
                    "-fno-optimize-sibling-calls " + how,
                    "LDFLAGS=-pie -Wl,--no-as-needed %s -Wl,@%s" % (shim, wraps)] +
                   [BUILD + "/bin/" + p for p in ("ccdm-setup", "ccdm-image", "ccdm-broker", "ccdm-brokerd")],
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
        """Return: the failed call, if any, and the number of calls."""
        return struct.unpack_from("QQ", self.map, 16)

    def name(self, n):
        return self.names[struct.unpack_from("H", self.map, 32 + 8 * MAX + 2 * (n - 1))[0]]

    def points(self):
        """For each call path, the first and the last call: [(number, name)]."""
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
        """Run a command that is armed from its start."""
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
            except RuntimeError as e:       # a daemon that no longer starts
                wrong.append("call %d, %s: %s" % (n, name, e))
                break
            if self.failed == seen:
                unmet.append("%d %s" % (n, name))
            if bad:
                wrong.append("call %d, %s: %s" % (n, name, bad if len(bad) < 3000 else bad[:1500] + " ... " + bad[-1500:]))
        # a daemon may still run calls after its answer, so the last one is not always reached
        ok(not reference and points and not wrong and self.failed >= int(len(points) * least),
           "%s: %d of its calls fail, one at a time (%d ways led there)" % (what, self.failed, len(points)),
           "\n".join([reference or "%d of %d failed, not met: %s" % (self.failed, len(points), ", ".join(unmet))] + wrong))

    def command(self, what, argv, stdin=b"", fresh=lambda: None, state=lambda: None, same=lambda out: out, codes=(0,),
                least=0.9):
        """Test a program that runs to its end. fresh(): restore the old state; state(): the present state; same(): the part
        of the output that does not vary; codes: exit codes without a failure; least: the part of the calls that must have
        failed, if their number varies."""
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
            # a verdict is not an error
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
    """Results that are wrong for any error."""
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
    """Did a guest get its secret? It does not retry with a daemon that has ended."""
    p = subprocess.Popen([LOAD, "run", key, "https://localhost:%d" % b.port, b.ca, PATH, "1", "1"], stdout=subprocess.DEVNULL,
                         stderr=subprocess.PIPE, text=True, start_new_session=True)
    ends = [os.pidfd_open(p.pid), os.pidfd_open(b.daemon.pid)]
    if select.select(ends, [], [])[0] == ends[1:]:
        os.killpg(p.pid, signal.SIGKILL)
    for fd in ends:
        os.close(fd)
    return p.wait() == 0, p.stderr.read()
