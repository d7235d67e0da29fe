#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# ccdm-setup as an administrator uses it: verbs, JSON, events, bad input and exit codes. After each
# refusal nothing is left behind.
# disks: 64M 16M 64M
. /ccdm/tests/lib/ktap.sh
modprobe -qa xts gcm dm-mod algif_skcipher algif_aead algif_hash
D=/dev/vdd E=/dev/vde O=/dev/vdf
REL=$(uname -r)

json() { python3 -c "import json,sys; d=json.load(sys.stdin); sys.exit(0 if ($1) else 1)"; }
export -f json

# ---- no module
refuse_code 4 "open: no module" "no kernel module dm-ccdm" ccdm-setup open $D x
refuse_code 4 "status: not active" "not active" ccdm-setup status x
refuse_code 4 "monitor: no module" "no kernel module" ccdm-setup monitor
check_sh "list: nothing" "[ -z \"\$(ccdm-setup list)\" ]"
check_sh "list --json: an empty array" "ccdm-setup list --json | json 'd == []'"
check_sh "--version" "ccdm-setup --version | grep -qE '^ccdm-setup [0-9]'"
check_sh "--help" "ccdm-setup --help | grep -q scrub"
for verb in open close status list cache scrub monitor benchmark doctor; do
	check_sh "$verb --help and --version" "ccdm-setup $verb --help | grep -q 'usage: ccdm-setup $verb' && ccdm-setup $verb --version | grep -q ccdm-setup"
done

check_sh "doctor: no module is a failure" "ccdm-setup doctor >/tmp/d; [ \$? = 7 ] && grep -q '^failed   module .*no module dm-ccdm for the kernel' /tmp/d"

# put the module where modprobe finds it
mount -t tmpfs tmpfs /tmp/x 2>/dev/null || { mkdir -p /tmp/x && mount -t tmpfs tmpfs /tmp/x; }
mkdir -p /tmp/x/u /tmp/x/w
mount -t overlay -o lowerdir=/lib/modules,upperdir=/tmp/x/u,workdir=/tmp/x/w overlay /lib/modules
mkdir -p "/lib/modules/$REL/updates"
cp /ccdm/dm-ccdm.ko "/lib/modules/$REL/updates/"
depmod "$REL"

# ---- features that the kernel lacks or refuses
mkdir -p /run/modprobe.d
echo "blacklist dm-ccdm" >/run/modprobe.d/ccdm.conf
refuse_code 7 "open: the module is not wanted" "on the blacklist" ccdm-setup open $D x
rm /run/modprobe.d/ccdm.conf
KO=/lib/modules/$REL/updates/dm-ccdm.ko
if [ -e /sys/module/module/parameters/sig_enforce ]; then
	# a signature longer than the file
	{ head -c 12 /dev/zero | tr '\0' '\377' && printf '~Module signature appended~\n'; } >>"$KO"
	refuse_code 7 "open: a module with a damaged signature" "refuses the signature of dm-ccdm" ccdm-setup open $D x
	cp /ccdm/dm-ccdm.ko "$KO"
fi
# offset in the target's type: after features and two pointers, the first number of the version
python3 -c '
import sys
b = open(sys.argv[1], "rb").read()
at = [b"\x85" + bytes(23) + bytes([n]) + bytes(11) for n in (1, 2)]
assert b.count(at[0]) == 1
open(sys.argv[1], "wb").write(b.replace(*at))' "$KO"
refuse_code 7 "open: a module of another release" "table version: expected 1, found 2" ccdm-setup open $D x
rmmod dm_ccdm
cp /ccdm/dm-ccdm.ko "$KO"
# the tests' own kernels have it built in
if lsmod | grep -q '^af_alg '; then
	MODPROBE=$(cat /proc/sys/kernel/modprobe)
	echo /bin/false >/proc/sys/kernel/modprobe
	modprobe -qr algif_skcipher algif_aead algif_hash af_alg
	refuse_code 4 "benchmark: no crypto API" "cannot reach the kernel's crypto API" ccdm-setup benchmark
	echo "$MODPROBE" >/proc/sys/kernel/modprobe
	modprobe -qa algif_skcipher algif_aead algif_hash
fi

