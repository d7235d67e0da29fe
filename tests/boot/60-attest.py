# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""The boot attests with its TPM before it gets its secrets. (61-tee: with a TEE.)

The broker runs on the host, at 10.0.2.2; the values of a correct boot come from a first boot.
"""
import json
import os
import subprocess

from boot import attest_disk, fails, other_base
from broker import Broker
from guest import NET_ARGS

SECRET = b"THE-SECRET-OF-THE-WORKLOAD-%d" % os.getpid()

POLICY = """name: web
secrets: default/web/*
require:
  tee: tpm
  binding: tpm-only
  phase: initrd
  identity: any
  event: {register: pcr15, name: ccdm-base, digest: %s}
"""

IDENTITY = """name: web
secrets: default/web/*
require:
  tee: tpm
  binding: tpm-only
  phase: initrd
  enclave-id: %s
"""


class Machine:
    """An image that attests, and its TPM."""

    def __init__(self, t, b):
        self.t, self.b = t, b
        self.tpm = os.path.join(t.dir, "tpm-of-the-machine")

    def disk(self, name="attest.img", **changes):
        return attest_disk(self.t, self.b, os.path.join(self.t.dir, name), **changes)

    def boot(self, path, **kw):
        kw = dict({"tpm": self.tpm, "args": NET_ARGS}, **kw)
        return self.t.boot([path], **kw)

    def fails(self, what, code, says, path, **kw):
        kw = dict({"tpm": self.tpm, "args": NET_ARGS}, **kw)
        fails(self.t, what, code, says, [path], **kw)


def learn(t, m):
    """A boot that no policy accepts, with attest = optional: it comes up without secrets, and reports its identity."""
    path = m.disk(attest_attest="optional")
    with m.boot(path, title="learn") as vm:
        if not t.ok(vm.outcome == "up", "optional: no policy opens anything, and it boots (%s)" % vm.outcome,
                    vm.log()[-3000:]):
            return None
        report = json.loads(vm.sh("cat /run/ccdm/boot.json"))["attested"]
        t.ok(report["result"] == "failed" and report["code"] in ("CCDM-E-ATTEST-03", "CCDM-E-ATTEST-04"),
             "boot.json says that it failed, and why", report)
        t.ok(vm.sh("ls /run/credstore 2>/dev/null; true") == "", "there are no secrets")
        evidence = json.loads(vm.sh("ccdm-setup evidence --nonce any"))
        m.b.trust_tpm(evidence)
        out = os.path.join(t.dir, "evidence.json")
        with open(out, "w") as f:
            json.dump(evidence, f)
        rc, text = m.b.admin("explain", "--json", out, check=False)
        facts = json.loads(text[:text.rindex("}") + 1])["facts"]
        t.ok(facts["phase"] == "running", "evidence of the running system is of phase running", facts["phase"])
        base = [e["digest"] for e in facts["events"] if e.get("name") == "ccdm-base"]
        t.ok(len(base) == 1, "and has the base's event", facts)
    return base[0]


def good(t, m, path):
    with m.boot(path, title="good") as vm:
        if not t.ok(vm.outcome == "up", "it boots (%s)" % vm.outcome, vm.log()[-3000:]):
            return
        report = json.loads(vm.sh("cat /run/ccdm/boot.json"))["attested"]
        t.ok(report["result"] == "accepted" and report["secrets"] == ["web.key"], "accepted, says boot.json", report)
        t.ok(vm.sh("systemctl is-system-running --wait || systemctl --failed").strip() == "running",
             "no unit has failed", vm.sh("systemctl --failed; journalctl -b -p warning --no-pager | tail -n 40"))
        out = vm.sh("stat -f -c %T /run/credstore; stat -c '%a %n' /run/credstore /run/credstore/*")
        t.ok(out == "ramfs\n700 /run/credstore\n400 /run/credstore/web.key\n", "the secret is in a ramfs", out)
        out = vm.sh("systemd-run -q --wait --pipe -p DynamicUser=yes -p LoadCredential=web.key "
                    "sh -c 'cat $CREDENTIALS_DIRECTORY/web.key'")
        t.ok(out.encode() == SECRET, "a service gets it by LoadCredential=", out)
        t.ok(vm.sh("systemctl is-active ccdm-monitor.service", check=False)[1].strip() == "active",
             "ccdm-monitor listens", vm.sh("systemctl status ccdm-monitor.service", check=False)[1])
        rc, out = vm.sh("ccdm-setup secret get default/web/key --broker %s --ca /tmp/none 2>&1" % m.b.url, check=False)
        t.ok(rc == 1 and "/tmp/none" in out, "no CA: nobody is asked", out)
        rc, out = vm.sh("mkdir -p /etc/ccdm; cat >/etc/ccdm/ca.pem <<'E'\n%s\nE\n"
                        "d=$(ls /sys/class/net | grep -v lo | head -n1); ip link set $d up; ip addr replace 10.0.2.15/24 dev $d; "
                        "ccdm-setup secret get default/web/key --broker %s --ca /etc/ccdm/ca.pem --timeout 20 2>&1 | cat" %
                        (open(m.b.ca).read(), m.b.url), check=False)
        last = m.b.log()[-1]
        t.ok(SECRET.decode() not in out and "refused" in out, "asked again from the running system: refused", out)
        failed = [c for c in last["conditions"]["web"] if not c["passed"]]
        t.ok([c["condition"] for c in failed] == ["phase"] and failed[0]["found"] == "running",
             "by the phase, and by it alone", last)
        vm.sh("sync; dmsetup message ccdm-root 0 sync")
        t.ok(not t.disk(0, os.path.basename(path)).contains(SECRET), "the secret is nowhere on the disk")


def identity(t, m, path):
    """The enclave ID of the boot: the log contains it, a policy names it, and another setting changes it."""
    facts = [e for e in m.b.log() if e["event"] == "attest" and e["result"] == "accepted"][-1]["facts"]
    known = facts.get("enclave-id", [])
    if not t.ok(len(known) == 1, "the log has the enclave ID of the good boot", facts):
        return
    m.b.policy(IDENTITY % known[0])
    if t.full:
        with m.boot(path, title="identity") as vm:
            t.ok(vm.outcome == "up", "the same image, another boot: the same ID (%s)" % vm.outcome, vm.log()[-3000:])
    m.fails("one setting of the configuration", "CCDM-E-ATTEST-03", "refused by the broker", m.short)
    last = [e for e in m.b.log() if e["event"] == "attest"][-1]
    failed = [c for c in last["conditions"]["web"] if not c["passed"]]
    t.ok([c["condition"] for c in failed] == ["enclave-id"] and known[0] in failed[0]["expected"],
         "by the enclave ID, and by it alone", failed)


def base_event(t, m):
    """A base with a hash tree of its own: it is valid, but another base than the one of the policy."""
    base, says = other_base(t)
    path = m.disk("base2.img.disk", base=base, **says)
    m.fails("one byte of the base", "CCDM-E-ATTEST-03", "refused by the broker", path)
    last = [e for e in m.b.log() if e["event"] == "attest"][-1]
    failed = [c for c in last["conditions"]["web"] if not c["passed"]]
    t.ok([c["condition"] for c in failed] == ["event"] and m.base in failed[0]["expected"],
         "the log says which event was expected", failed)


# a file in place of the secrets' file system
IN_THE_WAY = """[Unit]
DefaultDependencies=no
Before=ccdm-measure.service
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo >/run/credstore'
"""


def brokers(t, m):
    """Brokers that do not answer, and a wrong broker."""
    with Broker(os.path.join(t.dir, "other")) as other:
        alien = m.disk("alien.img", ca=other.ca, attest_timeout="10")
    m.fails("another CA", "CCDM-E-ATTEST-02", "cannot verify the broker", alien)
    m.b.stop()
    m.fails("no broker", "CCDM-E-NET-04", m.b.url, m.short)
    m.b.start()


def networks(t, m):
    """Networks that do not work, in the order in which a network is set up."""
    m.fails("no network device", "CCDM-E-NET-01", "no network interface", m.short, args=[])
    m.fails("no link", "CCDM-E-NET-02", "no link", m.short, unplugged="n",
            args=["-netdev", "user,id=n", "-device", "virtio-net-pci,netdev=n,romfile="])
    m.fails("no DHCP", "CCDM-E-NET-03", "no address from DHCP", m.short,
            args=["-netdev", "hubport,hubid=0,id=n", "-device", "virtio-net-pci,netdev=n,romfile="])


def named(t, m):
    """A broker given by its name: DHCP names the name server. With a pin, the broker's key is checked as well."""
    says = {"attest_broker": "https://broker.test:" + m.b.url.rsplit(":", 1)[1], "attest_ca": None, "attest_pin": m.b.pin,
            "attest_timeout": "30"}
    # QEMU's name server knows the names that the host resolves
    path = m.disk("named.img", files={"etc/hosts": "10.0.2.2 broker.test\n", "etc/nsswitch.conf": "hosts: files dns\n"}, **says)
    with m.boot(path, title="named") as vm:
        t.ok(vm.outcome == "up", "a broker by its name: it boots (%s)" % vm.outcome, vm.log()[-3000:])
    m.fails("a broker name that cannot be resolved", "CCDM-E-NET-04", "broker.test", m.disk("named.img", **says))


def refusals(t, m):
    """Other reasons for the broker to refuse, and a machine without a TPM."""
    path = m.disk("short2.img", attest_timeout="10", **{"secrets_other": "default/db/key"})
    m.fails("a secret that no policy opens", "CCDM-E-SECRET-01", "default/db/key", path)
    path = m.disk("short2.img", attest_timeout="10", files={
        "etc/systemd/system/in-the-way.service": IN_THE_WAY,
        "etc/systemd/system/initrd.target.requires/in-the-way.service": ("link", "../in-the-way.service")})
    m.fails("no place for secrets", "CCDM-E-SECRET-02", "/run/credstore", path)
    path = m.disk("short2.img", attest_timeout="10", attest_protocol="0.2.0")
    m.b.only("0.4.0")
    m.fails("another version of the protocol", "CCDM-E-ATTEST-04", "ersion", path)
    m.b.only("0.4.0 0.2.0")
    m.fails("another TPM", "CCDM-E-ATTEST-03", "not accepted", m.short, tpm=True)
    path = m.disk("short2.img", attest_timeout="10", measure_tpm="off")
    m.fails("no TPM, no TEE", "CCDM-E-ATTEST-01", "found no source of evidence", path, tpm=False)


def clocks(t, m, path):
    for base, what in (("1970-01-01T00:00:30", "1970"), ("2060-01-01", "2060")):
        pinned = m.disk("pin.img", attest_ca=None, attest_pin=m.b.pin)
        with m.boot(pinned, title="clock " + what, args=NET_ARGS + ["-rtc", "base=" + base]) as vm:
            t.ok(vm.outcome == "up", "RTC at %s, a pinned key: it boots (%s)" % (what, vm.outcome), vm.log()[-3000:])
            now = int(vm.sh("date +%s"))
            host = int(subprocess.check_output(["date", "+%s"]))
            t.ok(abs(now - host) < 600, "and has the broker's time: %d s apart" % (now - host),
                 vm.sh("cat /run/ccdm/boot.json"))
    # systemd rejects a clock that is 15 years ahead of its build
    for base, what in (("1970-01-01T00:00:30", "1970"), ("2060-01-01", "2060")):
        with m.boot(path, title="clock CA " + what, args=NET_ARGS + ["-rtc", "base=" + base]) as vm:
            t.ok(vm.outcome == "up", "RTC at %s, a CA: it boots (%s)" % (what, vm.outcome), vm.log()[-3000:])
    m.fails("RTC at 2038, a CA", "CCDM-E-ATTEST-02", "", m.short, args=NET_ARGS + ["-rtc", "base=2038-01-01"])


def run(t):
    with Broker(os.path.join(t.dir, "broker")) as b:
        m = Machine(t, b)
        b.secret("default/web/key", SECRET)
        m.base = learn(t, m)
        if not m.base:
            return
        b.policy(POLICY % m.base)
        path = m.disk("good.img")
        good(t, m, path)
        m.short = m.disk("short.img", attest_timeout="10")
        identity(t, m, path)
        b.policy(POLICY % m.base)
        if t.full:
            brokers(t, m)
            base_event(t, m)
            networks(t, m)
            named(t, m)
            refusals(t, m)
            clocks(t, m, path)
        out = b.admin("log", "verify")
        t.ok("hash chain valid" in out, "the audit log was not changed", out)
