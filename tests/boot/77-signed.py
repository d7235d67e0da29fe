# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# forms: long
"""A signed image: the broker accepts its version and later ones, and no older, foreign or broken manifest.

The disk stays the same: "ccdm-image sign" writes the manifest partition, which no boot measures.
"""
import json
import os
import shutil
import subprocess

import boot as B
from broker import Broker
from guest import NET_ARGS
from vm import TOP

SECRET = b"THE-SECRET-OF-A-SIGNED-IMAGE-%d" % os.getpid()


def image(t, what, *words):
    r = subprocess.run([os.path.join(TOP, "build/bin/ccdm-image"), *words], capture_output=True, text=True)
    t.ok(r.returncode == 0, "ccdm-image: " + what, r.stderr)


def key(t, name):
    path = os.path.join(t.dir, name)
    subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path], check=True)
    return path


def tree(t):
    """The base's tree with kernel, stub, an initrd that attests, and the secret's name."""
    parts, top = B.parts(t.kernel), os.path.join(t.dir, "tree")
    subprocess.run(["cp", "-a", "--reflink=auto", parts + "/tree", top], check=True)
    with open(parts + "/release") as f:
        release = f.read().strip()
    for folder in "/usr/lib/systemd/boot/efi", "/etc/ccdm":
        os.makedirs(top + folder, exist_ok=True)
    shutil.copy(parts + "/vmlinuz", top + "/boot/vmlinuz-" + release)
    shutil.copy(parts + "/initrd-attest", top + "/boot/initrd.img-" + release)
    shutil.copy(parts + "/stub", top + "/usr/lib/systemd/boot/efi/linuxx64.efi.stub")
    with open(top + "/etc/ccdm/ccdm.conf", "w") as f:
        f.write(open(B.conf(t, **{"attest_timeout": "60", "secrets_web.key": "default/web/key"})).read())
    return top


class Signed:
    """A disk with a manifest partition, its TPM, and the broker."""

    def __init__(self, t, b):
        self.t, self.b = t, b
        self.tpm = os.path.join(t.dir, "tpm-of-the-machine")
        self.path = os.path.join(t.dir, "signed.img")

    def start(self, what, path=None):
        return self.t.boot([path or self.path], title=what, tpm=self.tpm, args=NET_ARGS)

    def learn(self):
        """Register the TPM: a boot that goes on without a secret."""
        path = B.attest_disk(self.t, self.b, os.path.join(self.t.dir, "learn.img"), attest_attest="optional")
        with self.start("learn", path) as vm:
            self.t.ok(vm.outcome == "up", "a first boot, to register the TPM (%s)" % vm.outcome, vm.log()[-3000:])
            self.b.trust_tpm(json.loads(vm.sh("ccdm-setup evidence --nonce any")))

    def opens(self, what):
        with self.start(what) as vm:
            said = json.loads(vm.sh("cat /run/ccdm/boot.json"))["attested"] if vm.outcome == "up" else vm.log()[-3000:]
            self.t.ok(vm.outcome == "up" and said["result"] == "accepted" and said["secrets"] == ["web.key"], what + ": accepted", said)

    def refused(self, what):
        B.fails(self.t, what, "CCDM-E-ATTEST-03", "refused by the broker", [self.path], tpm=self.tpm, args=NET_ARGS)
        last = [e for e in self.b.log() if e["event"] == "attest"][-1]
        failed = [c["condition"] for c in last.get("conditions", {}).get("signed", []) if not c["passed"]]
        self.t.ok(failed == ["signer"], what + ": refused by the signer alone", last)


def run(t):
    ours, foreign = key(t, "builder.pem"), key(t, "foreign.pem")
    with Broker(os.path.join(t.dir, "broker")) as b:
        b.secret("default/web/key", SECRET)
        s = Signed(t, b)
        s.learn()
        image(t, "build, with a key", "build", "--quiet", "--tree", tree(t), "--output", s.path, "--size", "2G", "--broker", b.url,
              "--ca", b.ca, "--signing-key", ours, "--product", "signed", "--svn", "7", "--platform", "tpm")
        b.admin("policy", "add", os.path.splitext(s.path)[0] + ".policy.yaml")
        s.opens("the first build, svn 7")
        for what, svn, by, good in ("svn + 1", "8", ours, True), ("svn - 1", "6", ours, False), ("a foreign signer", "9", foreign, False):
            image(t, what, "sign", s.path, "--product", "signed", "--svn", svn, "--signing-key", by)
            (s.opens if good else s.refused)(what)
        number = [p["node"] for p in json.loads(subprocess.run(["sfdisk", "--json", s.path], check=True, stdout=subprocess.PIPE).stdout)
                  ["partitiontable"]["partitions"] if p["size"] == 128]
        t.ok(len(number) == 1, "one partition has 64 KiB", number)
        with open(s.path, "r+b") as f:
            f.seek(B.part(s.path, 4)[0])
            f.write(b"\xff" + os.urandom(65535))
        s.refused("noise")
