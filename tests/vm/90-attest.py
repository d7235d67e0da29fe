# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""Attestation with a TPM: a VM with swtpm and a network, and the broker on the host.

Evidence, the broker's decision, secrets on standard output and in /run/credstore; a machine with other
measurements; a broker that is down, a wrong broker, and one that withdraws a policy.
"""
import json
import os

from broker import Broker
from guest import BOOT, NET, TPM, Swtpm, put, setup

CONFIG = BOOT + """[measure]
[attest]
broker = %s
ca = /tmp/ca.pem
timeout = 20
[secrets]
web.key = default/web/key
disk = default/cryptsetup/data
"""

POLICY = """name: web
secrets: [default/web/*, default/cryptsetup/*]
require:
  tee: tpm
  binding: tpm-only
  phase: initrd
  identity: any
  event: {register: pcr15, name: ccdm-base, digest: %s}
"""


def machine(t, vm, b, roothash):
    """Do what the boot does before it attests."""
    vm.sh(NET)
    vm.sh(TPM)
    put(vm, "/tmp/ca.pem", open(b.ca).read())
    put(vm, "/tmp/ccdm.conf", CONFIG % (roothash, b.url))
    vm.sh("/ccdm/bin/ccdm-setup measure --config /tmp/ccdm.conf")


def good(t, vm, b):
    machine(t, vm, b, "ab" * 32)
    rc, out = setup(vm, "evidence")
    t.ok(rc == 0 and "tpm          yes" in out, "evidence: the TPM is here", out)
    own = json.loads(vm.sh("/ccdm/bin/ccdm-setup evidence --json"))
    t.ok([a["tee"] for a in own["attesters"] if a["here"]] == ["tpm"] and own["tee"] == "tpm" and len(own["runtime-data"]["nonce"]) == 43,
         "evidence --json: the list, and evidence with a nonce of its own", own)
    evidence = json.loads(vm.sh("/ccdm/bin/ccdm-setup evidence --nonce any"))
    path = os.path.join(t.dir, "evidence.json")
    with open(path, "w") as f:
        json.dump(evidence, f)

    rc, out = b.admin("explain", path, check=False)
    t.ok(rc == 7 and "FAILED  ak" in out, "explain: an unknown TPM is refused", out)
    b.trust_tpm(evidence)
    rc, out = b.admin("explain", "--json", path, check=False)
    facts = json.loads(out[:out.rindex("}") + 1])["facts"]
    t.ok(facts["phase"] == "initrd" and facts["binding"] == "tpm-only", "the phase is initrd, by the log", facts)
    base = [e["digest"] for e in facts["events"] if e.get("name") == "ccdm-base"]
    t.ok(len(base) == 1 and [e for e in facts["events"] if e["register"] == "pcr0"],
         "events of ccdm and of the firmware are proved", facts["events"])

    with_ = "--broker %s --ca /tmp/ca.pem --timeout 20" % b.url
    rc, out = setup(vm, "attest " + with_)
    t.ok(rc == 7 and "refused by the broker" in out, "no policy: refused, exit code 7", out)
    b.secret("default/web/key", b"\0secret\n\xff")
    b.secret("default/cryptsetup/data", b"0123")
    b.policy(POLICY % base[0])
    rc, out = b.admin("explain", path, check=False)
    t.ok(rc == 0 and "policy web: holds" in out, "explain: the policy holds for the evidence of the first boot", out)
    with open(path, "w") as f:
        json.dump(own, f)
    rc, out = b.admin("explain", path, check=False)
    t.ok(rc == 0 and "policy web: holds" in out, "explain: and for that with a nonce of its own", out)
    rc, out = setup(vm, "attest --output /tmp/token " + with_)
    t.ok(rc == 0 and vm.sh("stat -c %a /tmp/token").strip() == "600", "attest: accepted, and the token is there", out)
    rc, out = setup(vm, "attest --broker %s --pin %s" % (b.url, b.pin))
    t.ok(rc == 0, "the same by the pin of the broker's key", out)
    rc, out = setup(vm, "attest --broker %s --pin %s --timeout 5" % (b.url, "00" * 32))
    t.ok(rc == 8 and "cannot verify the broker" in out, "another pin: not the broker, exit code 8", out)
    rc, out = setup(vm, "attest --config /tmp/ccdm.conf --pin %s --timeout 5" % ("00" * 32))
    t.ok(rc == 8 and "cannot verify the broker" in out, "the pin comes before what a configuration says", out)
    rc, out = setup(vm, "attest --config /tmp/ccdm.conf --pin %s" % b.pin)
    t.ok(rc == 0, "the configuration says where the broker is", out)
    rc, out = setup(vm, "attest --json " + with_)
    t.ok(rc == 0 and json.loads(out) == {"broker": b.url, "tee": "tpm", "result": "accepted"}, "as JSON", out)
    rc, out = setup(vm, "evidence --nonce any --manifest /tmp/ca.pem")
    t.ok(rc == 1 and "/tmp/ca.pem: expected a manifest" in out, "evidence: what is no manifest", out)
    rc, out = setup(vm, "evidence --nonce any --certificate /tmp/ccdm.conf")
    t.ok(rc == 1 and "neither a certificate" in out, "evidence: what is no certificate", out)
    put(vm, "/tmp/manifest", "e30.e30.AAAA")
    rc, out = setup(vm, "evidence --nonce any --manifest /tmp/manifest --certificate /tmp/ca.pem")
    t.ok(rc == 0 and '"manifest": "e30.e30.AAAA"' in out, "evidence: the manifest is in it", out)
    rc, out = setup(vm, "attest --protocol 0.2.0 " + with_)
    t.ok(rc == 0, "the same by version 0.2.0 of the protocol", out)
    out = vm.sh("/ccdm/bin/ccdm-setup secret get default/web/key %s | od -An -tx1" % with_)
    t.ok(out.split() == "00 73 65 63 72 65 74 0a ff".split(), "secret get: its bytes, as they are", out)
    rc, out = vm.sh("/ccdm/bin/ccdm-setup secret get default/web/key %s 2>&1 >/dev/full" % with_, check=False)
    t.ok(rc == 4 and "standard output: No space left" in out, "secret get to a disk that is full: said", (rc, out))
    rc, out = setup(vm, "secret get default/db/key " + with_)
    t.ok(rc == 7, "one that no policy opens", out)
    rc, out = setup(vm, "secret get ../web/key " + with_)
    t.ok(rc == 1 and "REPO/TYPE/TAG" in out, "one that is no name", out)

    rc, out = setup(vm, "secret fetch --config /tmp/ccdm.conf")
    t.ok(rc == 0, "secret fetch", out)
    rc, out = setup(vm, "secret fetch --config /tmp/ccdm.conf")
    t.ok(rc == 0 and vm.sh("grep -c ' /run/credstore ' /proc/mounts").strip() == "1", "once more, in the same place", out)
    out = vm.sh("stat -f -c %T /run/credstore; stat -c '%a %n' /run/credstore /run/credstore/* "
                "/run/cryptsetup-keys.d/*; cat /run/cryptsetup-keys.d/data.key")
    t.ok(out == "ramfs\n700 /run/credstore\n400 /run/credstore/disk\n400 /run/credstore/web.key\n"
                "400 /run/cryptsetup-keys.d/data.key\n0123", "in a ramfs, for root alone", out)
    rc, out = setup(vm, "secret drop")
    t.ok(rc == 0 and not vm.sh("ls /run/credstore /run/cryptsetup-keys.d | grep -v :").strip(),
         "secret drop: nothing is left", out)
    vm.sh("mkdir /run/credstore/d")
    rc, out = setup(vm, "secret drop")
    t.ok(rc and "/run/credstore/d: Is a directory" in out, "what cannot be removed is named", out)
    vm.sh("umount /run/credstore && rmdir /run/credstore && touch /run/credstore")
    rc, out = setup(vm, "secret fetch --config /tmp/ccdm.conf")
    t.ok(rc and "/run/credstore: cannot mount a ramfs" in out, "no ramfs: no secret", out)
    vm.sh("rm /run/credstore")

    b.policy((POLICY % base[0]).replace("phase: initrd", "phase: running"))
    rc, out = setup(vm, "attest --timeout 5 " + with_.replace(" --timeout 20", ""))
    t.ok(rc == 7, "a policy for another phase: refused at once", out)
    last = b.log()[-1]
    failed = [c for c in last["conditions"]["web"] if not c["passed"]]
    t.ok(last["result"] == "refused" and [c["condition"] for c in failed] == ["phase"] and
         failed[0]["expected"] == '["running"]' and failed[0]["found"] == "initrd",
         "the log says which condition, what was expected and what was found", last)
    b.policy(POLICY % base[0])
    b.stop()
    rc, out = setup(vm, "attest --broker %s --ca /tmp/ca.pem --timeout 3" % b.url)
    t.ok(rc == 8, "no broker: exit code 8 when the time is over", out)
    b.start()
    rc, out = setup(vm, "attest " + with_)
    t.ok(rc == 0, "it is there again", out)
    return base[0]


def other(t, vm, b):
    """The same TPM with another base: one digit of its root hash differs."""
    machine(t, vm, b, "ab" * 31 + "ac")
    rc, out = setup(vm, "secret fetch --config /tmp/ccdm.conf")
    t.ok(rc == 7, "another base: refused", out)
    failed = [c for c in b.log()[-1]["conditions"]["web"] if not c["passed"]]
    t.ok([c["condition"] for c in failed] == ["event"], "by the event, and by it alone", failed)
    t.ok(vm.sh("ls /run/credstore 2>/dev/null; true") == "", "nothing is in /run/credstore")


def run(t):
    with Broker(os.path.join(t.dir, "broker")) as b:
        tpm = os.path.join(t.dir, "tpm")
        for what in good, other:
            with Swtpm(tpm) as s, t.vm(args=s.args) as vm:
                what(t, vm, b)
                t.check_log(vm)
        out = b.admin("log", "verify")
        t.ok("hash chain valid" in out, "the audit log was not changed", out)
