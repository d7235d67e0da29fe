#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""run - the model of a leaf's concurrency: with all rules, then without each of them

  tests/run kernel model [RULE...]	RULE: one of those that can be taken away, NO_...

spin searches kmod/leaf.pml exhaustively: first without an attacker, then with a host that restores
old data. Without any one of the rules there must be an error.
"""
import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
MODEL = os.path.join(TOP, "kmod/leaf.pml")
# rules that matter only with a hostile host
HOSTILE = ("NO_SECOND_COMPARISON", "NO_VERIFIED_ENTRY", "NO_VERIFIED_NODE")


def search(tmp, *defines):
    """Return: errors, states, and whether the search was complete."""
    flags = ["-D" + d for d in defines]
    subprocess.run(["spin", "-a", *flags, MODEL], cwd=tmp, check=True, capture_output=True)
    subprocess.run(["gcc", "-O2", "-DSAFETY", "-DCOLLAPSE", "-DMEMLIM=6000", "-o", "pan", "pan.c"], cwd=tmp, check=True,
                   capture_output=True)
    out = subprocess.run(["./pan", "-m100000", "-w24"], cwd=tmp, check=True, capture_output=True, text=True).stdout
    whole = "Search not completed" not in out and "max search depth too small" not in out
    return (int(re.search(r"errors: (\d+)", out).group(1)),
            int(float(re.search(r"([\d.e+]+) states, stored", out).group(1))), whole, out)


def main():
    with open(MODEL) as f:
        rules = sorted(set(re.findall(r"\bNO_[A-Z_]+", f.read())))
    rules = [r for r in rules if not sys.argv[1:] or r in sys.argv[1:]]
    results = []

    def ok(cond, what, detail=""):
        results.append(bool(cond))
        print("%s %d %s" % ("ok" if cond else "not ok", len(results), what), flush=True)
        if not cond:
            print("\n".join("# " + line for line in detail.splitlines() if not line.startswith("Depth="))[:3000])

    print("KTAP version 1")
    with tempfile.TemporaryDirectory(prefix="ccdm-model-") as tmp:
        for defines, what in (((), "nobody hostile"), (("HOST",), "a host that puts old data back")):
            errors, states, whole, out = search(tmp, *defines)
            ok(not errors and whole, "all rules, %s: no error in %d states" % (what, states), out)
        for rule in rules:
            errors, states, _, out = search(tmp, rule, *(("HOST",) if rule in HOSTILE else ()))
            ok(errors, "without %s: an error, after %d states" % (rule, states), out)
    print("1..%d" % len(results))
    return 0 if all(results) else 1


sys.exit(main())
