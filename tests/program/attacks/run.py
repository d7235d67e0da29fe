#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""run - attacks on the broker: guests whose evidence is genuine but proves something else than they claim

  tests/run program attacks [NAME...]	all of them, or these

The daemon is build/bin/ccdm-brokerd. Each attack has a control, in which an honest guest gets the
secret. The attacks are in the other files of this folder, and share attack.py.
"""
import os
import shutil
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(TOP, "tests/lib"))
from attack import ATTACKS, ok, results  # noqa: E402
from broker import Broker  # noqa: E402
from liar import PATH, SECRET, Guest  # noqa: E402
import certificates  # noqa: E402, F401
import composites  # noqa: E402, F401
import identity  # noqa: E402, F401
import manifests  # noqa: E402, F401
import platforms  # noqa: E402, F401
import sessions  # noqa: E402, F401
import vtpms  # noqa: E402, F401


def main():
    wanted = sys.argv[1:] or list(ATTACKS)
    if set(wanted) - set(ATTACKS):
        print(__doc__ + "\n  " + " ".join(ATTACKS), file=sys.stderr)
        return 1
    tmp = tempfile.mkdtemp(prefix="ccdm-attacks-")
    print("KTAP version 1")
    try:
        b = Broker(tmp)
        g = Guest(b, os.path.join(tmp, "trust"))
        with b:
            b.secret(PATH, SECRET.encode())
            for name in wanted:
                start = time.monotonic()
                print("# " + name)
                try:
                    ATTACKS[name](b, g)
                except Exception as e:      # so the other attacks still run
                    ok(False, name + " ran to its end", repr(e))
                print("# %s: %.1f s" % (name, time.monotonic() - start))
            ok(b.daemon.poll() is None, "the daemon still runs")
            ok(b.admin("log", "verify", check=False)[0] == 0, "the audit log is whole")
        g.p.stdin.close()
        g.p.wait()
    finally:
        shutil.rmtree(tmp)
    print("1..%d" % len(results))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
