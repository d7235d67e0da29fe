# SPDX-License-Identifier: Apache-2.0
# bash completion for ccdm-broker

_ccdm_broker()
{
	local cur=${COMP_WORDS[COMP_CWORD]} words=
	case $COMP_CWORD in
	1) words="policy --help --version" ;;
	2) words="check" ;;
	*) [[ $cur == -* ]] && words="--json --help --version" ;;
	esac
	if [[ -n $words ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	fi
}

complete -F _ccdm_broker ccdm-broker
