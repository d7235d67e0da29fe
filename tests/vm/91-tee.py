# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""Attestation with a TEE: the kernel's interfaces in the VM, while the signer runs on the host.

SNP by configfs-tsm or, before 6.7, by /dev/sev-guest; TDX by configfs-tsm, with the RTMRs of TDX
where the kernel has them; an additional TPM that nothing binds to the TEE.
"""
import json
import os
import shutil
import subprocess

from broker import Broker
from guest import BOOT, NET, NET_ARGS, TPM, Swtpm, asks, put, setup
from sim import TOP, Signer, load

GOOD, OTHER = "a1" * 48, "a1" * 47 + "a2"

POLICY = """name: web
secrets: default/web/*
require:
  tee: %s
  binding: none
  phase: %s
  identity: any
  measurement: %s
"""

CONFIG = BOOT + """[measure]
tpm = optional
"""


def odd(t, vm, b, s, with_):
    """Answers that the processor or its firmware can give."""
    for word, check in (("debug", "debug"), ("forged", "signature")):
        s.vm(GOOD, word)
        asks(t, vm, with_, 7, "%s: refused" % word, "not accepted" if word == "forged" else "refused by the broker")
        t.ok(b.refused() == [check], "by the check of %s only" % check, b.log()[-1])
    for word, text in (("empty", "found nothing" if t.tsm else "of 0 bytes"),
                       ("short", "found 10" if t.tsm else "of 10 bytes")):
        s.vm(GOOD, word)
        asks(t, vm, with_, 4, "%s report: said" % word, text if s.tee == "snp" or word == "empty"
             else "not accepted")
    s.vm(GOOD)


def signed(t, vm, b, s, with_):
    """A policy that names the signer of images, but no image."""
    tmp = t.dir
    for name in "builder", "other":
        subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out",
                        os.path.join(tmp, name + ".pem")], check=True, stderr=subprocess.DEVNULL)

    def manifest(key, svn, ids):
        r = subprocess.run([os.path.join(TOP, "scripts/manifest"), os.path.join(tmp, key + ".pem"), "web", str(svn), *ids],
                           check=True, capture_output=True, text=True)
        put(vm, "/tmp/manifest", r.stdout)
        return r.stderr.split()[-1]

    key = manifest("builder", 7, ["snp=" + OTHER, "snp=" + GOOD])
    b.policy("name: web\nsecrets: default/web/*\nrequire:\n  tee: snp\n  binding: none\n  phase: unknown\n"
             "  signer: {key: %s, product: web, svn: 7}\n" % key)
    more = with_ + " --manifest /tmp/manifest"
    asks(t, vm, more, 0, "a manifest that lists the image: its signer opens the secret")
    asks(t, vm, with_, 7, "without it: refused", "refused by the broker")
    for what, args in (("of another image", ("builder", 7, ["snp=" + OTHER])),
                       ("of an older version", ("builder", 6, ["snp=" + GOOD])),
                       ("of another signer", ("other", 7, ["snp=" + GOOD])),
                       ("for another platform", ("builder", 7, ["tdx=" + GOOD]))):
        manifest(*args)
        asks(t, vm, more, 7, "a manifest %s: refused" % what, "refused by the broker")
        t.ok(b.refused() == ["signer"], "by the condition of the signer, and by it alone", b.log()[-1])
    b.policy(POLICY % ("snp", "unknown", GOOD))


def bare(t, vm, b, s, with_):
    """The host supplies no certificate: the broker may have it."""
    s.vm(GOOD, "bare")
    asks(t, vm, with_, 7, "no certificate: refused", "not accepted")
    t.ok(b.refused() == ["certificate"], "for want of a VCEK", b.log()[-1])
    vcek = os.path.join(s.trust, "beside/vcek.pem")
    shutil.copy(vcek, os.path.join(s.trust, "certs/vcek.pem"))
    b.reload()
    asks(t, vm, with_, 0, "with one in trust/certs it is accepted") or t.note(b.log()[-1])
    os.unlink(os.path.join(s.trust, "certs/vcek.pem"))
    b.reload()
    os.makedirs(os.path.join(s.trust, "vcek"), exist_ok=True)
    shutil.copy(vcek, os.path.join(s.trust, "vcek", "".join("%02x" % (0xc0 + i) for i in range(64)) + ".pem"))
    asks(t, vm, with_, 0, "and with one in trust/vcek, by the number of the chip")
    shutil.rmtree(os.path.join(s.trust, "vcek"))
    b.reload()
    put(vm, "/tmp/vcek.pem", open(vcek).read())
    asks(t, vm, with_ + " --certificate /tmp/vcek.pem", 0, "and with one that the guest brings")
    if not t.tsm:
        s.vm(GOOD, "much")
        asks(t, vm, with_, 7, "more certificates than the kernel passes on: a report without", "not accepted")
        t.ok(b.refused() == ["certificate"], "for want of a VCEK, as before", b.log()[-1])
    s.vm(GOOD)


def level(t, vm, b, with_):
    """A kernel at another VMPL cannot get reports of VMPL 0, and is not accepted as VMPL 0."""
    vm.sh("rmmod ccdm_sim")
    load(vm, "snp", 2)
    asks(t, vm, with_, 7, "VMPL 2: refused", "refused by the broker" if t.tsm else "")
    if t.tsm:
        t.ok(b.refused() == ["vmpl"], "by the check of the VMPL, and by it alone", b.log()[-1])
    vm.sh("rmmod ccdm_sim")
    load(vm, "snp")


def disturbed(t, vm, s):
    """Another process writes into the report while it is made: the result is the right report, or an error."""
    vm.sh("touch /tmp/disturb; (while test -e /tmp/disturb; do for d in /sys/kernel/config/tsm/report/ccdm-*; do "
          "head -c 64 /dev/zero >$d/inblob; done; done; touch /tmp/disturbed) >/dev/null 2>&1 &")
    told, others, tries = 0, 0, 0
    while tries < 8 or (not told and tries < 100):
        tries += 1
        rc, out = setup(vm, "evidence --nonce any")
        if rc:
            told += "another process wrote" in out
        elif s.tee == "snp":
            at = json.loads(out)["tee-evidence"]["primary_evidence"]
            others += not any(at["attestation_report"]["report_data"])
    vm.sh("rm /tmp/disturb; until test -e /tmp/disturbed; do :; done")
    t.ok(not others, "no report is bound to what another wrote")
    t.ok(told, "another process wrote into the report: reported %d times of %d" % (told, tries), out)


def registers(t, vm, b, with_):
    """Measured events are in RTMR 3, and so is the cap at the end of the boot."""
    put(vm, "/tmp/ccdm.conf", CONFIG % ("ab" * 32))
    b.policy(POLICY % ("tdx", "initrd", GOOD))
    asks(t, vm, with_, 7, "nothing measured: the phase is not known", "refused by the broker")
    t.ok(b.refused() == ["phase"], "by the phase, and by it alone", b.log()[-1])
    # the driver appears while the step waits for it
    put(vm, "/tmp/required.conf", (CONFIG % ("ab" * 32)) + "rtmr = required\n")
    vm.sh("rmmod ccdm_sim; (sleep 2; insmod /ccdm/ccdm-sim.ko tee=tdx) >/dev/null 2>&1 &")
    rc, out = setup(vm, "measure --config /tmp/required.conf")
    t.ok(rc == 0 and "RTMR 3 sha384" in out, "a driver that comes late: the step waits, and RTMR 3 holds the events", out)
    asks(t, vm, with_, 0, "measured into RTMR 3: the phase is initrd")
    evidence = json.loads(vm.sh("/ccdm/bin/ccdm-setup evidence --nonce any"))
    path = os.path.join(t.dir, "evidence.json")
    with open(path, "w") as f:
        json.dump(evidence, f)
    rc, out = b.admin("explain", "--json", path, check=False)
    facts = json.loads(out[:out.rindex("}") + 1])["facts"]
    events = {e.get("name"): e["register"] for e in facts["events"]}
    t.ok(events.get("ccdm-base") == "rtmr3" and events.get("ccdm-ready") == "rtmr3",
         "its events are facts of rtmr3", facts)
    vm.sh("python3 -c 'import hashlib; open(\"/sys/devices/virtual/misc/tdx_guest/measurements/rtmr3:sha384\", \"r+b\", 0)"
          ".write(hashlib.sha384(b\"ccdm-cap:1\").digest())'")
    asks(t, vm, with_, 7, "an event that the log does not have: the register proves nothing", "refused by the broker")
    rc, out = setup(vm, "measure --config /tmp/ccdm.conf")
    t.ok(rc and "RTMR 3 (sha384): expected" in out, "and measuring says so, which reads it back", out)
    b.policy(POLICY % ("tdx", "unknown", GOOD))


def beside(t, b, s, with_):
    """A TPM of the host in addition to the TEE: its statements do not count."""
    with Swtpm(os.path.join(t.dir, "tpm")) as tpm, t.vm(args=s.args() + tpm.args) as vm:
        vm.sh(NET)
        vm.sh(TPM)
        put(vm, "/tmp/ca.pem", open(b.ca).read())
        put(vm, "/tmp/ccdm.conf", CONFIG % ("ab" * 32))
        vm.sh("/ccdm/bin/ccdm-setup measure --config /tmp/ccdm.conf")
        load(vm, s.tee)     # loaded after measuring, so the measurements are only in the TPM
        b.policy(POLICY % (s.tee, "unknown", GOOD))
        asks(t, vm, with_, 0, "with a TPM that nobody knows: accepted for what the TEE proves")
        b.policy(POLICY % (s.tee, "initrd", GOOD))
        asks(t, vm, with_, 7, "the TPM's word on the phase does not count", "refused by the broker")
        last = b.log()[-1]
        t.ok("do not count" in json.dumps(last), "and the log says that it was left out", last)
        evidence = json.loads(vm.sh("/ccdm/bin/ccdm-setup evidence --nonce any"))
        b.trust_tpm({"tee-evidence": {"primary_evidence": json.loads(
            evidence["tee-evidence"]["additional_evidence"])["tpm"]}})
        b.policy((POLICY % (s.tee, "initrd", GOOD)).replace("binding: none", "binding: provider"))
        asks(t, vm, with_, 7, "a TPM whose key is known is not tied to the TEE: no binding provider", "refused by the broker")
        last = b.log()[-1]
        t.ok("do not count" in json.dumps(last), "and the log says that it was left out", last)
        t.check_log(vm)


def one(t, tee):
    with Broker(os.path.join(t.dir, "broker-" + tee)) as b, \
         Signer(tee, os.path.join(t.dir, "tee-" + tee), os.path.join(b.dir, "trust")) as s:
        b.reload()
        b.secret("default/web/key", b"secret")
        b.policy(POLICY % (tee, "unknown", GOOD))
        with_ = "--broker %s --ca /tmp/ca.pem --timeout 8" % b.url
        with t.vm(args=s.args() + NET_ARGS) as vm:
            vm.sh(NET)
            put(vm, "/tmp/ca.pem", open(b.ca).read())
            rc, out = setup(vm, "attest " + with_)
            t.ok(rc == 4 and "no TEE, no TPM" in out, "nothing here makes evidence: said", out)
            s.vm(GOOD)
            load(vm, tee)
            rc, out = setup(vm, "evidence")
            t.ok(rc == 0 and [w for w in out.splitlines() if w.startswith(tee + " ") and " yes " in w],
                 "evidence: %s is here" % tee, out)
            asks(t, vm, with_, 0, "%s: its measurement opens the secret" % tee)
            t.ok(not vm.sh("ls /sys/kernel/config/tsm/report 2>/dev/null; true"), "nothing is left in configfs")
            s.vm(OTHER)
            asks(t, vm, with_, 7, "one bit of the measurement: refused", "refused by the broker")
            why = [c for c in b.log()[-1]["conditions"]["web"] if not c["passed"]]
            t.ok(len(why) == 1 and why[0]["condition"] == "measurement" and GOOD in why[0]["expected"] and
                 why[0]["found"] == OTHER, "the log says what was expected, and what was found", b.log()[-1])
            odd(t, vm, b, s, with_)
            if t.tsm:
                disturbed(t, vm, s)
            if tee == "snp":
                signed(t, vm, b, s, with_)
                bare(t, vm, b, s, with_)
                level(t, vm, b, with_)
            elif vm.sh("test -e /sys/devices/virtual/misc/tdx_guest/measurements/rtmr3:sha384", check=False)[0] == 0:
                registers(t, vm, b, with_)
            else:
                t.note("this kernel has no registers of TDX: not asked")
            t.check_log(vm)
        beside(t, b, s, with_)


def run(t):
    t.tsm = t.kernel not in ("6.1", "rt-6.1", "debug", "kcsan", "gcov")   # kernels built here have no CONFIG_TSM_REPORTS
    one(t, "snp")
    if t.tsm:
        one(t, "tdx")
    else:
        t.note("this kernel has no configfs-tsm, and so no TDX")