# ---- invalid arguments
refuse_code 1 "no verb" "usage" ccdm-setup
refuse_code 1 "unknown verb" "unknown verb 'dance'" ccdm-setup dance
refuse_code 1 "unknown option" "--colour is not an option of open" ccdm-setup open --colour $D x
refuse_code 1 "option of another verb" "--json is not an option of open" ccdm-setup open --json $D x
refuse_code 1 "option without value" "--cipher needs a value" ccdm-setup open $D x --cipher
refuse_code 1 "too few arguments" "too few" ccdm-setup open $D
refuse_code 1 "too many arguments" "too many" ccdm-setup open $D x y
refuse_code 1 "unknown cipher" "invalid value 'rot13'" ccdm-setup open --cipher rot13 $D x
refuse_code 1 "unknown on-tamper" "invalid value 'sing'" ccdm-setup open --on-tamper sing $D x
refuse_code 1 "cache size no size" "invalid value 'lots'" ccdm-setup open --cache-size lots $D x
refuse_code 1 "cache size 0" "invalid value '0'" ccdm-setup open --cache-size 0 $D x
refuse_code 1 "cache size too small" "cache_mib: less than 2" ccdm-setup open --cache-size 1M $D x
refuse_code 1 "cache size beyond memory" "more than half of the memory" ccdm-setup open --cache-size 100G $D x
refuse_code 1 "size no size" "invalid value '12x'" ccdm-setup open --size 12x $D x
refuse_code 1 "size not a multiple" "expected a multiple of 4096" ccdm-setup open --size 5000 $D x
refuse_code 4 "size too large" "too small for --size" ccdm-setup open --size 1G $D x
refuse_code 1 "uuid" "invalid value 'abc'" ccdm-setup open --uuid abc $D x
refuse_code 1 "bad name" "name of the mapping: expected" ccdm-setup open $D a/b
refuse_code 1 "empty name" "name of the mapping: expected" ccdm-setup open $D ""
refuse_code 1 "the name of a directory" "name of the mapping: expected" ccdm-setup open $D .
refuse_code 1 "the name of the one above" "name of the mapping: expected" ccdm-setup open $D ..
refuse_code 1 "long name" "name of the mapping: expected" ccdm-setup open $D "$(head -c 100 /dev/zero | tr '\0' x)"
refuse_code 1 "path with a blank" "white space" ccdm-setup open "/dev/a b" x
refuse_code 1 "path of an origin with a blank" "white space" ccdm-setup open --origin "/dev/a b" $D x
refuse_code 4 "no such device" "No such file" ccdm-setup open /dev/nowhere x
refuse_code 4 "not a block device" "not a block device" ccdm-setup open /dev/null x
refuse_code 4 "a file" "losetup" ccdm-setup open /etc/passwd x
blockdev --setro $D
refuse_code 4 "read-only" "read-only" ccdm-setup open $D x
blockdev --setrw $D
dmsetup create odd --table "0 8 linear $E 0"
refuse_code 4 "too small" "at least 8192" ccdm-setup open /dev/mapper/odd x
dmsetup remove --retry odd
refuse_code 4 "origin missing" "No such file" ccdm-setup open --origin /dev/nowhere $D x
dmsetup create odd --table "0 9 linear $E 0"
refuse_code 1 "origin with half a block" "expected a multiple of 4096 bytes, found 4608" ccdm-setup open --origin /dev/mapper/odd $D x
dmsetup remove --retry odd
modprobe loop
refuse_code 1 "origin without a byte" "expected a multiple of 4096 bytes, found 0" ccdm-setup open --origin /dev/loop7 $D x
dmsetup create odd --table "0 65536 error"
refuse_code 4 "a disk that cannot be read" "cannot read /dev/mapper/odd: Input/output error" ccdm-setup open /dev/mapper/odd x
dmsetup remove --retry odd
dmsetup create odd --notable
refuse_code 4 "a mapping without a table" "expected a mapping of type ccdm, found type .none." ccdm-setup status odd
dmsetup remove --retry odd
refuse_code 4 "status of no name is that of the root" "ccdm-root is not active" ccdm-setup status
refuse_code 4 "no configuration" "ccdm.conf: No such file" ccdm-setup config check
refuse_code 4 "nor is anything measured without one" "ccdm.conf: No such file" ccdm-setup measure --dry-run
refuse_code 4 "origin larger than the mapping" "the mapping is too small" ccdm-setup open --origin $D $E x
refuse_code 2 "not root" "run it as root" setpriv --reuid 1000 --clear-groups ccdm-setup status x
refuse_code 1 "cache: not a size" "expected a size" ccdm-setup cache x lots
check "nothing left behind" nothing_left

