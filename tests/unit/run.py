#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""run - the unit tests, each program a test of KTAP and its functions the subtests

  tests/run unit [--list] [NAME...]	NAME: x509 is tests/unit/test_x509.c; default all
"""
import argparse
import glob
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def run(name):
    """One program. Return: whether all of its tests passed, and it came to its end."""
    print("# Subtest: " + name, flush=True)
    r = subprocess.run([os.path.join(TOP, "build/unit/test_" + name)], cwd=TOP, capture_output=True, text=True,
                       errors="replace", env=dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP"))
    plan, results, failed = None, 0, 0
    for line in r.stdout.splitlines():
        # (cmocka 1.1.5 prints a test that was skipped as "not ok 2 # SKIP name")
        skipped = re.match(r"(?:not )?ok \d+ # SKIP (.*)", line)
        result = re.match(r"(not ok|ok) \d+ (?:- )?(.*)", line)
        if skipped:
            results += 1
            line = "ok %d %s # SKIP" % (results, skipped.group(1))
        elif result:
            results += 1
            failed += result.group(1) != "ok"
            line = "%s %d %s" % (result.group(1), results, result.group(2))
        elif re.match(r"1\.\.\d+$", line):
            plan = int(line[3:])
        elif not line.startswith("#"):
            line = "# " + line
        print("    " + line, flush=True)
    for line in r.stderr.splitlines():
        print("    # " + line, flush=True)
    whole = plan == results and results and not (r.returncode and not failed)
    if not whole:
        print("    not ok %d the whole plan ran (%d of %s, exit code %d)" % (results + 1, results, plan, r.returncode), flush=True)
    return whole and not failed


def main():
    p = argparse.ArgumentParser(prog="tests/run unit", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--list", action="store_true")
    p.add_argument("names", nargs="*")
    a = p.parse_args()
    known = sorted(os.path.basename(f)[5:-2] for f in glob.glob(os.path.join(TOP, "tests/unit/test_*.c")))
    names = [n[5:] if n.startswith("test_") else n for n in a.names] or known
    unknown = [n for n in names if n not in known]
    if unknown:
        p.error("no such test: %s; there are %s" % (" ".join(unknown), " ".join(known)))
    if a.list:
        print("\n".join(names))
        return 0
    r = subprocess.run(["make", "-s", *["build/unit/test_" + n for n in names]], cwd=TOP, stdout=sys.stderr)
    if r.returncode:
        sys.exit("unit: the tests do not build")
    print("KTAP version 1\n1..%d" % len(names), flush=True)
    good = True
    for i, name in enumerate(names):
        passed = run(name)
        good = good and passed
        print("%s %d %s" % ("ok" if passed else "not ok", i + 1, name), flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
