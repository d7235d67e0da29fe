# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""soak - in the VM: all uses at once on one mapping, until the time is over or the host has struck

  soak.py SECONDS SEED  the last line is JSON: statistics, or what was wrong

It waits at /run/told and /run/go after each of the two writes of the unchanging region.
On the existing /dev/mapper/t: fio with verification; a file system that is filled and emptied; labelled
blocks with an oracle; and a region that is written at the beginning and never again. Meanwhile the
cache is dropped and resized, scrubs and syncs run, the mapping is suspended, a CPU goes offline and
online, and memory is short. On /dev/mapper/e, whose device sometimes fails: labelled blocks, where EIO
is allowed. Once /run/struck exists, an error of t may be the host's doing.
"""
import json
import os
import random
import subprocess
import sys
import threading

from blocks import BLKDISCARD, BLKZEROOUT, LEAF, Blocks, Wrong

MIB = 1 << 20
STILL, FIO, MODEL = 16, 64, 48          # MiB; the file system has the rest
lock = threading.Lock()
count = {}
wrong = []
over = threading.Event()


def add(what, n=1):
    with lock:
        count[what] = count.get(what, 0) + n


def struck():
    return os.path.exists("/run/struck")


def sh(cmd):
    return subprocess.run(cmd, shell=True, capture_output=True, text=True)


def status(name="t"):
    return dict(w.split(":", 1) for w in sh("dmsetup status " + name).stdout.split() if ":" in w)


def is_wrong(what):
    with lock:
        wrong.append(what)
    over.set()


def failed(what, detail=""):
    """An operation failed: this is right if the host struck and it was detected; else it is wrong."""
    if struck() and status().get("state") == "tampered":
        over.set()
    else:
        is_wrong("%s: %s" % (what, str(detail)[-600:]))


def region(name, at, size):
    sh("dmsetup create %s --table '0 %d linear /dev/mapper/t %d'" % (name, size * 2048, at * 2048))
    return "/dev/mapper/" + name


class Worker(Blocks):
    """Use random blocks until the end."""

    def __init__(self, dev, rng, errors=None):
        super().__init__(dev, errors)
        self.rng, self.version = rng, 0

    def step(self):
        rng = self.rng
        self.version += 1
        n = rng.choice((1, 1, 2, 8, 9, 32, LEAF))
        at = rng.randrange(self.blocks - n)
        if n == LEAF:
            at -= at % LEAF
        what = rng.random()
        if what < 0.5:
            self.read(at, n)
        elif what < 0.9:
            self.write(at, n, self.version)
        else:
            self.zero(at, n, rng.choice((BLKDISCARD, BLKZEROOUT)))
        add("operations")

    def loop(self):
        try:
            while not over.is_set():
                self.step()
        except Wrong as e:
            is_wrong(str(e))
        except OSError as e:
            failed(self.dev, e)


def fio(dev, rng):
    while not over.is_set():
        words = ["--rw=" + rng.choice(("randwrite", "write", "randrw", "randtrimwrite")),
                 "--bsrange=4k-%dk" % rng.choice((4, 16, 256, 1024)), "--iodepth=%d" % rng.choice((1, 8, 32)),
                 "--io_size=%dm" % rng.choice((4, 16)), "--verify=" + rng.choice(("crc32c", "meta")),
                 "--randseed=%d" % rng.randrange(1 << 30)]
        if "randtrimwrite" in words[0]:
            words[1] = "--bs=4k"
        r = sh("fio --name=v --filename=%s --size=%dm --direct=1 --ioengine=libaio --verify_fatal=1 --verify_backlog=256 "
               "--output-format=json %s 2>&1" % (dev, FIO, " ".join(words)))
        if r.returncode:
            failed("fio " + " ".join(words), r.stdout)
            return
        job = json.loads(r.stdout[r.stdout.index("{"):])["jobs"][0]
        add("fio bytes", job["read"]["io_bytes"] + job["write"]["io_bytes"])
        add("fio runs")


def files(dev, rng):
    """Each kind of file system in turn: fill it, drop it from memory, compare, empty it."""
    while not over.is_set():
        fs = rng.choice(("ext4", "xfs", "btrfs"))
        src = rng.choice(("/usr/bin", "/usr/sbin", "/usr/lib/python3.11"))
        r = sh("set -e; mkfs.%s -q %s %s; mount %s /mnt; for i in 1 2; do cp -a %s /mnt/$i; done; rm -rf /mnt/1; fstrim /mnt; "
               "umount /mnt; mount %s /mnt; diff -r --no-dereference %s /mnt/2; umount /mnt" %
               (fs, "-F" if fs == "ext4" else "-f", dev, dev, src, dev, src))
        if r.returncode:
            sh("umount /mnt")
            failed("files on " + fs, r.stdout + r.stderr)
            return
        add("file systems")


def disturb(rng):
    cpu = "/sys/devices/system/cpu/cpu1/online"
    # errors that the mapping may return: its reserves do not fit, or a scrub already runs
    may = {"cache": "No space left", "scrub": "busy"}
    while not over.wait(rng.random() * 2):
        what = rng.choice(("drop", "cache", "scrub", "stop", "sync", "suspend", "cpu", "memory", "caches"))
        if what == "drop":
            r = sh("dmsetup message t 0 drop")
        elif what == "cache":
            r = sh("dmsetup message t 0 cache_mib %d" % rng.choice((2, 3, 4, 16, 64)))
        elif what == "scrub":
            r = sh("dmsetup message t 0 scrub start")
        elif what == "stop":
            r = sh("dmsetup message t 0 scrub stop")
        elif what == "sync":
            r = sh("dmsetup message t 0 sync")
        elif what == "suspend":
            r = sh("dmsetup suspend t && sleep 0.%d; dmsetup resume t" % rng.randrange(9))
        elif what == "cpu" and os.path.exists(cpu):
            r = sh("echo %d >%s; true" % (rng.randrange(2), cpu))
        elif what == "memory":
            r = sh("stress-ng --vm 1 --vm-bytes 60%% --vm-keep --timeout %d --quiet; true" % rng.randrange(1, 6))
        else:
            r = sh("echo 3 >/proc/sys/vm/drop_caches")
        if r.returncode and (what not in may or may[what] not in r.stderr):
            failed(what, r.stderr)
            return
        add("disturbances")


def still(dev):
    """The unchanging region: written twice at the beginning, so old data exists."""
    blocks = Blocks(dev)
    for version in (1, 2):
        for at in range(0, blocks.blocks, LEAF):
            blocks.write(at, LEAF, version)
        sh("dmsetup message t 0 sync; echo >/run/told; read -r _ </run/go")
    sh("dmsetup message t 0 drop")


def main():
    seconds, seed = int(sys.argv[1]), sys.argv[2]
    rng = [random.Random("%s %d" % (seed, i)) for i in range(8)]
    size = int(sh("blockdev --getsize64 /dev/mapper/t").stdout) // MIB
    at = STILL + FIO + MODEL
    s, f, m, d = (region("still", 0, STILL), region("fio", STILL, FIO), region("model", STILL + FIO, MODEL),
                  region("files", at, size - at))
    still(s)
    model, errors = Worker(m, rng[0]), Worker("/dev/mapper/e", rng[1], "torn")
    threads = [threading.Thread(target=t, args=a) for t, a in (
        (model.loop, ()), (errors.loop, ()), (fio, (f, rng[2])), (files, (d, rng[3])), (disturb, (rng[4],)))]
    for t in threads:
        t.start()
    over.wait(seconds)
    over.set()
    for t in threads:
        t.join(300)
        if t.is_alive():
            wrong.append("something hangs")
    sh("echo 1 >/sys/devices/system/cpu/cpu1/online; dmsetup resume t")
    # The device of e works again: all blocks that are not poisoned must be readable and right.
    sh("dmsetup suspend low && dmsetup load low --table \"$(cat /run/well)\" && dmsetup resume low")
    try:
        for i in range(100):
            if not sh("dmsetup message e 0 sync").returncode:
                break
        else:
            wrong.append("a sync of e does not succeed, although nothing fails any more")
        for i in range(errors.blocks):
            errors.read(i, 1, must=True)
        if not struck():
            for i in range(0, model.blocks, 16):
                model.read(i, 16)
    except Wrong as e:
        is_wrong(str(e))
    except OSError as e:
        failed("at the end", e)
    add("blocks", model.done + errors.done)
    add("errors", errors.failed)
    if status("e").get("tampers") != "0":
        wrong.append("tamper on e: %s" % status("e"))
    if struck() and status().get("state") == "active":
        sh("dmsetup message t 0 scrub stop; dmsetup message t 0 sync; dmsetup message t 0 drop; ccdm-setup scrub -q t")
    st = status()
    if not struck() and (st.get("state"), st.get("tampers"), st.get("poisoned")) != ("active", "0", "0"):
        wrong.append("status %s" % st)
    print(json.dumps({"count": count, "wrong": wrong, "state": st.get("state"), "status": st}))
    sys.stdout.flush()
    os._exit(0)


main()
