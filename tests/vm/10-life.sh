#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# Life of a mapping: open, close, reload, table round trip, suspend, several mappings at once,
# each error of ctr, module unload.
# disks: 100M 64M 16M
# vm: shared
# arm64: yes
. /ccdm/tests/lib/ktap.sh

D=/dev/vdd E=/dev/vde O=/dev/vdf
load
LEN=$(fit "$(sectors $D)")

# ---- open, use, close
check "open" dmsetup create a --table "0 $LEN ccdm 1 $D 0"
check_sh "default on_tamper is panic, so nothing is printed" "dmsetup table a | grep -qx '0 $LEN ccdm 1 [0-9]*:[0-9]* 0'"
check_sh "reads zeros" "cmp -n 1048576 /dev/mapper/a /dev/zero"
check_sh "status words stand in the documented order" "dmsetup status a | grep -qE 'ccdm state:active suite:aes-xts-gmac cache_kib:[0-9]+/[0-9]+ pages:[0-9]+/[0-9]+ dirty:[0-9]+ unwritable:0 hits:[0-9]+ misses:[0-9]+ writebacks:0 rechecks:0 read:0 written:0 zeroed:0 poisoned:0 data_errors:0 node_errors:0 tampers:0 scrub:off root_seq:0 scrubs:0 gmac:aad\$'"
check_sh "logical and physical block size 4096" "[ \$(blockdev --getss /dev/mapper/a) = 4096 ] && [ \$(blockdev --getpbsz /dev/mapper/a) = 4096 ] && [ \$(blockdev --getiomin /dev/mapper/a) = 4096 ]"
check_sh "write-through: no flush is ever sent" "grep -q 'write through' /sys/block/\$(basename \$(readlink -f /dev/mapper/a))/queue/write_cache"
check_sh "discard granularity 4096" "[ \$(cat /sys/block/\$(basename \$(readlink -f /dev/mapper/a))/queue/discard_granularity) = 4096 ]"
check_sh "memory for direct I/O: 4096-byte alignment" "[ \$(cat /sys/block/\$(basename \$(readlink -f /dev/mapper/a))/queue/dma_alignment) = 4095 ]"
# Neither flag concerns the device: sealed data is copied, and ccdm's bios are not polled.
if [ -w /sys/block/vde/queue/stable_writes ]; then
	echo 1 >/sys/block/vde/queue/stable_writes
	check "open over a device that needs stable pages" dmsetup create s --table "0 $(fit "$(sectors $E)") ccdm 1 $E 0"
	# in 6.1 device-mapper copies it from the devices, whatever a target says
	case $(uname -r) in 6.1.*) want=1 ;; *) want=0 ;; esac
	check_sh "it does not" "[ \$(cat /sys/block/\$(basename \$(readlink -f /dev/mapper/s))/queue/stable_writes) = $want ]"
	check_sh "and is not polled" "[ \$(cat /sys/block/\$(basename \$(readlink -f /dev/mapper/s))/queue/io_poll) = 0 ]"
	check "closed" dmsetup remove --retry s
	echo 0 >/sys/block/vde/queue/stable_writes
fi
check "pieces of 4096 bytes are read, others refused" python3 - /dev/mapper/a <<-'E'
	import errno, mmap, os, sys
	f = os.open(sys.argv[1], os.O_RDWR | os.O_DIRECT)
	v = memoryview(mmap.mmap(-1, 16384))
	def rc(*bufs):
	    try:
	        return os.preadv(f, bufs, 0)
	    except OSError as e:
	        return errno.errorcode[e.errno]
	got = rc(v[:4096]), rc(v[:4096], v[8192:12288]), rc(v[512:4608]), rc(v[:2048], v[4096:6144])
	assert got == (4096, 8192, "EINVAL", "EINVAL"), got
E
kb=$(awk '/^MemTotal/ {print $2}' /proc/meminfo)
# shellcheck disable=SC2017 # (the module rounds down to whole MiB)
check_sh "the cache is 2 % of the memory, an eighth of it in pages" \
	"dmsetup status a | grep -q ' cache_kib:[0-9]*/$((kb / 50 / 1024 * 1024)) pages:[0-9]*/$((kb / 50 / 1024 * 256 / 8)) '"
