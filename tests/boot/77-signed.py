# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# forms: long
"""A signed image: the broker accepts its version and later ones, and no older, foreign or broken manifest.

The first disk stays the same: "ccdm-image sign" writes the manifest partition, which no boot measures. Then there are
disks of container images: other versions of the application, and of the base.
"""
import glob
import json
import os
import shutil
import subprocess

import boot as B
import workload as W
from broker import Broker
from guest import NET_ARGS

SECRET = b"THE-SECRET-OF-A-SIGNED-IMAGE-%d" % os.getpid()


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

    def opens(self, what, path=None, check=None):
        with self.start(what, path) as vm:
            said = json.loads(vm.sh("cat /run/ccdm/boot.json"))["attested"] if vm.outcome == "up" else vm.log()[-3000:]
            if self.t.ok(vm.outcome == "up" and said["result"] == "accepted" and said["secrets"] == ["web.key"],
                         what + ": accepted", said) and check:
                check(vm)

    def refused(self, what, path=None, policy="signed", notes="", found=None, console=""):
        """The broker refuses, by the policy's signer alone. notes: in its audit log; found: what it knows of the signer;
        console: what the guest says."""
        B.fails(self.t, what, "CCDM-E-ATTEST-03", "refused by the broker", [path or self.path], tpm=self.tpm, args=NET_ARGS)
        last = [e for e in self.b.log() if e["event"] == "attest"][-1]
        failed = [c for c in last.get("conditions", {}).get(policy, []) if not c["passed"]]
        self.t.ok([c["condition"] for c in failed] == ["signer"], what + ": refused by the signer alone", last)
        text = failed[0]["found"] if failed else ""
        signer = json.loads(text) if text.startswith("{") else {}
        self.t.ok({k: signer.get(k) for k in found} == found if found else text == "not known",
                  what + ": the audit log names %s" % (found or "no signer"), last)
        self.t.ok(notes in " ".join(last.get("notes", [])), what + ": the audit log says why: " + notes, last)
        if console:
            with open(sorted(glob.glob(self.t.dir + "/console*.log"))[-1], errors="replace") as f:
                self.t.ok(console in f.read(), what + ": the guest says: " + console)

    def manifest(self, path, number, data):
        """The host writes a manifest partition."""
        start, size = B.part(path, number)
        self.t.ok(size == 65536, "a manifest partition has 64 KiB", size)
        with open(path, "r+b") as f:
            f.seek(start)
            f.write(data)


def signed(t, b, s, ours, foreign):
    """One disk with other manifests."""
    W.image(t, "build, with a key", "build", "--quiet", "--tree", tree(t), "--output", s.path, "--size", "2G", "--broker", b.url,
            "--ca", b.ca, "--signing-key", ours, "--product", "signed", "--svn", "7", "--platform", "tpm")
    b.admin("policy", "add", os.path.splitext(s.path)[0] + ".policy.yaml")
    s.opens("the first build, svn 7")
    for what, svn, by, found in (("svn + 1", 8, ours, None), ("svn - 1", 6, ours, {"product": "signed", "svn": 6}),
                                 ("a foreign signer", 9, foreign, {"product": "signed", "svn": 9})):
        W.image(t, what, "sign", s.path, "--product", "signed", "--svn", str(svn), "--signing-key", by)
        if found:
            s.refused(what, found=found)
        else:
            s.opens(what)
    s.manifest(s.path, 4, b"\xff" + os.urandom(65535))
    s.refused("noise", console="expected a JWS in compact form and then zeros, found the byte 0xff at 0")
    s.manifest(s.path, 4, bytes(65536))
    s.refused("no manifest")


def application(t, b, key, base, svn, base_svn):
    """A disk of a container image in which each version has other files. Return: the disk."""
    name = "app-%d-%d" % (svn, base_svn)
    with open(base + "/base.json") as f:
        about = json.load(f)
    with open(base + "/base.json", "w") as f:
        json.dump(dict(about, svn=base_svn), f)
    root = W.root(t, name, "trap 'exit 0' TERM\nsleep 1000000 & wait\n", {"rootfs/version": "%d\n" % svn})
    path = W.build(t, name, W.layout(t, name, [root + "/rootfs"], {"Entrypoint": ["/bin/sh"], "Cmd": ["/app.sh"], "User": "app"}), base,
                   "product: app\nsvn: %d\nsecrets: {web.key: default/app/key}\n" % svn, "--broker", b.url, "--ca", b.ca,
                   "--platform", "tpm", "--signing-key", key)
    shutil.rmtree(root)
    return path


def versions(t, b, s, ours):
    """Disks of a container image. Each is another image, and the policy of the first one stays as it is."""
    base = W.base(t)
    first, later = (application(t, b, ours, base, svn, 2) for svn in (7, 8))
    b.admin("policy", "add", os.path.splitext(first)[0] + ".policy.yaml")

    def inside(vm):
        out = vm.sh("p=/proc/$(head -n1 /sys/fs/cgroup/system.slice/ccdm-workload.service/workload/cgroup.procs)/root; "
                    "cat $p/version $p/run/secrets/web.key")
        t.ok(out == "8\n" + SECRET.decode(), "the next version of an application runs, and has the secret", out)
    s.opens("the next version of an application", later, inside)
    s.refused("an older version of the application", application(t, b, ours, base, 6, 2), "app",
              found={"product": "app", "svn": 6, "base-svn": 2})
    s.refused("a later version of the application, over an older base", application(t, b, ours, base, 9, 1), "app",
              found={"product": "app", "svn": 9, "base-svn": 1})
    start, size = B.part(first, 5)
    with open(first, "rb") as f:
        f.seek(start)
        s.manifest(later, 5, f.read(size))
    s.refused("the manifest of the first version", later, "app", "does not list this image")


def run(t):
    ours, foreign = W.key(t, "builder.pem"), W.key(t, "foreign.pem")
    with Broker(os.path.join(t.dir, "broker")) as b:
        for path in "default/web/key", "default/app/key":
            b.secret(path, SECRET)
        s = Signed(t, b)
        s.learn()
        versions(t, b, s, ours)
        signed(t, b, s, ours, foreign)
