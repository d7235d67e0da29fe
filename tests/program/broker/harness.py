# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""harness - results of the tests in this folder, a policy, and guests that request its secret"""
import json
import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
# broker.py reads CCDM_BIN when it is imported, so import this module first
SANITIZE = sys.argv[2] if sys.argv[1:2] == ["--sanitize"] else ""
if SANITIZE:
    os.environ["CCDM_BIN"] = "build/%s/bin" % SANITIZE
    # the leak detector needs ptrace, which the daemon forbids
    os.environ["ASAN_OPTIONS"] = "detect_leaks=0"
    os.environ["TSAN_OPTIONS"] = "halt_on_error=1"
LOAD = os.path.join(TOP, "build/tests/load")
PATH = "default/web/key"
POLICY = """name: web
secrets: default/web/*
require: {tee: tpm, binding: tpm-only, phase: unknown, identity: any}
"""
results = []


def ok(cond, what, detail=""):
    results.append(bool(cond))
    print("%s %d %s" % ("ok" if cond else "not ok", len(results), what), flush=True)
    if not cond:
        for line in str(detail).splitlines()[-15:]:
            print("# " + line)


def skip(what, why):
    results.append(True)
    print("ok %d %s # SKIP %s" % (len(results), what, why), flush=True)


def load(b, key, n, processes):
    """Guests of this TPM key: n in each of so many processes. Return: the counts, and the errors"""
    r = subprocess.run([LOAD, "run", key, "https://localhost:%d" % b.port, b.ca, PATH, str(n), str(processes)],
                       capture_output=True, text=True)
    return json.loads(r.stdout), r.stderr
