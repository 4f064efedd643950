/* SPDX-License-Identifier: BSD-2-Clause */
/* console_io: writing long texts and odd bytes, reading, and buffers that cannot be read. */
#include <guest/guest.h>

static char text[8192];

static void test_write(void)
{
	unsigned int i;

	test_begin("write");
	for (i = 0; i < 3000; i++)
		text[i] = i % 60 == 59 ? '\n' : (char)('a' + i / 60 % 26);
	expect_eq(HYPERVISOR_console_io(CONSOLEIO_write, 3000, text), 0);
	expect_eq(HYPERVISOR_console_io(CONSOLEIO_write, 0, text), 0);
	expect_eq(HYPERVISOR_console_io(CONSOLEIO_write, 4, "\t\rx\n"), 0);
}

static void test_read(void)
{
	test_begin("read");
	memset(text, 0x5a, sizeof(text));
	/* Nobody types. */
	expect_eq(HYPERVISOR_console_io(CONSOLEIO_read, 100, text), 0);
	expect_eq(text[0], 0x5a);
	expect_eq(HYPERVISOR_console_io(CONSOLEIO_read, 0, text), 0);
}

static void test_refused(void)
{
	char *page = page_alloc();

	test_begin("refused");
	expect(HYPERVISOR_console_io(99, 1, text) < 0);
	expect(HYPERVISOR_console_io(CONSOLEIO_write, 1, (void *)HYPERVISOR_VIRT_START) < 0);
	expect(HYPERVISOR_console_io(CONSOLEIO_write, 1, (void *)0x800000000000UL) < 0);
	expect(HYPERVISOR_console_io(CONSOLEIO_write, 0xffffffff, (void *)(HYPERVISOR_VIRT_END - 1)) < 0);
	/* The end cannot be read. */
	require(va_map(page, 0));
	expect(HYPERVISOR_console_io(CONSOLEIO_write, 1, page) < 0);
	require(va_map(page, mfn_pte(va_mfn(page), PTE_KERNEL)));
	page_free(page);
}

void guest_main(void)
{
	test_write();
	test_read();
	test_refused();
}
