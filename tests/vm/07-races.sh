#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# Data races of the module, on a kernel that detects them: readers and writers on a tree that does
# not fit into its cache, together with every operation of an administrator.
# kernels: kcsan
# disks: 1G
# limit: 600
. /ccdm/tests/lib/ktap.sh
load
D=/dev/vdd
SECS=$([ "$CCDM_FULL" = 1 ] && echo 120 || echo 30)
watched() { awk '/^setup_watchpoints/ {print $2}' /sys/kernel/debug/kcsan; }

for suite in $SUITES; do
	mk t $D cipher:$suite cache_mib:2 allow_discards
	a=$(watched)
	touch /tmp/go
	(while [ -e /tmp/go ]; do
		for m in "scrub start" drop "cache_mib 4" sync "cache_mib 2" "scrub stop"; do
			dmsetup message t 0 $m >/dev/null 2>&1
			dmsetup status t >/dev/null
			blkdiscard -o $((RANDOM % 1000 << 19)) -l 512K /dev/mapper/t
		done
	done) &
	fio --name=x --filename=/dev/mapper/t --rw=randrw --bs=4k --iodepth=16 --numjobs=4 --ioengine=libaio \
		--direct=1 --size=900m --time_based --runtime=$SECS --output-format=terse >/dev/null
	result $? "$suite: $SECS s of reads, writes and orders"
	rm /tmp/go
	wait
	b=$(watched)
	check_sh "$suite: $((b - a)) accesses were watched" "[ $((b - a)) -gt 10000 ]"
	rm_map t
done
finish
