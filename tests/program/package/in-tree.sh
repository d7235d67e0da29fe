#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# in-tree - scripts/in-tree on folders that look like the source of a kernel, and on others
set -u
cd "$(dirname "$0")/../../.." || exit 1
. tests/lib/ktap.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
t=$tmp/linux
echo "KTAP version 1"

# A tree with the files that the script looks at: source VERSION PATCHLEVEL
source_of() {
	rm -rf "$t"
	mkdir -p "$t/drivers/md"
	printf 'VERSION = %s\nPATCHLEVEL = %s\nSUBLEVEL = 0\n' "$1" "$2" >"$t/Makefile"
	touch "$t/Kbuild" "$t/drivers/md/dm.c"
	printf 'obj-$(CONFIG_BLK_DEV_DM)\t+= dm-mod.o\nobj-$(CONFIG_DM_CRYPT)\t\t+= dm-crypt.o\n' >"$t/drivers/md/Makefile"
	printf 'menuconfig MD\n\tbool "x"\n\nif MD\n\nsource "drivers/md/dm-vdo/Kconfig"\n\nendif # MD\n' >"$t/drivers/md/Kconfig"
}
# All files with their content, and with their times
sums() { (cd "$t" && find . -type f -exec sha256sum {} + | sort); }
times() { (cd "$t" && find . -type f -printf '%p %T@\n' | sort); }

# ---- what it adds
source_of 6 12
sums >"$tmp/before"
check "the module is added" scripts/in-tree "$t"
check_sh "one line in the Makefile" "[ \$(grep -cF 'obj-\$(CONFIG_DM_CCDM)		+= dm-ccdm/' $t/drivers/md/Makefile) = 1 ]"
check_sh "one line in Kconfig, before its end" "tail -n2 $t/drivers/md/Kconfig | head -n1 | grep -qx 'source \"drivers/md/dm-ccdm/Kconfig\"'"
check_sh "all sources, probes and Kconfig are there" "diff -r -x Makefile -x leaf.pml kmod $t/drivers/md/dm-ccdm"
check_sh "its Makefile has each object of Kbuild" "[ \$(grep -c '^dm-ccdm-y' Kbuild) = \$(grep -cE '^dm-ccdm-y .?= [a-z]+\.o' $t/drivers/md/dm-ccdm/Makefile) ]"
check_sh "and the version, no test, and no path of these sources" "grep -q $(cat VERSION) $t/drivers/md/dm-ccdm/Makefile && ! grep -E 'CCDM_TESTS|tests/|kmod|VERSION\)' $t/drivers/md/dm-ccdm/Makefile"

# ---- again
sums >"$tmp/after"
times >"$tmp/times"
check "a second time" scripts/in-tree "$t"
check_sh "nothing has changed, times neither" "diff <($(declare -f times); t=$t; times) $tmp/times"
touch "$t/drivers/md/dm-ccdm/old.c" "$t/drivers/md/dm-ccdm/probe/old.c" "$t/drivers/md/dm-ccdm/ctr.o"
echo "/* changed */" >>"$t/drivers/md/dm-ccdm/ctr.c"
check "after an update" scripts/in-tree "$t"
rm "$t/drivers/md/dm-ccdm/ctr.o"
check_sh "old files are gone, changed ones are right, objects stay" "diff <($(declare -f sums); t=$t; sums) $tmp/after"
check "taken out" scripts/in-tree --remove "$t"
check_sh "the tree is as before" "diff <($(declare -f sums); t=$t; sums) $tmp/before"
check "taken out a second time" scripts/in-tree --remove "$t"

# ---- what it refuses, without changing anything
refused() { # refused "what" PATTERN
	sums >"$tmp/before"
	refuse "$1" "$2" scripts/in-tree "$t"
	check_sh "$1: nothing has changed" "diff <($(declare -f sums); t=$t; sums) $tmp/before"
}
source_of 6 0
refused "an older kernel" "expected Linux 6.1 or later, found 6.0"
source_of 5 15
refused "one that is much older" "expected Linux 6.1 or later, found 5.15"
source_of x y
refused "no version" "expected VERSION and PATCHLEVEL"
source_of 6 12
rm "$t/drivers/md/dm.c"
refused "headers of a kernel" "expected the source of a kernel, found no drivers/md/dm.c"
source_of 6 12
sed -i /endif/d "$t/drivers/md/Kconfig"
refused "an unknown Kconfig" "expected the line 'endif # MD'"
source_of 6 12
sed -i /BLK_DEV_DM/d "$t/drivers/md/Makefile"
refused "an unknown Makefile" "expected a line for CONFIG_BLK_DEV_DM"
source_of 6 12
mkdir "$t/drivers/md/dm-ccdm"
touch "$t/drivers/md/dm-ccdm/mine"
refused "another folder of that name" "does not hold this module"
refuse "and does not remove it" "does not hold this module" scripts/in-tree --remove "$t"
rm -rf "$t"
mkdir "$t"
refused "an empty folder" "expected the source of a kernel"
refuse "no such folder" "no such folder" scripts/in-tree "$tmp/nowhere"
refuse "a file" "no such folder" scripts/in-tree VERSION
refuse "two folders" "expected one folder" scripts/in-tree "$t" "$t"
refuse "no folder: it says how it is used" "scripts/in-tree SOURCE" scripts/in-tree
finish
