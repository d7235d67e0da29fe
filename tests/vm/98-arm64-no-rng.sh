#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# A CPU of arm64 without RNDRRS: there is no key and no mapping, and the message says why.
# kernels: arm64-6.12
# arm64: yes
# disks: 16M
# cpu: cortex-a72
. /ccdm/tests/lib/ktap.sh
load
check_sh "the CPU has none" "! grep -qw rng /proc/cpuinfo"
dmesg -C
refuse "open is refused" "" mk t /dev/vdd
check_sh "and says why" "dmesg | grep -q 'ccdm: This CPU has no random generator that works (RNDRRS)'"
check "nothing left" nothing_left
finish
