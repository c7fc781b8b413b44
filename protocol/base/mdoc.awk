# SPDX-License-Identifier: LGPL-2.1-or-later
# Plain text as mdoc wants it: no letter that means something, one sentence a line, short lines.

function mdoc_escape(s)
{
	gsub(/\\/, "\\e", s)
	gsub(/-/, "\\-", s)
	if (s ~ /^[.']/)
		s = "\\&" s
	return s
}

function mdoc_text(s,    words, n, i, line, out)
{
	n = split(s, words, /[ \t\n]+/)
	line = out = ""
	for (i = 1; i <= n; i++) {
		if (words[i] == "")
			continue
		if (line != "" && length(line) + length(words[i]) > 64) {
			out = out mdoc_escape(line) "\n"
			line = ""
		}
		line = line (line == "" ? "" : " ") words[i]
		if (words[i] ~ /[.!?][)"']*$/) {
			out = out mdoc_escape(line) "\n"
			line = ""
		}
	}
	return line == "" ? out : out mdoc_escape(line) "\n"
}
