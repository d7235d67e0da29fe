# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""Attestation of a VM under Azure's paravisor: SNP and TDX through a vTPM.

tests/lib/paravisor.py simulates the paravisor in the guest, with a real TPM. The signer of the
processor's reports runs outside.
"""
import json
import os

from broker import Broker
from guest import BOOT, NET, TPM, Swtpm, asks, put, setup
from sim import Signer

GOOD, OTHER = "a1" * 48, "a1" * 47 + "a2"

CONFIG = BOOT % ("ab" * 32) + "[measure]\n"

POLICY = """name: web
secrets: default/web/key
require:
  tee: %s
  binding: paravisor
  phase: initrd
  identity: any
  measurement: %s
"""


def paravisor(vm, tee, *words):
    """Replace the running paravisor by another one."""
    vm.sh("test ! -e /tmp/pid || kill $(cat /tmp/pid); rm -f /tmp/paravisor; "
          "python3 /ccdm/tests/lib/paravisor.py %s %s >/tmp/paravisor.log 2>&1 & echo $! >/tmp/pid; "
          "for i in $(seq 300); do test -e /tmp/paravisor && exit 0; sleep 0.1; done; cat /tmp/paravisor.log; exit 1" %
          (tee, " ".join(words)))


def listed(b, text):
    with open(os.path.join(b.dir, "trust/paravisors"), "w") as f:
        f.write(text)
    b.reload()


def version(vm):
    return json.loads(vm.sh("/ccdm/bin/ccdm-setup evidence --nonce any"))["tee-evidence"]["primary_evidence"]["version"]


def one(t, tee):
    name = "az-%s-vtpm" % tee
    with Broker(os.path.join(t.dir, "broker-" + tee)) as b, \
         Signer(tee, os.path.join(t.dir, "tee-" + tee), os.path.join(b.dir, "trust")) as s, \
         Swtpm(os.path.join(t.dir, "tpm-" + tee)) as tpm, t.vm(args=s.args() + tpm.args) as vm:
        b.reload()
        b.secret("default/web/key", b"secret")
        b.policy(POLICY % (tee, GOOD))
        kind = "measurement" if tee == "snp" else "mrtd"
        with_ = "--broker %s --ca /tmp/ca.pem --timeout 30" % b.url
        vm.sh(NET)
        vm.sh("ip addr add 169.254.169.254/32 dev lo")
        vm.sh(TPM)
        put(vm, "/tmp/ca.pem", open(b.ca).read())
        put(vm, "/tmp/ccdm.conf", CONFIG)
        s.vm(GOOD)
        rc, out = setup(vm, "evidence")
        t.ok(rc == 0 and "%-12s no " % name in out, "%s: without a paravisor it is not here" % name, out)
        paravisor(vm, tee)
        rc, out = setup(vm, "evidence")
        t.ok(rc == 0 and "%-12s yes" % name in out, "with one it is", out)
        listed(b, "%s %s\n" % (kind, GOOD))
        asks(t, vm, with_, 7, "nothing measured: refused", "refused by the broker")
        t.ok(b.refused() == ["phase"], "by the phase, and by it alone", b.log()[-1])
        vm.sh("/ccdm/bin/ccdm-setup measure --config /tmp/ccdm.conf")
        # the owner of a genuine chip can write what a paravisor writes
        listed(b, "")
        asks(t, vm, with_, 7, "a paravisor that nobody listed: refused", "refused by the broker")
        t.ok(b.refused() == ["binding", "phase", "measurement"], "nothing binds its vTPM, nor says who had the report made", b.log()[-1])
        listed(b, "%s %s\n%s %s\n" % (kind, GOOD, kind, OTHER))
        asks(t, vm, with_, 0, "measured into the vTPM: its registers count, binding paravisor") or t.note(b.log()[-1])
        want = 2 if tee == "snp" else 1
        t.ok(version(vm) == want, "evidence of version %d" % want)
        s.vm(OTHER)
        asks(t, vm, with_, 7, "one bit of the measurement: refused", "refused by the broker")
        t.ok(b.refused() == ["measurement"], "by the measurement, and by it alone", b.log()[-1])
        s.vm(GOOD)
        paravisor(vm, tee, "torn")
        asks(t, vm, with_, 0, "a report that is being written is read until it is whole") or t.note(b.log()[-1])
        paravisor(vm, tee, "other-key")
        asks(t, vm, with_, 7, "a vTPM with another key than the one in the report: refused", "not accepted")
        t.ok(b.refused() == ["tpm-signature"], "by the quote's signature, and by it alone", b.log()[-1])
        paravisor(vm, tee, "no-user-data")
        asks(t, vm, with_, 0, "a paravisor that takes no user data: accepted for its quote") or t.note(b.log()[-1])
        t.ok(version(vm) == 1, "evidence of version 1")
        paravisor(vm, tee, "no-service")
        asks(t, vm, with_ + " --timeout 5", 8, "no metadata service: said", "169.254.169.254")
        if tee == "tdx":
            paravisor(vm, tee, "service-fails")
            asks(t, vm, with_, 4, "one that fails: said", "found status 500")
        paravisor(vm, tee, "service-lies")
        code, text = (1, "expected a certificate") if tee == "snp" else (4, "expected a string")
        asks(t, vm, with_, code, "one whose answer is no text: said", text)
        if tee == "snp":
            put(vm, "/tmp/vcek.pem", open(os.path.join(s.trust, "beside/vcek.pem")).read())
            asks(t, vm, with_ + " --certificate /tmp/vcek.pem", 0, "with the processor's certificate from a file it goes")
        t.check_log(vm)


def run(t):
    one(t, "snp")
    one(t, "tdx")
