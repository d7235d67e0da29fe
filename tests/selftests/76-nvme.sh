#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A device that completes in hard interrupts, with several queues and poll queues.
# disks: 64M
# device: nvme
# cpus: 4
# append: nvme.poll_queues=2
# (force_async: io_uring's first, non-waiting try of a polled request fails on every
# device-mapper target that does not take REQ_NOWAIT, dm-crypt included)
. /ccdm/tests/lib/ktap.sh
load
D=/dev/nvme0n1
run_fio() { fio --filename=/dev/mapper/t --output-format=terse --direct=1 --size=16m --verify=crc32c --verify_fatal=1 "$@" >/tmp/fio.log 2>&1 || { cat /tmp/fio.log; return 1; }; }
for suite in aes-xts-gmac aes-xts-hmac-sha256 aes-gcm; do
	mk t $D cipher:$suite cache_mib:2
	check "$suite: libaio" run_fio --name=v --rw=randwrite --bs=4k --ioengine=libaio --iodepth=32
	check "$suite: large" run_fio --name=v --rw=randwrite --bs=256k --ioengine=libaio --iodepth=8
	check "$suite: io_uring, polled" run_fio --name=v --rw=randwrite --bs=4k --ioengine=io_uring --iodepth=16 --hipri=1 --force_async=1
	check "$suite: synchronous, polled" run_fio --name=v --rw=randwrite --bs=4k --ioengine=pvsync2 --hipri=1 --size=2m
	check_sh "no tamper, no error" "dmsetup status t | grep -q 'state:active .*data_errors:0 node_errors:0 tampers:0'"
	rm_map t
done
finish