dmesg -C
refuse "a second table for a live mapping is refused" "" dmsetup reload a --table "0 $(fit "$(sectors $E)") ccdm 1 $E 0"
check_sh "because it would have another key" "dmesg | grep -q 'The mapping has a table: a new one would have a new key'"
refuse "the same line again too" "" dmsetup reload a --table "0 $LEN ccdm 1 $D 0"
refuse "a linear table over the same device is refused" "" dmsetup reload a --table "0 8 linear $D 0"
check_sh "still the same data after that" "dd if=/dev/urandom of=/tmp/x bs=4096 count=8 status=none && dd if=/tmp/x of=/dev/mapper/a bs=4096 oflag=direct status=none && dd if=/dev/mapper/a bs=4096 count=8 iflag=direct status=none | cmp - /tmp/x"
refuse "the device is busy: second mapping" "" dmsetup create b --table "0 $LEN ccdm 1 $D 0"
refuse "the device is busy: mount, mkfs" "" mkfs.ext4 -F -q $D
check "suspend" dmsetup suspend a
check_sh "sync is refused while suspended" "! dmsetup message a 0 sync"
check_sh "scrub is refused while suspended" "! dmsetup message a 0 scrub start"
check "resume" dmsetup resume a
check_sh "data after suspend and resume" "dd if=/dev/mapper/a bs=4096 count=8 iflag=direct status=none | cmp - /tmp/x"
check_sh "I/O over suspend and resume" "(dd if=/dev/zero of=/dev/mapper/a bs=64k count=400 oflag=direct status=none & for i in 1 2 3 4 5; do dmsetup suspend a; dmsetup resume a; done; wait \$!)"
check_sh "sync answers sequence number and tag" "dmsetup message a 0 sync | grep -qE '^[0-9]+ [0-9a-f]{32}\$'"
check_sh "after sync nothing is dirty" "[ \$(dmsetup status a | grep -o 'dirty:[0-9]*') = dirty:0 ]"
check "rename" dmsetup rename a a2
check "close" dmsetup remove --retry a2
check_sh "content is gone: opened again it reads zeros" "dmsetup create a --table '0 $LEN ccdm 1 $D 0' && cmp -n 1048576 /dev/mapper/a /dev/zero && dmsetup remove --retry a"
check "nothing left" nothing_left

# ---- table round trip
for opts in "0" "1 cipher:aes-gcm" "1 cache_mib:3" "1 on_tamper:eio" "1 on_tamper:poweroff" \
	"2 allow_discards allow_kdump" "1 origin:$O" \
	"6 cipher:aes-xts-hmac-sha256 cache_mib:4 on_tamper:panic origin:$O allow_discards allow_kdump"; do
	dmsetup create a --table "0 $LEN ccdm 1 $D $opts"
	T=$(dmsetup table a)
	dmsetup remove --retry a
	check "round trip: $opts" dmsetup create a --table "$T"
	check_sh "round trip gives the same line: $opts" "[ \"\$(dmsetup table a)\" = '$T' ]"
	dmsetup remove --retry a
done
dmsetup create a --table "0 $LEN ccdm 1 $D 2 allow_discards cipher:aes-gcm"
check_sh "options are printed in the documented order" "dmsetup table a | grep -q ' 2 cipher:aes-gcm allow_discards\$'"
check_sh "cache size changed live is printed" "dmsetup message a 0 cache_mib 9 && dmsetup table a | grep -q ' 3 cipher:aes-gcm cache_mib:9 allow_discards\$'"
refuse "live: too small" "Invalid argument" dmsetup message a 0 cache_mib 1
refuse "live: a scrub that neither starts nor stops" "Invalid argument" dmsetup message a 0 scrub x
refuse "live: no such word" "Invalid argument" dmsetup message a 0 colour red
refuse "live: beyond memory" "Invalid argument" dmsetup message a 0 cache_mib 100000
refuse "live: not a number" "Invalid argument" dmsetup message a 0 cache_mib x
refuse "unknown message" "Invalid argument" dmsetup message a 0 dance
refuse "message with too many words" "Invalid argument" dmsetup message a 0 sync now
dmsetup remove --retry a

