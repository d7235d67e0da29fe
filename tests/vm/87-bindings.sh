#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# the bindings for Go and Rust: each one's example opens, describes and closes disks
# disks: 64M 16M 64M
# vm: shared
# forms: long
# make: bindings
. /ccdm/tests/lib/ktap.sh
D=/dev/vdd E=/dev/vde F=/dev/vdf
C=/tmp/empty PROGRAMS="binding-go binding-rust"

# The same device, made all zeros.
zeros() { dd if=/dev/zero of="$1" bs=1M status=none oflag=direct 2>/dev/null; udevadm settle; }

# expect ERRNO WHAT PATTERN ARGUMENT...: the program fails with this error number
expect() {
	local errno=$1 what=$2 pattern=$3
	shift 3
	set -- "$P" "$@"
	[ "$2" != chroot ] || set -- chroot $C /p "${@:3}"
	refuse "$P: $what" "$pattern.* \(errno $errno\)\$" "$@"
}

binding() {
	local size
	check_sh "$P: static" "! ldd $(command -v "$P") 2>&1 | grep ld-linux >/dev/null"
	! lsmod | grep -q '^dm_ccdm' || rmmod dm_ccdm
	expect 19 "no module: it says how to load it" "load it with: modprobe dm-ccdm" open $D x
	load

	# ---- what is refused
	expect 22 "a name with a slash" "found \"a/b\"" open $D a/b
	expect 2 "no device" "/dev/nosuch: expected a block device" open /dev/nosuch x
	expect 15 "no block device" "found another file" open /etc/passwd x
	expect 6 "status of nothing" "x: expected an open mapping, found none" status x
	expect 6 "close of nothing" "x: expected an open mapping, found none" close x
	check_sh "$P: list of nothing" "out=\$($P list) && [ -z \"\$out\" ]"
	zeros $D
	blockdev --setro $D
	expect 30 "a read-only device" "found a read-only one" open $D x
	blockdev --setrw $D
	expect 22 "the kernel refuses the table" "the kernel's log has the reason" open --cache-mib 1 $D x
	check_sh "$P: nothing is left of it" "! dmsetup info x >/dev/null 2>&1 && [ ! -L /dev/mapper/x ]"
	mkfs.ext4 -qF $D
	udevadm settle
	expect 125 "a file system" "found data at byte 1[0-9]*; to lose it, set" open $D x
	mount $D /mnt
	expect 16 "a mounted one, whatever is set" "found one in use" open --destroy $D x
	umount /mnt
	zeros $D
	size=$(blockdev --getsize64 $D)
	printf x | dd of=$D bs=1 seek=$((size - 1)) conv=notrunc status=none
	expect 125 "the last byte" "found data at byte $((size - 1));" open $D x
	zeros $D
	printf x | dd of=$D bs=1 seek=$((1 << 20)) conv=notrunc status=none

	# ---- a mapping
	check "$P: open: it looks at both ends only" "$P" open --cache-mib 4 $D t
	check_sh "$P: /dev/mapper/t is there" "[ -b /dev/mapper/t ]"
	check "$P: it has the size that the format gives" [ "$(sectors /dev/mapper/t)" = "$(fit "$(sectors $D)")" ]
	check_sh "$P: and this table" "dmsetup table t | grep 'ccdm 1 [0-9:]* 1 cache_mib:4\$' >/dev/null"
	check_sh "$P: it holds data" "head -c 1M /dev/urandom >/tmp/r && dd if=/tmp/r of=/dev/mapper/t bs=64k oflag=direct status=none && cmp -n 1048576 /tmp/r /dev/mapper/t"
	udevadm settle
	dmsetup status t | tr ' ' '\n' | grep : | grep -v '^0:' | sort >/tmp/want
	"$P" status t >/tmp/status
	grep -E '^[a-z_]+:' /tmp/status | sort >/tmp/have
	check "$P: status: the words of the status line" diff /tmp/want /tmp/have
	check_sh "$P: status: there are many" "[ \$(wc -l </tmp/have) -ge 20 ] && grep -qx state:active /tmp/have"
	check "$P: status: the UUID" grep -qx "uuid $(dmsetup info -c --noheadings -o uuid t)" /tmp/status
	check "$P: status: the numbers" grep -qx "dev $(dmsetup info -c --noheadings --separator : -o major,minor t)" /tmp/status
	check "$P: status: the backing device" grep -qx "backing $(lsblk -dno MAJ:MIN $D | tr -d ' ')" /tmp/status
	check "$P: status: the size" grep -qx "bytes $(blockdev --getsize64 /dev/mapper/t)" /tmp/status
	check_sh "$P: status: no users" "grep -qx 'in-use false' /tmp/status && grep -qx 'active true' /tmp/status"
	check_sh "$P: status: suspended" "dmsetup suspend t; $P status t | grep -x 'suspended true' >/dev/null; r=\$?; dmsetup resume t; exit \$r"
	zeros $E
	expect 17 "the name is in use" "expected a free name and UUID" open $E t
	expect 16 "the device is in use" "found one in use" open --destroy $D u
	dmsetup create other --table "0 2048 zero"
	check_sh "$P: list: ours only" "[ \"\$($P list)\" = t ]"
	expect 6 "status of another target" "target ccdm, found \"zero\"" status other
	expect 6 "close of another target" "target ccdm, found \"zero\"" close other
	dmsetup remove other
	exec 5</dev/mapper/t
	check_sh "$P: status: in use" "$P status t | grep -x 'in-use true' >/dev/null"
	expect 16 "close: in use" "t: expected a mapping without users" close t
	check "$P: close --deferred" "$P" close --deferred t
	check_sh "$P: it is open until its user closes it" "dmsetup info t >/dev/null"
	exec 5<&-
	check_sh "$P: it was closed then" "for i in {1..100}; do dmsetup info t >/dev/null 2>&1 || exit 0; sleep 0.1; done; exit 1"
	expect 125 "what ccdm wrote is data, too" "found data at byte" open $D t
	check "$P: open --destroy" "$P" open --destroy $D t
	check_sh "$P: nothing of before is there" "cmp -n 1048576 /dev/zero /dev/mapper/t"
	udevadm settle
	check_sh "$P: close" "$P close t && [ ! -e /dev/mapper/t ]"

	# ---- no udev, no libraries, no /proc, no /sys: a container of nothing but the program
	udevadm control --stop-exec-queue
	check_sh "$P: without udev: the device is there at once" "$P open $E n && [ -b /dev/mapper/n ] && [ -L /dev/mapper/n ]"
	check_sh "$P: without udev: and it goes" "$P close n && [ ! -e /dev/mapper/n ] && [ ! -L /dev/mapper/n ]"
	echo mine >/dev/mapper/n
	expect 17 "a file is in its place" "/dev/mapper/n: expected no file" open --destroy $E n
	check_sh "$P: the file stays, the mapping does not" "grep -qx mine /dev/mapper/n && ! dmsetup info n >/dev/null 2>&1"
	rm -rf /dev/mapper/n $C
	mkdir -p $C/dev/mapper
	cp "$(command -v "$P")" $C/p
	mknod $C/dev/disk b $((0x$(stat -c %t $F))) $((0x$(stat -c %T $F)))
	mknod $C/dev/mapper/control c "$(awk '$2 == "misc" { print $1 }' /proc/devices)" "$(awk '$2 == "device-mapper" { print $1 }' /proc/misc)"
	check_sh "$P: in an empty container: open" "chroot $C /p open --destroy /dev/disk n && [ -b $C/dev/mapper/n ]"
	check_sh "$P: in an empty container: data" "head -c 1M /tmp/r | dd of=$C/dev/mapper/n bs=64k oflag=direct status=none && cmp -n 1048576 /tmp/r $C/dev/mapper/n"
	check_sh "$P: in an empty container: list" "[ \"\$(chroot $C /p list)\" = n ]"
	check_sh "$P: in an empty container: close" "chroot $C /p close n && [ ! -e $C/dev/mapper/n ]"
	rm $C/dev/mapper/control
	expect 19 "without the control device: it says so" "/dev/mapper/control: expected device-mapper" chroot list
	udevadm control --start-exec-queue
}

for P in $PROGRAMS; do binding; done

# ---- a list of more than 16 KiB, the first buffer
long=$(printf '%0120d' 0)
udevadm control --stop-exec-queue
for i in {100..229}; do dmsetup create --noudevsync --notable "$long-$i"; done
binding-go open --destroy $E t
check_sh "the list is long" "[ \$(dmsetup ls | wc -l) = 131 ]"
for P in $PROGRAMS; do check_sh "$P: a long list" "[ \"\$($P list)\" = t ]"; done
binding-go close t
for i in {100..229}; do dmsetup remove --noudevsync "$long-$i"; done
udevadm control --start-exec-queue
udevadm settle
finish
