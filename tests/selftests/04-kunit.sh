#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# KUnit: geometry and the tree's decisions (as in user space), cipher suites between guards.
# kernels: debug
# disks: 16M
. /ccdm/tests/lib/ktap.sh
modprobe -qa xts gcm
dmesg -C
insmod /ccdm/ccdm-kunit.ko
rc=$?
while read -r line; do
	line=${line#*] }
	case $line in
	"    ok "*) result 0 "${line#    ok [0-9]* }" ;;
	"    not ok "*) result 1 "${line#    not ok [0-9]* }" ;;
	"    # "*) echo "# ${line#    # }" ;;
	esac
done < <(dmesg)
result $rc "the test module loads"
for suite in ccdm-format ccdm-suite; do
	check_sh "KUnit says that $suite passed" "dmesg | grep -q '\] ok [0-9]* $suite\$'"
done
check_sh "11 cases ran" "[ \$(dmesg | grep -c '\]     ok ') = 11 ]"
rmmod ccdm-kunit
finish