# ---- each error of ctr has its own text
why() {
	local pattern=$1 table=$2
	dmesg -C
	if dmsetup create bad --table "$table" 2>/dev/null; then
		dmsetup remove --retry bad
		note "accepted: $table"
		return 1
	fi
	dmesg | grep -q "ccdm: .*$pattern" || { note "$table: $(dmesg | grep -m1 ccdm)"; return 1; }
	[ -n "$beside" ] || nothing_left
}
beside=
check "too few words" why "Too few words" "0 $LEN ccdm 1 $D"
check "unknown version" why "Unknown version" "0 $LEN ccdm 2 $D 0"
check "version is no number" why "Unknown version" "0 $LEN ccdm one $D 0"
check "number of options: no number" why "Number of options: not a number" "0 $LEN ccdm 1 $D x"
check "number of options: too many" why "Number of options differs" "0 $LEN ccdm 1 $D 2 allow_discards"
check "number of options: too few" why "Number of options differs" "0 $LEN ccdm 1 $D 0 allow_discards"
check "unknown option" why "Unknown option" "0 $LEN ccdm 1 $D 1 colour:red"
check "option twice" why "Option given twice" "0 $LEN ccdm 1 $D 2 cipher:aes-gcm cipher:aes-gcm"
check "the other flag twice" why "Option given twice" "0 $LEN ccdm 1 $D 2 allow_discards allow_discards"
check "the other flag with value" why "allow_discards and allow_kdump take no value" "0 $LEN ccdm 1 $D 1 allow_kdump:1"
check "flag twice" why "Option given twice" "0 $LEN ccdm 1 $D 2 allow_kdump allow_kdump"
check "origin twice" why "Option given twice" "0 $LEN ccdm 1 $D 2 origin:$O origin:$O"
check "option without value" why "Option without its value" "0 $LEN ccdm 1 $D 1 cipher"
check "option with empty value" why "Option without its value" "0 $LEN ccdm 1 $D 1 cipher:"
check "flag with value" why "allow_discards and allow_kdump take no value" "0 $LEN ccdm 1 $D 1 allow_discards:1"
check "unknown cipher" why "cipher: not one of" "0 $LEN ccdm 1 $D 1 cipher:rot13"
check "a word splits at its first colon" why "cipher: not one of" "0 $LEN ccdm 1 $D 1 cipher:aes-gcm:x"
check "cache_mib no number" why "cache_mib: not a number" "0 $LEN ccdm 1 $D 1 cache_mib:big"
check "cache_mib 0" why "cache_mib: less than 2" "0 $LEN ccdm 1 $D 1 cache_mib:0"
check "cache_mib 1" why "cache_mib: less than 2" "0 $LEN ccdm 1 $D 1 cache_mib:1"
check "cache_mib beyond memory" why "cache_mib: more than half of the memory" "0 $LEN ccdm 1 $D 1 cache_mib:100000"
check "on_tamper unknown" why "on_tamper: not one of" "0 $LEN ccdm 1 $D 1 on_tamper:sing"
check "no such device" why "Cannot open the backing device" "0 $LEN ccdm 1 /dev/nowhere 0"
check "too small by one block" why "Backing device is too small" "0 $((LEN + 8)) ccdm 1 $D 0"
check "length not a multiple of 8" why "Length is not a multiple of 8" "0 $((LEN - 4)) ccdm 1 $D 0"
check "no such origin" why "Cannot open the origin" "0 $LEN ccdm 1 $D 1 origin:/dev/nowhere"
check "origin is the backing device" why "Origin would be written" "0 $LEN ccdm 1 $D 1 origin:$D"
check "origin longer than the mapping" why "Origin is longer than the mapping" "0 64 ccdm 1 $D 1 origin:$O"
dmsetup create odd --table "0 1001 linear $O 0"
check "origin not a multiple of 4096" why "Origin is not a multiple of 4096" "0 $LEN ccdm 1 $D 1 origin:/dev/mapper/odd"
dmsetup remove --retry odd
dmsetup create odd --table "0 9 linear $O 0"
check "smaller than two blocks" why "Backing device is too small" "0 8 ccdm 1 /dev/mapper/odd 0"
dmsetup remove --retry odd
null_blk() { # null_blk ATTRIBUTE=VALUE... : a device with these attributes
	local d=/sys/kernel/config/nullb/nullb0 a
	mkdir $d && for a in "$@" power=1; do echo "${a#*=}" >$d/"${a%%=*}" || return 1; done
	udevadm settle
}
modprobe null_blk nr_devices=0
mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
check "(a zoned device)" null_blk size=64 zoned=1 zone_size=4 memory_backed=1
check "zoned device" why "Backing device is zoned" "0 8192 ccdm 1 /dev/nullb0 0"
rmdir /sys/kernel/config/nullb/nullb0
rmmod null_blk
truncate -s 8M /tmp/large
if L=$(losetup -b 8192 -f --show /tmp/large 2>/dev/null) && [ "$(blockdev --getss "$L")" = 8192 ]; then
	check "logical blocks above 4096" why "Backing device has logical blocks above 4096" "0 8192 ccdm 1 $L 0"
	check "origin with logical blocks above 4096" why "Origin has logical blocks above 4096" "0 $LEN ccdm 1 $D 1 origin:$L"
