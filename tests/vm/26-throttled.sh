#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# Control groups that the backing device throttles (io.max) do not block others.
# disks: 256M
# vm: shared
# limit: 300
. /ccdm/tests/lib/ktap.sh
load
D=/dev/vdd
SLOW=/sys/fs/cgroup/slow
GROUPS_N="1 2 3"
mountpoint -q /sys/fs/cgroup || mount -t cgroup2 cgroup2 /sys/fs/cgroup
echo +io >/sys/fs/cgroup/cgroup.subtree_control
for i in $GROUPS_N; do mkdir $SLOW$i; done

may() { for i in $GROUPS_N; do echo "$(cat /sys/block/vdd/dev) rbps=$1 wbps=$1" >$SLOW$i/io.max; done; }
# bytes that the device has completed for a group, or for all groups
did() { awk -v dev="$(cat /sys/block/vdd/dev)" '$1 == dev { for (i = 2; i <= NF; i++) if ($i ~ /^[rw]bytes=/) { split($i, w, "="); n += w[2] } } END { print n + 0 }' $SLOW${1:-[1-9]}/io.stat; }

mk t $D cache_mib:2
dd if=/dev/zero of=/dev/mapper/t bs=1M count=192 oflag=direct status=none
for rw in randwrite randread; do
	may 65536
	before=$(did)
	# each submits 16 MiB at a time, and completes a mebibyte in 16 s. Start them one after the
	# other: the first one takes as much as it can get.
	for i in $GROUPS_N; do
		begin=$(did "$i")
		sh -c "echo \$\$ >$SLOW$i/cgroup.procs && exec fio --filename=/dev/mapper/t --name=s --rw=$rw --bs=64k --offset=$((40 * i - 40))m --size=40m --direct=1 --ioengine=libaio --iodepth=64 --numjobs=4 --output-format=terse" >/dev/null 2>&1 &
		until [ "$(did "$i")" -gt "$begin" ]; do sleep 0.1; done
	done
	check "$rw of groups that are held back: another one reads and writes" timeout 500 fio --filename=/dev/mapper/t --name=o --rw=randrw --bs=4k --offset=128m --size=64m --number_ios=400 --direct=1 --ioengine=libaio --iodepth=4 --output-format=terse --output=/tmp/fio.log
	n=$(($(did) - before))
	check_sh "$rw: which did not wait for them ($n bytes were done)" "[ $n -lt 8388608 ]"
	may max
	wait
done
check "no error, no tamper" fine t
rm_map t
finish
