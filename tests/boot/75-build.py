# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# forms: long
"""A disk of "ccdm-image build" boots, and measures what its report says.

The tree is that of scripts/image, with kernel, initrd and stub at the places that Debian uses. (The short form boots a
disk of a container image: 76-workload.py.)
"""
import json
import os
import shutil
import subprocess

import boot as B
import measured
from vm import TOP


def tree(t):
    """The base's tree as a user has it: with a kernel, and with an initrd made by dracut."""
    parts = B.parts(t.kernel)
    top = os.path.join(t.dir, "tree")
    # nothing writes to it, so links are enough where the file system allows them
    if subprocess.run(["cp", "-al", parts + "/tree", top], stderr=subprocess.DEVNULL).returncode:
        shutil.rmtree(top, ignore_errors=True)
        subprocess.run(["cp", "-a", "--reflink=auto", parts + "/tree", top], check=True)
    with open(parts + "/release") as f:
        release = f.read().strip()
    stub = top + "/usr/lib/systemd/boot/efi"
    os.makedirs(stub, exist_ok=True)
    shutil.copy(parts + "/vmlinuz", top + "/boot/vmlinuz-" + release)
    shutil.copy(parts + "/initrd-ccdm", top + "/boot/initrd.img-" + release)
    shutil.copy(parts + "/stub", stub + "/linuxx64.efi.stub")
    return top, release


def build(t, name, *words):
    path = os.path.join(t.dir, name)
    r = subprocess.run([os.path.join(TOP, "build/bin/ccdm-image"), "build", "--quiet", "--output", path, *words],
                       capture_output=True, text=True)
    t.ok(r.returncode == 0, "build %s" % name, r.stderr)
    return path


def report(t, disk):
    """The build's report matches the finished disk."""
    with open(os.path.splitext(disk)[0] + ".json") as f:
        said = json.load(f)
    seen = measured.predicted(disk)
    t.ok(all(said[k] == seen[k] for k in ("events", "pcrs", "rtmrs", "enclave-id", "stub")), "the report predicts what measure does", said)
    t.ok(seen["enclave-id"]["tpm"]["sha256"], "the enclave ID is known", seen)


def run(t):
    top, release = tree(t)
    disk = build(t, "disk.img", "--tree", top, "--size", "2G")
    report(t, disk)
    measured.whole(t, disk)
    # the tree has no initrd: its dracut must make the same one each time
    os.unlink(top + "/boot/initrd.img-" + release)
    disk = build(t, "dracut.img", "--tree", top, "--size", "2G")
    again = build(t, "again.img", "--tree", top, "--size", "2G")
    t.ok(subprocess.run(["cmp", disk, again]).returncode == 0, "two initrds of dracut give the same disk")
    t.ok(not os.path.exists(top + "/etc/ccdm"), "dracut left nothing in the tree")
    measured.whole(t, disk)
