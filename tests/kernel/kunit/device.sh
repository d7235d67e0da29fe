#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# device - commands for device-mapper, for the KUnit tests of the cache
#
#	device DISK make	a mapping "kunit" over the device "hold", over DISK
#	device DISK hold	"hold" does nothing until
#	device DISK go		(all that was sent to it goes on)
#	device DISK fail	"hold" is an error target until
#	device DISK mend
#	device DISK remove
. /ccdm/tests/lib/ktap.sh
set -e
export DM_DISABLE_UDEV=1
disk=$1
len=$(sectors "$disk")

# hold_is TARGET...
hold_is() {
	dmsetup reload hold --table "0 $len $*"
	dmsetup suspend --noflush hold
	dmsetup resume hold
}

case $2 in
make)
	dmsetup create hold --table "0 $len linear $disk 0"
	mk kunit /dev/mapper/hold
	# programs that examine new devices must do so before the test begins
	udevadm settle
	udevadm control --stop-exec-queue
	;;
hold)	dmsetup suspend --noflush hold ;;
go)	dmsetup resume hold ;;
fail)	hold_is error ;;
mend)	hold_is linear "$disk" 0 ;;
remove)
	udevadm control --start-exec-queue
	rm_map kunit
	rm_map hold
	;;
*)	exit 1 ;;
esac