# ---- open and what it destroys
mkfs.ext4 -q -F $D
refuse_code 7 "a signature: refused without --yes" "holds: ext4 file system" ccdm-setup open $D x
check_sh "nothing was destroyed" "fsck.ext4 -fn $D >/dev/null 2>&1"
# asked ANSWER CODE DEVICE: on a terminal, open asks
asked() {
	python3 -c '
import os, pty, sys
pid, fd = pty.fork()
if not pid:
    os.execvp("ccdm-setup", ["ccdm-setup", "open", sys.argv[3], "asked"])
text = b""
while b"capital letters): " not in text:
    text += os.read(fd, 1024)
os.write(fd, sys.argv[1].encode() + b"\n")
try:
    while os.read(fd, 1024):
        pass
except OSError:
    pass
rc = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
assert rc == int(sys.argv[2]) and b"holds: ext4 file system" in text and b"irrevocably" in text, (rc, text)' "$@"
}
check "on a terminal it asks: yes is not YES" asked yes 7 $D
check "on a terminal it asks: nor is the end of the input" asked $'\x04' 7 $D
check_sh "still nothing was destroyed" "fsck.ext4 -fn $D >/dev/null 2>&1"
check "YES is" asked YES 0 $D
ccdm-setup close asked
mkfs.ext4 -q -F $D
# a squashfs of version 4
printf hsqs | dd of=$D conv=notrunc status=none
printf '\4\0' | dd of=$D bs=1 seek=28 conv=notrunc status=none
refuse_code 7 "two signatures: refused as well" "holds: more than one signature" ccdm-setup open $D x
check "open --yes" ccdm-setup open --yes $D x
check_sh "udev made the node and settled" "[ -b /dev/mapper/x ]"
check_sh "UUID is CCDM-<32 hex>-<name>" "dmsetup info -c --noheadings -o uuid x | grep -qE '^CCDM-[0-9a-f]{32}-x\$'"
check_sh "it reads zeros" "cmp -n 4194304 /dev/mapper/x /dev/zero"
refuse_code 5 "the name is taken" "exists" ccdm-setup open $E x
refuse_code 5 "the device is taken" "in use|busy" ccdm-setup open --yes $D y
check_sh "two opens of one device do not race" "printf 'label: gpt\n,\n' | sfdisk -q $E && udevadm settle && for i in 1 2 3 4 5 6 7 8 9 10; do (ccdm-setup open --yes ${E}1 r1 2>/dev/null; echo \$?) >/tmp/r1 & (ccdm-setup open --yes ${E}1 r2 2>/dev/null; echo \$?) >/tmp/r2 & wait; [ \$(dmsetup ls --target ccdm | grep -c '^r[12]') = 1 ] || exit 1; sort /tmp/r1 /tmp/r2 | tr '\n' ' ' | grep -q '^0 5' || { cat /tmp/r1 /tmp/r2; exit 1; }; ccdm-setup close r1 2>/dev/null || ccdm-setup close r2; done"
check_sh "status for people" "ccdm-setup status x | grep -q 'state:      active'"
check_sh "status --json has the names of the status line" "ccdm-setup status --json x | json 'd[\"state\"] == \"active\" and d[\"name\"] == \"x\" and len(d[\"cache_kib\"]) == 2 and d[\"written\"] == 0 and d[\"scrub\"] == \"off\" and \"root_seq\" in d'"
check_sh "--debug: what device-mapper is asked" "ccdm-setup --debug status x >/tmp/o 2>&1 && grep -q '^# dm ' /tmp/o"
check_sh "status: in use" "exec 9</dev/mapper/x; ccdm-setup status x | grep -q 'is in use'"
check_sh "status: suspended, too" "dmsetup suspend x; ccdm-setup status x | grep -q '(suspended)'; r=\$?; dmsetup resume x; [ \$r = 0 ]"
check_sh "list" "ccdm-setup list | grep -qE '^x +.*aes-xts-gmac +active'"
check_sh "list --json" "ccdm-setup list --json | json 'len(d) == 1 and d[0][\"name\"] == \"x\"'"
check_sh "list leaves other mappings out" "dmsetup create other --table '0 8 zero' && ! ccdm-setup list | grep -q other"
refuse_code 4 "status of another mapping" "expected a mapping of type ccdm, found type zero" ccdm-setup status other
refuse_code 4 "close does not touch another mapping" "expected a mapping of type ccdm" ccdm-setup close other
dmsetup remove --retry other
check_sh "cache: live" "ccdm-setup cache x 10M && ccdm-setup status --json x | json 'd[\"cache_kib\"][1] == 10240 and d[\"cache_kib\"][0] <= 10240'"
refuse_code 1 "cache: smaller than what was allocated at open" "is larger" ccdm-setup cache x 2M
refuse_code 1 "cache: too small" "at least 2 MiB" ccdm-setup cache x 1M
refuse_code 1 "cache: beyond memory" "at most half of the memory" ccdm-setup cache x 1T
dd if=/dev/urandom of=/dev/mapper/x bs=1M count=32 oflag=direct status=none
check_sh "scrub" "ccdm-setup scrub x"
check_sh "scrub --progress-json" "ccdm-setup scrub --progress-json x | tail -n1 | json 'd[\"scrub\"] == \"progress\" and d[\"done\"] == d[\"all\"]'"
check_sh "scrub --detach, then busy or done, then --stop" "ccdm-setup scrub --detach x; ccdm-setup scrub --stop x"
refuse_code 5 "close: in use" "in use" sh -c 'exec 3</dev/mapper/x; ccdm-setup close x'
check_sh "close --deferred" "(exec 3</dev/mapper/x; ccdm-setup close --deferred x && dmsetup info x >/dev/null) && udevadm settle && ! dmsetup info x >/dev/null 2>&1"
refuse_code 1 "close: options that contradict" "cannot be combined" ccdm-setup close --deferred --discard x
refuse_code 4 "close: not active" "not active" ccdm-setup close x

