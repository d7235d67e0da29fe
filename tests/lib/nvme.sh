# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# nvme.sh - shared by 76-nvme and 77-nvme-one-cpu: fio on a disk that completes in hard
# interrupts; "poll" adds polled requests
# shellcheck shell=bash
. /ccdm/tests/lib/ktap.sh
load
D=/dev/nvme0n1
run_fio() { fio --filename=/dev/mapper/t --output-format=terse --direct=1 --size=16m --verify=crc32c --verify_fatal=1 "$@" >/tmp/fio.log 2>&1 || { cat /tmp/fio.log; return 1; }; }

# io_uring sends polled requests with REQ_NOWAIT, which kernels refuse for each target that does
# not support it, including dm-crypt: a clean refusal is correct
polled() {
	local out rc
	out=$(run_fio --name=v --rw=randwrite --bs=4k --ioengine=io_uring --iodepth=16 --hipri=1 2>&1)
	rc=$?
	[ $rc = 0 ] || grep -q 'Operation not supported' <<<"$out" || { echo "$out"; return $rc; }
}

nvme() {
	for suite in $SUITES; do
		mk t $D cipher:$suite cache_mib:2
		check "$suite: libaio" run_fio --name=v --rw=randwrite --bs=4k --ioengine=libaio --iodepth=32
		check "$suite: large" run_fio --name=v --rw=randwrite --bs=256k --ioengine=libaio --iodepth=8
		if [ "${1:-}" = poll ]; then
			check "$suite: io_uring, polled: right, or refused" polled
			check "$suite: synchronous, polled" run_fio --name=v --rw=randwrite --bs=4k --ioengine=pvsync2 --hipri=1 --size=2m
		fi
		check_sh "$suite: no tamper, no error" "dmsetup status t | grep -q 'state:active .*data_errors:0 node_errors:0 tampers:0'"
		rm_map t
	done
	finish
}
