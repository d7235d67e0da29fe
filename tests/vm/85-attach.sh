#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# ccdm-setup attach, called by hand: what a line of ccdmtab does with a device.
# (As a unit of the boot: tests/boot/50-volumes)
# disks: 64M 64M
# vm: shared
. /ccdm/tests/lib/ktap.sh
load
D=/dev/vdd E=/dev/vde

tab() { printf '%s\n' "$@" >/etc/ccdmtab; }
type_of() { blkid -p -o value -s TYPE "/dev/mapper/$1"; }
export -f type_of

tab "ccdm-other $E noauto" "ccdm-swap $D swap,cache-size=4M" "ccdm-plain $D cache-size=4M" "ccdm-fs $D mkfs=ext4,cache-size=4M" \
	"ccdm-fails $D mkfs=xfs,cache-size=4M"
check_sh "swap" "ccdm-setup attach ccdm-swap && [ \"\$(type_of ccdm-swap)\" = swap ]"
ccdm-setup close ccdm-swap
check_sh "nothing of it" "ccdm-setup attach ccdm-plain && [ -z \"\$(type_of ccdm-plain)\" ]"
ccdm-setup close ccdm-plain
check_sh "a file system" "ccdm-setup attach ccdm-fs && [ \"\$(type_of ccdm-fs)\" = ext4 ]"
refuse_code 5 "a second time" "" ccdm-setup attach ccdm-fs
ccdm-setup close ccdm-fs
# 64 MiB are too few for xfs, or mkfs.xfs is missing
refuse_code 4 "the file system cannot be made: nothing is left open" "mkfs.xfs" ccdm-setup attach ccdm-fails
check_sh "nothing is" "! dmsetup info ccdm-fails >/dev/null 2>&1"
refuse_code 4 "nor where the program is missing" "mkfs.ext4: No such file" env PATH=/tmp "$(command -v ccdm-setup)" attach ccdm-fs
check_sh "nothing is" "! dmsetup info ccdm-fs >/dev/null 2>&1"
refuse_code 4 "no such line" "/etc/ccdmtab: no line for ccdm-none" ccdm-setup attach ccdm-none
refuse_code 4 "another table" "no line for ccdm-swap" ccdm-setup attach --tab /dev/null ccdm-swap

mkfs.ext4 -q -F $D
refuse_code 7 "what the device holds is not destroyed" "holds: ext4 file system" ccdm-setup attach ccdm-swap
check_sh "it was not" "fsck.ext4 -fn $D >/dev/null 2>&1"
tab "ccdm-swap $D swap,cache-size=4M,yes"
check_sh "with yes it is" "ccdm-setup attach ccdm-swap && [ \"\$(type_of ccdm-swap)\" = swap ]"
ccdm-setup close ccdm-swap

# ---- by the type of its partition
SCRATCH=6f1ac5ee-08c4-4f0b-8d5b-3a3dcc9be1d7
tab "ccdm-gpt gpt cache-size=4M,yes"
printf 'label: gpt\nsize=24M, type=%s\nsize=24M\n' $SCRATCH | sfdisk -q $D
udevadm settle
check_sh "gpt: the partition of the type" "ccdm-setup attach ccdm-gpt && dmsetup deps -o devname ccdm-gpt | grep -q vdd1"
ccdm-setup close ccdm-gpt
sfdisk -q --part-type $D 2 $SCRATCH
udevadm settle
refuse_code 4 "two of them: neither" "expected one partition with the GPT type .*, found 2" ccdm-setup attach ccdm-gpt

# ---- units
tab "ccdm-a $D" "ccdm-b $E x-initrd.attach"
mkdir -p /tmp/u
touch /etc/initrd-release
check_sh "in the initrd: the lines that say so" "ccdm-setup attach --generate /tmp/u && ls -R /tmp/u >/tmp/o; grep -q @ccdm-b /tmp/o && ! grep -q @ccdm-a /tmp/o"
rm /etc/initrd-release
tab "ccdm-s $D swap,noauto" "ccdm-t $E swap"
check_sh "swap, but not of itself" "ccdm-setup attach --generate /tmp/u && [ -e /tmp/u/dev-mapper-ccdm\\\\x2ds.swap ] && [ \"\$(ls /tmp/u/swap.target.[rw]*)\" = 'dev-mapper-ccdm\\x2dt.swap' ]"
rm /etc/ccdmtab
check_sh "no table: nothing to do" "mkdir /tmp/v && ccdm-setup attach --generate /tmp/v && [ -z \"\$(ls /tmp/v)\" ]"
check "nothing left" nothing_left
finish
