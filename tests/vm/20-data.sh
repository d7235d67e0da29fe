#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# Data: fio verify with many I/O patterns, and with the smallest cache.
# disks: 320M
# vm: shared
# limit: 900
. /ccdm/tests/lib/ktap.sh
load
D=/dev/vdd

run_fio() { fio --filename=/dev/mapper/t --output-format=terse --verify_fatal=1 "$@" >/tmp/fio.log 2>&1 || { cat /tmp/fio.log; return 1; }; }

# the debug kernel takes ten times as long
case $CCDM_FULL$CCDM_SLOW in
1*) SIZE=192m SMALL=8m ;;
01) SIZE=4m SMALL=2m ;;
*) SIZE=16m SMALL=8m ;;
esac
# Short form: all patterns with one suite, and the most different ones with the others.
for suite in $SUITES; do
	all=$([ "$CCDM_FULL" = 1 ] || [ $suite = aes-xts-gmac ] && echo 1)
	mk t $D cipher:$suite cache_mib:2
	[ -z "$all" ] || check "$suite: random 4k writes, verify" run_fio --name=v --rw=randwrite --bs=4k --size=$SIZE --direct=1 --ioengine=libaio --iodepth=32 --verify=crc32c
	check "$suite: mixed sizes over leaf borders" run_fio --name=v --rw=randwrite --bsrange=4k-1m --size=$SIZE --direct=1 --ioengine=libaio --iodepth=8 --verify=crc32c --verify_backlog=64
	[ -z "$all" ] || check "$suite: sequential 1m" run_fio --name=v --rw=write --bs=1m --size=$SIZE --direct=1 --ioengine=libaio --iodepth=4 --verify=meta
	[ -z "$all" ] || check "$suite: read and write mixed" run_fio --name=v --rw=randrw --bs=4k --size=$SIZE --direct=1 --ioengine=libaio --iodepth=16 --verify=crc32c --verify_backlog=128
	[ -z "$all" ] || check "$suite: trim mixed" run_fio --name=v --rw=randtrimwrite --bs=4k --size=$SMALL --direct=1 --ioengine=libaio --iodepth=8 --verify=crc32c
	[ -z "$all" ] || check "$suite: buffered with fsync" run_fio --name=v --rw=randwrite --bs=8k --size=$SMALL --ioengine=psync --fsync=1 --verify=crc32c
	check "$suite: four jobs at once" run_fio --name=v --rw=randwrite --bs=4k --size=$SMALL --offset_increment=16m --numjobs=4 --direct=1 --ioengine=libaio --iodepth=8 --verify=crc32c
	check "$suite: no error, no tamper" fine t
	check "$suite: scrub finds nothing" ccdm-setup scrub -q t
	rm_map t
done

# A cache of 2 MiB has about 190 nodes; 300 MiB have 600 leaves. With sparse access over a 10 GiB
# mapping of 20000 leaves, the working set is more than 50 times larger.
modprobe -qa dm-snapshot dm-zero
dmsetup create zero --table "0 $((10 * 2097152)) zero"
dmsetup create big --table "0 $((10 * 2097152)) snapshot /dev/mapper/zero $D N 8"
mk t /dev/mapper/big cache_mib:2
check "working set 50 times the cache" run_fio --name=v --rw=randwrite --bs=4k --filesize=9g --io_size=40m --direct=1 --ioengine=libaio --iodepth=32 --verify=crc32c
check "64 writers on distinct leaves, smallest cache" run_fio --name=v --rw=randwrite --bs=4k --size=2m --offset_increment=100m --numjobs=64 --thread --direct=1 --ioengine=psync --verify=crc32c
check "no error, no tamper" fine t
check_sh "evictions happened" "[ \$(dmsetup status t | grep -o 'misses:[0-9]*' | cut -d: -f2) -gt 2000 ]"
check_sh "the cache kept to its limit" "dmsetup status t | grep -o 'cache_kib:[0-9/]*' | tr : / | (IFS=/ read -r _ used limit; [ \$used -le \$limit ])"
rm_map t
dmsetup remove --retry big
dmsetup remove --retry zero

check "nothing left" nothing_left
finish
