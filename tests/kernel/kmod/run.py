#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""run - the module's tree, cache and I/O path in a program, checked by an oracle (mapping.c)

  tests/run kernel kmod [--runs N] [--seed S] [--fuzz SECONDS] [MODE...]

MODE is good, errors, attack, sweep, cache or line; default: all. Runs under the address and
undefined-behaviour sanitizers: N runs of each mode (default 400), each drawn from its own seed, S
being the first; then sweeps, in which the n-th call of each kind fails, for every n. Finally it
prints which part of the files' lines the runs reached: less than 95 % of a file is a failure. With
--fuzz, a fuzzer makes the choices for that long.
"""
import argparse
import concurrent.futures
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BUILD = os.path.join(TOP, "build/kmod")
CACHE = os.environ.get("CCDM_CACHE", "/var/cache/ccdm")
LEAST = 95
FILES = ["kmod/%s.c" % f for f in ("tree", "cache", "load", "nodes", "writeback", "sync", "pages", "line", "submit", "soft", "map", "io",
                                   "read", "write", "discard", "scrub")]
SWEEPS = 8
MODES = ("line", "cache", "good", "errors", "attack", "sweep")
results = []


def ok(cond, what, detail=""):
    results.append(bool(cond))
    print("%s %d %s" % ("ok" if cond else "not ok", len(results), what), flush=True)
    if not cond and detail:
        for line in str(detail).splitlines()[-40:]:
            print("# " + line)
    return cond


def headers():
    """The kernel's headers as empty files: tests/kernel/kmod/kernel.h defines what the module uses of them."""
    for path in FILES + glob.glob(os.path.join(TOP, "kmod/*.h")):
        with open(os.path.join(TOP, path)) as f:
            for name in re.findall(r"^#include <([^>]*/[^>]*)>", f.read(), re.M):
                path = os.path.join(BUILD, "include", name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                open(path, "w").close()


def build(name, *flags):
    out = os.path.join(BUILD, name)
    r = subprocess.run(
        ["clang", "-std=gnu11", "-g", "-O1", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-missing-field-initializers",
         "-Wno-sign-compare", "-fno-sanitize-recover=all", "-D__KERNEL__", "-DCCDM_PICK_MAX=16", "-DCCDM_LOADS_MIN=2u",
         "-DCCDM_LOADS_MAX=4u", "-DCCDM_WRITES_MIN=1u", "-DCCDM_WRITES_MAX=3u", "-include", "tests/kernel/kmod/kernel.h",
         "-I" + os.path.join(BUILD, "include"), "-Ikmod", "-Itests/kernel/kmod", *flags, "-o", out, *FILES,
         *sorted(glob.glob("tests/kernel/kmod/*.c", root_dir=TOP))], cwd=TOP, capture_output=True, text=True)
    if r.returncode:
        sys.exit("kmod: %s does not build\n%s" % (name, r.stderr))
    return out


def run(binary, *words):
    env = dict(os.environ, LLVM_PROFILE_FILE=os.path.join(BUILD, "profile", "%p.raw"))
    try:
        r = subprocess.run([binary, *words], capture_output=True, text=True, env=env, timeout=1500)
    except subprocess.TimeoutExpired:
        return 124, "", "%s: no end in 1500 s" % " ".join(words)
    return r.returncode, r.stdout, r.stderr


def figures(out):
    """The numbers of the last line; empty if the run did not reach it."""
    last = out.splitlines()[-1] if out else ""
    words = last.split() if last.startswith("operations") else []
    return dict(zip(words[::2], map(int, words[1::2])))


def jobs(modes, runs, seed):
    """All runs: (name, command line)."""
    for mode in modes:
        if mode in ("cache", "line"):
            yield mode, (mode, str(seed))
        elif mode == "sweep":
            for i in range(SWEEPS):
                times = 1 + i % 2 * 4
                yield "sweep", ("sweep", str(seed + i), str(times))
        else:
            half = (runs + 1) // 2
            for i in range(0, runs, half):
                yield mode, (mode, str(seed + i), str(min(half, runs - i)))


def everything(binary, modes, runs, seed):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda j: (j, run(binary, *j[1])), jobs(modes, runs, seed)))
    for mode in modes:
        of = [(words, r) for (m, words), r in done if m == mode]
        bad = [(words, r) for words, r in of if r[0]]
        sums = {}
        for _, (_, out, _) in of:
            for k, v in figures(out).items():
                sums[k] = sums.get(k, 0) + v
        text = ", ".join("%d %s" % (v, k) for k, v in sums.items() if v)
        if mode == "cache":
            text = "who leaves memory, and who does not"
        if mode == "line":
            text = "who is served first, and who waits for whom"
        if mode == "sweep":
            swept = {}
            for _, (_, out, _) in of:
                for kind, where, n in re.findall(r"^swept (.*) (making|use) (\d+)$", out, re.M):
                    swept[kind + " in " + where] = swept.get(kind + " in " + where, 0) + int(n)
            text = ", ".join("%s %d" % kv for kv in swept.items()) + " failed one by one"
        ok(not bad and of, "%s: %s" % (mode, text), "\n".join(
            "%s\n%s" % (" ".join(words), r[2][:3000]) for words, r in bad))
        if mode == "attack":
            ok(sums.get("detections", 0) > sums.get("attacks", 0) // 4, "attacks are seen, or touch nothing that is read")


def coverage(modes, runs, seed):
    os.makedirs(os.path.join(BUILD, "profile"), exist_ok=True)
    for old in glob.glob(os.path.join(BUILD, "profile/*.raw")):
        os.unlink(old)
    binary = build("mapping.cov", "-fprofile-instr-generate", "-fcoverage-mapping")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda j: run(binary, *j[1]), jobs(modes, runs, seed)))
    prof = os.path.join(BUILD, "mapping.prof")
    subprocess.run(["llvm-profdata", "merge", "-o", prof, *glob.glob(os.path.join(BUILD, "profile/*.raw"))], check=True)
    r = subprocess.run(["llvm-cov", "export", "-summary-only", "-instr-profile", prof, binary, *FILES], cwd=TOP, check=True,
                       capture_output=True, text=True)
    for f in json.loads(r.stdout)["data"][0]["files"]:
        name = os.path.relpath(f["filename"], TOP)
        if name not in FILES:
            continue
        lines, branches = f["summary"]["lines"], f["summary"]["branches"]
        ok(lines["percent"] >= LEAST, "%s: %d of %d lines, %d of %d branches" %
           (name, lines["covered"], lines["count"], branches["covered"], branches["count"]))


