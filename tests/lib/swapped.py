# SPDX-License-Identifier: Apache-2.0
"""swapped - in the VM: a working set larger than memory, written and verified

  swapped.py SIZE    in two processes, two rounds; SIZE is 128M (MiB), or 115%
                     of the memory there is

Every page carries its number and the round; a wrong one is an error. The work is
the same however fast the machine is.
"""
import mmap
import os
import struct
import sys

PAGE = 4096


def work(pages, who):
    m = mmap.mmap(-1, pages * PAGE)
    for turn in range(2):
        for i in range(pages):
            struct.pack_into("<QQQ", m, i * PAGE, i, turn, who)
        for i in range(pages):
            found = struct.unpack_from("<QQQ", m, i * PAGE)
            if found != (i, turn, who):
                print("page %d: found %s, expected %s" % (i, found, (i, turn, who)))
                return 1
    return 0


def main():
    with open("/proc/meminfo") as f:
        total = int(f.readline().split()[1]) * 1024
    n, unit = int(sys.argv[1][:-1]), sys.argv[1][-1]
    pages = (n << 20 if unit == "M" else total * n // 100) // PAGE // 2
    children = []
    for who in range(2):
        pid = os.fork()
        if not pid:
            os._exit(work(pages, who))
        children.append(pid)
    sys.exit(any([os.waitpid(p, 0)[1] for p in children]))


main()
