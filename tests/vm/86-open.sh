#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# ccdm-open and libccdm: the same as ccdm-setup, without udev, libraries and module loading
# disks: 64M 16M 64M
# vm: shared
. /ccdm/tests/lib/ktap.sh
D=/dev/vdd E=/dev/vde

# the same words for both programs: exit code and output are equal but for the program's name
same() {
	local what=$1 a b x y
	shift
	a=$(ccdm-setup "$@" 2>&1 </dev/null)
	x=$?
	b=$(ccdm-open "$@" 2>&1 </dev/null)
	y=$?
	[ "$x" = "$y" ] && [ "${a//ccdm-setup/ccdm-open}" = "$b" ]
	result $? "the same: $what ($x)"
	[ "$x" = "$y" ] && [ "${a//ccdm-setup/ccdm-open}" = "$b" ] || note "$x: $a" "$y: $b"
}

check_sh "static, below 1 MiB" "! ldd $(command -v ccdm-open) >/dev/null 2>&1 && [ \$(stat -c %s $(command -v ccdm-open)) -lt 1048576 ]"
rmmod dm_ccdm 2>/dev/null
refuse_code 4 "no module: it says how to load it" "load it with: modprobe dm-ccdm" ccdm-open open $D x
load

# ---- invalid words
same "no verb"
same "unknown verb" dance
for verb in open close status list attach; do same "$verb --help" $verb --help; done
same "unknown option" open --colour $D x
same "an option without value" open $D x --cipher
same "unknown cipher" open --cipher rot13 $D x
same "a cache of 0" open --cache-size 0 $D x
same "a cache that is too small" open --cache-size 1M $D x
same "no device" open /dev/nosuch x
same "no block device" open /etc/passwd x
same "a name with a slash" open $D a/b
same "--size that does not fit" open --size 1G $D x
same "--size that is no multiple" open --size 4097 $D x
same "an origin that is not there" open --origin /dev/nosuch $D x
same "an origin that is larger" open --origin $D $E x
refuse_code 1 "the name of the control device" "name of the mapping" ccdm-open open $D control
check_sh "the control device remains" "[ -c /dev/mapper/control ]"
LONG=$(printf '/%.0s' {1..4085})
for program in ccdm-open ccdm-setup; do
	refuse_code 1 "$program: a path that does not fit into the table line" "table line" $program open --cipher aes-gcm --allow-kdump "${LONG}dev/vdd" x
done
same "status of nothing" status x
same "close of nothing" close x
same "no line of ccdmtab" attach --tab /dev/null ccdm-x
same "list of nothing" list
same "list --json of nothing" list --json
blockdev --setro $D
same "a read-only device" open $D x
blockdev --setrw $D

# ---- a mapping
check "open" ccdm-open open --cache-size 4M --uuid 0123456789abcdef0123456789abcdef $D t
udevadm settle
same "open: the name is in use" open $E t
same "open: the device is in use" open $D u
check_sh "/dev/mapper/t is there" "[ -b /dev/mapper/t ] && dmsetup info t >/dev/null"
check_sh "udev makes its other links, too" "[ -b /dev/disk/by-id/dm-name-t ]"
# as a system does when it starts, of mappings that its initramfs has opened
udevadm trigger --action=add --settle "/sys/block/$(basename "$(readlink -f /dev/mapper/t)")"
check_sh "udev keeps the links when the device is announced again" "[ -b /dev/mapper/t ] && [ -b /dev/disk/by-id/dm-name-t ]"
check_sh "it holds data" "head -c 1M /dev/urandom >/tmp/r && dd if=/tmp/r of=/dev/mapper/t bs=64k oflag=direct status=none && cmp -n 1048576 /tmp/r /dev/mapper/t"
udevadm settle
same "status" status t
same "status --json" status --json t
same "list" list
same "list --json" list --json
check_sh "the JSON is JSON" "ccdm-open list --json | python3 -c 'import json, sys; d = json.load(sys.stdin); sys.exit(d[0][\"name\"] != \"t\" or d[0][\"cache_kib\"][1] != 4096)'"
dmsetup create other --table "0 2048 zero"
same "status of another target" status other
same "close of another target" close other
dmsetup remove other
exec 5</dev/mapper/t
refuse_code 5 "close: in use" "t is in use" ccdm-open close t
check "close --deferred" ccdm-open close --deferred t
check_sh "it is open until its user closes it" "dmsetup info t >/dev/null"
exec 5<&-
check_sh "it was closed then" "for i in {1..100}; do dmsetup info t >/dev/null 2>&1 || exit 0; sleep 0.1; done; exit 1"

