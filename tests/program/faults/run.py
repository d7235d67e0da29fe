#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""run - the programs, with each of their calls failing once

  tests/run program faults [--every N] [SCENARIO...]

ccdm-setup, ccdm-broker and ccdm-brokerd, under the address and undefined-behaviour sanitizers, linked
so that the n-th call into a library or the kernel can fail (fail.c). A scenario first runs without a
failure, to learn by which call paths each call is reached. Then, for each call path, its first and
its last call fails. After each failure: the result is right, or there is an error with its exit code
and a message; the state is the old or the new one; nothing crashes, leaks or prints the secret; and
the same operation then succeeds without a failure. --every N: only each N-th call path.
"""
import argparse
import shutil
import sys
import tempfile

from harness import Test, build, results
from scenario_broker import broker_new, broker_tool, brokerd, brokerd_start
from scenario_image import image_files
from scenario_setup import setup_files, setup_device, setup_tpm

HOST = (broker_new, broker_tool, brokerd, brokerd_start, setup_files, image_files)
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
