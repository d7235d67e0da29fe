# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""The boot attests with its processor before it gets its secrets: SNP and, in the long form, TDX.

A module of the tests simulates the processor (tests/kernel/sim); the broker runs on the host, at 10.0.2.2.
"""
import hashlib
import json
import os

from boot import attest_disk, fails, get_esp, parts
from broker import Broker
from guest import NET_ARGS
from sim import Signer

SECRET = b"THE-SECRET-OF-THE-WORKLOAD-%d" % os.getpid()

SIM_UNIT = """[Unit]
DefaultDependencies=no
Before=ccdm-measure.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'modprobe tsm || modprobe tsm_report || :; insmod /ccdm-sim.ko tee=%s'
"""


class Tee:
    """A machine whose processor reports what was booted; the hash of its UKI takes the place of the firmware's measurement."""

    def __init__(self, t, b, tee):
        self.t, self.b, self.tee = t, b, tee
        self.signer = Signer(tee, os.path.join(t.dir, tee), os.path.join(b.dir, "trust"))
        with open(os.path.join(parts(t.kernel), "ccdm-sim.ko"), "rb") as f:
            module = f.read()
        self.files = {"ccdm-sim.ko": module, "etc/systemd/system/ccdm-sim.service": SIM_UNIT % tee,
                      "etc/systemd/system/initrd.target.requires/ccdm-sim.service": ("link", "../ccdm-sim.service")}

    def disk(self, name, **changes):
        path = attest_disk(self.t, self.b, os.path.join(self.t.dir, name), files=self.files,
                           **dict({"attest_timeout": "20", "measure_tpm": "optional"}, **changes))
        return path, hashlib.sha384(get_esp(path, "EFI/BOOT/BOOTX64.EFI")).hexdigest()

    def policy(self, measurement):
        pins = "measurement: {value: %s, covers: image}" if self.tee == "snp" else "identity: any, measurement: %s"
        self.b.policy("name: web\nsecrets: default/web/*\nrequire: {tee: %s, binding: none, phase: [unknown, initrd], "
                      "%s}\n" % (self.tee, pins % measurement))


def tees(t, b, tee):
    """The same with a TEE, with and without an additional TPM of the host."""
    m = Tee(t, b, tee)
    with m.signer as s:
        b.reload()
        path, known = m.disk("tee.img")
        m.policy(known)
        s.vm(known)
        for tpm in (False, True) if t.full else (False,):
            what = "%s%s" % (tee, ", a TPM of the host's beside it" if tpm else "")
            with t.boot([path], title=what, tpm=tpm, args=s.args() + NET_ARGS) as vm:
                if t.ok(vm.outcome == "up", "%s: it boots (%s)" % (what, vm.outcome), vm.log()[-3000:]):
                    report = json.loads(vm.sh("cat /run/ccdm/boot.json"))["attested"]
                    t.ok(report["tee"] == tee and report["result"] == "accepted", what + ": accepted", report)
                    out = vm.sh("systemd-run -q --wait --pipe -p LoadCredential=web.key "
                                "sh -c 'cat $CREDENTIALS_DIRECTORY/web.key'")
                    t.ok(out.encode() == SECRET, what + ": a service gets its secret", out)
        path, other = m.disk("tee2.img", attest_timeout="21")
        s.vm(other)
        t.ok(other != known, "one character of the configuration: another measurement")
        fails(t, tee + ", another image", "CCDM-E-ATTEST-03", "refused by the broker", [path], tpm=False,
              args=s.args() + NET_ARGS)
        failed = [c for c in [e for e in b.log() if e["event"] == "attest"][-1]["conditions"]["web"] if not c["passed"]]
        t.ok([c["condition"] for c in failed] == ["measurement"] and known in failed[0]["expected"] and
             failed[0]["found"] == other, "the log says what was expected, and what was found", failed)


def run(t):
    with Broker(os.path.join(t.dir, "broker")) as b:
        b.secret("default/web/key", SECRET)
        tees(t, b, "snp")
        if t.full and t.kernel != "bookworm":       # 6.1 has no interface for a quote
            tees(t, b, "tdx")
        out = b.admin("log", "verify")
        t.ok("hash chain valid" in out, "the audit log was not changed", out)
