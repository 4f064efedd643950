# SPDX-License-Identifier: BSD-2-Clause
# nm -n of the first link -> assembly of the symbol table (hypervisor/arch/x86/cpu/symbols.c reads it).
function hex(text,   n, i) {
	n = 0
	for (i = 1; i <= length(text); i++)
		n = n * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
	return n
}
# The image lies within 1 GiB: the low 8 digits are enough (and fit awk's numbers).
$3 == "image_start" { base = hex(substr($1, 9)) }
$3 == "image_text_end" { last = hex(substr($1, 9)) }
$2 ~ /^[tTwW]$/ && $3 !~ /^\.L/ { n++; address[n] = hex(substr($1, 9)); name[n] = $3 }
END {
	for (i = 1; i <= n; i++)
		if (address[i] >= base && address[i] < last)
			keep[++count] = i
	print "\t.section .symbols, \"a\", @progbits\n\t.balign 8\n\t.long " count ", 0"
	at = 0
	for (k = 1; k <= count; k++) {
		print "\t.long " (address[keep[k]] - base) ", " at
		at += length(name[keep[k]]) + 1
	}
	for (k = 1; k <= count; k++)
		print "\t.asciz \"" name[keep[k]] "\""
	print "\t.section .note.GNU-stack, \"\", @progbits"
}
