#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# IMA measures the table: its log contains suite and devices, but no key.
# disks: 64M 8M
# append: ima_policy=critical_data
# kernels: 6.1 6.12 7.2
. /ccdm/tests/lib/ktap.sh
load
D=/dev/vdd
mountpoint -q /sys/kernel/security || mount -t securityfs securityfs /sys/kernel/security
LOG=/sys/kernel/security/ima/ascii_runtime_measurements
mk t $D cipher:aes-gcm origin:/dev/vde allow_discards
# each line ends in the measured text, in hex
measured() { awk '/ dm_table_load / { print $NF }' $LOG | python3 -c 'import sys; [print(bytes.fromhex(x.strip()).decode()) for x in sys.stdin]'; }
note "$(measured)"
want="target_name=ccdm,target_version=[0-9.]*,device=$(lsblk -dno MAJ:MIN $D),suite=aes-gcm,on_tamper=eio,allow_discards=y,allow_kdump=n,origin=$(lsblk -dno MAJ:MIN /dev/vde)"
check_sh "the table is measured as it is" "grep -q '$(tr -d ' ' <<<"$want");' <<<'$(measured)'"
rm_map t
check "nothing left" nothing_left
finish
