#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Data: fio verify in many shapes, smallest cache, file systems, LUKS, LVM, swap.
# disks: 320M 64M
# mem: 1024
# limit: 900
# allow-log: XFS.*deprecated
. /ccdm/tests/lib/ktap.sh
load
D=/dev/vdd
modprobe -qa ext4 xfs btrfs dm-crypt dm-thin-pool

fine() { dmsetup status "$1" | grep -q 'state:active .*poisoned:0 data_errors:0 node_errors:0 tampers:0'; }
run_fio() { fio --filename=/dev/mapper/t --output-format=terse --verify_fatal=1 "$@" >/tmp/fio.log 2>&1 || { cat /tmp/fio.log; return 1; }; }

# the debug kernel takes ten times as long for the same
case $CCDM_FULL$CCDM_SLOW in
1*) SIZE=192m SMALL=8m ;;
01) SIZE=4m SMALL=2m ;;
*) SIZE=16m SMALL=8m ;;
esac
for suite in aes-xts-gmac aes-xts-hmac-sha256 aes-gcm; do
	mk t $D cipher:$suite cache_mib:2
	check "$suite: random 4k writes, verify" run_fio --name=v --rw=randwrite --bs=4k --size=$SIZE --direct=1 --ioengine=libaio --iodepth=32 --verify=crc32c
	check "$suite: mixed sizes over leaf borders" run_fio --name=v --rw=randwrite --bsrange=4k-1m --size=$SIZE --direct=1 --ioengine=libaio --iodepth=8 --verify=crc32c --verify_backlog=64
	check "$suite: sequential 1m" run_fio --name=v --rw=write --bs=1m --size=$SIZE --direct=1 --ioengine=libaio --iodepth=4 --verify=meta
	check "$suite: read and write mixed" run_fio --name=v --rw=randrw --bs=4k --size=$SIZE --direct=1 --ioengine=libaio --iodepth=16 --verify=crc32c --verify_backlog=128
	check "$suite: trim mixed" run_fio --name=v --rw=randtrimwrite --bs=4k --size=$SMALL --direct=1 --ioengine=libaio --iodepth=8 --verify=crc32c
	check "$suite: buffered with fsync" run_fio --name=v --rw=randwrite --bs=8k --size=$SMALL --ioengine=psync --fsync=1 --verify=crc32c
	check "$suite: four jobs at once" run_fio --name=v --rw=randwrite --bs=4k --size=$SMALL --offset_increment=16m --numjobs=4 --direct=1 --ioengine=libaio --iodepth=8 --verify=crc32c
	check "$suite: no error, no tamper" fine t
	check "$suite: scrub finds nothing" ccdm-setup scrub -q t
	rm_map t
done

# A cache of 2 MiB has about 190 nodes; 300 MiB have 600 leaves. With sparse
# access over a 10 GiB mapping of 20000 leaves the set is far over 50 times that.
modprobe -qa dm-snapshot dm-zero
dmsetup create zero --table "0 $((10 * 2097152)) zero"
dmsetup create big --table "0 $((10 * 2097152)) snapshot /dev/mapper/zero $D N 8"
mk t /dev/mapper/big cache_mib:2
check "working set 50 times the cache" run_fio --name=v --rw=randwrite --bs=4k --filesize=9g --io_size=40m --direct=1 --ioengine=libaio --iodepth=32 --verify=crc32c
check "64 writers on distinct leaves, smallest cache" run_fio --name=v --rw=randwrite --bs=4k --size=2m --offset_increment=100m --numjobs=64 --thread --direct=1 --ioengine=psync --verify=crc32c
check "no error, no tamper" fine t
check_sh "evictions happened" "[ \$(dmsetup status t | grep -o 'misses:[0-9]*' | cut -d: -f2) -gt 2000 ]"
check_sh "the cache kept to its limit" "dmsetup status t | grep -o 'cache_kib:[0-9/]*' | tr : / | (IFS=/ read -r _ used limit; [ \$used -le \$limit ])"
rm_map t
dmsetup remove --retry big
dmsetup remove --retry zero

# ---- file systems with real programs
for fs in ext4 xfs btrfs; do
	mk t $D
	check "$fs: mkfs" sh -c "mkfs.$fs -q $([ $fs = ext4 ] && echo -F || echo -f) /dev/mapper/t"
	mount /dev/mapper/t /mnt
	check_sh "$fs: copy a tree" "cp -a /usr/lib/python3* /usr/sbin /mnt/"
	check_sh "$fs: stress-ng" "cd /mnt && stress-ng --temp-path /mnt --hdd 1 --hdd-bytes 8m --dentry 1 --fallocate 1 --fallocate-bytes 8m --aio 1 --timeout 5 --quiet"
	# (fio's mmap engine does not verify on block devices, bare ones included)
	check_sh "$fs: fio over mmap" "fio --directory=/mnt --name=m --rw=randwrite --bs=4k --size=8m --ioengine=mmap --verify=crc32c --output-format=terse >/dev/null"
	check_sh "$fs: discard what is free" "fstrim /mnt"
	check_sh "$fs: unmount, drop, mount, compare" "umount /mnt && dmsetup message t 0 drop && mount /dev/mapper/t /mnt && diff -r --no-dereference /usr/sbin /mnt/sbin"
	umount /mnt
	case $fs in
	ext4) check "ext4: fsck" fsck.ext4 -fn /dev/mapper/t ;;
	xfs) check "xfs: xfs_repair -n" xfs_repair -n /dev/mapper/t ;;
	btrfs) check "btrfs: check" btrfs check /dev/mapper/t ;;
	esac
	check "$fs: no error, no tamper" fine t
	rm_map t
