# SPDX-License-Identifier: LGPL-2.1-or-later
#
# usage: awk -f mdoc.awk -f interface-manual.awk FILE.varlink TEMPLATE
# The manual of the interface: each type, method and error with the comment above it goes into the
# template.

# A definition on one line, wrapped at its commas.
function literal(s,    out, at, indent, line)
{
	gsub(/[ \t\n]+/, " ", s)
	gsub(/\( /, "(", s)
	gsub(/ \)/, ")", s)
	out = ""
	indent = ""
	while (length(indent s) > 70) {
		at = 70 - length(indent)
		while (at > 1 && substr(s, at, 2) != ", " && substr(s, at, 3) != " ->")
			at--
		if (at <= 1)
			break
		line = substr(s, 1, at)
		sub(/ $/, "", line)
		out = out indent line "\n"
		s = substr(s, at + 1)
		sub(/^ /, "", s)
		indent = "    "
	}
	sub(/ $/, "", s)
	return out indent s "\n"
}

function end_definition(    entry)
{
	entry = ".It Ic " name "\n" (text == "" ? "" : mdoc_text(text)) \
		".Bd -literal -compact\n" literal(definition) ".Ed\n"
	if (kind == "type")
		types = types entry
	else if (kind == "method")
		methods = methods entry
	else
		errors = errors entry
	text = definition = ""
}

FNR == 1 && NR > 1 {
	in_template = 1
}

in_template {
	if ($0 == "@TYPES@")
		printf "%s", types
	else if ($0 == "@METHODS@")
		printf "%s", methods
	else if ($0 == "@ERRORS@")
		printf "%s", errors
	else if ($0 == "@INTRODUCTION@")
		printf "%s", introduction
	else
		print
	next
}

/^#/ {
	sub(/^# ?/, "")
	# A comment of two paragraphs stays one.
	text = text " " $0
	next
}

/^interface / {
	introduction = mdoc_text(text)
	text = ""
	next
}

/^(type|method|error) / {
	kind = $1
	name = $2
	sub(/\(.*/, "", name)
}

{
	if ($0 != "" || definition != "")
		definition = definition " " $0
}

definition != "" {
	# Whole when no bracket is open, and a method has its second pair.
	open = definition
	opened = gsub(/\(/, "", open)
	closed = gsub(/\)/, "", open)
	if (opened > 0 && opened == closed && (kind != "method" || definition ~ /->/) && $0 !~ /->[ \t]*$/) {
		sub(/^ /, "", definition)
		end_definition()
	}
}
