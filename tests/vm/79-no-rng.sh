#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# A CPU without RDSEED and RDRAND: there is no key and no mapping, and the message says why.
# disks: 16M
# cpu: max,-rdrand,-rdseed
. /ccdm/tests/lib/ktap.sh
load
check_sh "the CPU has neither" "! grep -qE 'rdrand|rdseed' /proc/cpuinfo"
dmesg -C
refuse "open is refused" "" mk t /dev/vdd
check_sh "and says why" "dmesg | grep -q 'ccdm: This CPU has no random generator'"
check "nothing left" nothing_left
finish