def fuzz(seconds):
    binary = build("mapping.fuzz", "-DFUZZ", "-fsanitize=address,undefined,fuzzer")
    corpus = os.path.join(CACHE, "fuzz/kmod")
    os.makedirs(corpus, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="ccdm-kmod-") as tmp:
        r = subprocess.run([binary, "-max_total_time=%d" % seconds, "-max_len=4096", "-timeout=30", "-rss_limit_mb=4096",
                            "-print_final_stats=1", "-artifact_prefix=" + tmp + "/", corpus], capture_output=True, text=True)
        n = re.search(r"number_of_executed_units: (\d+)", r.stderr)
        ok(not r.returncode, "fuzz: %s inputs in %d s" % (n.group(1) if n else "?", seconds), r.stderr)
        for f in glob.glob(tmp + "/*"):
            with open(f, "rb") as g:
                print("# %s: %s" % (os.path.basename(f), g.read()[:2000].hex()))


def main():
    p = argparse.ArgumentParser(add_help=False)
    p.add_argument("--runs", type=int, default=400)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--fuzz", type=int, default=0)
    p.add_argument("-h", "--help", action="store_true")
    p.add_argument("modes", nargs="*")
    a = p.parse_args()
    modes = a.modes or list(MODES)
    if a.help or set(modes) - set(MODES):
        print(__doc__.split("\n\n", 1)[1].strip())
        return not a.help
    headers()
    print("KTAP version 1")
    everything(build("mapping", "-fsanitize=address,undefined"), modes, a.runs, a.seed)
    if not a.modes:
        coverage(modes, a.runs, a.seed)
    if a.fuzz:
        fuzz(a.fuzz)
    print("1..%d" % len(results))
    return 0 if all(results) else 1


sys.exit(main())
