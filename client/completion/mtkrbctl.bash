# SPDX-License-Identifier: LGPL-2.1-or-later
# Completion of mtkrbctl for bash. All that can be completed is asked of mtkrbctl itself.

_mtkrbctl()
{
	local line=${COMP_LINE:0:COMP_POINT} current=${COMP_WORDS[COMP_CWORD]} words=() typed prefix candidate

	# bash has split the words at "=" and ":" too: what it calls the current word is only the end.
	read -ra words <<<"$line"
	[[ $line != *[[:space:]] ]] || words+=('')
	typed=${words[-1]}
	[[ $current != [=:] ]] || current=
	prefix=${typed%"$current"}

	COMPREPLY=()
	while IFS=$'\t' read -r candidate _; do
		case $candidate in
		:files)
			compopt -o filenames
			mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current")
			;;
		:directories)
			compopt -o filenames
			mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "$current")
			;;
		*)
			[[ $candidate != *= ]] || compopt -o nospace
			printf -v candidate %q "${candidate#"$prefix"}"
			COMPREPLY+=("$candidate")
			;;
		esac
	done < <("${words[0]}" complete -- "${words[@]:1}" 2>/dev/null)
}

complete -F _mtkrbctl mtkrbctl
