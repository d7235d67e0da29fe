#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# A kernel without modules, with the target in its own tree: it is there after the boot, uses the
# CPU's ciphers, opens and closes a disk with the static opener, and detects a rollback.
# kernels: in-tree
# forms: long
# disks: 64M
. /ccdm/tests/lib/ktap.sh
D=/dev/vdd S=/sys/module/dm_ccdm

# messages of the boot, which the runner has cleared for dmesg
boot_log() { dd if=/dev/kmsg iflag=nonblock bs=8192 2>/dev/null; }
direct() { dd "$@" bs=4096 count=1 status=none; }

check_sh "the kernel has no modules" "[ ! -e /proc/modules ]"
check_sh "the target is built in" "dmsetup targets | grep -E '^ccdm +v1\.'"
check_sh "its version is that of the sources" "[ \"\$(cat $S/version)\" = '$(ccdm-open --version | sed -n '1s/.* //p')' ]"
check_sh "its parameter can be read" "grep -qxE 'aad|gcm' $S/parameters/gmac"

# ---- the CPU's ciphers register after device_initcall()
boot_log >/tmp/log
check_sh "both ways to make tags were measured" "grep -q 'ccdm: aes-xts-gmac computes tags with gmac:.* aad [0-9]* ns, gcm [0-9]* ns' /tmp/log"
check_sh "the CPU has a fast cipher" "grep -qE '^driver +: (generic-gcm-(aesni|vaes)|gcm-aes)' /proc/crypto || grep -E '^driver.*gcm' /proc/crypto | grep -v generic"
# ---- with the static opener
check "open" ccdm-open open --cache-size 4M $D t
check_sh "status" "ccdm-open status t | grep active"
check_sh "list" "ccdm-open list --json | grep '\"name\": \"t\"'"
check_sh "reads zeros" "cmp -n 1048576 /dev/mapper/t /dev/zero"
check_sh "holds what is written" "dd if=/bin/bash of=/dev/mapper/t bs=1M count=1 oflag=direct status=none && dmsetup message t 0 sync >/dev/null && dmsetup message t 0 drop && dd if=/dev/mapper/t bs=1M count=1 iflag=direct status=none | cmp -n 1048576 - /bin/bash"
# Generic ciphers seal a block in about ten times the time that the CPU's take; writing seals, too.
measured=$(sed -n 's/.* aad \([0-9]*\) ns.*/\1/p' /tmp/log)
took=999999999
for i in 1 2 3 4 5; do # the fastest of some: this machine may be busy
	start=$(date +%s%N)
	dd if=/dev/zero of=/dev/mapper/t bs=1M count=8 oflag=direct status=none
	now=$((($(date +%s%N) - start) / 2048))
	[ "$now" -ge "$took" ] || took=$now
done
note "to seal a block took $measured ns at boot; to write one takes $took ns"
check "the measurement at boot was with the ciphers of the CPU" [ "$measured" -lt $((2 * took)) ]
check "a file system" mkfs.ext4 -qF /dev/mapper/t
check_sh "mounted, with a file" "mount /dev/mapper/t /mnt && cp /bin/bash /mnt/ && sync && cmp /bin/bash /mnt/bash; r=\$?; umount /mnt; exit \$r"
check "close" ccdm-open close t
check_sh "opened again it reads zeros" "ccdm-open open $D t && cmp -n 1048576 /dev/mapper/t /dev/zero && ccdm-open close t"
for suite in $SUITES; do
	mk t $D cipher:"$suite"
	check_sh "$suite: seals and opens" "dd if=/bin/bash of=/dev/mapper/t bs=1M count=1 oflag=direct status=none && dmsetup message t 0 sync >/dev/null && dmsetup message t 0 drop && dd if=/dev/mapper/t bs=1M count=1 iflag=direct status=none | cmp -n 1048576 - /bin/bash"

	# ---- the host puts an older block back
	dmsetup message t 0 sync >/dev/null
	direct if=$D of=/tmp/old iflag=direct skip=7
	direct if=/dev/urandom of=/tmp/new
	direct if=/tmp/new of=/dev/mapper/t oflag=direct seek=7
	dmsetup message t 0 sync >/dev/null
	dmsetup message t 0 drop
	check_sh "$suite: control: the new block is read" "dd if=/dev/mapper/t bs=4096 count=1 skip=7 iflag=direct status=none | cmp - /tmp/new"
	dmsetup message t 0 drop
	direct if=/tmp/old of=$D oflag=direct seek=7
	refuse "$suite: an older block is refused" "Input/output error" direct if=/dev/mapper/t of=/tmp/got iflag=direct skip=7
	check_sh "$suite: the log says which" "dmesg | grep 'ccdm: t: tamper: block level 0 index 7'"
	check_sh "$suite: and all I/O ends" "dmsetup status t | grep state:tampered"
	rm_map t
	dmesg -C
done
check "nothing left" nothing_left
finish
