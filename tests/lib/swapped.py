# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""swapped - in the VM: a working set larger than memory, written and verified

  swapped.py SIZE    in two processes. SIZE is 128M (MiB), or +160M: that much
                                        more than the available memory. All but 96 MiB of the available
                                        memory is locked first, so a large machine does not take longer

Every page contains its number and its owner; a wrong page is an error. The amount of work does not
depend on the machine's speed.
"""
import ctypes
import mmap
import os
import struct
import sys

PAGE = 4096
LEFT = 96 << 20


def work(pages, who):
    m = mmap.mmap(-1, pages * PAGE)
    for i in range(pages):
        struct.pack_into("<QQ", m, i * PAGE, i, who)
    for i in range(pages):
        found = struct.unpack_from("<QQ", m, i * PAGE)
        if found != (i, who):
            print("page %d: found %s, expected %s" % (i, found, (i, who)))
            return 1
    return 0


def lock(size):
    """Lock memory against swapping; the caller must keep it."""
    m = mmap.mmap(-1, size)
    if ctypes.CDLL(None).mlock(ctypes.c_void_p(ctypes.addressof(ctypes.c_char.from_buffer(m))), ctypes.c_size_t(size)):
        sys.exit("cannot lock %d MiB" % (size >> 20))
    return m


def main():
    size = int(sys.argv[1].strip("+M")) << 20
    if sys.argv[1].startswith("+"):
        with open("/proc/meminfo") as f:
            available = [int(line.split()[1]) << 10 for line in f if line.startswith("MemAvailable:")][0]
        locked = lock((available - LEFT) // PAGE * PAGE)    # noqa: F841 (locked while it is referenced)
        size += LEFT
    pages = size // PAGE // 2
    children = []
    for who in range(2):
        pid = os.fork()
        if not pid:
            os._exit(work(pages, who))
        children.append(pid)
    sys.exit(any([os.waitpid(p, 0)[1] for p in children]))


main()
