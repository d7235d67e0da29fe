# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""Places where keys must not be: the memory of a VM whose mapping is closed, tracepoints, core dumps."""
import os
import subprocess

from vm import TOP, Mapping

MEM = 512
LABEL = "CCDM-KNOWN-PLAINTEXT-0123456789"


def keys(t, vm):
    """AES-256 keys whose schedules are anywhere in the VM's memory."""
    image = os.path.join(t.dir, "memory")
    vm.qmp_cmd("stop")
    vm.qmp_cmd("pmemsave", val=0, size=MEM << 20, filename=image)
    vm.qmp_cmd("cont")
    out = subprocess.run([os.path.join(TOP, "build/tests/keyfind"), image], check=True, capture_output=True, text=True).stdout
    os.unlink(image)
    return set(out.split())


# One process waits forever; the other one waits for its manifest before it would fetch a secret. Both are aborted.
DUMPS = """mkdir -p /tmp/dumps; echo /tmp/dumps/%e >/proc/sys/kernel/core_pattern; ulimit -c unlimited; mkfifo /tmp/manifest
sleep 1000 & one=$!
ccdm-setup secret get default/web/key --broker https://127.0.0.1:1 --ca /tmp/ca --manifest /tmp/manifest & two=$!
until grep -q . /proc/$two/wchan && grep -q wait_for_partner /proc/$two/wchan; do sleep 0.1; kill -0 $two || exit 1; done
exec 2>/dev/null; kill -ABRT $one $two; wait; ls /tmp/dumps"""


def run(t):
    disk = t.disk(64 << 20)
    with t.vm([disk], mem=MEM) as vm:
        t.load(vm)
        trace = "/sys/kernel/tracing"
        vm.sh("mountpoint -q %s || mount -t tracefs tracefs %s; echo 1 >%s/events/ccdm/enable" % (trace, trace, trace))
        before = keys(t, vm)
        for suite, least in (("aes-xts-gmac", 4), ("aes-xts-hmac-sha256", 4), ("aes-gcm", 2)):
            m = Mapping(vm, "k", "/dev/vdd", 65536, ["cipher:" + suite, "on_tamper:eio"])
            for at in (0, 500, 3000):
                m.write(at, LABEL, 64)
            m.message("sync")
            m.message("drop")
            m.read(500, 64)
            opened = keys(t, vm) - before
            t.ok(len(opened) >= least, "%s: while it is open, %d keys are in the kernel's memory" % (suite, len(opened)), opened)
            m.close()
            left = keys(t, vm) & opened
            t.ok(not left, suite + ": closed, none of them is anywhere in memory", left)
        said = vm.sh("cat %s/trace" % trace)
        t.ok("ccdm_load" in said and "ccdm_writeback" in said, "the tracepoints speak")
        bad = [x for x in said.splitlines() if "ccdm_" in x and not x.split("ccdm_")[1].split(": ", 1)[1].startswith("k level ")]
        t.ok(not bad and LABEL not in said, "of a name, a level and an index, and of nothing else", bad[:3])
        out = vm.sh(DUMPS, timeout=60).split()
        t.ok(out == ["sleep"], "who fetches secrets leaves no core dump, where others do", out)
        t.check_log(vm)
