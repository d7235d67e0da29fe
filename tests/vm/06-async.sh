#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# A cipher that completes asynchronously, as an accelerator does: here pcrypt around the
# processor's driver, which the crypto API then prefers.
# disks: 64M
# device: virtio-blk-pci,num-queues=1
# allow-log: tamper|possible recursive locking
. /ccdm/tests/lib/ktap.sh
modprobe -qa pcrypt xts gcm dm-mod

# best NAME: the driver that the crypto API would choose
best() {
	awk -v name="$1" '$1 == "name" { n = $3 } $1 == "driver" { d = $3 } $1 == "priority" { p = $3 }
		$1 == "internal" && $3 == "no" && n == name && p > max { max = p; best = d }
		END { print best }' /proc/crypto
}

# defer NAME: from now on pcrypt serves NAME (newer kernels refuse that to AF_ALG)
defer() {
	local driver
	driver=$(best "$1")
	insmod /ccdm/ccdm-hw.ko algs= make="pcrypt($driver)" && rmmod ccdm-hw
	[ "$(best "$1")" = "pcrypt($driver)" ]
}

users() {
	awk -v d="$(best "$1")" '$1 == "driver" { on = $3 == d } on && $1 == "refcnt" { print $3 }' /proc/crypto
}

load
check "gcm(aes) is asynchronous" defer "gcm(aes)"
rmmod dm-ccdm
for way in "aes-xts-gmac aad" "aes-xts-gmac gcm" "aes-gcm aad"; do
	suite=${way% *}
	load gmac="${way#* }"
	before=$(users "gcm(aes)")
	mk async /dev/vdd cipher:$suite cache_mib:2
	note "users of $(best "gcm(aes)"): $before before, $(users "gcm(aes)") now"
	check "$way: blocks and nodes use it" [ "$(users "gcm(aes)")" = $((before + 2)) ]
	check "$way: odd programs" odd /dev/mapper/async 5
	check "$way: small and large, verified" fio --name=v --filename=/dev/mapper/async --direct=1 --size=24M \
		--ioengine=libaio --iodepth=16 --bsrange=4k-256k --rw=randrw --verify=crc32c --verify_backlog=64 \
		--randrepeat=1 --output=/dev/null
	check_sh "$way: no tamper, no error" \
		"dmsetup status async | grep -q 'state:active .*poisoned:0 data_errors:0 node_errors:0 tampers:0'"
	check "$way: write" dd if=/dev/zero of=/dev/mapper/async bs=4k count=16 seek=5000 oflag=direct status=none
	udevadm settle	# let programs that examine the new device do so now
	check "$way: one block changed below" dd if=/dev/urandom of=/dev/vdd bs=4k count=1 seek=5005 oflag=direct \
		conv=notrunc status=none
	check "$way: its neighbour is read" dd if=/dev/mapper/async of=/dev/null bs=4k count=1 skip=5004 iflag=direct \
		status=none
	refuse "$way: it is not" "Input/output error" dd if=/dev/mapper/async of=/dev/null bs=4k count=1 skip=5005 \
		iflag=direct status=none
	check_sh "$way: tamper" "dmesg | grep 'ccdm: async: tamper:' | tail -n1 | grep -q 'block level 0 index 5005$'"
	rm_map async
	rmmod dm-ccdm
done
# padata holds two locks of one class, and lockdep stops after its first report
[ ! -e /proc/lockdep ] || check_sh "lockdep has nothing to say but of padata" \
	"! dmesg | grep -A5 'possible recursive locking' | grep 'at: ' | grep -v 'at: padata_'"
finish
