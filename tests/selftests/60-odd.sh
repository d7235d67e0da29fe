#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Honest programs with odd I/O: the data is right, and nothing is called tamper.
# disks: 64M 64M
# limit: 300
# cpus: 4
. /ccdm/tests/lib/ktap.sh
load
SECONDS_EACH=$([ "$CCDM_FULL" = 1 ] && echo 120 || echo 12)

for opts in "cipher:aes-xts-gmac" "cipher:aes-gcm cache_mib:2" "cipher:aes-xts-hmac-sha256" \
	"cipher:aes-xts-gmac cache_mib:2 allow_discards" "cipher:aes-gcm origin:/dev/vde"; do
	# shellcheck disable=SC2086
	case $opts in
	*origin*) dd if=/dev/zero of=/dev/vde bs=1M count=64 status=none
		  dmsetup create odd --table "0 131072 ccdm 1 /dev/vdd 0" 2>/dev/null && dmsetup remove odd
		  dmsetup create o --readonly --table "0 65536 linear /dev/vde 0"
		  mk odd /dev/vdd cipher:aes-gcm origin:/dev/mapper/o ;;
	*) mk odd /dev/vdd $opts ;;
	esac
	check "odd programs: $opts" odd /dev/mapper/odd "$SECONDS_EACH"
	note "$(dmsetup status odd)"
	check_sh "no tamper, no error: $opts" "dmsetup status odd | grep -q 'state:active .*poisoned:0 data_errors:0 node_errors:0 tampers:0'"
	check_sh "scrub agrees: $opts" "ccdm-setup scrub -q odd"
	rm_map odd
	[ -e /dev/mapper/o ] && dmsetup remove --retry o
done
finish
