# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""blocks - in the VM: labelled blocks of a device, written by one thread, and the permitted content of each"""
import errno
import fcntl
import mmap
import os
import struct

BLOCK, LEAF = 4096, 128
BLKDISCARD, BLKZEROOUT = 0x1277, 0x127f


class Wrong(Exception):
    """A block has content that it must not have; nothing excuses that."""


class Blocks:
    """errors: the meaning of an error. None: there must be none; "clean": nothing was changed; "torn": a write may
    have happened, and from then on its blocks may return EIO."""

    def __init__(self, dev, errors=None):
        self.dev, self.errors = dev, errors
        self.fd = os.open(dev, os.O_RDWR | os.O_DIRECT)
        self.blocks = os.lseek(self.fd, 0, os.SEEK_END) // BLOCK
        self.may = {}           # block: permitted versions; None: zeros
        self.poisoned = set()
        self.buf = mmap.mmap(-1, LEAF * BLOCK)
        self.done = self.failed = 0     # blocks, operations

    @staticmethod
    def content(block, version):
        return bytes(BLOCK) if version is None else (b"<%d:%d>" % (block, version) * 1024)[:BLOCK]

    def _error(self, e):
        if not self.errors or e.errno != errno.EIO:
            raise e
        self.failed += 1

    def _change(self, at, n, version, do):
        try:
            do()
        except OSError as e:
            self._error(e)
            for i in range(at, at + n) if self.errors == "torn" else ():
                self.may[i] = self.may.get(i, {None}) | {version}
                self.poisoned.add(i)
            return
        for i in range(at, at + n):
            self.may[i] = {version}
            self.poisoned.discard(i)
        self.done += n

    def write(self, at, n, version):
        def do():
            got = os.pwritev(self.fd, [memoryview(self.buf)[:n * BLOCK]], at * BLOCK)
            if got != n * BLOCK:
                raise Wrong("%s: a write of %d blocks took %d bytes" % (self.dev, n, got))
        for i in range(n):
            self.buf[i * BLOCK:(i + 1) * BLOCK] = self.content(at + i, version)
        self._change(at, n, version, do)

    def zero(self, at, n, how):
        """how: BLKDISCARD or BLKZEROOUT"""
        self._change(at, n, None, lambda: fcntl.ioctl(self.fd, how, struct.pack("QQ", at * BLOCK, n * BLOCK)))

    def read(self, at, n, must=False):
        """must: an error is allowed only where a write failed."""
        try:
            got = os.preadv(self.fd, [memoryview(self.buf)[:n * BLOCK]], at * BLOCK)
        except OSError as e:
            if must and not self.poisoned.intersection(range(at, at + n)):
                raise
            self._error(e)
            return
        if got != n * BLOCK:
            raise Wrong("%s: a read of %d blocks gave %d bytes" % (self.dev, n, got))
        for i in range(at, at + n):
            have, may = self.buf[(i - at) * BLOCK:(i - at + 1) * BLOCK], self.may.get(i, {None})
            if not any(have == self.content(i, v) for v in may):
                raise Wrong("%s: block %d holds %r, may hold %s" % (self.dev, i, have[:32], may))
        self.done += n
