#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# Discards together with writers and write-back, on a device with slow discards; passed down or
# not, with and without an origin.
# disks: 64M 64M
# vm: shared
# cpus: 4
# limit: 300
. /ccdm/tests/lib/ktap.sh
load
modprobe -qa dm-delay
D=/dev/vdd
SIZE=$(sectors $D)
SECS=$([ "$CCDM_FULL" = 1 ] && echo 60 || echo 5)
dmsetup create low --table "0 $SIZE delay $D 0 0 $D 0 3"
dd if=/dev/urandom of=/dev/vde bs=1M count=32 status=none
dmsetup create org --readonly --table "0 65536 linear /dev/vde 0"

for opts in "" allow_discards origin:/dev/mapper/org "origin:/dev/mapper/org allow_discards"; do
	# shellcheck disable=SC2086
	mk t /dev/mapper/low cache_mib:2 $opts
	# discard the region of "odd" first: it expects zeros or its own blocks
	blkdiscard -f -z -l 8388608 /dev/mapper/t
	(while [ ! -e /tmp/stop ]; do dmsetup message t 0 sync >/dev/null; dmsetup message t 0 drop; done) &
	check "writers, readers and discards: ${opts:-plain}" odd /dev/mapper/t "$SECS"
	touch /tmp/stop; wait; rm /tmp/stop
	check_sh "everything discarded during writes: ${opts:-plain}" "(for i in 1 2 3; do dd if=/dev/urandom of=/dev/mapper/t bs=256k count=60 oflag=direct conv=notrunc status=none; done) & for i in 1 2 3 4 5; do blkdiscard -f /dev/mapper/t 2>/dev/null || exit 1; done; wait; blkdiscard -f /dev/mapper/t 2>/dev/null; cmp -n 60000000 /dev/mapper/t /dev/zero"
	check_sh "no tamper, no error: ${opts:-plain}" "dmsetup status t | grep -q 'state:active .*poisoned:0 data_errors:0 node_errors:0 tampers:0'"
	check_sh "pages and marks are all back: ${opts:-plain}" "dmsetup status t | grep -o 'pages:[0-9/]*' | tr : / | (IFS=/ read -r _ f a; [ \$f = \$a ])"
	rm_map t
done
dmsetup remove --retry low
# passed down or not: count at the device
disc() { awk '{print $12}' "/sys/block/vdd/stat"; }
mk t $D
dd if=/dev/zero of=/dev/mapper/t bs=1M count=4 oflag=direct status=none
a=$(disc); blkdiscard -f -l 4194304 /dev/mapper/t 2>/dev/null; b=$(disc)
check_sh "without allow_discards the device sees none" "[ $a = $b ]"
rm_map t
mk t $D allow_discards
dd if=/dev/zero of=/dev/mapper/t bs=1M count=4 oflag=direct status=none
a=$(disc); blkdiscard -f -l 4194304 /dev/mapper/t 2>/dev/null; b=$(disc)
check_sh "with allow_discards it sees them ($a, $b)" "[ $b -gt $a ]"
check_sh "and the blocks read zeros" "cmp -n 4194304 /dev/mapper/t /dev/zero"
check_sh "write-zeroes read zeros" "dd if=/dev/urandom of=/dev/mapper/t bs=1M count=4 oflag=direct status=none && blkdiscard -f -z -l 4194304 /dev/mapper/t 2>/dev/null && dmsetup message t 0 sync >/dev/null && dmsetup message t 0 drop && cmp -n 4194304 /dev/mapper/t /dev/zero"
rm_map t
dmsetup remove --retry org

# A partition that begins at sector 63: dm must split a discard above 1 GiB at block boundaries.
modprobe -qa loop
truncate -s 3G /tmp/big
echo 63, | sfdisk -q /tmp/big
LOOP=$(losetup -fP --show /tmp/big)
udevadm settle
check_sh "the partition is not aligned" "[ \$(cat /sys/block/$(basename "$LOOP")/$(basename "$LOOP")p1/start) = 63 ]"
for opts in "" allow_discards; do
	# shellcheck disable=SC2086
	mk t "${LOOP}p1" cache_mib:2 $opts
	dd if=/dev/urandom of=/dev/mapper/t bs=1M count=4 seek=1022 oflag=direct status=none
	check "2 GiB are discarded at once: ${opts:-plain}" blkdiscard -f -l 2147483648 /dev/mapper/t
	check_sh "and read zeros: ${opts:-plain}" "dd if=/dev/mapper/t bs=1M skip=1022 count=4 status=none | cmp -n 4194304 - /dev/zero"
	rm_map t
done
losetup -d "$LOOP"
rm /tmp/big
check "nothing left" nothing_left
finish
