# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# ktap.sh - functions for tests that are shell scripts; source it from bash
# shellcheck shell=bash
#
#	check "what must be true" command...	ok if the command succeeds
#	refuse "what must fail" PATTERN command...	ok if it fails, saying PATTERN
#	finish						the plan; ends the test

# the target's cipher suites (tests/lib/vm.py reads this line)
SUITES="aes-xts-gmac aes-xts-hmac-sha256 aes-gcm"
ktap_n=0
ktap_bad=0

result() {
	ktap_n=$((ktap_n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $ktap_n $2"
	else
		ktap_bad=$((ktap_bad + 1))
		echo "not ok $ktap_n $2"
	fi
}

# shellcheck disable=SC2001 # (each line, not only the first one)
note() { sed 's/^/# /' <<<"$*"; }

check() {
	local what=$1 out rc
	shift
	out=$("$@" 2>&1)
	rc=$?
	[ $rc = 0 ] || note "$* -> $rc: $out"
	result $rc "$what"
}

# shell form: check_sh "what" 'commands'
check_sh() { check "$1" bash -c "set -o pipefail; $2"; }

refuse() {
	local what=$1 pattern=$2 out rc
	shift 2
	out=$("$@" 2>&1)
	rc=$?
	if [ $rc = 0 ]; then
		note "$* succeeded: $out"
		result 1 "$what"
	elif ! grep -qE -e "$pattern" <<<"$out"; then
		note "$* -> $rc, without '$pattern': $out"
		result 1 "$what"
	else
		result 0 "$what"
	fi
}

# also check the exit code: refuse_code CODE "what" PATTERN command...
refuse_code() {
	local code=$1 what=$2 pattern=$3 out rc
	shift 3
	out=$("$@" 2>&1)
	rc=$?
	if [ $rc != "$code" ] || ! grep -qE -e "$pattern" <<<"$out"; then
		note "$* -> $rc, expected $code and '$pattern': $out"
		result 1 "$what"
	else
		result 0 "$what"
	fi
}

skip() {
	ktap_n=$((ktap_n + 1))
	echo "ok $ktap_n $1 # SKIP $2"
}

finish() {
	echo "1..$ktap_n"
	exit $((ktap_bad > 0))
}

# ---- ccdm ----

# load [PARAMETER...]: load the module. Without parameters aes-xts-gmac makes its tags through
# additional data: a measurement in a VM without KVM differs from run to run, and means nothing.
load() {
	modprobe -qa xts gcm dm-mod
	[ $# != 0 ] || set -- gmac=aad
	[ -e /sys/module/dm_ccdm ] || insmod /ccdm/dm-ccdm.ko "$@"
}

sectors() { blockdev --getsz "$1"; }

# the most data sectors on a device of $1 sectors (a second implementation of the format)
fit() {
	python3 - "$1" <<-'E'
	import sys
	total = int(sys.argv[1]) // 8
	def need(b):
	    n = t = b
	    while True:
	        n = -(-n // 128); t += n
	        if n == 1: return t
	lo, hi = 0, total
	while lo < hi:
	    m = (lo + hi + 1) // 2
	    lo, hi = (m, hi) if need(m) <= total else (lo, m - 1)
	print(lo * 8)
	E
}

# mk NAME DEVICE OPTION... : a mapping over the whole device, with on_tamper:eio by default
mk() {
	local name=$1 dev=$2 len
	shift 2
	case "$*" in *on_tamper*) ;; *) set -- "$@" on_tamper:eio ;; esac
	len=$(fit "$(sectors "$dev")")
	dmsetup create "$name" --table "0 $len ccdm 1 $dev $# $*"
}

# No I/O has failed in this mapping, and no tamper was detected.
fine() { dmsetup status "$1" | grep -q 'state:active .*poisoned:0 data_errors:0 node_errors:0 tampers:0'; }

rm_map() { dmsetup remove --retry "$1"; }

stat_of() { dmsetup status "$1" | tr ' ' '\n' | sed -n "s/^$2://p"; }

msg() { dmsetup message "$1" 0 "${@:2}"; }

# listening PID [PROTOCOL]: wait until the process listens; 16: generic netlink, 15: uevents
# (libnl adds a number of its own above the PID's 22 bits)
listening() {
	until awk -v p="$1" -v t="${2:-16}" '$2 == t && $3 % 4194304 == p && $4 != "00000000" { f = 1 }
		END { exit !f }' /proc/net/netlink; do
		kill -0 "$1" || return 1
	done
}

# nothing of a mapping is left: no user of the module, no mapping; a built-in module counts no users
nothing_left() {
	# shellcheck disable=SC2143 # (with pipefail, stopping dmsetup by grep -q would look like "nothing left")
	[ -e /sys/module/dm_ccdm ] && [ "$(cat /sys/module/dm_ccdm/refcnt 2>/dev/null || echo 0)" = 0 ] && [ -z "$(dmsetup ls --target ccdm | grep -v 'No devices')" ]
}
