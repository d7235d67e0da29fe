# SPDX-License-Identifier: Apache-2.0
# bash completion for ccdm-setup
# shellcheck shell=bash

_ccdm_setup_names() {
	ccdm-setup list --json 2>/dev/null | sed -n 's/^ *"name": "\(.*\)",$/\1/p'
}

_ccdm_setup() {
	local cur prev verb verbs="open close status list cache scrub monitor attach config measure evidence attest secret verify boot benchmark"
	cur=${COMP_WORDS[COMP_CWORD]}
	prev=${COMP_WORDS[COMP_CWORD - 1]}
	verb=
	local w
	for w in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		[[ $w == -* ]] || { verb=$w; break; }
	done

	COMPREPLY=()
	if [[ -z $verb ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$verbs --debug --help --version" -- "$cur")
		return
	fi
	case $prev in
	-c | --cipher) mapfile -t COMPREPLY < <(compgen -W "aes-xts-gmac aes-xts-hmac-sha256 aes-gcm" -- "$cur"); return ;;
	--on-tamper) mapfile -t COMPREPLY < <(compgen -W "panic poweroff eio" -- "$cur"); return ;;
	--allow) mapfile -t COMPREPLY < <(compgen -W "debug vmpl expired tcb-out-of-date tcb-config tcb-sw-hardening smt sha1 no-crl migration sept-ve" -- "$cur"); return ;;
	--origin | --tab | --config | --generate | --cert | --chain | --crl | --root | --ak-root | --ek-root | --collateral | --paravisors | --svsms | --tcb-floor | --tcb-info | --qe-identity | --expect | --ca | --output | --manifest | --certificate) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
	--cache-size | --size | --uuid | -n | --count | --at | --registers | --report-data | --broker | --pin | --timeout | --nonce) return ;;
	--protocol) mapfile -t COMPREPLY < <(compgen -W "0.4.0 0.2.0" -- "$cur"); return ;;
	esac
	if [[ $cur == -* ]]; then
		local opts="--help --version"
		case $verb in
		open) opts="$opts --cipher --cache-size --on-tamper --origin --allow-discards --allow-kdump --size --uuid --yes" ;;
		close) opts="$opts --deferred --discard" ;;
		status | list | benchmark) opts="$opts --json" ;;
		scrub) opts="$opts --detach --stop --progress-json --quiet" ;;
		monitor) opts="$opts --json --count --drop-secrets" ;;
		attach) opts="$opts --tab --generate" ;;
		measure) opts="$opts --check --dry-run --config --json" ;;
		evidence) opts="$opts --nonce --manifest --certificate --json" ;;
		attest) opts="$opts --broker --ca --pin --protocol --timeout --manifest --certificate --no-activation --config --output --json" ;;
		secret) opts="$opts --broker --ca --pin --protocol --timeout --manifest --certificate --no-activation --config --force" ;;
		verify) opts="$opts --cert --chain --crl --root --ak-root --ak-usage --ek-root --collateral --paravisors --svsms --tcb-floor --tcb-info --qe-identity --expect --registers --ccdm-log --systemd-log --at --report-data --allow --json" ;;
		esac
		mapfile -t COMPREPLY < <(compgen -W "$opts" -- "$cur")
		return
	fi
	case $verb in
	open) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	attach) mapfile -t COMPREPLY < <(compgen -W "$(sed -n 's/^[ \t]*\(ccdm-[^ \t]*\).*/\1/p' /etc/ccdmtab 2>/dev/null)" -- "$cur") ;;
	config) [[ $prev == config ]] && mapfile -t COMPREPLY < <(compgen -W "check files attest" -- "$cur") ||
		mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	verify) [[ $prev == verify ]] && mapfile -t COMPREPLY < <(compgen -W "snp tdx tpm azure eventlog" -- "$cur") ||
		mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	secret) [[ $prev == secret ]] && mapfile -t COMPREPLY < <(compgen -W "get fetch drop" -- "$cur") ;;
	boot) mapfile -t COMPREPLY < <(compgen -W "fence measure base root system attest cap" -- "$cur") ;;
	close | status | cache | scrub | monitor) mapfile -t COMPREPLY < <(compgen -W "$(_ccdm_setup_names)" -- "$cur") ;;
	esac
}

complete -F _ccdm_setup ccdm-setup
