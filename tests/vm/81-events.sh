#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# Events for an administrator: tamper and unwritable as netlink event, dm event and uevent. (opened,
# closed, scrub-done: 80-setup; failed: 74-faults)
# disks: 64M
# vm: shared
# allow-log: tamper|error -5
. /ccdm/tests/lib/ktap.sh
load
D=/dev/vdd
SIZE=$(sectors $D)
json() { python3 -c "import json,sys; d=json.loads(sys.stdin.readline()); assert $1, d"; }
export -f json

# start and stop listeners for all events of mapping t
hear() {
	echo secret >/run/credstore/web.key
	ccdm-setup monitor --drop-secrets --count 1 >/dev/null & DROP=$!
	ccdm-setup monitor --json --count 1 t >/tmp/netlink & NL=$!
	udevadm monitor --kernel --property --subsystem-match=block >/tmp/uevent & UE=$!
	dmsetup wait t "$(dmsetup info -c --noheadings -o events t)" & DM=$!
	listening $NL
	listening $DROP
	listening $UE 15
	{ sleep 120; kill $NL $UE $DM $DROP; } >/dev/null 2>&1 & DOG=$!	# a missing event must not hang the test
}
heard() {
	wait $DM
	result $? "$1: the dm event arrives"
	wait $NL $DROP
	until grep -q CCDM_EVENT= /tmp/uevent; do kill -0 $UE || break; done
	kill $UE $DOG
	check "$1: the uevent of the mapping names it" grep -qx "CCDM_EVENT=$1" /tmp/uevent
	check_sh "$1: the netlink event names mapping and device" "json 'd[\"event\"] == \"$1\" and d[\"name\"] == \"t\" and d[\"uuid\"] == \"CCDM-0123456789abcdef0123456789abcdef-t\" and d[\"dev\"] == \"$(dmsetup info -c --noheadings -o major,minor t)\"' </tmp/netlink"
}
# sees PID COMMAND...: wait at most a minute until COMMAND is true or process PID has ended
sees() {
	local pid=$1
	shift
	{ sleep 60; kill $pid; } >/dev/null 2>&1 & DOG=$!
	until "$@"; do kill -0 $pid 2>/dev/null || break; done
	kill $DOG
}
mkdir -p /run/credstore
mount -t ramfs ramfs /run/credstore
gone() { ! compgen -G '/run/credstore/*' >/dev/null; }

# tracepoints, at the same time
T=/sys/kernel/tracing
traced() { grep -qE "ccdm_$1: t level $2 index $3\$" $T/trace; }
echo 1 >$T/events/ccdm/enable
open_t() { ccdm-setup open --yes --on-tamper eio --cache-size 2M --uuid 0123456789abcdef0123456789abcdef "$1" t; }

# ---- tamper: a block
open_t $D
dd if=/dev/urandom of=/dev/mapper/t bs=1M count=8 oflag=direct status=none
msg t sync >/dev/null
msg t drop
hear
dd if=/dev/urandom of=$D bs=4096 seek=777 count=1 oflag=direct conv=notrunc status=none
refuse "tamper: the read fails" "Input/output error" dd if=/dev/mapper/t of=/dev/null bs=4096 skip=777 count=1 iflag=direct status=none
heard tamper
check_sh "tamper: kind, level, index" "json 'd[\"kind\"] == \"block\" and d[\"level\"] == 0 and d[\"index\"] == 777' </tmp/netlink"
check "tamper: the secrets in memory are gone" gone
check "trace: the leaf was loaded" traced load 0 6
check "trace: it was written back before" traced writeback 0 6
check "trace: the block was read again before the verdict" traced recheck 0 777
refuse_code 6 "tamper: status says so, by its exit code too" "state: *tampered" ccdm-setup status t
check_sh "tamper: list says so" "ccdm-setup list | grep -qE '^t .*tampered'"

# ---- a monitor that did not run, and one that was too slow
echo secret >/run/credstore/web.key
ccdm-setup monitor --drop-secrets >/dev/null & DROP=$!
sees $DROP gone
check "a tamper of before it came: the secrets are gone" gone
kill $DROP
rm_map t
open_t $D
echo secret >/run/credstore/web.key
ccdm-setup monitor --drop-secrets >/tmp/lost & DROP=$!
ccdm-setup monitor --json >/tmp/lost.json & DROP2=$!
listening $DROP; listening $DROP2
kill -STOP $DROP $DROP2
# socket buffers hold a dozen events
for i in $(seq 100); do
	msg t scrub start
	[ "$(awk -v p=$DROP '$2 == 16 && $3 % 4194304 == p { n += $9 } END { print n + 0 }' /proc/net/netlink)" = 0 ] || break
done
dd if=/dev/urandom of=/dev/mapper/t bs=1M count=8 oflag=direct status=none
msg t sync >/dev/null
msg t drop
dd if=/dev/urandom of=$D bs=4096 seek=777 count=1 oflag=direct conv=notrunc status=none
refuse "tamper without a listener" "Input/output error" dd if=/dev/mapper/t of=/dev/null bs=4096 skip=777 count=1 iflag=direct status=none
check_sh "they stay as long as it is stopped" "[ -s /run/credstore/web.key ]"
kill -CONT $DROP $DROP2
sees $DROP gone
check "events were lost: the secrets are gone" gone
sees $DROP2 grep -q lost /tmp/lost.json
check_sh "both say so, and it was not the event" "grep -q 'events were lost' /tmp/lost && ! grep -q tamper /tmp/lost && grep lost /tmp/lost.json | json 'd[\"event\"] == \"lost\" and \"name\" not in d' || { cat /tmp/lost /tmp/lost.json; false; }"
kill $DROP $DROP2
rm_map t

# ---- tamper: a node
open_t $D
dd if=/dev/urandom of=/dev/mapper/t bs=1M count=8 oflag=direct status=none
msg t sync >/dev/null
msg t drop
hear
dd if=/dev/urandom of=$D bs=4096 seek=$(($(sectors /dev/mapper/t) / 8 + 5)) count=1 oflag=direct conv=notrunc status=none
refuse "tamper: the read fails" "Input/output error" dd if=/dev/mapper/t of=/dev/null bs=4096 skip=$((5 * 128 + 1)) count=1 iflag=direct status=none
heard tamper
check_sh "tamper: kind, level, index of a node" "json 'd[\"kind\"] == \"node\" and d[\"level\"] == 0 and d[\"index\"] == 5' </tmp/netlink"
rm_map t

# ---- unwritable: the tree's part of the device fails writes
dmsetup create low --table "0 $SIZE linear $D 0"
open_t /dev/mapper/low
LEN=$(sectors /dev/mapper/t)
dd if=/dev/urandom of=/dev/mapper/t bs=1M count=8 oflag=direct status=none
hear
dmsetup suspend low && dmsetup load low --table "0 $LEN linear $D 0
$LEN $((SIZE - LEN)) error" && dmsetup resume low
refuse "unwritable: sync says EIO" "Input/output error" dmsetup message t 0 sync
refuse "unwritable: and so does the next, which finds what failed before it" "Input/output error" dmsetup message t 0 sync
heard unwritable
check "unwritable: they stay" test -s /run/credstore/web.key
check_sh "unwritable: no kind, and the mapping is active" "json '\"kind\" not in d' </tmp/netlink && [ \$(dmsetup status t | grep -o 'state:[a-z]*') = state:active ]"
rm_map t
dmsetup remove --retry low
check "nothing left" nothing_left
finish
