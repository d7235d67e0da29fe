#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""run - break the code in one place after the other; each time a test must fail

  tests/run gauge mutants [NAME...]	NAME: of tests/gauge/mutants/table.py; all without
  tests/run gauge mutants --check	run nothing: is the text that each mutant changes in its file, once?

Works in a copy of the tree. A mutant counts as seen if its test ran and printed "not ok", FAILED
or a sanitizer's report. A mutant that does not compile is an error.
"""
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from table import MUTANTS  # noqa: E402

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

# Runners are called without tests/run, which would count a runner that dies as a failure, too.
RUNNERS = {"package": "package/run.sh", "trust": "broker/trust.py", "strangers": "broker/strangers.py"}


def say(tree, limit, *words):
    """Run it in the tree. Return: exit code and output."""
    r = subprocess.run(words, cwd=tree, capture_output=True, text=True, errors="replace", timeout=limit)
    return r.returncode, r.stdout + r.stderr


def run_test(tree, test):
    """Return: did it run, did it fail, the first failure."""
    kind, name = test.split()
    if kind == "unit":
        rc, out = say(tree, 900, "make", "-s", "build/unit/test_" + name)
        if rc:
            return False, False, out
        rc, out = say(tree, 900, os.path.join(tree, "build/unit/test_" + name))
        first = re.search(r"\[  FAILED  \] (\w+)|ERROR: (\w+Sanitizer)", out)
    elif kind == "kmod":
        rc, out = say(tree, 1800, "tests/kernel/kmod/run.py", "--runs", "1000", name)
        if "KTAP" not in out or "does not build" in out:
            return False, False, out
        first = re.search(r"BUG at .*|ERROR: \w+Sanitizer.*", out) or re.search(r"not ok .*", out)
    elif kind == "faults":
        rc, out = say(tree, 1800, "tests/program/faults/run.py", name)
        if "KTAP" not in out:
            return False, False, out
        first = re.search(r"# call \d+, .*", out) or re.search(r"not ok .*", out)
    elif kind in ("package", "broker", "attacks", "trust", "strangers", "image"):
        rc, out = say(tree, 900, "make", "-s", "test-programs")
        if rc:
            return False, False, out
        rc, out = say(tree, 1800, "tests/program/" + RUNNERS.get(kind, kind + "/run.py"), *([name] if kind == "attacks" else []))
        first = re.search(r"not ok .*", out)
    elif kind == "fuzz":
        rc, out = say(tree, 1800, "tests/fuzz/run.py", "--seconds", "1", "--inputs", "30", name)
        if "KTAP" not in out or "does not compile" in out:
            return False, False, out
        first = re.search(r"# .*(?:fails: |runtime error).*", out) or re.search(r"not ok .*", out)
    else:
        rc, out = say(tree, 900, "make", "-s", "test-programs")
        if rc:
            return False, False, out
        rc, out = say(tree, 1800, sys.executable, "tests/lib/machines.py", "vm", "--kernel", kind, name)
        if "# Subtest" not in out:
            return False, False, out
        first = re.search(r"not ok \d+ (.*)", out)
    return True, rc != 0 and bool(first), first.group(0) if first else out


def check():
    """Return 1 and name the mutants that the code has left behind."""
    bad = []
    for name, _, path, old, _, _ in MUTANTS:
        try:
            with open(os.path.join(TOP, path)) as f:
                times = f.read().count(old)
        except FileNotFoundError:
            times = 0
        if times != 1:
            bad.append("mutants: the text that %s changes must be in %s once, and is there %d times; correct its entry in "
                       "tests/gauge/mutants/table.py" % (name, path, times))
    names = [m[0] for m in MUTANTS]
    bad += ["mutants: two are called " + name for name in sorted(set(names)) if names.count(name) > 1]
    print("\n".join(bad), end="\n" if bad else "")
    return 1 if bad else 0


def main():
    wanted = sys.argv[1:]
    if wanted == ["--check"]:
        return check()
    for name in wanted:
        if name not in [m[0] for m in MUTANTS]:
            sys.exit("mutants: none is called " + name)
    results = []
    print("KTAP version 1")
    with tempfile.TemporaryDirectory(prefix="ccdm-mutants-") as tree:
        subprocess.run("git ls-files -z | rsync -a --from0 --files-from=- ./ %s/ && cd %s && git init -q && git add -A && "
                       "make -s test-programs >/dev/null" % (tree, tree), shell=True, cwd=TOP, check=True)
        for name, rule, path, old, new, test in MUTANTS:
            if wanted and name not in wanted:
                continue
            path = os.path.join(tree, path)
            with open(path) as f:
                good = f.read()
            if good.count(old) != 1:
                ran, seen, said = False, False, "what it breaks stands there %d times" % good.count(old)
            else:
                with open(path, "w") as f:
                    f.write(good.replace(old, new))
                try:
                    ran, seen, said = run_test(tree, test)
                except subprocess.TimeoutExpired as e:
                    ran, seen, said = False, False, "no end in %d s" % e.timeout
                with open(path, "w") as f:
                    f.write(good)
            results.append(ran and seen)
            print("%s %d %s (%s): %s" % ("ok" if results[-1] else "not ok", len(results), name, rule, test), flush=True)
            for line in said.splitlines()[-20:] if not results[-1] else [said]:
                print("# " + line[:200], flush=True)
    print("1..%d" % len(results))
    return 0 if all(results) else 1


sys.exit(main())
