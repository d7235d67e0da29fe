#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# A CPU without AES instructions: the ciphers are templates of the crypto API over the CPU's C
# code. If a device offers a part, the templates are built over that, and are refused.
# disks: 64M
# cpu: max,-aes,-pclmulqdq
. /ccdm/tests/lib/ktap.sh
load
D=/dev/vdd

works() {
	mk t $D cipher:"$1" && dd if=/dev/urandom of=/tmp/x bs=4k count=64 status=none &&
		dd if=/tmp/x of=/dev/mapper/t bs=4k oflag=direct status=none &&
		dmsetup message t 0 sync >/dev/null && dmsetup message t 0 drop &&
		dd if=/dev/mapper/t bs=4k count=64 iflag=direct status=none | cmp - /tmp/x && rm_map t
}

check_sh "(there are no AES instructions)" "! grep -qw aes /proc/cpuinfo"
for suite in $SUITES; do
	check "$suite: works" works $suite
done
note "$(awk '$1 == "driver" && /gcm|xts|hmac/ { print $3 }' /proc/crypto | sort | tr '\n' ' ')"
insmod /ccdm/ccdm-hw.ko algs=ctr
dmesg -C
refuse "a template over a device is refused" "" mk t $D cipher:aes-gcm
check_sh "the log names driver and device" "dmesg | grep -q 'ccdm: gcm(aes): driver .*ccdm-hw-ctr.* refused: ccdm-hw-ctr does not run on the CPU'"
rmmod ccdm-hw
check "without it all is well" works aes-gcm
finish
