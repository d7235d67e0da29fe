# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# forms: long
"""ccdm-setup with each of its calls failing once: with a device, and with a TPM and a broker.

The programs are those of tests/program/faults/run.py, with sanitizers; they run in the VM.
"""
import json
import os
import re
import shutil
import subprocess

from broker import Broker
from guest import BOOT, NET, TPM, Swtpm, put

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
POLICY = """name: web
secrets: [default/web/*, default/cryptsetup/*]
require: {tee: tpm, binding: tpm-only, phase: initrd, identity: any}
"""


def programs(t):
    """A disk with the tests, the programs, and the compiler's libraries that they need."""
    subprocess.run([os.path.join(TOP, "tests/program/faults/run.py"), "--build"], check=True)
    tree = os.path.join(t.dir, "tree")
    for sub in "tests/program/faults", "tests/lib", "build/faults/bin":
        shutil.copytree(os.path.join(TOP, sub), os.path.join(tree, sub))
    os.makedirs(os.path.join(tree, "lib"))
    out = subprocess.run(["ldd", os.path.join(TOP, "build/faults/bin/ccdm-setup")], check=True, capture_output=True, text=True)
    for name, path in re.findall(r"(lib(?:asan|ubsan|stdc\+\+|gcc_s)\S*) => (\S+)", out.stdout):
        shutil.copy(path, os.path.join(tree, "lib", name))
    image = os.path.join(t.dir, "programs.squashfs")
    subprocess.run(["mksquashfs", tree, image, "-quiet", "-no-progress", "-comp", "zstd", "-Xcompression-level", "3"], check=True)
    shutil.rmtree(tree)
    return t.disk(os.path.getsize(image), "programs.squashfs")


def run_in(t, vm, scenario, env):
    every = 1 if t.full else 3
    rc, out = vm.sh("mkdir -p /tmp/f && { mountpoint -q /tmp/f || mount -t squashfs -o ro /dev/vdd /tmp/f; } && "
                    "LD_LIBRARY_PATH=/tmp/f/lib %s python3 /tmp/f/tests/program/faults/run.py --built --every %d %s 2>&1" %
                    (env, every, scenario), check=False, timeout=3600)
    seen = 0
    for line in out.splitlines():
        m = re.match(r"(not ok|ok) \d+ (.*)", line)
        if m:
            seen += 1
            t.ok(m.group(1) == "ok", m.group(2))
        elif line.startswith("# "):
            t.note(line[2:])
    t.ok("1..%d" % seen in out and seen, "the whole plan ran (%d, exit %d)" % (seen, rc), out[-3000:])


def run(t):
    disk = programs(t)
    with t.vm([disk, t.disk(64 << 20)], mem=2048) as vm:
        vm.sh("modprobe -qa xts gcm dm-mod algif_skcipher algif_aead algif_hash; insmod /ccdm/dm-ccdm.ko")
        run_in(t, vm, "setup-device", "CCDM_DISK=/dev/vde")
        t.check_log(vm)
    with Broker(os.path.join(t.dir, "broker")) as b, Swtpm(os.path.join(t.dir, "tpm")) as tpm, \
            t.vm([disk], mem=2048, args=tpm.args) as vm:
        b.policy(POLICY)
        b.secret("default/web/key", b"correct horse")
        b.secret("default/cryptsetup/disk", b"correct horse")
        vm.sh(NET)
        vm.sh(TPM)
        put(vm, "/tmp/ca.pem", open(b.ca).read())
        put(vm, "/tmp/ccdm.conf", BOOT % ("ab" * 32) + "[measure]")
        vm.sh("/ccdm/bin/ccdm-setup measure --config /tmp/ccdm.conf")
        evidence = json.loads(vm.sh("/ccdm/bin/ccdm-setup evidence --nonce any"))
        b.trust_tpm(evidence)
        run_in(t, vm, "setup-tpm", "CCDM_BROKER=" + b.url)
        t.check_log(vm)
