#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# A mapping over an origin, and swap on one, under memory pressure.
# disks: 320M 64M
# vm: shared
# limit: 900
. /ccdm/tests/lib/ktap.sh
load
D=/dev/vdd

# ---- origin
dd if=/dev/urandom of=/dev/vde bs=1M count=64 status=none
mk t $D origin:/dev/vde allow_discards
check_sh "origin shines through" "cmp -n 67108864 /dev/mapper/t /dev/vde"
check_sh "beyond its end zeros" "cmp -n 1048576 -i 67108864:0 /dev/mapper/t /dev/zero"
check_sh "written over in places, the rest still shines" "dd if=/dev/zero of=/dev/mapper/t bs=4096 count=3 seek=1000 oflag=direct conv=notrunc status=none && cp /dev/vde /tmp/exp 2>/dev/null; dd if=/dev/vde of=/tmp/exp bs=1M count=8 status=none && dd if=/dev/zero of=/tmp/exp bs=4096 count=3 seek=1000 conv=notrunc status=none && dd if=/dev/mapper/t bs=1M count=8 iflag=direct status=none | cmp - /tmp/exp"
check_sh "discarded blocks are zeros, not the origin" "blkdiscard -f -o 8388608 -l 8388608 /dev/mapper/t 2>/dev/null && dd if=/dev/mapper/t bs=1M skip=8 count=8 iflag=direct status=none | cmp -n 8388608 - /dev/zero && dmsetup message t 0 sync && dmsetup message t 0 drop && dd if=/dev/mapper/t bs=1M skip=8 count=8 iflag=direct status=none | cmp -n 8388608 - /dev/zero"
check_sh "the origin itself is untouched" "cmp -n 8388608 -i 16777216 /dev/mapper/t /dev/vde"
check "no error, no tamper" fine t
rm_map t

# ---- swap under memory pressure
mk t $D cache_mib:2
check_sh "swap" "mkswap -q /dev/mapper/t >/dev/null && swapon /dev/mapper/t"
swaps() { awk '$1 == "pswpin" || $1 == "pswpout" { printf "%s %d ", $1, $2 }' /proc/vmstat; }
check "memory pressure: a working set larger than memory, verified" python3 /ccdm/tests/lib/swapped.py +160M
note "$(swaps)"
check_sh "much was swapped, out and in" "[ \$(awk '\$1 == \"pswpout\" {print \$2}' /proc/vmstat) -gt 20000 ] && [ \$(awk '\$1 == \"pswpin\" {print \$2}' /proc/vmstat) -gt 20000 ]"
mkdir -p /sys/fs/cgroup && { mountpoint -q /sys/fs/cgroup || mount -t cgroup2 cgroup2 /sys/fs/cgroup; }
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
mkdir /sys/fs/cgroup/small && echo 48M >/sys/fs/cgroup/small/memory.max
check_sh "a memory limit: 128 MiB in a control group of 48" "echo \$\$ >/sys/fs/cgroup/small/cgroup.procs && exec python3 /ccdm/tests/lib/swapped.py 128M"
check "no error, no tamper" fine t
check "swapoff" swapoff /dev/mapper/t
rm_map t
check "nothing left" nothing_left
finish
