#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# Ciphers run on the CPU: no mapping uses a device's crypto driver, which the crypto API prefers,
# nor a template built on one.
# disks: 64M
. /ccdm/tests/lib/ktap.sh
modprobe -qa xts gcm ctr hmac pcrypt
load
D=/dev/vdd

# best NAME: the driver that the crypto API prefers
best() {
	awk -v name="$1" '$1 == "name" { n = $3 } $1 == "driver" { d = $3 } $1 == "priority" { p = $3 }
		$1 == "internal" && $3 == "no" && n == name && p > max { max = p; best = d }
		END { print best }' /proc/crypto
}

# hw ALGORITHM,... [NAME]: the device offers these; then a caller that refuses no driver uses NAME
hw() { insmod /ccdm/ccdm-hw.ko algs="$1" make="$2"; }

# that caller gave the device its key
control() { [ "$(cat /sys/module/ccdm_hw/parameters/control)" -gt 0 ]; }

# keys and requests that the device received
seen() { cat /sys/module/ccdm_hw/parameters/keys /sys/module/ccdm_hw/parameters/requests; }

# works SUITE: data written through a mapping is read back
works() {
	mk t $D cipher:"$1" && dd if=/dev/urandom of=/tmp/x bs=4k count=64 status=none &&
		dd if=/tmp/x of=/dev/mapper/t bs=4k oflag=direct status=none &&
		dmsetup message t 0 sync >/dev/null && dmsetup message t 0 drop &&
		dd if=/dev/mapper/t bs=4k count=64 iflag=direct status=none | cmp - /tmp/x && rm_map t
}

# refused SUITE PART: the log names the suite's driver and the part of it that belongs to a device
refused() {
	dmesg -C
	if mk t $D cipher:"$1" 2>/dev/null; then
		rm_map t
		return 1
	fi
	dmesg | grep "ccdm: .*: driver .*$2.* refused: $2 does not run on the CPU" &&
		dmesg | grep "A driver would give keys and plaintext to a device" && nothing_left
}

# over DRIVER: gcm(aes) is a template over this device driver; suites that need it are refused
over() {
	check "(a caller that refuses no driver gives the device a key)" control
	before=$(seen)
	check "aes-gcm is refused" refused aes-gcm "$1"
	check "aes-xts-gmac is refused" refused aes-xts-gmac "$1"
	check "aes-xts-hmac-sha256 does not need it" works aes-xts-hmac-sha256
	check "the device is given no key and no data" [ "$(seen)" = "$before" ]
	rmmod ccdm-hw
	check "without the device all is well" works aes-gcm
}

# ---- the algorithm itself
hw xts,gcm "gcm(aes)"
check "(the device is what the crypto API prefers)" [ "$(best "gcm(aes)") $(best "xts(aes)")" = "ccdm-hw-gcm ccdm-hw-xts" ]
check "(a caller that refuses no driver gives it a key)" control
for suite in $SUITES; do
	before=$(seen)
	check "$suite: works" works $suite
	check "$suite: the device is given no key and no data" [ "$(seen)" = "$before" ]
done
rmmod ccdm-hw

# ---- a template around it
hw gcm "pcrypt(ccdm-hw-gcm)"
check "(a template around the device's gcm is preferred)" [ "$(best "gcm(aes)")" = "pcrypt(ccdm-hw-gcm)" ]
over ccdm-hw-gcm

# ---- a template over a part of it
# use the full name, or the crypto API would take its own gcm; without a driver, ghash is a library
ghash=$(best ghash)
hw ctr "gcm_base(ccdm-hw-ctr,${ghash:-ghash-lib})" || hw ctr "gcm_base(ccdm-hw-ctr)"
note "gcm(aes) is $(best "gcm(aes)")"
check_sh "(gcm over the device's ctr is preferred)" "[[ '$(best "gcm(aes)")' = gcm_base*ccdm-hw-ctr* ]]"
over ccdm-hw-ctr

# ---- the hash, with which keys are derived
if hw sha256 "hmac(ccdm-hw-sha256)" 2>/dev/null; then
	check "(hmac over the device's sha256 is preferred)" [ "$(best "hmac(sha256)")" = "hmac(ccdm-hw-sha256)" ]
	before=$(seen)
	check "every suite is refused" refused aes-gcm ccdm-hw-sha256
	check "the device is given no data" [ "$(seen)" = "$before" ]
	rmmod ccdm-hw
else
	check "(hmac(sha256) is the kernel's library)" [ "$(best "hmac(sha256)")" = hmac-sha256-lib ]
	skip "every suite is refused" "this kernel builds no hmac over a driver"
fi
for suite in $SUITES; do
	check "$suite: without the device all is well" works $suite
done
finish
