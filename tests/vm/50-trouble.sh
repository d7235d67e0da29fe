#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# Errors without an attack: an error of the device below is an I/O error of exactly those blocks,
# never a tamper, and a new write repairs the block.
# disks: 64M
# vm: shared
# allow-log: Buffer I/O error|error -5
. /ccdm/tests/lib/ktap.sh
load
modprobe -qa dm-flakey dm-delay dm-dust
D=/dev/vdd
SIZE=$(sectors $D)

below() { dmsetup suspend --noflush --nolockfs low; dmsetup load low --table "$1"; dmsetup resume low; }
good="0 $SIZE linear $D 0"
# the device below, with an error segment at block $1, $2 blocks long
broken() {
	echo "0 $(($1 * 8)) linear $D 0"
	echo "$(($1 * 8)) $(($2 * 8)) error"
	[ $((($1 + $2) * 8)) -ge "$SIZE" ] ||
		echo "$((($1 + $2) * 8)) $((SIZE - ($1 + $2) * 8)) linear $D $((($1 + $2) * 8))"
}
errors() { dmsetup status t | grep -o 'data_errors:[0-9]*' | cut -d: -f2; }
state() { dmsetup status t | grep -q "state:active .*tampers:0"; }
# one write or read of $2 blocks at block $1; the content is that of /tmp/d there
wr() { dd if=/tmp/d of=/dev/mapper/t bs=$(($2 * 4096)) count=1 seek=$(($1 * 4096)) skip=$(($1 * 4096)) iflag=skip_bytes,fullblock oflag=direct,seek_bytes conv=notrunc status=none; }
get() { dd if=/dev/mapper/t bs=$(($2 * 4096)) count=1 skip=$(($1 * 4096)) iflag=direct,skip_bytes,fullblock status=none; }
rd() { get "$1" "$2" | cmp - <(dd if=/tmp/d bs=4096 skip="$1" count="$2" status=none); }
# two adjacent blocks through the page cache, which then reads ahead
ahead() { dd if=/dev/mapper/t bs=4096 skip="$1" count=2 status=none | cmp - <(dd if=/tmp/d bs=4096 skip="$1" count=2 status=none); }
rd_err() { ! get "$1" "$2" >/dev/null 2>&1; }
dd if=/dev/urandom of=/tmp/d bs=1M count=32 status=none

dmsetup create low --table "$good"
for suite in $SUITES; do
	mk t /dev/mapper/low cipher:$suite cache_mib:2
	LEAF0=$(($(fit "$SIZE") / 8))
	check "$suite: fill" wr 0 8192

	# reads
	below "$(broken 1000 4)"
	check "$suite: read error on the bad block" rd_err 1001 1
	check "$suite: neighbours are fine" rd 999 1
	check "$suite: neighbours behind are fine" rd 1004 1
	check "$suite: a read across it fails as a whole" rd_err 998 8
	check "$suite: no tamper" state
	E=$(errors)
	blockdev --setra 256 /dev/mapper/t
	check "$suite: a read ahead fails there" ahead 996
	check "$suite: and no error is counted" [ "$(errors)" = "$E" ]
	refuse "$suite: a read of the block fails" "" ahead 1000
	check "$suite: and its error is counted" [ "$(errors)" -gt "$E" ]
	below "$good"
	check "$suite: it heals" rd 998 8

	# writes
	below "$(broken 2000 2)"
	refuse "$suite: write error is reported" "" wr 1996 8
	check "$suite: blocks that could be written were" rd 1996 4
	check "$suite: and those behind" rd 2002 2
	check "$suite: the failed ones are EIO" rd_err 2000 1
	check_sh "$suite: two blocks are poisoned" "dmsetup status t | grep -q 'poisoned:2 '"
	below "$good"
	check "$suite: still EIO until written" rd_err 2001 1
	check "$suite: writing again recovers" wr 2000 2
	check "$suite: and reads back" rd 1996 8
	check "$suite: no tamper" state

	# a discard repairs it, too
	below "$(broken 2100 1)"
	refuse "$suite: another failed write" "" wr 2100 1
	below "$good"
	check_sh "$suite: a discard recovers a poisoned block" "blkdiscard -f -o $((2100 * 4096)) -l 4096 /dev/mapper/t && cmp -n 4096 <(dd if=/dev/mapper/t bs=4096 skip=2100 count=1 iflag=direct status=none) /dev/zero"

	# the leaf cannot be read
	msg t sync >/dev/null
	msg t drop
	below "$(broken $((LEAF0 + 5)) 1)"
	check "$suite: unreadable leaf is an I/O error" rd_err $((5 * 128 + 3)) 1
	check "$suite: the next leaf is fine" rd $((6 * 128)) 1
	check "$suite: no tamper" state
	check "$suite: a write that covers the leaf mends it" dd if=/tmp/d of=/dev/mapper/t bs=512k seek=5 skip=5 count=1 oflag=direct conv=notrunc status=none
	check "$suite: and it reads back from memory" rd $((5 * 128)) 128
	below "$good"
	check "$suite: everything after healing" rd 3000 1000
	check_sh "$suite: sync" "dmsetup message t 0 sync"

	# the tree cannot be written, but data can: old data must never return
	below "$(broken "$LEAF0" $((SIZE / 8 - LEAF0)))"
	head -c 32M /dev/urandom >/tmp/d
	wr 0 4000 2>/dev/null
	check_sh "$suite: sync says EIO" "! dmsetup message t 0 sync"
	check "$suite: data in memory is right" rd 0 128
	below "$good"
	check_sh "$suite: after healing sync succeeds" "for i in \$(seq 100); do dmsetup message t 0 sync >/dev/null 2>&1 && exit 0; udevadm settle; done; exit 1"
	check_sh "$suite: nothing is unwritable any more" "dmsetup status t | grep -q 'unwritable:0 '"
	msg t drop
	check "$suite: written blocks read back from the device" rd 0 128
	check "$suite: no tamper" state
	rm_map t