else
	note "this kernel makes no device with logical blocks above 4096"
fi
losetup -D
blockdev --setro $D
check "read-only device" why "Backing device is read-only" "0 $LEN ccdm 1 $D 0"
blockdev --setrw $D
refuse "read-only mapping" "" dmsetup create bad --readonly --table "0 $LEN ccdm 1 $D 0"
dmsetup create lin --table "0 8192 linear $D 0"
check "another dm table on the device" why "in use by another device-mapper table" "0 $LEN ccdm 1 $D 0"
dmsetup remove --retry lin
mkfs.ext4 -q -F $E && mount $E /mnt
check "a mounted device" why "Backing device is busy" "0 $(fit "$(sectors $E)") ccdm 1 $E 0"
umount /mnt
printf 'label: gpt\n,16MiB\n,\n' | sfdisk -q $E && udevadm settle
beside=yes
mk p1 ${E}1
mk p2 ${E}2
check_sh "two partitions of a disk" "dmsetup ls --target ccdm | wc -l | grep -qx 2"
check "whole disk while partitions are held" why "Backing device is busy" "0 8192 ccdm 1 $E 0"
check "a partition twice" why "in use by another ccdm mapping" "0 8192 ccdm 1 ${E}1 0"
rm_map p1
rm_map p2
refuse "not the only target of its table" "" dmsetup create bad --table "0 800 ccdm 1 $D 0
800 800 linear $E 0"

# ---- several at once, unload
mk m1 $D
mk m2 $E cipher:aes-gcm
mk m3 $O cipher:aes-xts-hmac-sha256
check_sh "three mappings at once" "for m in m1 m2 m3; do dd if=/dev/urandom of=/dev/mapper/\$m bs=1M count=8 oflag=direct status=none & done; wait; for m in m1 m2 m3; do dmsetup message \$m 0 sync; done"
refuse "module is in use" "in use" rmmod dm_ccdm
rm_map m1
rm_map m2
rm_map m3
check "module unload" rmmod dm_ccdm
check "module load" insmod /ccdm/dm-ccdm.ko
check_sh "smallest device: two blocks" "dmsetup create s --table '0 16 linear $D 0' && dmsetup create t --table '0 8 ccdm 1 /dev/mapper/s 1 on_tamper:eio' && dd if=/tmp/x of=/dev/mapper/t bs=4096 count=1 oflag=direct status=none && dmsetup message t 0 sync && dmsetup message t 0 drop && dd if=/dev/mapper/t bs=4096 count=1 iflag=direct status=none | cmp -n 4096 - /tmp/x; r=\$?; dmsetup remove --retry t; dmsetup remove --retry s; exit \$r"
check "nothing left at the end" nothing_left
finish
