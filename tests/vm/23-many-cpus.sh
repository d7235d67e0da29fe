#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# Memory on a machine with many CPUs: the per-CPU reserve counts. If it leaves no room for the
# cache, the mapping is refused with a message that says what to do.
# kernels: 6.1
# disks: 64M
# append: possible_cpus=960
# mem: 4608
. /ccdm/tests/lib/ktap.sh
load
D=/dev/vdd
LEN=$(fit "$(sectors $D)")
C=$(tr - '\n' </sys/devices/system/cpu/possible | tail -n1)
check_sh "control: there may be many CPUs ($C)" "[ $C = 959 ]"
dmesg -C
refuse "2 MiB are too little" "." dmsetup create t --table "0 $LEN ccdm 1 $D 2 cache_mib:2 on_tamper:eio"
check_sh "the message names the option, and says what to do" "dmesg | grep -q 'cache_mib: too small .*give more MiB' || { dmesg | tail -n 3; false; }"
check "more is enough" mk t $D cache_mib:16
refuse "nor can it be made so small later" "No space left" dmsetup message t 0 cache_mib 2
check_sh "and it says why" "dmesg | grep -q 'cache_mib:2: the fixed parts alone take [0-9]* KiB'"
rm_map t
check "nothing left" nothing_left
finish
