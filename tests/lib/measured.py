# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""measured - compare ccdm-image's prediction for a disk with what a boot of the disk measures"""
import base64
import json
import os
import subprocess

from vm import TOP

BANKS = ("sha256", "sha384")
# registers that are predicted, and registers that must keep their initial value or hold a separator
PCRS = ("4", "5", "9", "11")


def image(*words):
    r = subprocess.run([os.path.join(TOP, "build/bin/ccdm-image"), *words], capture_output=True, text=True)
    return r.returncode, r.stdout + r.stderr


def predicted(disk, *words):
    rc, out = image("measure", disk, "--json", *words)
    return json.loads(out) if rc == 0 else {"failed": out}


def keep(t, name, data):
    path = os.path.join(t.dir, name)
    with open(path, "wb") as f:
        f.write(data)
    return path


def equal(t, what, disk, values, pcrs=PCRS, words=()):
    """Check that the registers hold the predicted values."""
    want = predicted(disk, *words)["pcrs"]
    for bank in BANKS:
        wrong = [i for i in pcrs if values.get((bank, i)) != want[i][bank]]
        t.ok(not wrong, "%s: PCR %s of %s hold the predicted values" % (what, ", ".join(pcrs), bank), (wrong, values, want))


def whole(t, disk):
    """Check a whole boot."""
    with t.boot([disk], title="whole") as m:
        booted(t, m, disk)


def booted(t, m, disk):
    """Check a machine that has booted: events of both logs, registers, and the ID as a broker computes it."""
    logs = [keep(t, name, base64.b64decode(m.sh("base64 -w0 " + path))) for name, path in (
        ("firmware.log", "/sys/kernel/security/tpm0/binary_bios_measurements"), ("ccdm.log", "/run/ccdm/tpm2-measure.log"),
        ("systemd.log", "/run/log/systemd/tpm2-measure.log"))]
    values = m.sh("cd /sys/class/tpm/tpm0; for b in %s; do for i in $(seq 0 9) $(seq 11 15); do "
                  "echo $b $i $(cat pcr-$b/$i); done; done" % " ".join(BANKS))
    values = {tuple(x.split()[:2]): x.split()[2].lower() for x in values.splitlines()}
    rc, out = image("verify", disk, "--event-log", logs[0], "--ccdm-log", logs[1])
    t.ok(rc == 0 and "the log is of a boot of this disk" in out, "each event of both logs is as predicted", out)
    # systemd has measured more into PCR 11 since then
    equal(t, "a whole boot", disk, values, ("4", "5", "9"))
    want = predicted(disk)["enclave-id"]["tpm"]
    for bank in BANKS:
        expect = keep(t, "expect", json.dumps({bank: {i: v for (b, i), v in values.items() if b == bank}}).encode())
        out = subprocess.run([os.path.join(TOP, "build/bin/ccdm-setup"), "verify", "eventlog", logs[0], "--expect", expect, "--ccdm-log",
                              logs[1], "--systemd-log", logs[2]], capture_output=True, text=True).stdout
        t.ok("accepted" in out and "enclave-id %s\n" % want[bank] in out,
             "the enclave ID of the boot in %s is the one predicted" % bank, out)
