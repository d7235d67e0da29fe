#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# Honest programs with unusual I/O: the data is right, and no tamper is reported.
# disks: 64M 64M
# vm: shared
# limit: 300
# cpus: 4
. /ccdm/tests/lib/ktap.sh
load
SECONDS_EACH=$([ "$CCDM_FULL" = 1 ] && echo 120 || echo 6)

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
	check "no tamper, no error: $opts" fine odd
	check_sh "scrub agrees: $opts" "ccdm-setup scrub -q odd"
	rm_map odd
	[ -e /dev/mapper/o ] && dmsetup remove --retry o
done

# ---- programs that must not wait: RWF_NOWAIT, io_uring
cat >/tmp/nowait.py <<'E'
import errno, mmap, os, sys
fd = os.open(sys.argv[1], os.O_RDWR | os.O_DIRECT)
buf = mmap.mmap(-1, 4096)
did = 0
for i in range(256):
    block = i % 64
    try:
        if i < 64:
            buf[:] = bytes([i]) * 4096
            os.pwritev(fd, [buf], block << 12, os.RWF_NOWAIT)
        else:
            os.preadv(fd, [buf], block << 12, os.RWF_NOWAIT)
            assert buf[:] == bytes([block]) * 4096, block
        did += 1
    except OSError as e:
        # "busy" is allowed, "not supported" is not
        if e.errno != errno.EAGAIN:
            raise
        if i < 64:
            os.pwritev(fd, [buf], block << 12, 0)
print("# %d of 256 at once" % did)
sys.exit(did < 128)
E
for cache in 2 8; do
	mk odd /dev/vdd cache_mib:$cache
	check "cache_mib:$cache: reads and writes that may not wait" python3 /tmp/nowait.py /dev/mapper/odd
	check_sh "cache_mib:$cache: io_uring, deeper than the device's queue" "fio --filename=/dev/mapper/odd --name=u --rw=randrw --bs=4k --size=8m --direct=1 --ioengine=io_uring --iodepth=600 --verify=crc32c --verify_fatal=1 --output-format=terse >/tmp/fio.log 2>&1 || { cat /tmp/fio.log; exit 1; }"
	check "cache_mib:$cache: no tamper, no error" fine odd
	rm_map odd
done

# replace the device below by one that does not support REQ_NOWAIT (as pvmove does)
modprobe -q dm-delay
N=$(sectors /dev/vdd)
dmsetup create low --table "0 $N linear /dev/vdd 0"
mk odd /dev/mapper/low
check "over a linear device" python3 /tmp/nowait.py /dev/mapper/odd
dmsetup reload low --table "0 $N delay /dev/vdd 0 0"
dmsetup suspend low && dmsetup resume low
check "over one that must wait" python3 /tmp/nowait.py /dev/mapper/odd
check "no write is lost by that" fine odd
rm_map odd
dmsetup remove --retry low
finish
