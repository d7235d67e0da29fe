# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""A TPM with an unknown key, but a trusted manufacturer: its endorsement key vouches for the key.

swtpm_setup makes the TPMs, with certificates of its CA. They are used alone, and in addition to a
TEE, to which a manufacturer's certificate does not bind them.
"""
import json
import os

from broker import Broker
from guest import BOOT, NET, TPM, Maker, Swtpm, put, setup
from sim import Signer, load

GOOD = "a1" * 48
CONFIG = BOOT % ("ab" * 32) + "[measure]\n"

ALONE = "name: web\nsecrets: default/web/key\nrequire: {tee: tpm, binding: tpm-only, phase: initrd, identity: any}\n"
BESIDE = ("name: web\nsecrets: default/web/key\n"
          "require: {tee: snp, binding: provider, phase: initrd, measurement: {value: %s, covers: image}}\n") % GOOD


def machine(vm, b):
    vm.sh(NET)
    vm.sh(TPM)
    put(vm, "/tmp/ca.pem", open(b.ca).read())
    put(vm, "/tmp/ccdm.conf", CONFIG)
    vm.sh("/ccdm/bin/ccdm-setup measure --config /tmp/ccdm.conf")
    return "--broker %s --ca /tmp/ca.pem --timeout 20" % b.url


def asks(vm, with_):
    return setup(vm, "secret get default/web/key %s" % with_)


def alone(t, vm, b):
    with_ = machine(vm, b)
    b.policy(ALONE)
    rc, out = asks(vm, with_)
    t.ok(rc == 0 and out == "secret", "its maker is trusted: its key is activated, and the secret comes", out)
    t.note(b.log()[-1]) if rc else None
    rc, out = asks(vm, with_ + " --no-activation")
    t.ok(rc == 7 and b.refused() == ["ak"], "without activation its key is nobody's", (out, b.log()[-1]))
    rc, out = asks(vm, with_ + " --protocol 0.2.0")
    t.ok(rc == 7 and b.refused() == ["ak"], "and in version 0.2.0, which has no word for it", (out, b.log()[-1]))
    rc, out = setup(vm, "evidence --nonce any")
    t.ok(rc == 0 and "activation" not in json.loads(out)["tee-evidence"]["primary_evidence"],
         "evidence without a broker has none", out)
    t.check_log(vm)


def other(t, vm, b):
    rc, out = asks(vm, machine(vm, b))
    t.ok(rc == 7 and b.refused() == ["ek-chain"], "a TPM of another maker: refused by its chain alone",
         (out, b.log()[-1]))
    t.check_log(vm)


def beside(t, vm, b, s):
    with_ = machine(vm, b)
    b.policy(BESIDE)
    load(vm, "snp")
    rc, out = asks(vm, with_)
    last = b.log()[-1]
    t.ok(rc == 7 and "do not count" in json.dumps(last), "beside a TEE its registers do not count: a maker is no provider",
         (out, last))
    rc, out = asks(vm, with_ + " --no-activation")
    last = b.log()[-1]
    t.ok(rc == 7 and "do not count" in json.dumps(last), "nor without activation", (out, last))
    t.check_log(vm)


def run(t):
    maker = Maker(os.path.join(t.dir, "maker"))
    maker.make(os.path.join(t.dir, "tpm"))
    Maker(os.path.join(t.dir, "other")).make(os.path.join(t.dir, "tpm-other"))
    with Broker(os.path.join(t.dir, "broker")) as b, \
         Signer("snp", os.path.join(t.dir, "tee"), os.path.join(b.dir, "trust")) as s:
        maker.trust(os.path.join(b.dir, "trust"))
        b.reload()
        b.secret("default/web/key", b"secret")
        s.vm(GOOD)
        for what, tpm, args in ((alone, "tpm", []), (other, "tpm-other", []), (beside, "tpm", s.args())):
            with Swtpm(os.path.join(t.dir, tpm)) as p, t.vm(args=p.args + args) as vm:
                what(t, vm, b, s) if what is beside else what(t, vm, b)