done

# The memory of an I/O was used by others before: reads of an origin leave marks at the place where
# a failing write keeps its own.
modprobe -q dm-zero
dmsetup create org --table "0 32768 zero"
mk t /dev/mapper/low cache_mib:2 origin:/dev/mapper/org
below "$(broken 2000 2)"
for _ in $(seq 20); do
	get 0 64 >/dev/null
	wr 1996 8 2>/dev/null
done
check "after reads of the origin: blocks that could be written were" rd 1996 4
check_sh "and no more than two were poisoned, each time" "dmsetup status t | grep -q 'poisoned:40 '"
below "$good"
rm_map t
dmsetup remove --retry org

# flakey: errors only
mk t /dev/mapper/low cache_mib:2
check "fill" wr 0 4096
flakey_reads="0 $SIZE flakey $D 0 0 1 1 error_reads"
dmsetup create probe --table "$flakey_reads" 2>/dev/null || flakey_reads="0 $SIZE flakey $D 0 0 1"
dmsetup remove --retry probe 2>/dev/null
below "$flakey_reads"
check_sh "flakey with error_reads: I/O errors, no tamper" "dd if=/dev/mapper/t bs=4096 count=200 skip=100 iflag=direct conv=noerror status=none of=/dev/null 2>/dev/null; dmsetup status t | grep -q 'state:active .*tampers:0'"
below "0 $SIZE flakey $D 0 0 1 1 error_writes"
check_sh "flakey with error_writes: I/O errors, no tamper" "dd if=/dev/urandom of=/dev/mapper/t bs=4096 count=200 seek=100 oflag=direct conv=noerror,notrunc status=none 2>/dev/null; dmsetup status t | grep -q 'state:active .*tampers:0'"
below "$good"
check "recovery by writing again" wr 0 4096
check "reads back" rd 0 4096
check "no tamper" state

# flakey that drops writes looks like an attack
below "0 $SIZE flakey $D 0 0 1 1 drop_writes"
head -c 32M /dev/urandom >/tmp/d
wr 500 64
msg t sync >/dev/null 2>&1
msg t drop 2>/dev/null
below "$good"
check "flakey with drop_writes: the read fails" rd_err 500 1
check_sh "and is called tamper" "dmsetup status t | grep -q 'state:tampered'"
rm_map t

# reads, too, on kernels where flakey corrupts them (6.1 does so only in theory)
mk t /dev/mapper/low cache_mib:2
wr 0 1024
below "0 $SIZE flakey $D 0 0 1 5 corrupt_bio_byte 32 w 1 0"
for b in 900 901 902 903; do wr $b 1; done
below "$good"
check_sh "flakey with corrupt_bio_byte: the read fails" "! dd if=/dev/mapper/t of=/dev/null bs=16k count=1 skip=225 iflag=direct status=none 2>/dev/null"
check_sh "and is called tamper" "dmsetup status t | grep -q 'state:tampered'"
rm_map t

# delay: a slow device is not an error
mk t /dev/mapper/low cache_mib:2
below "0 $SIZE delay $D 0 3 $D 0 7"
check_sh "delayed device: fio verify" "fio --name=v --filename=/dev/mapper/t --direct=1 --rw=randwrite --bs=4k-32k --size=8m --ioengine=libaio --iodepth=16 --verify=crc32c --output-format=terse >/dev/null"
check "no tamper" state
below "$good"
rm_map t

# held: a process that waits for a sync can be killed
mk t /dev/mapper/low cache_mib:2
wr 0 2048
dmsetup suspend --noflush --nolockfs low
dmsetup message t 0 sync >/dev/null &
SYNC=$!
until grep -q ccdm_sync /proc/$SYNC/stack; do kill -0 $SYNC || break; done
kill -9 $SYNC
wait $SYNC
check "held device: a sync that waits is killed" [ $? = 137 ]
dmsetup resume low
check_sh "and the next one is complete" "dmsetup message t 0 sync >/dev/null && dmsetup status t | grep -q ' dirty:0 '"
rm_map t

if modprobe -q dm-dust || dmsetup targets | grep -q '^dust'; then
	dmsetup remove --retry low
	dmsetup create low --table "0 $SIZE dust $D 0 4096"
	mk t /dev/mapper/low cache_mib:2
	check "dust: fill" wr 0 2048
	dmsetup message low 0 addbadblock 700 >/dev/null
	dmsetup message low 0 enable >/dev/null
	check "dust: bad block is an I/O error" rd_err 700 1
	check "dust: neighbour is fine" rd 701 1
	check "dust: writing again recovers" wr 700 1
	check "dust: reads back" rd 699 3
	check "no tamper" state
	rm_map t
fi
dmsetup remove --retry low
check "nothing left" nothing_left
finish