# ---- options
check_sh "every option arrives in the table" "ccdm-setup open --yes -c aes-gcm --cache-size 5M --on-tamper eio --origin $E --allow-discards --allow-kdump --size 32M --uuid 0123456789abcdef0123456789abcdef $D full && dmsetup table full | grep -qE '^0 65536 ccdm 1 [0-9:]+ 6 cipher:aes-gcm cache_mib:5 on_tamper:eio origin:[0-9:]+ allow_discards allow_kdump\$' && dmsetup info -c --noheadings -o uuid full | grep -qx CCDM-0123456789abcdef0123456789abcdef-full"
check_sh "status for people names the origin" "ccdm-setup status full | grep -qE 'origin: +[0-9]+:[0-9]+$'"
check_sh "close --discard" "ccdm-setup close --discard full && cmp -n 1048576 $D /dev/zero"
KEY=$(head -c 64 /dev/zero | od -An -v -tx1 | tr -d ' \n')
dmsetup create sealed --table "0 131072 crypt aes-xts-plain64 $KEY 0 $D 0"
check "open over what takes no discards" ccdm-setup open --yes /dev/mapper/sealed x
refuse_code 1 "close --discard: closed, and it says that nothing was discarded" "not supported" ccdm-setup close --discard x
check_sh "closed it is" "! dmsetup info x >/dev/null 2>&1"
dmsetup remove --retry sealed
mkfs.ext4 -q -F -b 4096 $E
check_sh "an origin with blocks of a page opens without a word" "ccdm-setup open --yes --origin $E $D w >/tmp/w 2>&1; ccdm-setup close w; cat /tmp/w; [ ! -s /tmp/w ]"
mkfs.ext4 -q -F -b 1024 $E
check_sh "an origin with small blocks is pointed out" "ccdm-setup open --yes --origin $E $D w >/tmp/w 2>&1; cat /tmp/w; blkid -p $E; ccdm-setup close w; grep -q 'will not mount' /tmp/w"

