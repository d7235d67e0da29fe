#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""scale - the cost of a broker's operations must not depend on the number of its files

  tests/run program scale [--keys N] [--bundles N]

One daemon has 10 keys of TPMs and 2 bundles of collateral, the other one 10,000 and 200. Both
start, judge a TPM and a TD, reload, and get one more key. The test counts and does not time:
system calls that name a file or list a folder (strace) must be the same, one by one; and so must
the instructions (callgrind), except for random variation in signatures and hash tables.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(TOP, "tests/lib"))
from broker import Broker  # noqa: E402
from liar import PATH, SECRET, Guest, image, td_boot, tpm_boot  # noqa: E402

LOAD = os.path.join(TOP, "build/tests/load")
FMSPC = "0a0b0c0d0e0f"
FEW = (10, 2)
# More additional instructions than this, for a thousand times as many files, mean a loop over them:
# looking at one name of a folder costs some 200, so 10,000 names cost 2 million of the 30 to 60 of a
# phase. Random variation in signatures and hash tables is below 1 %.
FACTOR = 1.02
FOLDERS = "tpm-keys", "collateral", "vcek"
PHASES = "start", "a TPM", "a TD", "reload", "a new key"
POLICY = """name: %s
secrets: default/web/*
require: {tee: %s, binding: %s, phase: initrd, identity: any%s}
"""
results = []


def ok(cond, what, detail=""):
    results.append(bool(cond))
    print("%s %d %s" % ("ok" if cond else "not ok", len(results), what), flush=True)
    if not cond:
        for line in str(detail).splitlines()[-15:]:
            print("# " + line[:300])


class Strace:
    """phase() -> the calls since the last one, without parts that differ from run to run: folder, session, descriptor."""

    def __init__(self, dir_):
        self.dir, self.log, self.at = dir_, os.path.join(dir_, "strace"), 0
        # -D: the daemon is this test's child, and strace is the daemon's
        self.under = ["strace", "-D", "-f", "-q", "-y", "-s", "0", "-e", "trace=%file,getdents64,getdents", "-e", "signal=none",
                      "-o", self.log]

    def phase(self, b):
        with open(self.log) as f:
            f.seek(self.at)
            text = f.read()
            self.at = f.tell()
        calls = []
        for line in text.splitlines():
            m = re.match(r"\d+ +(\w+)\((.*)\) += ", line)
            if not m:
                continue
            # SQLite creates and removes its own files at any time
            paths = re.findall(r'"([^"]*)"', m.group(2)) or re.findall(r"<([^>]*)>", m.group(2))
            if paths and "/state/" not in paths[0]:
                calls.append("%s %s" % (m.group(1), re.sub(r"[0-9a-f]{64}", "SHA256", paths[0].replace(self.dir, "DIR"))))
        return calls


class Callgrind:
    """phase() -> the instructions since the last one."""

    def __init__(self, dir_):
        self.out = os.path.join(dir_, "callgrind.out")
        self.under = ["valgrind", "-q", "--tool=callgrind", "--log-file=%s/valgrind" % dir_, "--callgrind-out-file=" + self.out]
        self.n = 0

    def phase(self, b):
        self.n += 1
        r = subprocess.run(["callgrind_control", "--dump", str(b.daemon.pid)], capture_output=True, text=True)
        if r.returncode:
            raise RuntimeError("callgrind_control: " + r.stdout + r.stderr)
        with open("%s.%d" % (self.out, self.n)) as f:
            return int(re.search(r"^(?:totals|summary): (\d+)", f.read(), re.M).group(1))


def broker(path, keys, bundles, under):
    """A broker with so many files, and a guest whose TPM and platform are among them."""
    b = Broker(path, under=under)
    trust = os.path.join(path, "trust")
    g = Guest(b, trust)
    subprocess.run([LOAD, "keys", os.path.join(trust, "tpm-keys"), str(keys - 1)], check=True)
    for i in range(bundles - 1):
        os.link("%s/collateral/%s.json" % (trust, FMSPC), "%s/collateral/%012x.json" % (trust, i))
        # only names matter: none of these files is ever read
        os.makedirs(trust + "/vcek", exist_ok=True)
        os.link("%s/certs/ask.pem" % trust, "%s/vcek/%0128x.pem" % (trust, i))
    with open("%s/ak1.pub" % path, "wb") as f:
        f.write(subprocess.run(["openssl", "pkey", "-in", path + "/ak1.pem", "-pubout", "-outform", "DER"], check=True,
                               capture_output=True).stdout)
    return b, g


def phases(path, keys, bundles, tool):
    """The cost of each phase, as the tool counts it."""
    os.mkdir(path)
    counts = tool(path)
    b, g = broker(path, keys, bundles, counts.under)
    got, right = [], []
    with b:
        b.policy(POLICY % ("tpm", "tpm", "tpm-only", ""))
        b.policy(POLICY % ("td", "tdx", "none", ", measurement: " + "00" * 48))
        b.secret(PATH, SECRET.encode())
        got.append(counts.phase(b))
        right.append(g.gets("tpm", tpm_boot(image())))
        got.append(counts.phase(b))
        right.append(g.gets("tdx", td_boot(image(rtmr=True))))
        got.append(counts.phase(b))
        b.reload()
        got.append(counts.phase(b))
        unknown = g.gets("tpm", tpm_boot(image(), ak=1))
        with open(path + "/ak1.pub", "rb") as f:
            b.know(f.read())
        right.append(not unknown and g.gets("tpm", tpm_boot(image(), ak=1)))
        got.append(counts.phase(b))
    g.p.stdin.close()
    g.p.wait()
    ok(all(right), "%d keys, %d bundles, under %s: a TPM, a TD and a TPM whose key came without a reload get their secrets" %
       (keys, bundles, tool.__name__.lower()), right)
    return got


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--keys", type=int, default=10000)
    p.add_argument("--bundles", type=int, default=200)
    args = p.parse_args()
    many = args.keys, args.bundles
    tmp = tempfile.mkdtemp(prefix="ccdm-scale-")
    print("KTAP version 1")
    try:
        few_calls, many_calls = (phases(os.path.join(tmp, "calls%d" % n[0]), *n, Strace) for n in (FEW, many))
        for what, few, all_ in zip(PHASES, few_calls, many_calls):
            print("# %s: %d calls that name a file" % (what, len(all_)))
            ok(few == all_, "%s: the same calls, one by one" % what,
               "\n".join(sorted(set(all_) ^ set(few)) + ["%d, %d" % (len(few), len(all_))]))
            listed = [c for c in all_ if c.startswith("getdents") and c.split("/")[-1] in FOLDERS]
            ok(not listed, "%s: none of the folders is listed" % what, "\n".join(listed))
        opened = [c for calls in many_calls for c in calls if c.startswith("open") and "/tpm-keys/" in c]
        ok(len(opened) == 2, "two keys are read, those of the two TPMs", "\n".join(opened))
        opened = [c for calls in many_calls for c in calls if c.startswith("open") and "/collateral/" in c]
        ok(len(opened) == 1, "one bundle is read, that of the TD's platform", "\n".join(opened))
        few_n, many_n = (phases(os.path.join(tmp, "instructions%d" % n[0]), *n, Callgrind) for n in (FEW, many))
        for what, few, all_ in zip(PHASES, few_n, many_n):
            ok(all_ < few * FACTOR, "%s: %.3f of the instructions (%.1f M)" % (what, all_ / few, all_ / 1e6), (few, all_))
    finally:
        shutil.rmtree(tmp)
    print("1..%d" % len(results))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
