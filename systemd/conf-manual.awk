# SPDX-License-Identifier: LGPL-2.1-or-later
#
# usage: awk -f mdoc.awk -f conf-manual.awk mtkrbd.conf mtkrbd.conf.5.in
# The manual of the configuration: what its comments say of sections and keys goes into the
# template. Text above a section is the introduction; a key belongs to the text above it.

function end_paragraph()
{
	if (text == "")
		return
	if (section == "") {
		introduction = introduction (introduction == "" ? "" : ".Pp\n") mdoc_text(text)
	} else {
		end_list()
		sections = sections (fresh ? "" : ".Pp\n") mdoc_text(text)
		fresh = 0
	}
	text = ""
}

function end_list()
{
	if (in_list)
		sections = sections ".El\n"
	in_list = 0
}

function end_keys()
{
	if (keys == "")
		return
	if (!in_list)
		sections = sections ".Bl -tag -width Ds\n"
	in_list = 1
	fresh = 0
	sections = sections keys mdoc_text(text)
	keys = text = ""
}

function begin_section(name)
{
	end_keys()
	end_paragraph()
	end_list()
	section = name
	sections = sections ".Ss \"" name "\\&\"\n"
	fresh = 1
}

FNR == 1 && NR > 1 {
	end_keys()
	end_paragraph()
	end_list()
	in_template = 1
}

in_template {
	if ($0 == "@INTRODUCTION@")
		printf "%s", introduction
	else if ($0 == "@SECTIONS@")
		printf "%s", sections
	else
		print
	next
}

/SPDX-License-Identifier/ {
	next
}

/^#?\[[a-z].*\]$/ {
	sub(/^#/, "")
	begin_section($0)
	next
}

/^#?[a-z][a-z0-9-]*=/ {
	sub(/^#/, "")
	at = index($0, "=")
	key = substr($0, 1, at - 1)
	# Several lines of one key are its examples.
	keys = keys ".It Cm " mdoc_escape(key) " Ns = Ns Ar \"" mdoc_escape(substr($0, at + 1)) "\"\n"
	next
}

/^#( |$)/ {
	if (keys != "")
		end_keys()
	sub(/^# ?/, "")
	if ($0 == "")
		end_paragraph()
	else
		text = text " " $0
	next
}

/^$/ {
	end_keys()
	end_paragraph()
	next
}

{
	print FILENAME ":" FNR ": neither a section, nor a key, nor a comment: " $0 >"/dev/stderr"
	exit 1
}
