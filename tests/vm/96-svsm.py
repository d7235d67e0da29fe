# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# kernels: 6.12 7.2
"""A kernel above an SVSM: the service attributes of configfs-tsm, the SVSM's TPM, binding svsm.

The TPM is swtpm. The signer outside states, in its report's manifest, that it is the SVSM's.
"""
import json
import os

from broker import Broker
from devices import Vtpm
from guest import BOOT, NET, TPM, Swtpm, asks, put, setup
from sim import Signer, load

GOOD, OTHER = "a1" * 48, "a1" * 47 + "a2"
CONFIG = BOOT % ("ab" * 32) + "[measure]\n"
POLICY = "name: web\nsecrets: default/web/key\nrequire: {tee: snp, binding: svsm, phase: initrd, identity: any}\n"


def listed(b, text):
    with open(os.path.join(b.dir, "trust/svsms"), "w") as f:
        f.write(text)
    b.reload()


def refused(t, vm, b, with_, what, conditions, note):
    asks(t, vm, with_, 7, what + ": refused", "refused by the broker")
    last = b.log()[-1]
    t.ok(b.refused() == conditions and note in json.dumps(last), "the log says why: " + note, last)


def machine(t, vm, b, s, eks):
    vm.sh(NET)
    vm.sh(TPM)
    put(vm, "/tmp/ca.pem", open(b.ca).read())
    put(vm, "/tmp/ccdm.conf", CONFIG)
    vm.sh("/ccdm/bin/ccdm-setup measure --config /tmp/ccdm.conf")
    with_ = "--broker %s --ca /tmp/ca.pem --timeout 20" % b.url
    load(vm, "snp", 2)
    unbound = ["binding", "phase"]
    # the only report is then the kernel's own, of VMPL 2
    refused(t, vm, b, with_, "an SVSM without a TPM", unbound + ["vmpl"], "ek: neither")
    s.svsm(eks[0])
    asks(t, vm, with_, 0, "the SVSM's TPM: its registers count, binding svsm") or t.note(b.log()[-1])
    facts = [e for e in b.log() if e["event"] == "attest"][-1]["facts"]
    t.ok(facts["binding"] == "svsm" and facts["vmpl"] == 0, "the report is of VMPL 0, the binding svsm", facts)
    rc, out = setup(vm, "evidence --nonce any")
    manifest = json.loads(out)["tee-evidence"]["primary_evidence"].get("svsm", {}).get("manifest") if rc == 0 else None
    t.ok(manifest, "its manifest is in the evidence", out)
    t.ok(not vm.sh("ls /sys/kernel/config/tsm/report"), "nothing is left in configfs")
    s.svsm(eks[1])
    refused(t, vm, b, with_, "the manifest of an SVSM with another TPM", unbound, "ek: neither")
    s.svsm(eks[0])
    s.vm(OTHER)
    refused(t, vm, b, with_, "another SVSM", unbound, "is not in trust/svsms")
    s.vm(GOOD, "level")
    refused(t, vm, b, with_, "a report of VMPL 1", unbound + ["vmpl"], "of VMPL 1, not 0")
    s.vm(GOOD)
    refused(t, vm, b, with_ + " --no-activation", "its key is not activated", unbound, "do not count")
    asks(t, vm, with_, 0, "control: as before")
    t.check_log(vm)


def run(t):
    eks = []
    for name in "tpm", "other":
        with Vtpm(os.path.join(t.dir, name)) as v:
            eks.append(os.path.join(t.dir, name + ".ek"))
            v.ek(eks[-1])
    with Broker(os.path.join(t.dir, "broker")) as b, \
         Signer("snp", os.path.join(t.dir, "tee"), os.path.join(b.dir, "trust")) as s, \
         Swtpm(os.path.join(t.dir, "tpm")) as tpm, t.vm(args=s.args() + tpm.args) as vm:
        listed(b, "measurement %s\n" % GOOD)
        b.secret("default/web/key", b"secret")
        b.policy(POLICY)
        s.vm(GOOD)
        machine(t, vm, b, s, eks)
