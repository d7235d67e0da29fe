#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The same in a VM of one CPU: completions in hard interrupts only.
# disks: 64M
# device: nvme
# cpus: 1
. /ccdm/tests/lib/ktap.sh
load
D=/dev/nvme0n1
run_fio() { fio --filename=/dev/mapper/t --output-format=terse --direct=1 --size=16m --verify=crc32c --verify_fatal=1 "$@" >/tmp/fio.log 2>&1 || { cat /tmp/fio.log; return 1; }; }
for suite in aes-xts-gmac aes-xts-hmac-sha256 aes-gcm; do
	mk t $D cipher:$suite cache_mib:2
	check "$suite: libaio" run_fio --name=v --rw=randwrite --bs=4k --ioengine=libaio --iodepth=32
	check "$suite: large" run_fio --name=v --rw=randwrite --bs=256k --ioengine=libaio --iodepth=8
	check_sh "no tamper, no error" "dmsetup status t | grep -q 'state:active .*data_errors:0 node_errors:0 tampers:0'"
	rm_map t
done
finish
