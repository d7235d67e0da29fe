#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# Common uses of a mapping: file systems, LUKS, LVM.
# disks: 320M
# vm: shared
# limit: 900
# allow-log: XFS.*deprecated
. /ccdm/tests/lib/ktap.sh
load
D=/dev/vdd
modprobe -qa ext4 xfs btrfs dm-crypt dm-thin-pool
FULL=$([ "$CCDM_FULL" = 1 ] && echo 1)

# ---- file systems with real programs
for fs in ext4 ${FULL:+xfs} btrfs; do
	mk t $D
	check "$fs: mkfs" sh -c "mkfs.$fs -q $([ $fs = ext4 ] && echo -F || echo -f) /dev/mapper/t"
	mount /dev/mapper/t /mnt
	check_sh "$fs: copy a tree" "cp -a /usr/lib/python3* /usr/sbin /mnt/"
	check_sh "$fs: stress-ng" "cd /mnt && stress-ng --temp-path /mnt --hdd 1 --hdd-bytes 8m --dentry 1 --fallocate 1 --fallocate-bytes 8m --aio 1 --timeout 5 --quiet"
	# fio's mmap engine does not verify on block devices, not even on bare ones
	check_sh "$fs: fio over mmap" "fio --directory=/mnt --name=m --rw=randwrite --bs=4k --size=8m --ioengine=mmap --verify=crc32c --output-format=terse >/dev/null"
	check_sh "$fs: discard free space" "fstrim /mnt"
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

# ---- layers on top
mk t $D
check_sh "LUKS on ccdm" "echo -n secret | cryptsetup luksFormat -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /dev/mapper/t - && echo -n secret | cryptsetup open /dev/mapper/t lk && mkfs.ext4 -q /dev/mapper/lk && mount /dev/mapper/lk /mnt && cp -a /usr/sbin /mnt && umount /mnt && mount /dev/mapper/lk /mnt && diff -r --no-dereference /usr/sbin /mnt/sbin; r=\$?; umount /mnt; cryptsetup close lk; exit \$r"
rm_map t
if [ -n "$FULL" ]; then
	mk t $D
	check_sh "LVM thin on ccdm" "pvcreate -qq -y /dev/mapper/t && vgcreate -qq vg /dev/mapper/t && lvcreate -qq -y --type thin-pool -L 128m -n pool vg && lvcreate -qq -y -V 1g --thinpool vg/pool -n thin && mkfs.ext4 -q /dev/vg/thin && mount /dev/vg/thin /mnt && cp -a /usr/sbin /mnt && umount /mnt && mount /dev/vg/thin /mnt && diff -r --no-dereference /usr/sbin /mnt/sbin; r=\$?; umount /mnt; vgremove -qq -ff -y vg; pvremove -qq /dev/mapper/t; exit \$r"
	check "no error, no tamper" fine t
	rm_map t
fi
check "nothing left" nothing_left
finish