# ---- udev rules
# udevd reads rules when a folder's time changes: write no partial file, and none while it works
udevadm settle
mkdir -p /run/udev/rules.d && cp /ccdm/95-dm-ccdm.rules /tmp/rules && mv /tmp/rules /run/udev/rules.d/95-dm-ccdm.rules && udevadm control --reload
check_sh "udev: a link by name, there when open returns" "ccdm-setup open --yes $D named && [ /dev/disk/by-ccdm/named -ef /dev/mapper/named ] || { ls -l /dev/disk/by-ccdm; udevadm info /dev/mapper/named; false; }"
check_sh "udev: no business of udisks" "udevadm info /dev/mapper/named >/tmp/info; grep UDISKS_IGNORE=1 /tmp/info || { cat /tmp/info; false; }"
check_sh "udev: gone when it is closed" "ccdm-setup close named && [ ! -e /dev/disk/by-ccdm/named ]"

# ---- events
ccdm-setup monitor --json --count 5 >/tmp/ev & MON=$!
ccdm-setup monitor >/tmp/ev2 & MON2=$!
ccdm-setup monitor --count 1 ev3 >/tmp/ev3 & MON3=$!
listening $MON; listening $MON2; listening $MON3
ccdm-setup open --yes --on-tamper eio $D ev
dd if=/dev/urandom of=/dev/mapper/ev bs=1M count=4 oflag=direct status=none
ccdm-setup scrub -q ev
dmsetup message ev 0 sync >/dev/null
dmsetup message ev 0 drop
ccdm-setup close ev
ccdm-setup open --yes $D ev3
ccdm-setup close ev3
wait $MON $MON3
kill $MON2 2>/dev/null
check_sh "monitor NAME: nothing of another" "grep -q ' ev3 opened' /tmp/ev3 && [ \$(wc -l </tmp/ev3) = 1 ]"
check_sh "monitor: opened, scrub-done, closed as JSON lines" "sed -n 1p /tmp/ev | json 'd[\"event\"] == \"opened\" and d[\"name\"] == \"ev\" and d[\"uuid\"].startswith(\"CCDM-\")' && sed -n 2p /tmp/ev | json 'd[\"event\"] == \"scrub-done\"' && sed -n 3p /tmp/ev | json 'd[\"event\"] == \"closed\"'"
check_sh "monitor: a line each for people" "grep -q ' ev opened (' /tmp/ev2"

check_sh "benchmark --json" "ccdm-setup benchmark --json | json 'len(d) == 4 and [x.get(\"gmac\") for x in d] == [\"aad\", \"gcm\", None, None] and all(x[\"mib_s\"] > 0 for x in d) and [x[\"mib_s\"] for x in d if x[\"recommended\"]] == [max(x[\"mib_s\"] for x in d)]'"
check_sh "benchmark" "ccdm-setup benchmark | tee /tmp/b | grep -q 'aes-gcm .* MiB/s' && grep -q 'aes-xts-gmac gcm .* MiB/s' /tmp/b && grep -q '^Recommended here: --cipher aes-' /tmp/b"

# ---- doctor: what is missing here, and what bypasses ccdm
check_sh "doctor: this VM has all that ccdm needs" "ccdm-setup doctor --json | json '{x[\"check\"]: x[\"verdict\"] for x in d if x[\"check\"] in (\"kernel\", \"module\", \"cpu-random\", \"suites\", \"swap\", \"kdump\")} == dict.fromkeys([\"kernel\", \"module\", \"cpu-random\", \"suites\", \"swap\", \"kdump\"], \"ok\")'"
check_sh "doctor: swap in the clear is a failure" "mkswap -q $E >/dev/null && swapon $E && { ccdm-setup doctor >/tmp/d; r=\$?; swapoff $E; wipefs -qa $E; [ \$r = 7 ] && grep -q \"^failed   swap .*$E is not encrypted\" /tmp/d; }"
check_sh "doctor: swap on a mapping is not" "ccdm-setup open --yes $E sw && mkswap -q /dev/mapper/sw >/dev/null && swapon /dev/mapper/sw && { ccdm-setup doctor >/tmp/d; r=\$?; swapoff /dev/mapper/sw; ccdm-setup close sw; [ \$r = 0 ] && grep -q '^ok       swap .*on a mapping of ccdm' /tmp/d; }"
check "nothing left at the end" nothing_left
finish
