# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""faults - in the VM, on the debug kernel: makes allocations and crypto fail

  faults.py ctr DEVICE SECTORS OPTION...    every allocation of ctr fails once
  faults.py io WHAT PERCENT DEVICE SECONDS  I/O while WHAT fails, against a model

WHAT: alloc (slab and page allocations of the module), seal, open (calls that return -ENOMEM
without an effect), all.
"""
import ctypes
import os
import random
import subprocess
import sys
import time

from blocks import LEAF, Blocks

DEBUG = "/sys/kernel/debug/"
ENOMEM = "0xfffffffffffffff4"


def put(path, value):
    with open(DEBUG + path, "w") as f:
        f.write(str(value))


def module_text():
    """Return the addresses of the module's functions."""
    at = []
    with open("/proc/kallsyms") as f:
        for line in f:
            w = line.split()
            if len(w) == 4 and w[3] == "[dm_ccdm]" and w[1] in "tT":
                at.append(int(w[0], 16))
    return min(at), max(at) + 4096


def attr(name, **kw):
    for key, value in kw.items():
        put(name + "/" + key.replace("_", "-"), value)


def faulty_allocations(probability):
    start, end = module_text()
    for name in ("failslab", "fail_page_alloc"):
        attr(name, probability=probability, interval=1, times=-1, space=0, verbose=0, task_filter="N",
             require_start=hex(start), require_end=hex(end), stacktrace_depth=32, ignore_gfp_wait="N")
    put("fail_page_alloc/min-order", 0)
    put("fail_page_alloc/ignore-gfp-highmem", "N")


def faulty_function(name, probability, error=ENOMEM):
    put("fail_function/inject", name)
    put("fail_function/%s/retval" % name, error)
    attr("fail_function", probability=probability, interval=1, times=-1, space=0, verbose=0, task_filter="N")


def all_well():
    faulty_allocations(0)
    put("fail_function/inject", "\n")       # of all functions


# ---- every allocation of ctr ------------------------------------------------

CREATE, RELOAD, REMOVE, CLEAR = 0, 1, 2, 14    # enum of libdevmapper.h


def fail_nth(n):
    """Let the n-th allocation of this thread from now on fail. Return: what is left of the last order."""
    with open("/proc/thread-self/fail-nth") as f:
        left = int(f.read())
    with open("/proc/thread-self/fail-nth", "w") as f:
        f.write(str(n))
    return left


class DM:
    def __init__(self):
        self.lib = ctypes.CDLL("libdevmapper.so.1.02.1")
        self.lib.dm_task_create.restype = ctypes.c_void_p

    def run(self, kind, name, table=None, nth=0):
        """Return: True if it succeeded, and what is left of @nth."""
        t = ctypes.c_void_p(self.lib.dm_task_create(kind))
        self.lib.dm_task_set_name(t, name.encode())
        if table:
            self.lib.dm_task_add_target(t, ctypes.c_uint64(0), ctypes.c_uint64(table[0]), b"ccdm",
                                        table[1].encode())
        fail_nth(nth)
        ok = self.lib.dm_task_run(t)
        left = fail_nth(0)
        self.lib.dm_task_destroy(t)
        return bool(ok), left


def users():
    with open("/proc/modules") as f:
        return [int(line.split()[2]) for line in f if line.startswith("dm_ccdm ")][0]


def ctr(device, sectors, *options):
    dm = DM()
    table = (int(sectors), "1 %s %d %s" % (device, len(options), " ".join(options)))
    assert dm.run(CREATE, "fault")[0]
    faulty_allocations(0)
    failed = borne = 0
    nth = 1
    while True:
        ok, left = dm.run(RELOAD, "fault", table, nth)
        if ok:
            dm.run(CLEAR, "fault")
        assert users() == 0, "allocation %d: something of the mapping is left" % nth
        if left:
            assert ok, "allocation %d: refused, and nothing had failed" % nth
            break
        failed += not ok
        borne += ok
        # later allocations are many pages from one place in the code
        nth += 1 + nth // 40
    dm.run(REMOVE, "fault")
    print("# allocations of ctr: %d, made to fail: %d refused, %d borne" % (nth - left, failed, borne))
    assert failed > 50 and nth - left > 500


# ---- I/O against a model ------------------------------------------------------

def io(what, percent, dev, seconds):
    name = os.path.basename(dev)
    m = Blocks(dev, "clean")
    rng = random.Random(1)
    leaves = m.blocks // LEAF
    for leaf in range(0, leaves, 3):
        m.write(leaf * LEAF, LEAF, 0)
    assert not m.failed
    if what in ("alloc", "all"):
        faulty_allocations(int(percent))
    for f in {"seal": ["ccdm_seal"], "open": ["ccdm_open"], "all": ["ccdm_seal", "ccdm_open"]}.get(what, []):
        faulty_function(f, int(percent))
    end = time.monotonic() + int(seconds)
    version = 0
    try:
        while time.monotonic() < end:
            version += 1
            leaf = rng.randrange(leaves)
            n = rng.choice((1, 1, 8, 9, LEAF, LEAF))
            at = leaf * LEAF + (0 if n == LEAF else rng.randrange(LEAF - n))
            if rng.random() < 0.6:
                m.write(at, n, version)
            else:
                m.read(at, n)
            if version % 64 == 0:
                subprocess.run(["dmsetup", "message", name, "0", "sync"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
                subprocess.run(["dmsetup", "message", name, "0", "drop"])
    finally:
        all_well()
    for _ in range(100):
        if not subprocess.run(["dmsetup", "message", name, "0", "sync"], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode:
            break
    else:
        raise AssertionError("sync does not succeed, although nothing fails any more")
    subprocess.run(["dmsetup", "message", name, "0", "drop"])
    for at in range(0, leaves * LEAF, LEAF):
        m.read(at, LEAF, must=True)
    print("# %s at %s%%: %d blocks done, %d operations ended in EIO; all content right" % (what, percent, m.done, m.failed))


def main():
    {"ctr": ctr, "io": io}[sys.argv[1]](*sys.argv[2:])


main()
