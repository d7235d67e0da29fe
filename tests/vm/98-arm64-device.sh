#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# On arm64 the ciphers run on the CPU, also if the driver of a device has only the flag of Tegra's, and
# an older block is refused.
# kernels: arm64-6.12
# arm64: yes
# disks: 64M
. /ccdm/tests/lib/ktap.sh
modprobe -qa xts gcm ctr hmac
load
D=/dev/vdd H=/sys/module/ccdm_hw/parameters

# seen: keys and requests that the device received
seen() { cat $H/keys $H/requests; }

check_sh "the CPU has RNDRRS" "grep -qw rng /proc/cpuinfo"
insmod /ccdm/ccdm-hw.ko algs=xts,gcm make="gcm(aes)"
check_sh "(the device's drivers have the highest priority)" "grep -A3 'ccdm-hw-gcm' /proc/crypto | grep -q 10000"
check_sh "(a caller that refuses no driver gives it a key)" "[ \$(cat $H/control) -gt 0 ]"
for suite in $SUITES; do
	before=$(seen)
	check "$suite: opens" mk t $D cipher:"$suite"
	check_sh "$suite: holds what is written" "dd if=/bin/bash of=/dev/mapper/t bs=1M count=1 oflag=direct status=none && dmsetup message t 0 sync >/dev/null && dmsetup message t 0 drop && dd if=/dev/mapper/t bs=1M count=1 iflag=direct status=none | cmp -n 1048576 - /bin/bash"
	dd if=$D of=/tmp/old bs=4096 skip=7 count=1 iflag=direct status=none
	dd if=/dev/urandom of=/tmp/new bs=4096 count=1 status=none
	dd if=/tmp/new of=/dev/mapper/t bs=4096 seek=7 oflag=direct status=none
	dmsetup message t 0 sync >/dev/null
	dmsetup message t 0 drop
	check_sh "$suite: control: the new block is read" "dd if=/dev/mapper/t bs=4096 count=1 skip=7 iflag=direct status=none | cmp - /tmp/new"
	dmsetup message t 0 drop
	dd if=/tmp/old of=$D bs=4096 seek=7 oflag=direct status=none
	refuse "$suite: an older block is refused" "Input/output error" dd if=/dev/mapper/t of=/tmp/got bs=4096 count=1 skip=7 iflag=direct status=none
	check_sh "$suite: the log says which" "dmesg | grep 'ccdm: t: tamper: block level 0 index 7'"
	dmesg -C
	rm_map t
	check "$suite: the device is given no key and no data" [ "$(seen)" = "$before" ]
done
rmmod ccdm-hw
check "nothing left" nothing_left
finish