done

# ---- things on top
mk t $D
check_sh "LUKS on ccdm" "echo -n secret | cryptsetup luksFormat -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /dev/mapper/t - && echo -n secret | cryptsetup open /dev/mapper/t lk && mkfs.ext4 -q /dev/mapper/lk && mount /dev/mapper/lk /mnt && cp -a /usr/sbin /mnt && umount /mnt && mount /dev/mapper/lk /mnt && diff -r --no-dereference /usr/sbin /mnt/sbin; r=\$?; umount /mnt; cryptsetup close lk; exit \$r"
rm_map t
mk t $D
check_sh "LVM thin on ccdm" "pvcreate -qq -y /dev/mapper/t && vgcreate -qq vg /dev/mapper/t && lvcreate -qq -y --type thin-pool -L 128m -n pool vg && lvcreate -qq -y -V 1g --thinpool vg/pool -n thin && mkfs.ext4 -q /dev/vg/thin && mount /dev/vg/thin /mnt && cp -a /usr/sbin /mnt && umount /mnt && mount /dev/vg/thin /mnt && diff -r --no-dereference /usr/sbin /mnt/sbin; r=\$?; umount /mnt; vgremove -qq -ff -y vg; pvremove -qq /dev/mapper/t; exit \$r"
check "no error, no tamper" fine t
rm_map t

# ---- origin
dd if=/dev/urandom of=/dev/vde bs=1M count=64 status=none
mk t $D origin:/dev/vde allow_discards
check_sh "origin shines through" "cmp -n 67108864 /dev/mapper/t /dev/vde"
check_sh "beyond its end zeros" "cmp -n 1048576 -i 67108864:0 /dev/mapper/t /dev/zero"
check_sh "written over in places, the rest still shines" "dd if=/dev/zero of=/dev/mapper/t bs=4096 count=3 seek=1000 oflag=direct conv=notrunc status=none && cp /dev/vde /tmp/exp 2>/dev/null; dd if=/dev/vde of=/tmp/exp bs=1M count=8 status=none && dd if=/dev/zero of=/tmp/exp bs=4096 count=3 seek=1000 conv=notrunc status=none && dd if=/dev/mapper/t bs=1M count=8 iflag=direct status=none | cmp - /tmp/exp"
check_sh "discarded blocks are zeros, not the origin" "blkdiscard -f -o 8388608 -l 8388608 /dev/mapper/t 2>/dev/null && dd if=/dev/mapper/t bs=1M skip=8 count=8 iflag=direct status=none | cmp -n 8388608 - /dev/zero && dmsetup message t 0 sync && dmsetup message t 0 drop && dd if=/dev/mapper/t bs=1M skip=8 count=8 iflag=direct status=none | cmp -n 8388608 - /dev/zero"
check_sh "the origin itself is untouched" "cmp -n 8388608 -i 16777216 /dev/mapper/t /dev/vde"
check "no error, no tamper" fine t
rm_map t

# ---- swap under memory pressure
mk t $D cache_mib:2
check_sh "swap" "mkswap -q /dev/mapper/t >/dev/null && swapon /dev/mapper/t"
swaps() { awk '$1 == "pswpin" || $1 == "pswpout" { printf "%s %d ", $1, $2 }' /proc/vmstat; }
check "memory pressure: a working set larger than memory, verified" python3 /ccdm/tests/lib/swapped.py +160M
note "$(swaps)"
check_sh "much was swapped, out and in" "[ \$(awk '\$1 == \"pswpout\" {print \$2}' /proc/vmstat) -gt 20000 ] && [ \$(awk '\$1 == \"pswpin\" {print \$2}' /proc/vmstat) -gt 20000 ]"
mkdir -p /sys/fs/cgroup && { mountpoint -q /sys/fs/cgroup || mount -t cgroup2 cgroup2 /sys/fs/cgroup; }
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
mkdir /sys/fs/cgroup/small && echo 48M >/sys/fs/cgroup/small/memory.max
check_sh "a memory limit: 128 MiB in a control group of 48" "echo \$\$ >/sys/fs/cgroup/small/cgroup.procs && exec python3 /ccdm/tests/lib/swapped.py 128M"
check "no error, no tamper" fine t
check "swapoff" swapoff /dev/mapper/t
rm_map t
check "nothing left" nothing_left
finish
