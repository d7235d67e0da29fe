#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# Guards: dirty page cache at open, hibernation, crash kernel, flush.
# disks: 64M
# append: crashkernel=192M
# mem: 1536
. /ccdm/tests/lib/ktap.sh
load
D=/dev/vdd

# A buffered write of another program must not overwrite sealed blocks later. Keep the device
# open, because closing it writes the data. (Not 0 for "never": a disk that was not written before
# would be written at once.)
sysctl -qw vm.dirty_writeback_centisecs=360000 vm.dirty_background_ratio=60 vm.dirty_ratio=80
exec 9<>$D
head -c 32M /dev/urandom >&9
# each CPU keeps a part of the count; a refresh makes it exact
echo 1 >/proc/sys/vm/stat_refresh
dirty=$(awk '/^Dirty:/ {print $2}' /proc/meminfo)
check_sh "the page cache of the device is dirty ($dirty KiB)" "[ $dirty -ge 32768 ]"
mk t $D
dd if=/dev/urandom of=/tmp/x bs=1M count=32 status=none
dd if=/tmp/x of=/dev/mapper/t bs=1M oflag=direct status=none
check_sh "it was dropped: reads of the device return its content" "dd if=$D bs=1M count=32 iflag=direct status=none | cmp - $D -n 33554432"
check_sh "it was written back before the first block, not after" "sync $D /dev/mapper/t; sync; echo 3 >/proc/sys/vm/drop_caches; dmsetup message t 0 sync >/dev/null; dmsetup message t 0 drop; dd if=/dev/mapper/t bs=1M count=32 iflag=direct status=none | cmp - /tmp/x"
exec 9>&-

# hibernation
dmesg -C
refuse "hibernation is refused while a mapping is open" "" sh -c "echo disk >/sys/power/state"
check_sh "and the log says why" "dmesg | grep -q 'ccdm: hibernation refused'"
refuse "nor is an image made by a program" "busy" sh -c "exec 8</dev/snapshot"
# suspend to memory keeps everything
echo freezer >/sys/power/pm_test
check_sh "suspend is not refused" "echo freeze >/sys/power/state"
echo none >/sys/power/pm_test
check_sh "and the file's data can be read afterwards" "dd if=/dev/mapper/t bs=1M count=32 iflag=direct status=none | cmp - /tmp/x"
rm_map t
# programs continue between the first step and the image
exec 8</dev/snapshot
dmesg -C
refuse "open is refused while the system is being hibernated" "" mk t $D
check_sh "and says why" "dmesg | grep -q 'The system is being hibernated'"
exec 8<&-
check "given up, without it again as before" mk t $D
rm_map t

# crash kernel
if kexec -p /ccdm/vmlinuz --append="console=ttyS0" 2>/tmp/kexec.log || kexec -s -p /ccdm/vmlinuz 2>>/tmp/kexec.log; then
	check_sh "a crash kernel is loaded" "[ \$(cat /sys/kernel/kexec_crash_loaded) = 1 ]"
	dmesg -C
	refuse "open is refused while a crash kernel is loaded" "" mk t $D
	check_sh "and says why" "dmesg | grep -q 'A crash kernel is loaded'"
	check "allow_kdump opens nevertheless" mk t $D allow_kdump
	rm_map t
	kexec -p -u 2>/dev/null || kexec -s -p -u
	check "without it again as before" mk t $D
	rm_map t
else
	result 1 "a crash kernel can be loaded for the test: $(cat /tmp/kexec.log)"
fi

# flushes; first the control
flushes() { awk '{print $16}' /sys/block/vdd/stat; }
a=$(flushes)
mkfs.ext4 -q -F $D && mount $D /mnt && fio --directory=/mnt --name=f --rw=write --bs=4k --size=1m --fsync=1 --output-format=terse >/dev/null
umount /mnt
b=$(flushes)
check_sh "control: on the bare disk fsync sends flushes ($a, $b)" "[ $b -gt $a ]"
mk t $D
udevadm settle
a=$(flushes)
mkfs.ext4 -q -F /dev/mapper/t && mount /dev/mapper/t /mnt && fio --directory=/mnt --name=f --rw=write --bs=4k --size=1m --fsync=1 --output-format=terse >/dev/null
umount /mnt
sync
b=$(flushes)
check_sh "through ccdm none arrives ($a, $b)" "[ $b = $a ]"
rm_map t
check "nothing left" nothing_left
finish
