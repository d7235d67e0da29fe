#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# ccdm-setup benchmark --device: the device, dm-crypt, LUKS2 with integrity and ccdm, side by side
# disks: 160M 32M
# forms: long
. /ccdm/tests/lib/ktap.sh
modprobe -qa xts gcm dm-mod dm-crypt dm-integrity authenc
load
D=/dev/vdd E=/dev/vde

json() { python3 -c "import json,sys; d=json.load(sys.stdin); sys.exit(0 if ($1) else 1)"; }
export -f json
gone() { [ "$(dmsetup ls)" = "No devices found" ] && nothing_left; }

mkfs.ext4 -q $D
refuse_code 7 "without a terminal and --yes it destroys nothing" "not confirmed" ccdm-setup benchmark --device $D
check_sh "the file system is still there" "fsck.ext4 -fn $D >/dev/null 2>&1"
mount $D /mnt
refuse_code 5 "a mounted device" "mounted or mapped" ccdm-setup benchmark --yes --device $D
umount /mnt
refuse_code 4 "a small device" "expected 64 MiB or more" ccdm-setup benchmark --yes --device $E
refuse_code 4 "no device" "nosuch" ccdm-setup benchmark --yes --device /dev/nosuch
mkdir -p /tmp/no-fio
for p in cryptsetup sh; do ln -sf "$(command -v $p)" /tmp/no-fio/; done
refuse_code 4 "without fio" "fio" env PATH=/tmp/no-fio "$(command -v ccdm-setup)" benchmark --yes --device $D

check_sh "all four are measured" "ccdm-setup benchmark --yes --device $D --size 32M --seconds 1 --svg /tmp/p.svg --json >/tmp/b && json '[t[\"target\"] for t in d[\"targets\"]] == [\"raw\", \"dm-crypt\", \"luks2-integrity\", \"ccdm\"] and all(len(t[\"jobs\"]) == 6 and all(j[\"iops\"] > 0 and j[\"mib_s\"] > 0 and 0 < j[\"mean_us\"] and 0 < j[\"p99_us\"] for j in t[\"jobs\"]) for t in d[\"targets\"]) and all(j[\"of_raw\"] == 1 for j in d[\"targets\"][0][\"jobs\"]) and d[\"area\"] == 32 << 20' </tmp/b"
note "$(tr -d ' \n' </tmp/b)"
check "no mapping stays" gone
check_sh "the plot is XML with a bar for each" "python3 -c \"import xml.etree.ElementTree as e; r = e.parse('/tmp/p.svg').getroot(); sys = len([x for x in r.iter('{http://www.w3.org/2000/svg}title')]); exit(sys != 24)\""
check_sh "the table has a line for each" "ccdm-setup benchmark --yes --device $D --size 16M --seconds 1 >/tmp/t 2>/tmp/steps && [ \$(grep -cE '(raw|dm-crypt|luks2-integrity|ccdm) .* [0-9]' /tmp/t) = 24 ] && [ \$(grep -c '^ccdm-setup: ' /tmp/steps) = 24 ]"
note "$(cat /tmp/t)"
# What one target lacks does not keep the others from being measured.
rmmod dm_integrity 2>/dev/null
mkdir -p /run/modprobe.d
echo "install dm-integrity /bin/false" >/run/modprobe.d/benchmark.conf
check_sh "without dm-integrity the others are measured" "ccdm-setup benchmark --yes --device $D --size 16M --seconds 1 --json >/tmp/b && json 'len(d[\"targets\"][3][\"jobs\"]) == 6 and d[\"targets\"][2][\"jobs\"] == [] and d[\"targets\"][2][\"why\"]' </tmp/b"
note "$(tr -d ' \n' </tmp/b)"
rm /run/modprobe.d/benchmark.conf
# The target with two mappings: a signal while fio runs, and one while cryptsetup opens it.
mkfifo /tmp/said
interrupted() { # interrupted WHEN: send the signal when this command is true after a step
	local pid line
	ccdm-setup benchmark --yes --device $D --size 16M --seconds 1 2>/tmp/said &
	pid=$!
	exec 9</tmp/said
	while read -r line <&9 && ! "$@" "$line"; do :; done
	[ -n "$line" ] && kill -TERM $pid
	wait $pid
	[ $? = 1 ] && [ -n "$line" ]
}
reading() { [[ $1 = *"luks2-integrity: read"* ]] && dmsetup ls | grep -q ccdm-benchmark_dif; }
opening() { # the last step of the target before has begun; its end is near
	[[ $1 = *"dm-crypt: random write"* ]] || return 1
	until [ -e /dev/mapper/ccdm-benchmark_dif ]; do pgrep -x ccdm-setup >/dev/null || return 1; done
}
check "a signal while fio measures" interrupted reading
check "no mapping stays" gone
check "a signal while cryptsetup opens" interrupted opening
check "no mapping stays there, either" gone
finish
