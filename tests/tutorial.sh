#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# tutorial - run the commands of the tutorial, and compare what they print
#
#	tests/tutorial.sh		all that need no VM
#	tests/tutorial.sh --demo	all of them
#
# In a literal block "$ " begins a command, "> " continues it, and the lines below are what it
# prints; "..." stands for any text. A block of the class "demo" starts VMs. "vm# " is a command
# in a VM: a demo must run it.
set -u
cd "$(dirname "$0")/.." || exit 1
shopt -s expand_aliases
page=Documentation/tutorial/first-vm.rst
demo=${1:-}
tmp=$(mktemp -d)
export HOME=$tmp
trap 'jobs -p | xargs -r kill 2>/dev/null; rm -rf "$tmp"' EXIT
n=0 bad=0 out=$tmp/out

result() { # result CODE TEXT
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n $2"; return; fi
	echo "not ok $n $2"
	bad=$((bad + 1))
	sed 's/^/# /' "$out"
}

# The command that was read, in this shell: later ones see its aliases, variables and jobs.
run() {
	local what=${command%%$'\n'*} pattern rc
	[ -n "$command" ] || return 0
	# (a daemon that a command leaves goes on writing to its own file)
	out=$tmp/out.$n
	eval "$command" >"$out" 2>&1
	rc=$?
	case $command in
	*\&) for _ in {1..100}; do [ ! -s "$out" ] || break; sleep 0.1; done ;;
	esac
	pattern=${expected//\\/\\\\}
	pattern=${pattern//\*/\\*}
	pattern=${pattern//\[/\\[}
	pattern=${pattern//\?/\\?}
	pattern=${pattern//.../*}
	# (a demo fails by itself if what it prints is not so)
	if [ "$class" != demo ]; then
		# shellcheck disable=SC2053
		[[ $(<"$out") == $pattern ]]
		rc=$?
	fi
	result $rc "$what"
	command='' expected=''
}

echo "KTAP version 1"
command='' expected='' class='' block=
while IFS= read -r line; do
	text=${line#"${line%%[! ]*}"}
	case $text in
	'.. code-block:: none')
		run
		block=1 class='' indent=${line%%[! ]*}'   '
		continue ;;
	':class: demo') class=demo; continue ;;
	esac
	[ -n "$block" ] && [ -n "$text" ] || continue
	if [[ $line != "$indent"* ]]; then run; block=; continue; fi
	line=${line#"$indent"}
	if [ "$class" = demo ] && [ "$demo" != --demo ]; then
		echo "# not run: ${line#\$ }"
		continue
	fi
	case $line in
	'$ '*) run; command=${line#\$ } ;;
	'> '*) command+=$'\n'${line#> } ;;
	'vm# '*)
		grep -qF -- "${line#vm# }" scripts/demo scripts/demo-disk
		result $? "a demo runs: ${line#vm# }" ;;
	*) [ "$class" = demo ] || expected+=${expected:+$'\n'}$line ;;
	esac
done <"$page"
run
echo "1..$n"
echo "$((n - bad)) passed, $bad failed, 0 skipped"
[ $n -gt 20 ] && [ $bad = 0 ]
