#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What stands guard: dirty page cache at open, hibernation, crash kernel, flush.
# disks: 64M
# append: crashkernel=192M
# mem: 1536
. /ccdm/tests/lib/ktap.sh
load
D=/dev/vdd

# somebody's buffered write must not land on sealed blocks later
dd if=/dev/urandom of=$D bs=1M count=60 status=none
mk t $D
dd if=/dev/urandom of=/tmp/x bs=1M count=32 status=none
dd if=/tmp/x of=/dev/mapper/t bs=1M oflag=direct status=none
check_sh "dirty page cache of the device was written back before, not after" "sync; echo 3 >/proc/sys/vm/drop_caches; dmsetup message t 0 sync >/dev/null; dmsetup message t 0 drop; dd if=/dev/mapper/t bs=1M count=32 iflag=direct status=none | cmp - /tmp/x"

# hibernation
dmesg -C
refuse "hibernation is refused while a mapping is open" "" sh -c "echo disk >/sys/power/state"
check_sh "and the log says why" "dmesg | grep -q 'ccdm: hibernation refused'"
rm_map t

# crash kernel
if kexec -p /ccdm/vmlinuz --append="console=ttyS0" 2>/tmp/kexec.log || kexec -s -p /ccdm/vmlinuz 2>>/tmp/kexec.log; then
	check_sh "a crash kernel is loaded" "[ \$(cat /sys/kernel/kexec_crash_loaded) = 1 ]"
	dmesg -C
	refuse "open is refused beside a crash kernel" "" mk t $D
	check_sh "and says why" "dmesg | grep -q 'A crash kernel is loaded'"
	check "allow_kdump opens all the same" mk t $D allow_kdump
	rm_map t
	kexec -p -u 2>/dev/null || kexec -s -p -u
	check "without it again as before" mk t $D
	rm_map t
else
	result 1 "a crash kernel can be loaded for the test: $(cat /tmp/kexec.log)"
fi

# flushes: the control first
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
