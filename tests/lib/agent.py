# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""agent - runs in the test VM and takes orders from the host over a virtio port

One JSON object per line in both directions. Orders run one after the other:

  {"id": 1, "sh": "command", "timeout": 60}     -> rc, out
  {"id": 2, "op": "write", "dev": ..., "block": n, "count": n, "label": s}
  {"id": 3, "op": "read", ...}                  -> errno, match (list of labels)
  {"id": 4, "op": "bye"}                        power off

A labelled block holds its label and block number, repeated to 4096 bytes.
"""
import ctypes
import errno
import json
import mmap
import os
import re
import subprocess
import sys

BLOCK = 4096


def pattern(label, block):
    text = ("<%s:%d>" % (label, block)).encode()
    return (text * (BLOCK // len(text) + 1))[:BLOCK]


def buffer(size):
    return mmap.mmap(-1, size)


def write(o):
    """Direct write of labelled blocks."""
    n = o.get("count", 1)
    buf = buffer(n * BLOCK)
    for i in range(n):
        buf[i * BLOCK:(i + 1) * BLOCK] = pattern(o["label"], o["block"] + i)
    fd = os.open(o["dev"], os.O_RDWR | os.O_DIRECT)
    try:
        done = os.pwritev(fd, [buf], o["block"] * BLOCK)
        return {"errno": 0, "done": done}
    except OSError as e:
        return {"errno": e.errno}
    finally:
        os.close(fd)


def read(o):
    """Direct read. Return: the labels of the blocks, "zero", or "?"; and the buffer's content after an error."""
    n = o.get("count", 1)
    buf = buffer(n * BLOCK)
    buf[:] = b"\xa5" * (n * BLOCK)
    fd = os.open(o["dev"], os.O_RDONLY | os.O_DIRECT)
    err = 0
    try:
        got = os.preadv(fd, [buf], o["block"] * BLOCK)
        if got != n * BLOCK:
            err = errno.EIO
    except OSError as e:
        err = e.errno
    finally:
        os.close(fd)
    labels = []
    for i in range(n):
        b = buf[i * BLOCK:(i + 1) * BLOCK]
        m = re.match(rb"<([^:>]*):(\d+)>", b)
        if m and b == pattern(m.group(1).decode(), o["block"] + i):
            labels.append(m.group(1).decode())
        elif b == bytes(BLOCK):
            labels.append("zero")
        elif b == b"\xa5" * BLOCK:
            labels.append("untouched")
        else:
            labels.append("?")
    return {"errno": err, "labels": labels}


def shell(o):
    try:
        p = subprocess.run(["/bin/bash", "-c", o["sh"]], stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           # where programs with counters write their counts
                           env=dict(os.environ, GCOV_PREFIX="/run/gcov"),
                           timeout=o.get("timeout", 600))
        return {"rc": p.returncode, "out": p.stdout.decode(errors="replace")}
    except subprocess.TimeoutExpired as e:
        return {"rc": 124, "out": (e.stdout or b"").decode(errors="replace")}


def port():
    base = "/sys/class/virtio-ports"
    for d in os.listdir(base):
        with open(os.path.join(base, d, "name")) as f:
            if f.read().strip() == "ccdm.agent":
                return os.open("/dev/" + d, os.O_RDWR)
    sys.exit("agent: no port")


def main():
    fd = port()
    inp = os.fdopen(fd, "rb", buffering=0)
    buf = b""

    def say(o):
        data = json.dumps(o).encode() + b"\n"
        while data:
            data = data[os.write(fd, data):]

    say({"id": 0, "hello": os.uname().release})
    while True:
        while b"\n" not in buf:
            buf += inp.read(65536)
        line, buf = buf.split(b"\n", 1)
        o = json.loads(line)
        if o.get("op") == "bye":
            say({"id": o["id"]})
            os.sync()
            ctypes.CDLL(None).reboot(0x4321FEDC)
        try:
            r = {"write": write, "read": read}[o["op"]](o) if "op" in o else shell(o)
        except Exception as e:      # reported to the host, where the test fails
            r = {"rc": -1, "out": repr(e), "errno": -1}
        r["id"] = o["id"]
        say(r)


main()
