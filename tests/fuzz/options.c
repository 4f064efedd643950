/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzz target: the hypervisor's command line. The first byte chooses a single option's syntax, or a whole line of options of each kind. */
#include <stdlib.h>
#include <string.h>
#include <hv/cmdline.h>
#include <hv/errno.h>
#include <hv/options.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static bool a_bool;
static u64 a_number, a_size;
static char a_string[16];
static int custom(const char *value) { return value && value[0] == 'x' ? -EINVAL : 0; }
static const struct boot_option table[] = {
	{ .name = "flag", .kind = BOOT_OPTION_KIND_BOOL, .var = &a_bool }, { .name = "number", .kind = BOOT_OPTION_KIND_U64, .var = &a_number },
	{ .name = "size", .kind = BOOT_OPTION_KIND_SIZE, .var = &a_size },
	{ .name = "string", .kind = BOOT_OPTION_KIND_STRING, .var = a_string, .size = sizeof(a_string) },
	{ .name = "custom", .kind = BOOT_OPTION_KIND_CUSTOM, .parse = custom },
};

static void report(const char *word, const char *why)
{
	if (!word || !why || strlen(word) > 4096)
		abort();
}

static bool set(void *ctx, const char *name, bool value)
{
	(void)ctx;
	return value && name[0] == 'a';
}

static void one(u8 which, const char *text)
{
	bool unsupported;
	char item[8];
	u64 val;

	switch (which % 14) {
	case 0: (void)!option_dom0_mem(text, &(struct dom0_memory){ 0 }); break;
	case 1: (void)!option_dom0_max_vcpus(text, &(struct dom0_vcpus){ 0 }); break;
	case 2: {
		struct uart_option u;

		uart_option_default(&u, 1);
		(void)!option_uart(text, &u);
		break;
	}
	case 3: (void)!option_console(text, &(struct console_option){ 0 }, &unsupported); break;
	case 4: (void)!option_loglvl(text, &(struct log_threshold){ 0 }); break;
	case 5: (void)!option_vga(text, &(struct vga_option){ 0 }); break;
	case 6: (void)!option_conswitch(text, &(struct conswitch_option){ 0 }); break;
	case 7: (void)!option_cpuid(text, set, NULL); break;
	case 8: (void)!option_spec_ctrl(text, &(struct spec_ctrl_option){ 0 }); break;
	case 9: (void)!option_xpti(text, &(struct xpti_option){ 0 }); break;
	case 10: (void)!option_bool(text, &a_bool); break;
	case 11: (void)!option_u64(text, &val); break;
	case 12: (void)!option_size(text, &val); break;
	default:
		for (u32 i = 0; text && i < 10000; i++) {
			bool cut;

			text = option_list_next(text, item, sizeof(item), &cut);
			if (!memchr(item, 0, sizeof(item)))
				abort();
		}
		break;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	char *text;

	if (size < 1)
		return 0;
	text = malloc(size);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = 0;
	if (data[0] < 128) {
		(void)cmdline_parse(text, table, ARRAY_SIZE(table), report);
		if (!memchr(a_string, 0, sizeof(a_string)))
			abort();
	} else {
		one(data[0], text);
	}
	free(text);
	return 0;
}
