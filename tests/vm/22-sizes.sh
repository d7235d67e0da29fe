#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# Sizes from two blocks to 16 TiB: opening reads and writes nothing; the cache limits the memory
# for any size; a VM of 512 MiB.
# disks: qcow2:16T 256M
# mem: 512
# limit: 600
. /ccdm/tests/lib/ktap.sh
load
D=/dev/vdd
ios() { awk '{print $1 + $5}' "/sys/block/$(basename $1)/stat"; }
LEN=$(fit "$(sectors $D)")

# The amount that libblkid reads does not depend on the size.
open_ios() {
	local b a
	dmsetup create low --table "0 $1 linear $D 0"
	udevadm settle
	udevadm control --stop-exec-queue
	b=$(ios "$(readlink -f /dev/mapper/low)")
	DM_DISABLE_UDEV=1 ccdm-setup open --yes --on-tamper eio /dev/mapper/low ccdm-low >&2
	a=$(ios "$(readlink -f /dev/mapper/low)")
	DM_DISABLE_UDEV=1 ccdm-setup close ccdm-low
	udevadm control --start-exec-queue
	dmsetup remove --retry low
	echo $((a - b))
}
G=$(open_ios $((2 << 20))) T=$(open_ios "$(sectors $D)")
check_sh "ccdm-setup open: as many reads at 16 TiB as at 1 GiB ($T, $G)" "[ $G -gt 0 ] && [ $T = $G ]"

# memory that the kernel holds, in KiB, without reclaimable memory and per-CPU reserves
held() {
	sync
	echo 1 >/proc/sys/vm/drop_caches
	echo 1 >/proc/sys/vm/stat_refresh
	awk '/^MemTotal/ { n = $2 } /^(MemFree|Buffers|Cached|SReclaimable):/ { n -= $2 }
	     $1 == "count:" { n -= $2 * 4 } END { print n }' /proc/meminfo /proc/zoneinfo
}
B=$(ios $D)
dmsetup create t --noudevsync --noudevrules --table "0 $LEN ccdm 1 $D 2 cache_mib:16 on_tamper:eio"
A=$(ios $D)
check_sh "16 TiB: opening does no I/O ($B, then $A)" "[ $A = $B ]"
dmsetup mknodes t
check_sh "five levels: first, middle and last block" "for b in 0 1 $((LEN / 16)) $((LEN / 8 - 1)); do dd if=/dev/urandom of=/tmp/x bs=4096 count=1 status=none; dd if=/tmp/x of=/dev/mapper/t bs=4096 seek=\$b oflag=direct conv=notrunc status=none && dmsetup message t 0 sync >/dev/null && dmsetup message t 0 drop && dd if=/dev/mapper/t bs=4096 skip=\$b count=1 iflag=direct status=none | cmp - /tmp/x || exit 1; done"
check_sh "random over all of it" "fio --filename=/dev/mapper/t --name=v --rw=randwrite --bs=4k --filesize=$((LEN * 512)) --io_size=8m --direct=1 --ioengine=libaio --iodepth=16 --verify=crc32c --output-format=terse >/dev/null"
check_sh "cache within its limit" "dmsetup status t | grep -o 'cache_kib:[0-9/]*' | tr : / | (IFS=/ read -r _ u l; [ \$u -le \$l ] && [ \$l = 16384 ])"
check_sh "discard of everything: never written parts cost nothing" "timeout 120 blkdiscard -f -l \$((1 << 40)) /dev/mapper/t 2>/dev/null"
fio --filename=/dev/mapper/t --name=v --rw=randwrite --bs=4k --filesize=$((LEN * 512)) --io_size=20m --norandommap --direct=1 --ioengine=libaio --iodepth=16 --output-format=terse >/dev/null
check_sh "no tamper" "dmsetup status t | grep -q 'state:active .*data_errors:0 node_errors:0 tampers:0'"
M=$(held)
rm_map t
N=$(held)
# the debug kernel adds memory around each object
[ "$CCDM_SLOW" = 1 ] && MOST=24 || MOST=17
check_sh "memory: $((M - N)) KiB with a cache of 16 MiB, full" "[ $((M - N)) -le $((MOST * 1024)) ] && [ $((M - N)) -ge $((14 * 1024)) ]"

for blocks in 1 2 127 128 129 16383 16384 16385; do
	dmsetup create t --table "0 $((blocks * 8)) ccdm 1 $D 2 cache_mib:2 on_tamper:eio"
	check_sh "$blocks blocks: write all, sync, drop, read all" "head -c \$(($blocks * 4096)) /dev/urandom >/tmp/x && dd if=/tmp/x of=/dev/mapper/t bs=1M oflag=direct iflag=fullblock status=none && dmsetup message t 0 sync >/dev/null && dmsetup message t 0 drop && dd if=/dev/mapper/t bs=1M iflag=direct status=none | cmp - /tmp/x"
	rm_map t
done
# exactly the needed size, and one block less
for blocks in 1 128 129; do
	need=$(python3 -c "
n = t = $blocks
while True:
    n = -(-n // 128); t += n
    if n == 1: break
print(t)")
	dmsetup create low --table "0 $((need * 8)) linear /dev/vde 0"
	check_sh "$blocks blocks fit on $need" "dmsetup create t --table '0 $((blocks * 8)) ccdm 1 /dev/mapper/low 1 on_tamper:eio' && dd if=/tmp/x of=/dev/mapper/t bs=4096 count=$blocks oflag=direct status=none && dmsetup message t 0 sync >/dev/null"
	rm_map t
	dmsetup remove --retry low
	dmsetup create low --table "0 $((need * 8 - 1)) linear /dev/vde 0"
	refuse "and not on a sector less" "" dmsetup create t --table "0 $((blocks * 8)) ccdm 1 /dev/mapper/low 0"
	dmsetup remove --retry low
done

mk t /dev/vde cache_mib:8	# an eighth of its nodes is always kept
check_sh "a VM of 512 MiB: file system and programs" "mkfs.ext4 -q -F /dev/mapper/t && mount /dev/mapper/t /mnt && cp -a /usr/sbin /mnt && stress-ng --vm 1 --vm-bytes 250m --timeout 5 --quiet; umount /mnt; fsck.ext4 -fn /dev/mapper/t >/dev/null"
check_sh "drop_caches shrinks the cache" "dd if=/dev/mapper/t of=/dev/null bs=1M iflag=direct status=none; dmsetup message t 0 sync >/dev/null; a=\$(dmsetup status t | grep -o 'cache_kib:[0-9]*' | cut -d: -f2); echo 2 >/proc/sys/vm/drop_caches; echo 2 >/proc/sys/vm/drop_caches; b=\$(dmsetup status t | grep -o 'cache_kib:[0-9]*' | cut -d: -f2); echo \$a \$b; [ \$b -lt \$a ]"
rm_map t
check "nothing left" nothing_left
finish
