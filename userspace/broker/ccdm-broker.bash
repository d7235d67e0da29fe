# SPDX-License-Identifier: Apache-2.0
# bash completion for ccdm-broker

_ccdm_broker()
{
	local cur=${COMP_WORDS[COMP_CWORD]} words=
	case $COMP_CWORD in
	1) words="init renew rotate-key policy secret trust backup restore status explain log --help --version" ;;
	2)
		case ${COMP_WORDS[1]} in
		policy) words="check add list remove" ;;
		secret) words="put list remove reseal" ;;
		trust) words="fetch import status" ;;
		log) words="verify" ;;
		init | renew) words="--name --days" ;;
		esac
		;;
	esac
	[[ $COMP_CWORD -gt 2 && ${COMP_WORDS[1]} == trust && ${COMP_WORDS[2]} == fetch ]] && words="snp tdx"
	[[ ${COMP_WORDS[COMP_CWORD - 1]} == --@(ca|config|report) ]] && words=
	[[ $cur == -* && $COMP_CWORD -gt 1 ]] &&
		words="--name --days --dry-run --fmspc --report --from --ca --timeout --print --vlek --at --config --json --help --version"
	if [[ -n $words ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	fi
}

complete -F _ccdm_broker ccdm-broker
