# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""sim - the host's side of a TEE for tests: the signer of its reports (tests/kernel/sim)"""
import os
import socket
import struct
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Signer:
    """A processor and its VMs. trust: the directory of a broker that must trust it."""

    def __init__(self, tee, path, trust, vms=1):
        self.tee, self.path, self.trust = tee, path, trust
        os.makedirs(path, exist_ok=True)
        self.sockets = [os.path.join(path, "tee%d" % i) for i in range(vms)]

    def __enter__(self):
        for s in self.sockets:
            if os.path.exists(s):
                os.unlink(s)
        self.p = subprocess.Popen([os.path.join(TOP, "build/tests/signer"), self.tee, self.trust, *self.sockets],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._line("ready")
        return self

    def __exit__(self, *exc):
        self.p.kill()
        self.p.wait()

    def _line(self, want):
        line = self.p.stdout.readline().strip()
        if line != want:
            raise RuntimeError("the signer says '%s', not '%s'" % (line, want))

    def vm(self, measurement, word="", n=0):
        """Set the measurement of VM number n (96 digits), and its fault."""
        self.p.stdin.write("%d %s %s\n" % (n, measurement, word))
        self.p.stdin.flush()
        self._line(str(n))

    def svsm(self, ek=None, n=0):
        """Put an SVSM below VM number n. Its TPM has the EK in this file; None: it has no TPM."""
        self.p.stdin.write("%d svsm %s\n" % (n, ek or ""))
        self.p.stdin.flush()
        self._line(str(n))

    def report(self, data, n=0):
        """What the processor returns to VM number n: report or quote, and the host's certificates."""
        with socket.socket(socket.AF_UNIX) as c:
            c.connect(self.sockets[n])
            c.sendall(b"CCDMR\0" + data)
            with c.makefile("rb") as f:
                return [f.read(size) for size in struct.unpack("<II", f.read(8))]

    def args(self, n=0):
        """Arguments of QEMU that connect the second serial port."""
        return ["-chardev", "socket,id=tee,path=" + self.sockets[n], "-device", "isa-serial,chardev=tee"]


def load(vm, tee, floor=0):
    """Load the TEE's interfaces in a VM. floor: the VMPL of its kernel."""
    # kernels before 6.7 have no such module, and since 6.16 it has another name
    vm.sh("for m in configfs tsm tsm_report; do modprobe -q $m || :; done; set -e; mountpoint -q /sys/kernel/config || "
          "mount -t configfs none /sys/kernel/config || test ! -d /sys/kernel/config; "
          "insmod /ccdm/ccdm-sim.ko tee=%s floor=%d; udevadm settle" % (tee, floor))
