#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# ccdm-setup scrub: it reports success only if it has read everything.
# disks: 64M
# vm: shared
# allow-log: tamper|error -5|I/O error
. /ccdm/tests/lib/ktap.sh
load
D=/dev/vdd
B=/dev/mapper/back
SIZE=$(sectors $D)
export D B

# Put a linear target below, which can be suspended: then its I/O waits.
dmsetup create back --table "0 $SIZE linear $D 0"
hold() { dmsetup suspend --noflush --nolockfs back; }
go() { dmsetup resume back; }
scrubs() { until dmsetup status x | grep -qE ' scrub:[0-9]+/'; do kill -0 "$1" || return 1; done; }
# a process has told the scrub to stop, and waits for it
waits() { until grep -q flush_work "/proc/$1/stack"; do kill -0 "$1" || return 1; done; }
# begin OUT [OPTION...]: start a scrub in the background, held at its first read; $S is its process
begin() {
	local out=$1
	shift
	dmsetup message x 0 sync >/dev/null && dmsetup message x 0 drop
	hold
	ccdm-setup scrub "$@" x >"$out" 2>&1 &
	S=$!
	scrubs $S
}

check "open" ccdm-setup open --yes --on-tamper eio $B x
thread() { pgrep -x "ccdm_scrub/$1"; }
dd if=/dev/urandom of=/dev/mapper/x bs=1M count=8 oflag=direct status=none
check_sh "of one that came to its end: 0, and it is counted" "ccdm-setup scrub x && ccdm-setup status --json x | grep -qE '\"scrubs\": ?1\b'"

begin /tmp/s
refuse_code 5 "another one: a scrub is running, and how to stop it" "a scrub is already running" ccdm-setup scrub x
check_sh "status says how far it is" "ccdm-setup status x | grep -q scrub"
P=$(thread x)
check_sh "its thread has the lowest priority for CPUs" "[ $(awk '{ print $19 }' /proc/$P/stat) = 19 ]"
check_sh "and for devices" "ionice -p $P | grep -qx idle"
dmsetup message x 0 scrub stop &
M=$!
waits $M
go
wait $M
wait $S
rc=$?
check_sh "another process stops it: no success" "[ $rc = 1 ] && grep -q 'ended before it read everything' /tmp/s || { echo $rc; cat /tmp/s; false; }"

begin /tmp/s
kill -INT $S
waits $S
go
wait $S
rc=$?
check_sh "interrupted: it is stopped, and says so" "[ $rc = 1 ] && grep -q 'interrupted; the scrub was stopped' /tmp/s && dmsetup status x | grep -q 'scrub:off' || { echo $rc; cat /tmp/s; false; }"

begin /tmp/s -q
dmsetup suspend x &
M=$!
waits $M
go
wait $M
wait $S
rc=$?
check_sh "the mapping is suspended: no success" "[ $rc = 1 ] && grep -q 'ended before it read everything' /tmp/s || { echo $rc; cat /tmp/s; false; }"
refuse_code 5 "while it is: it does not begin" "x is suspended" ccdm-setup scrub x
dmsetup resume x
check_sh "none of them counts" "dmsetup status x | grep -q 'scrubs:1 '"
check_sh "on a terminal: a bar, to its end" "python3 -c '
import os, pty
out = []
def read(fd):
    out.append(os.read(fd, 1024))
    return out[-1]
rc = pty.spawn([\"ccdm-setup\", \"scrub\", \"x\"], read)
text = b\"\".join(out)
assert rc == 0 and b\"[####\" in text and b\"100 %\" in text and text.endswith(b\"\\n\"), (rc, text)'"

# ---- priorities: reads of blocks are in the idle class. Reads of nodes (M), for which others may
# wait, have the lowest priority that cannot starve.
T=/sys/kernel/tracing
# Print the flags, and the class and level of priority, of each read of $D while "$@" runs.
if grep -q ioprio $T/events/block/block_rq_issue/format; then
	reads() {
		echo 1 >$T/events/block/block_rq_issue/enable
		"$@"
		echo 0 >$T/events/block/block_rq_issue/enable
		# MAJOR:MINOR FLAGS ... SECTOR + COUNT CLASS,HINT,LEVEL
		grep -oE "block_rq_issue: $(lsblk -dno MAJ:MIN $D | tr -d ' ' | tr : ,) R[A-Z]* .*" $T/trace |
			awk '{ split($(NF - 1), prio, ","); print $3, prio[1], prio[3] }'
	}
else	# fields of a request in Linux 6.1: queue, operation and flags, the bio's priority
	reads() {
		echo 'p:ccdm/send blk_mq_start_request queue=+0(%di):x64 opf=+24(%di):x32 prio=+22(+56(%di)):u16' >>$T/kprobe_events
		echo 1 >$T/events/ccdm/send/enable
		"$@"
		echo 0 >$T/events/ccdm/send/enable
		python3 -c '
import re
sent = re.findall(r"^ *(\S+)-\d+ .*queue=(\S+) opf=(\S+) prio=(\d+)", open("/sys/kernel/tracing/trace").read(), re.M)
device = [queue for comm, queue, _, _ in sent if comm == "dd"][-1]
for _, queue, opf, prio in sent:
    if queue == device and not int(opf, 16) & 0xff:
        print("RM" if int(opf, 16) & 1 << 12 else "R", ("none", "rt", "be", "idle")[int(prio) >> 13], int(prio) & 7)'
		echo >$T/kprobe_events
	}
fi
scrub_and_read() {
	ccdm-setup scrub -q x
	dd if=$D of=/dev/null bs=4096 count=1 iflag=direct status=none
}
dmsetup message x 0 sync >/dev/null
dmsetup message x 0 drop
reads scrub_and_read >/tmp/reads
check_sh "its reads of nodes are not idle, and give way to others" "grep -q 'M.* be 7' /tmp/reads && ! grep M /tmp/reads | grep -v 'be 7' || { cat /tmp/reads; false; }"
check_sh "its reads of blocks are idle, those of others are not" "[ \$(grep -v M /tmp/reads | grep -c idle) -gt 100 ] && [ \$(grep -v M /tmp/reads | grep -vc idle) = 1 ] || { cat /tmp/reads; false; }"
echo >$T/trace

# ---- results
dmsetup message x 0 sync >/dev/null
dmsetup message x 0 drop
dmsetup load back --table "0 $SIZE error"
dmsetup suspend --noflush --nolockfs back
dmsetup resume back
refuse_code 4 "the device fails: device errors" "device errors" ccdm-setup scrub x
dmsetup load back --table "0 $SIZE linear $D 0"
dmsetup suspend --noflush --nolockfs back
dmsetup resume back
check "afterwards all is there" ccdm-setup scrub x
dmsetup message x 0 drop
# all of it: the first node that is read is invalid
dd if=/dev/zero of=$D bs=1M oflag=direct status=none 2>/dev/null
ccdm-setup monitor --json >/tmp/ev & MON=$!
listening $MON
refuse_code 6 "tampered with: tamper" "x: tamper" ccdm-setup scrub x
refuse_code 6 "a second time: still" "x: tamper" ccdm-setup scrub x
check "close" ccdm-setup close x
until grep -q closed /tmp/ev; do kill -0 $MON || break; done
kill $MON
check_sh "no event says that a scrub of it was done" "grep -q tamper /tmp/ev && ! grep -q scrub-done /tmp/ev || { cat /tmp/ev; false; }"
dmsetup remove --retry back
check "nothing left" nothing_left
finish
