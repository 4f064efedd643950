# SPDX-License-Identifier: BSD-2-Clause
# readelf -rW of the first link (which kept its relocations) -> assembly of the table of branches through thunks.
function hex(text,   n, i) {
	n = 0
	for (i = 1; i <= length(text); i++)
		n = n * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
	return n
}
# The relocation is of the four bytes behind the opcode. The image lies within 1 GiB: the low 8 digits are enough.
$5 ~ /^__(x86_indirect_thunk|llvm_retpoline)_/ && $3 ~ /PLT32|PC32/ { site[++n] = hex(substr($1, 9)) - 1 }
END {
	print "\t.section .sites, \"a\", @progbits\n\t.balign 8\n\t.long " n
	for (i = 1; i <= n; i++)
		print "\t.long " (site[i] - base)
	print "\t.section .note.GNU-stack, \"\", @progbits"
}
