# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""busy - the CPU time of boots: of a disk of "ccdm-image build", and of the Debian that the tests boot

One vCPU under -icount shift=0: a nanosecond is an instruction. So another load of this machine changes nothing.
"Busy" is the time from the start of PID 1 in the initrd until nothing of the boot is left to do, without the CPU's idle
time. Then the CPU rests: REST seconds in a row, in each of which it works for at most WORK hundredths of a second. The
tests' agent does not count.
"""
import os
import re
import types

import boot as B
import workload as W

REST, WORK = 3, 5
ICOUNT = ["-icount", "shift=0,sleep=on"]
LIMIT = 3600    # seconds of a boot

# Wait until the CPU rests. What the boot has written goes to the disk first: the kernel would write it half a minute later.
IDLE = "$(awk '/^cpu / { print $5 + $6 }' /proc/stat)"
SETTLE = ("sync; rest=0; was=%s; while [ $rest -lt %d ]; do sleep 1; now=%s; "
          "if [ $((now - was)) -ge %d ]; then rest=$((rest + 1)); else rest=0; fi; was=$now; done" % (IDLE, REST, IDLE, 100 - WORK))

# What a boot has used, in one line: uptime, /proc/stat, and when the kernel started PID 1.
READ = ("echo BUSY $(cut -d' ' -f1 /proc/uptime) $(head -n1 /proc/stat) "
        "INIT $(dmesg | sed -n 's/^\\[ *\\([0-9.]*\\)\\] Run .*init.* as init process.*/\\1/p')")
AGENT = "sed -n 's/usage_usec //p' /sys/fs/cgroup/system.slice/ccdm-agent.service/cpu.stat"
SETTINGS = "product: busy\nlogs: console\nnetwork: none\nrun: {capabilities: {add: [SYSLOG]}}\n"


def seconds(text):
    """Busy seconds since the start of PID 1, of the line that READ prints."""
    m = re.search(r"BUSY ([0-9.]+) cpu +([0-9 ]+) INIT ([0-9.]+)", text)
    if not m:
        raise SystemExit("busy: found no line BUSY in:\n" + text[-3000:])
    stat = [int(x) for x in m.group(2).split()]
    return float(m.group(1)) - (stat[3] + stat[4]) / 100 - float(m.group(3))


def machine(t, name, disk):
    return B.Boot([disk], args=ICOUNT, mem=2048, log=os.path.join(t.dir, name + ".log"), limit=LIMIT)


def debian(t, name, disk):
    """The Debian of the tests, which has an agent."""
    with machine(t, name, disk) as m:
        if m.outcome != "up":
            raise SystemExit("busy: %s: %s\n%s" % (name, m.outcome, m.log()[-3000:]))
        m.sh("systemctl is-system-running --wait", check=False, timeout=LIMIT)
        m.sh(SETTLE, timeout=LIMIT)
        used = int(m.sh(AGENT)) / 1e6
        found = seconds(m.sh(READ)) - used
        m.off()
    return found


def built(t, folder):
    """A disk of "ccdm-image build", which has no agent: its workload prints what it finds, and ends."""
    image = W.layout(t, "busy", [W.root(t, "busy", "%s\n%s\n" % (SETTLE, READ)) + "/rootfs"],
                     {"Entrypoint": ["/bin/sh"], "Cmd": ["/app.sh"], "Env": ["PATH=/bin"]})
    with machine(t, "built", W.build(t, "busy", image, folder, SETTINGS)) as m:
        if m.outcome != "off":
            raise SystemExit("busy: ccdm-image build: %s\n%s" % (m.outcome, m.log()[-3000:]))
        return seconds(m.log())


def boots(suite, folder, tmp):
    """Return: busy seconds of the tests' Debian, of the same with a workload, and of a disk with the base in folder."""
    def ok(good, what, detail=""):
        if not good:
            raise SystemExit("busy: %s: %s" % (what, detail))
    t = types.SimpleNamespace(kernel=suite, debian=suite, dir=tmp, ok=ok)
    plain = os.path.join(tmp, "plain.disk")
    B.make_disk(suite, plain)
    image, says = W.partition(t, "idle", "trap 'exit 0' TERM\nsleep 1000000 & wait\n", network="none")
    return debian(t, "plain", plain), debian(t, "workload", W.disk(t, "idle.disk", image, says)), built(t, folder)
