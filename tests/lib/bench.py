# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""bench - shared by the programs that measure: targets, fio, goals, records"""
import json
import os
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BASE = "dm-crypt"       # the base of the ratios
# in the order of the tables in Documentation/bench
SUITES = ("aes-xts-gmac", "aes-gcm", "aes-xts-hmac-sha256")
# One vCPU whose clock counts instructions: a nanosecond each, and idle time costs nothing.
COUNTED = {"cpus": 1, "accel": "tcg,thread=single", "args": ["-icount", "shift=0,sleep=off"]}


# ---- targets ---------------------------------------------------------------

class Raw:
    """The device below alone. The other targets are on top of it, as /dev/mapper/b."""
    reads_only = False
    dev = "/dev/mapper/b"

    def __init__(self, name, below):
        self.name, self.below = name, below

    def __enter__(self):
        self.dev = self.below
        return self

    def __exit__(self, *exc):
        pass


class Table(Raw):
    """A line of a device-mapper table, in which {dev} is the device below.

    less: the percentage of that device that stays free; most: sectors, at most.
    """

    def __init__(self, vm, name, below, line, less=0, most=1 << 40):
        super().__init__(name, below)
        self.vm, self.line, self.less, self.most = vm, line, less, most

    def __enter__(self):
        sectors = min(int(self.vm.sh("blockdev --getsz " + self.below)), self.most) * (100 - self.less) // 800 * 8
        self.vm.sh("dmsetup create --noudevsync --noudevrules b --table '0 %d %s' && dmsetup mknodes" %
                   (sectors, self.line.format(dev=self.below)))
        return self

    def __exit__(self, *exc):
        self.vm.sh("dmsetup remove --retry --noudevsync --noudevrules b && dmsetup mknodes")


def crypt(vm, below, options="", name=BASE, **more):
    words = ["sector_size:4096"] + options.split()
    return Table(vm, name, below, "crypt aes-xts-plain64 %s 0 {dev} 0 %d %s" %
                 ("0123456789abcdef" * 8, len(words), " ".join(words)), **more)


def ccdm(vm, below, suite, options="", **more):
    words = ["cipher:" + suite, "on_tamper:eio"] + options.split()
    return Table(vm, "ccdm " + suite, below, "ccdm 1 {dev} %d %s" % (len(words), " ".join(words)), less=1, **more)


# ---- the VM ----------------------------------------------------------------

def load_modules(vm):
    """What the targets need. There is no udev: its reads of new devices would be counted."""
    vm.sh("modprobe -qa xts gcm dm-crypt dm-integrity dm-verity; insmod /ccdm/dm-ccdm.ko gmac=aad; "
          "udevadm settle; udevadm control --exit")


def null_blk(vm, ns, gib, tags=None):
    """A memory-backed /dev/nullb0 that completes after so many ns, by a timer, in hard interrupts."""
    vm.sh("modprobe null_blk nr_devices=1 memory_backed=1 irqmode=2 completion_nsec=%d gb=%d bs=4096 %s" %
          (ns, gib, "hw_queue_depth=%d" % tags if tags else ""))


def qemu_version():
    out = subprocess.run(["qemu-system-x86_64", "--version"], capture_output=True, text=True, check=True).stdout
    return out.split("\n")[0]


# ---- goals and records -----------------------------------------------------

class Report:
    """Print lines and keep them; check goals and count the missed ones."""

    def __init__(self):
        self.text, self.goals, self.missed = [], [], 0

    def say(self, line):
        self.text.append(line)
        print(line, flush=True)

    def goal(self, what, value, limit, least=False, below=False, note=""):
        """least: value must reach the limit; below: it must stay below it."""
        met = value >= limit if least else value < limit if below else value <= limit
        self.missed += not met
        self.goals.append({"what": what, "value": value, "limit": limit, "met": met})
        self.say("goal: %-52s %7.3f, at %s %.3f%s" % (what, value, "least" if least else "most", limit,
                                                      "" if met else "  NOT MET" + note))

    def write(self, path, result):
        """Write text and JSON. The path has no extension."""
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".json", "w") as f:
            json.dump(result, f, indent=1)
        with open(path + ".txt", "w") as f:
            f.write("\n".join(self.text) + "\n")


def record_path(name):
    """Path of a record, without extension."""
    return os.path.join(TOP, "Documentation/bench", name)
