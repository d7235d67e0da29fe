#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# The two ways to make the tags of aes-xts-gmac: measured when the module is loaded, or set.
# disks: 64M
# allow-log: tamper
. /ccdm/tests/lib/ktap.sh
D=/dev/vdd
P=/sys/module/dm_ccdm/parameters/gmac
dmesg -C

refuse "another word is refused" "" insmod /ccdm/dm-ccdm.ko gmac=both
check_sh "and the log says what was expected" "dmesg | grep -q 'ccdm: gmac: expected auto, aad or gcm, found both'"

load gmac=auto
check_sh "auto: one of the ways was taken" "grep -qxE 'aad|gcm' $P"
check_sh "auto: the log says which, and both figures" \
	"dmesg | grep -q \"ccdm: aes-xts-gmac computes tags with gmac:\$(cat $P) (to seal 4096 bytes: aad [0-9]* ns, gcm [0-9]* ns)\""
check_sh "auto: it is the faster one" "dmesg | sed -n 's/.*gmac:\([a-z]*\) (4096.*aad \([0-9]*\) ns, gcm \([0-9]*\) ns.*/\1 \2 \3/p' |
	awk '{ exit !(\$1 == (\$3 < \$2 ? \"gcm\" : \"aad\")) }'"
note "$(dmesg | grep 'ccdm: aes-xts-gmac')"
mk t $D
check "auto: a mapping has it" [ "$(stat_of t gmac)" = "$(cat $P)" ]
rm_map t
rmmod dm-ccdm
insmod /ccdm/dm-ccdm.ko
check_sh "the default is auto" "dmesg | tail -n 3 | grep -q 'gmac:[a-z]* (to seal 4096 bytes'"
rmmod dm-ccdm

run_fio() {
	fio --filename=/dev/mapper/t --output-format=terse --verify_fatal=1 --name=v --size=12m --direct=1 --ioengine=libaio \
		--verify=crc32c "$@" >/tmp/fio.log 2>&1 || { cat /tmp/fio.log; return 1; }
}
for way in aad gcm; do
	dmesg -C
	load gmac=$way
	check_sh "$way: forced" "grep -qx $way $P && dmesg | grep -q 'ccdm: aes-xts-gmac computes tags with gmac:$way, as the parameter says'"
	check_sh "$way: it cannot be changed later" "! (echo aad >$P) 2>/dev/null"
	for suite in aes-xts-hmac-sha256 aes-gcm; do
		mk t $D cipher:$suite
		check "$way: $suite has none" [ "$(stat_of t gmac)" = none ]
		rm_map t
	done
	mk t $D cache_mib:2
	eval "kib_$way=$(stat_of t cache_kib | cut -d/ -f1)"
	check "$way: status says so" [ "$(stat_of t gmac)" = $way ]
	check_sh "$way: at the end of the line" "dmsetup status t | grep -q ' gmac:$way\$'"
	check_sh "$way: and ccdm-setup" "ccdm-setup status --json t | grep -q '\"gmac\": *\"$way\"' && ccdm-setup status t | grep -q 'cipher: *aes-xts-gmac (gmac:$way)'"
	check "$way: random 4k writes, verified" run_fio --rw=randwrite --bs=4k --iodepth=32
	check "$way: mixed sizes, over leaf borders" run_fio --rw=randwrite --bsrange=4k-1m --iodepth=8 --verify_backlog=64
	check "$way: read and write mixed, four jobs" run_fio --rw=randrw --bs=4k --size=3m --offset_increment=3m --numjobs=4 --iodepth=8 --verify_backlog=64
	check_sh "$way: written back and read again" "dd if=/dev/urandom of=/tmp/x bs=4k count=512 status=none &&
		dd if=/tmp/x of=/dev/mapper/t bs=4k seek=2000 oflag=direct conv=notrunc status=none &&
		dmsetup message t 0 sync >/dev/null && dmsetup message t 0 drop &&
		dd if=/dev/mapper/t bs=4k skip=2000 count=512 iflag=direct status=none | cmp - /tmp/x"
	check_sh "$way: large reads, opened by workers" "dd if=/dev/mapper/t bs=2M iflag=direct,skip_bytes skip=8192000 count=1 status=none | cmp - /tmp/x"
	check "$way: scrub finds nothing" ccdm-setup scrub -q t
	check_sh "$way: no error, no tamper" "dmsetup status t | grep -q 'state:active .*poisoned:0 data_errors:0 node_errors:0 tampers:0'"
	# one bit of the ciphertext; the neighbour stays readable
	udevadm settle
	dmsetup message t 0 drop
	check_sh "$way: one bit changed below" "python3 - $D 2005 <<-'E'
		import mmap, os, sys
		f = os.open(sys.argv[1], os.O_RDWR | os.O_DIRECT)
		m = mmap.mmap(-1, 4096)
		at = int(sys.argv[2]) * 4096
		os.preadv(f, [m], at)
		m[100] ^= 4
		os.pwritev(f, [m], at)
	E"
	check_sh "$way: the neighbour is read" "dd if=/dev/mapper/t bs=4k skip=2004 count=1 iflag=direct status=none | cmp -n 4096 - /tmp/x -i 0:16384"
	refuse "$way: the block is not" "Input/output error" dd if=/dev/mapper/t of=/dev/null bs=4k count=1 skip=2005 iflag=direct status=none
	check_sh "$way: tamper, named" "dmesg | grep -q 'ccdm: t: tamper: block level 0 index 2005$'"
	rm_map t
	check "$way: nothing left" nothing_left
	rmmod dm-ccdm
done
# at least 18 requests of two CPUs, with a page each
check "the scratch pages are counted as memory of the mapping" [ $((kib_gcm - kib_aad)) -ge $((18 * 4)) ]
finish