# ---- what is in the way in /dev/mapper
ln -s ../dm-4095 /dev/mapper/t
check_sh "a link that an earlier mapping left behind" "ccdm-open open --cache-size 4M $D t && [ -b /dev/mapper/t ] && ccdm-open close t && [ ! -L /dev/mapper/t ]"
echo mine >/dev/mapper/t
refuse_code 5 "a file that belongs to no mapping" "remove this file" ccdm-open open --cache-size 4M $D t
check_sh "it remains, and no mapping" "grep -q mine /dev/mapper/t && ! dmsetup info t >/dev/null 2>&1"
rm /dev/mapper/t
# udev removes the link of the mapping that was closed, and must not take the new one
check_sh "closed and opened again: the device stays there" "
for ((i = 0; i < 10; i++)); do
	ccdm-open open --cache-size 4M $E t || exit
	for ((k = 0; k < 100; k++)); do [ -b /dev/mapper/t ] || { echo \"round \$i: it went\"; exit 1; }; done
	udevadm settle
	[ -b /dev/mapper/t ] && ccdm-open close t || exit
done"

# ---- what a device holds: as libblkid names it
holds() {
	local what=$1
	shift
	wipefs -qa $D
	dd if=/dev/zero of=$D bs=1M count=1 status=none
	"$@" >/dev/null 2>&1 || { note "$* fails here"; return; }
	[ "$what" = "LVM2_member raid" ] || same "not destroyed unasked: $what" open --cache-size 4M $D x
	refuse_code 7 "it holds: $what" "holds: $what" ccdm-open open --cache-size 4M $D x
}
holds "ext4 file system" mkfs.ext4 -qF $D
holds "ext3 file system" mkfs.ext3 -qF $D
holds "ext2 file system" mkfs.ext2 -qF $D
holds "xfs file system" mkfs.xfs -qf --unsupported $D
holds "btrfs file system" mkfs.btrfs -qf $D
holds "vfat file system" mkfs.vfat $D
holds "swap other" mkswap $D
holds "crypto_LUKS crypto" sh -c "echo x | cryptsetup luksFormat -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 $D -"
holds "gpt partition table" sh -c "echo 'label: gpt' | sfdisk -q $D"
holds "dos partition table" sh -c "printf 'label: dos\nsize=1M\n' | sfdisk -q $D"
# (libblkid also wants a checksum, which this has not)
holds "LVM2_member raid" sh -c "printf 'LABELONE\1\0\0\0\0\0\0\0\0\0\0\0\40\0\0\0LVM2 001' | dd of=$D bs=512 seek=1 conv=notrunc"
dd if=/dev/zero of=$D bs=1M count=1 status=none
same "nothing that is known" open --cache-size 1M $D x

# ---- ccdmtab
tab() { printf '%s\n' "$@" >/etc/ccdmtab; }
SCRATCH=6f1ac5ee-08c4-4f0b-8d5b-3a3dcc9be1d7
tab "ccdm-swap $D swap,cache-size=4M,yes" "ccdm-gpt gpt cache-size=4M,yes"
check_sh "attach: swap" "ccdm-open attach ccdm-swap && [ \"\$(blkid -p -o value -s TYPE /dev/mapper/ccdm-swap)\" = swap ] && ccdm-open close ccdm-swap"
printf 'label: gpt\nsize=24M, type=%s\nsize=24M, uuid=11111111-2222-3333-4444-555555555555\n' $SCRATCH | sfdisk -q $D
udevadm settle
check_sh "attach: by the GPT type" "ccdm-open attach ccdm-gpt && dmsetup deps -o devname ccdm-gpt | grep -q vdd1 && ccdm-open close ccdm-gpt"
tab "ccdm-uuid PARTUUID=11111111-2222-3333-4444-555555555555 cache-size=4M,yes"
check_sh "attach: by PARTUUID" "ccdm-open attach ccdm-uuid && dmsetup deps -o devname ccdm-uuid | grep -q vdd2 && ccdm-open close ccdm-uuid"
sfdisk -q --part-type $D 2 $SCRATCH
udevadm settle
tab "ccdm-gpt gpt cache-size=4M,yes"
refuse_code 4 "attach: two of the type: neither" "expected one partition with the GPT type .*, found 2" ccdm-open attach ccdm-gpt
rm /etc/ccdmtab
wipefs -qa $D
udevadm settle

# ---- no udev, no libraries, no /proc, no /sys: a container of nothing but the program
udevadm control --stop-exec-queue
check_sh "without udev: the device is there at once" "ccdm-open open --cache-size 4M $E n && [ -b /dev/mapper/n ] && [ -L /dev/mapper/n ]"
check_sh "without udev: and it goes" "ccdm-open close n && [ ! -e /dev/mapper/n ] && [ ! -L /dev/mapper/n ]"
C=/tmp/empty
mkdir -p $C/dev/mapper
cp "$(command -v ccdm-open)" $C/
mknod $C/dev/disk b $((0x$(stat -c %t $E))) $((0x$(stat -c %T $E)))
mknod $C/dev/mapper/control c "$(awk '$2 == "misc" { print $1 }' /proc/devices)" "$(awk '$2 == "device-mapper" { print $1 }' /proc/misc)"
check_sh "in an empty container: open" "chroot $C /ccdm-open open --cache-size 4M /dev/disk n && [ -b $C/dev/mapper/n ]"
check_sh "in an empty container: data" "head -c 1M /tmp/r | dd of=$C/dev/mapper/n bs=64k oflag=direct status=none && cmp -n 1048576 /tmp/r $C/dev/mapper/n"
check_sh "in an empty container: list" "chroot $C /ccdm-open list --json | grep '\"name\": \"n\"'"
check_sh "in an empty container: close" "chroot $C /ccdm-open close n && [ ! -e $C/dev/mapper/n ]"
check_sh "in an empty container: close --discard" "chroot $C /ccdm-open open --cache-size 4M /dev/disk n && chroot $C /ccdm-open close --discard n && cmp -n 1048576 $E /dev/zero && [ \"\$(ls $C/dev/mapper)\" = control ]"
rm $C/dev/mapper/control
refuse_code 4 "without the control device: it says so" "/dev/mapper/control" chroot $C /ccdm-open list
udevadm control --start-exec-queue

# ---- the library
mkfs.ext4 -qF $D
udevadm settle
while read -r line; do
	case $line in
	"ok "*)		result 0 "libccdm: ${line#ok * }" ;;
	"not ok "*)	result 1 "libccdm: ${line#not ok * }" ;;
	"# "*)		note "${line#\# }" ;;
	"1.."*)		ENDED=1 ;;
	esac
done < <(libccdm-disk $D lib 2>&1)
result $((!ENDED)) "libccdm: the program came to its end"
wipefs -qa $D
finish
