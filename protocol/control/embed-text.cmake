# SPDX-License-Identifier: LGPL-2.1-or-later
# Writes the text file INPUT as the C string NAME to OUTPUT. Every byte becomes one element of an
# array, so quotes, backslashes and trigraphs need no thought.
file(READ ${INPUT} hex HEX)
string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${hex}")
string(REPLACE "'\\x0a'," "'\\x0a',\n\t" bytes "${bytes}")
file(WRITE ${OUTPUT}
	"extern const char ${NAME}[];\nconst char ${NAME}[] = {\n\t${bytes}'\\0',\n};\n")
