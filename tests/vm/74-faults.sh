#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# Failing allocations and crypto: a failed ctr leaves nothing behind, I/O ends in EIO at worst, and
# nothing old or wrong is ever read. When sequence numbers are used up, all I/O returns EIO and
# nothing halts.
# kernels: debug gcov
# disks: 64M 16M
# the kernel itself leaks a name if a slab cache cannot appear in sysfs
# allow-leak: sysfs_slab_add
# limit: 600
. /ccdm/tests/lib/ktap.sh
load gmac=gcm # its requests need one more allocation
D=/dev/vdd
F="python3 /ccdm/tests/lib/faults.py"
SECS=$([ "$CCDM_FULL" = 1 ] && echo 60 || echo 8)
LEN=$(fit "$(sectors $D)")
show() { local out rc; out=$("$@" 2>&1); rc=$?; grep '^#' <<<"$out" >&3; [ $rc = 0 ] || tail -n 4 <<<"$out"; return $rc; }
exec 3>&1

for suite in $SUITES; do
	check "$suite: every allocation of ctr fails once, and nothing is left" show $F ctr $D "$LEN" cipher:$suite cache_mib:2
	check "nothing left" nothing_left
done
check "an origin as well" show $F ctr $D "$LEN" cache_mib:2 origin:/dev/vde

for suite in $SUITES; do
	for what in "alloc 20" "seal 1" "seal 30" "open 1" "open 30" "all 5"; do
		mk t $D cipher:$suite cache_mib:2
		# shellcheck disable=SC2086
		check "$suite: $what %: EIO at worst, every content right" show $F io $what /dev/mapper/t $SECS
		check_sh "$suite: $what %: no tamper, nothing unwritable" "dmsetup status t | grep -q 'state:active .*unwritable:0 .*poisoned:0 .*tampers:0'"
		check_sh "$suite: $what %: all pages are back" "dmsetup status t | grep -o 'pages:[0-9/]*' | tr : / | (IFS=/ read -r _ f a; [ \$f = \$a ])"
		rm_map t
	done
done

# ---- sequence numbers used up
modprobe -q dm-delay
inject=/sys/kernel/debug/fail_function
used_up() {
	echo ccdm_seq_check >$inject/inject
	echo 0xffffffffffffff85 >$inject/ccdm_seq_check/retval
	echo 100 >$inject/probability; echo 1 >$inject/times; echo 0 >$inject/verbose
}
SIZE=$(sectors $D)
dmsetup create low --table "0 $SIZE linear $D 0"
len=$(fit "$SIZE")
dmsetup create t --table "0 $len ccdm 1 /dev/mapper/low 0"
dd if=/dev/urandom of=/dev/mapper/t bs=1M count=8 oflag=direct status=none
ccdm-setup monitor --json --count 1 >/tmp/ev & MON=$!
listening $MON
# a sync that waits for the device must not wait forever
dmsetup suspend low && dmsetup load low --table "0 $((len)) linear $D 0
$len $((SIZE - len)) delay $D $len 3000" && dmsetup resume low
dmsetup message t 0 sync >/tmp/sync 2>&1 & SYNC=$!
until [ "$(stat_of t dirty)" -lt 16 ]; do :; done
used_up
refuse "used up: the write that wants a number is EIO" "Input/output error" dd if=/dev/zero of=/dev/mapper/t bs=4096 count=1 oflag=direct conv=notrunc status=none
echo "" >$inject/inject
wait $SYNC
check_sh "used up: a sync that waits ends" "grep -q 'Input/output error' /tmp/sync"
check_sh "used up: the state says so, and nothing is called tamper" "dmsetup status t | grep -q 'state:failed .*tampers:0'"
check_sh "used up: reads are EIO, of zeros too" "! dd if=/dev/mapper/t bs=4096 count=1 iflag=direct of=/dev/null status=none && ! dd if=/dev/mapper/t bs=4096 skip=8000 count=1 iflag=direct of=/dev/null status=none"
check_sh "used up: the log says so" "dmesg | grep -q 'ccdm: t: failed: sequence numbers used up'"
wait $MON
check_sh "used up: the event arrives" "grep -q '\"event\": *\"failed\"' /tmp/ev"
check "used up: no halt: close" dmsetup remove --retry t
dmsetup remove --retry low
check "nothing left at the end" nothing_left
finish
