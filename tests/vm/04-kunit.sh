#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# KUnit: geometry and the tree's decisions (as in user space), cipher suites between guard pages;
# the tree compared with an array, and the cache, on a mapping.
# kernels: debug
# disks: 512M
. /ccdm/tests/lib/ktap.sh
modprobe -qa xts gcm
dmesg -C
RUNS=$([ "$CCDM_FULL" = 1 ] && echo 100 || echo 4)
insmod /ccdm/ccdm-kunit.ko device="\"/ccdm/tests/kernel/kunit/device.sh /dev/vdd\"" runs=$RUNS
rc=$?
dmesg >/tmp/log
while read -r line; do
	line=${line#*] }
	case $line in
	"    ok "*) result 0 "${line#    ok [0-9]* }" ;;
	"    not ok "*) result 1 "${line#    not ok [0-9]* }" ;;
	"        not ok "* | "    # "*) echo "# ${line#*# }" ;;
	esac
done </tmp/log
result $rc "the test module loads"
for suite in ccdm-format ccdm-suite ccdm-cache; do
	check_sh "KUnit says that $suite passed" "grep -q '\] ok [0-9]* $suite\$' /tmp/log"
done
check_sh "16 cases ran" "[ \$(grep -c '\]     ok ' /tmp/log) = 16 ]"
check_sh "nothing of the mapping is left" "[ -z \"\$(dmsetup ls | grep -v 'No devices')\" ]"
rmmod ccdm-kunit
finish
