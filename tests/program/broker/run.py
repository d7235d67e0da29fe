#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""run - the broker as a daemon: many guests, hostile guests, and whether its log is correct

  tests/run program broker [--all]	--all: 2,000 handshakes in a row and 200 at once
  tests/run program broker --sanitize KIND	the programs built with -fsanitize=KIND (address, thread)

The tests are in the other files of this folder, and share harness.py.
"""
import os
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(TOP, "tests/lib"))
from harness import LOAD, PATH, POLICY, SANITIZE, load, ok, results  # noqa: E402
from broker import Broker  # noqa: E402
from administration import administration, answers, backup  # noqa: E402
from anonymous import anonymous  # noqa: E402
from explain import platform  # noqa: E402
from files import files  # noqa: E402
from guests import hostile, in_memory, many  # noqa: E402
from status import status  # noqa: E402
from tool import tool, traced  # noqa: E402
from verbs import verbs  # noqa: E402


def main():
    whole = "--all" in sys.argv[1:]
    tmp = tempfile.mkdtemp(prefix="ccdm-brokerd-")
    if SANITIZE:
        flags = "-O1 -g -fsanitize=" + SANITIZE + (",undefined -fno-sanitize-recover=all" if SANITIZE == "address" else "")
        subprocess.run(["make", "-s", "-j2", "BUILD=build/" + SANITIZE, "CFLAGS=" + flags, "build/%s/bin/ccdm-brokerd" % SANITIZE,
                        "build/%s/bin/ccdm-broker" % SANITIZE], cwd=TOP, check=True, stdout=subprocess.DEVNULL)
    print("KTAP version 1")
    try:
        b = Broker(tmp)
        key = os.path.join(tmp, "ak.key")
        subprocess.run([LOAD, "key", key, os.path.join(tmp, "ak.der")], check=True)
        with open(os.path.join(tmp, "ak.der"), "rb") as f:
            b.known = b.know(f.read())
        with b:
            b.policy(POLICY)
            b.secret(PATH, b"correct horse")
            found = in_memory(b)
            ok(not found, "a stored secret is nowhere in the daemon's memory, nor is the master key", found)
            many(b, key, whole)
            found = in_memory(b)
            ok(not found, "after its release the secret is nowhere in the daemon's memory, nor is the master key", found)
            SANITIZE or os.geteuid() or ok(in_memory(b, [b.dir.encode() + b"/secrets.key"]),
                                           "control: a string that the daemon has is found in its memory")
            b.configure("max_connections = 64\ntimeout = 5")
            b.reload()
            hostile(b, key)
            administration(b, key)
            tool(b, key)
            traced(b)
            platform(b, key)
            backup(b, key)
            verbs(b, ok)
            anonymous(b, ok)

            def one():
                said, err = load(b, key, 1, 1)
                return said["right"], err
            status(b, ok, one)
            files(b, key)
            answers(b)
            out = b.admin("log", "verify")
            ok("hash chain valid" in out, "the audit log: " + out.strip(), out)
            ok("correct horse" not in open(tmp + "/state/audit.log").read() and
               b"correct horse" not in open(tmp + "/state/broker.db", "rb").read(), "no secret in log or database")
            ok(b.daemon.poll() is None, "the daemon still runs")
    finally:
        shutil.rmtree(tmp)
    print("1..%d" % len(results))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
