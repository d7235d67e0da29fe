#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A control group that the backing device holds back (io.max) stops nobody else.
# disks: 256M
# limit: 300
. /ccdm/tests/lib/ktap.sh
load
D=/dev/vdd
SLOW=/sys/fs/cgroup/slow
mountpoint -q /sys/fs/cgroup || mount -t cgroup2 cgroup2 /sys/fs/cgroup
echo +io >/sys/fs/cgroup/cgroup.subtree_control
mkdir $SLOW

may() { echo "$(cat /sys/block/vdd/dev) rbps=$1 wbps=$1" >$SLOW/io.max; }
# bytes that the device has done for the group
did() { awk -v dev="$(cat /sys/block/vdd/dev)" '$1 == dev { for (i = 2; i <= NF; i++) if ($i ~ /^[rw]bytes=/) { split($i, w, "="); n += w[2] } } END { print n + 0 }' $SLOW/io.stat; }

mk t $D cache_mib:2
dd if=/dev/zero of=/dev/mapper/t bs=1M count=192 oflag=direct status=none
for rw in randwrite randread; do
	may 65536
	before=$(did)
	# 16 MiB at a time, of which the group is done with a mebibyte in 16 s
	sh -c "echo \$\$ >$SLOW/cgroup.procs && exec fio --filename=/dev/mapper/t --name=s --rw=$rw --bs=64k --size=64m --direct=1 --ioengine=libaio --iodepth=64 --numjobs=4 --output-format=terse" >/dev/null 2>&1 &
	until [ "$(did)" -gt "$before" ]; do sleep 0.1; done
	check "$rw of a group that is held back: another one reads and writes" timeout 500 fio --filename=/dev/mapper/t --name=o --rw=randrw --bs=4k --offset=128m --size=64m --number_ios=400 --direct=1 --ioengine=libaio --iodepth=4 --output-format=terse --output=/tmp/fio.log
	n=$(($(did) - before))
	check_sh "$rw: which did not wait for it ($n bytes were done)" "[ $n -lt 8388608 ]"
	may max
	wait
done
check "no error, no tamper" fine t
rm_map t
finish
