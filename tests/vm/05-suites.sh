#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# Known answers of the cipher suites and of the key derivation, in this kernel.
# disks: 16M
# vm: shared
# arm64: yes
. /ccdm/tests/lib/ktap.sh
modprobe -qa xts gcm
dmesg -C
insmod /ccdm/ccdm-kat.ko
rc=$?
while read -r line; do
	case $line in
	*"ccdm-kat: ok "*) result 0 "${line#*ccdm-kat: ok [0-9]* }" ;;
	*"ccdm-kat: not ok "*) result 1 "${line#*ccdm-kat: not ok [0-9]* }" ;;
	esac
done < <(dmesg)
result $rc "the test module loads"
check_sh "all 16 vectors of 7 checks each, HKDF and birth" "dmesg | grep -q 'ccdm-kat: 1..114, 0 failed'"
rmmod ccdm-kat
finish
