#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# A CPU with RDRAND but without RDSEED: the key is made of more words.
# disks: 16M
# cpu: max,-rdseed
. /ccdm/tests/lib/ktap.sh
load
check_sh "the CPU has RDRAND, and no RDSEED" "grep -qw rdrand /proc/cpuinfo && ! grep -qw rdseed /proc/cpuinfo"
mk t /dev/vdd
check_sh "it opens, and holds what is written" "dd if=/bin/bash of=/dev/mapper/t bs=1M count=1 oflag=direct status=none && dmsetup message t 0 sync >/dev/null && dmsetup message t 0 drop && dd if=/dev/mapper/t bs=1M count=1 iflag=direct status=none | cmp -n 1048576 - /bin/bash"
rm_map t
check "nothing left" nothing_left
finish
