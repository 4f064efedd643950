/* SPDX-License-Identifier: BSD-2-Clause */
/* Options about the console: com1 and com2, console, loglvl, vga, conswitch. */
#include <hv/cmdline.h>
#include <hv/errno.h>
#include <hv/log.h>
#include <hv/options.h>
#include <hv/string.h>

#define ITEM_MAX 64
#define UART_DEFAULT_CLOCK (115200U * 16)

void uart_option_default(struct uart_option *out, unsigned int index)
{
	*out = (struct uart_option){
		.clock_hz = UART_DEFAULT_CLOCK, .data_bits = 8, .parity = 'n', .stop_bits = 1, .reg_width = 1,
		.where = UART_IO_PORT, .io_base = index == 0 ? 0x3f8 : 0x2f8, .irq = index == 0 ? 4 : 3,
		.port_bdf = UART_BDF_NONE, .bridge_bdf = UART_BDF_NONE,
	};
}

/* A whole number in [min, max]. */
static int number_parse(const char *text, u64 min, u64 max, u64 *val)
{
	u64 v;

	if (option_u64(text, &v) != 0 || v < min || v > max)
		return -EINVAL;
	*val = v;
	return 0;
}

static int clock_set(struct uart_option *u, const char *text)
{
	u64 v;
	int ret = number_parse(text, 1, UINT32_MAX / 16, &v);

	if (ret == 0)
		u->clock_hz = (u32)v * 16;
	return ret;
}

/* <baud>[/<base-baud>] or "auto" */
static int baud_set(struct uart_option *u, char *text)
{
	char *slash = strchr(text, '/');
	u64 v;
	int ret;

	if (slash != NULL) {
		*slash = '\0';
		ret = clock_set(u, slash + 1);
		if (ret != 0)
			return ret;
	}
	if (strcmp(text, "auto") == 0) {
		u->baud = 0;
		return 0;
	}
	ret = number_parse(text, 50, 4000000, &v);
	if (ret == 0)
		u->baud = (u32)v;
	return ret;
}

static int data_bits_set(struct uart_option *u, char c)
{
	if (c < '5' || c > '8')
		return -EINVAL;
	u->data_bits = (u8)(c - '0');
	return 0;
}

static int parity_set(struct uart_option *u, char c)
{
	if (c == '\0' || strchr("noems", c) == NULL)
		return -EINVAL;
	u->parity = c;
	return 0;
}

static int stop_bits_set(struct uart_option *u, char c)
{
	if (c != '1' && c != '2')
		return -EINVAL;
	u->stop_bits = (u8)(c - '0');
	return 0;
}

/* "8n1" */
static int frame_set(struct uart_option *u, const char *text)
{
	if (strlen(text) != 3 || data_bits_set(u, text[0]) != 0 || parity_set(u, text[1]) != 0 ||
	    stop_bits_set(u, text[2]) != 0)
		return -EINVAL;
	return 0;
}

static int where_set(struct uart_option *u, const char *text)
{
	if (strcmp(text, "pci") == 0)
		u->where = UART_PCI;
	else if (strcmp(text, "amt") == 0)
		u->where = UART_AMT;
	else
		return -EINVAL;
	return 0;
}

static int io_base_set(struct uart_option *u, const char *text)
{
	u64 v;
	int ret = number_parse(text, 1, UINT64_MAX, &v);

	if (ret == 0) {
		u->io_base = v;
		u->where = UART_IO_PORT;
	}
	return ret;
}

static int irq_set(struct uart_option *u, const char *text)
{
	u64 v;
	int ret;

	if (strcmp(text, "msi") == 0) {
		u->irq = UART_IRQ_MSI;
		return 0;
	}
	ret = number_parse(text, 0, 255, &v);
	if (ret == 0)
		u->irq = (s32)v;
	return ret;
}

/* <bus>:<device>.<function>, hexadecimal */
static int bdf_parse(const char *text, u32 *bdf)
{
	u64 bus, dev, fn;
	const char *p;

	if (str_to_u64(text, &p, 16, &bus) != 0 || *p != ':' || str_to_u64(p + 1, &p, 16, &dev) != 0 || *p != '.' ||
	    str_to_u64(p + 1, &p, 16, &fn) != 0 || *p != '\0' || bus > 0xff || dev > 0x1f || fn > 7)
		return -EINVAL;
	*bdf = UART_BDF(bus, dev, fn);
	return 0;
}

static int uart_positional(struct uart_option *u, unsigned int position, char *text)
{
	if (text[0] == '\0') /* left out: the default stays */
		return 0;
	switch (position) {
	case 0:
		return baud_set(u, text);
	case 1:
		return frame_set(u, text);
	case 2:
		return where_set(u, text) == 0 ? 0 : io_base_set(u, text);
	case 3:
		return irq_set(u, text);
	case 4:
		return bdf_parse(text, &u->port_bdf);
	case 5:
		return bdf_parse(text, &u->bridge_bdf);
	default:
		return -EINVAL;
	}
}

/* For values of one character. */
static int single_set(struct uart_option *u, int (*set)(struct uart_option *u, char c), const char *val)
{
	return strlen(val) == 1 ? set(u, val[0]) : -EINVAL;
}

static int reg_width_set(struct uart_option *u, const char *val)
{
	if (strcmp(val, "1") != 0 && strcmp(val, "4") != 0)
		return -EINVAL;
	u->reg_width = (u8)(val[0] - '0');
	return 0;
}

static int reg_shift_set(struct uart_option *u, const char *val)
{
	u64 v;
	int ret = number_parse(val, 0, 4, &v);

	if (ret == 0)
		u->reg_shift = (u8)v;
	return ret;
}

static int uart_named(struct uart_option *u, const char *name, char *val)
{
	if (strcmp(name, "baud") == 0)
		return baud_set(u, val);
	if (strcmp(name, "bridge") == 0)
		return bdf_parse(val, &u->bridge_bdf);
	if (strcmp(name, "clock-hz") == 0)
		return clock_set(u, val);
	if (strcmp(name, "data-bits") == 0)
		return single_set(u, data_bits_set, val);
	if (strcmp(name, "dev") == 0)
		return where_set(u, val);
	if (strcmp(name, "io-base") == 0)
		return io_base_set(u, val);
	if (strcmp(name, "irq") == 0)
		return irq_set(u, val);
	if (strcmp(name, "parity") == 0)
		return single_set(u, parity_set, val);
	if (strcmp(name, "port") == 0)
		return bdf_parse(val, &u->port_bdf);
	if (strcmp(name, "reg-shift") == 0)
		return reg_shift_set(u, val);
	if (strcmp(name, "reg-width") == 0)
		return reg_width_set(u, val);
	if (strcmp(name, "stop-bits") == 0)
		return single_set(u, stop_bits_set, val);
	return -EINVAL;
}

int option_uart(const char *text, struct uart_option *out)
{
	struct uart_option u = *out;
	unsigned int position = 0;
	char item[ITEM_MAX];
	bool cut;

	while ((text = option_list_next(text, item, sizeof(item), &cut)) != NULL) {
		char *equals = strchr(item, '=');
		int ret;

		if (cut)
			return -EINVAL;
		if (equals == NULL) {
			ret = uart_positional(&u, position++, item);
		} else {
			*equals = '\0';
			ret = uart_named(&u, item, equals + 1);
		}
		if (ret != 0)
			return ret;
	}
	*out = u;
	return 0;
}

/* com1, com1H, com1L, ... */
static int console_com_parse(const char *item, struct console_option *out)
{
	unsigned int index = (unsigned int)(item[3] - '1');

	if (index >= ARRAY_SIZE(out->com))
		return -EINVAL;
	if (strcmp(item + 4, "") == 0)
		out->share[index] = CONSOLE_SHARE_NONE;
	else if (strcmp(item + 4, "H") == 0)
		out->share[index] = CONSOLE_SHARE_HIGH;
	else if (strcmp(item + 4, "L") == 0)
		out->share[index] = CONSOLE_SHARE_LOW;
	else
		return -EINVAL;
	out->com[index] = true;
	return 0;
}

int option_console(const char *text, struct console_option *out, bool *unsupported)
{
	struct console_option option = { .vga = false };
	char item[ITEM_MAX];
	bool usb = false, any = false;

	while ((text = option_list_next(text, item, sizeof(item), NULL)) != NULL) {
		any = true;
		if (strcmp(item, "vga") == 0)
			option.vga = true;
		else if (strcmp(item, "pv") == 0)
			option.pv = true;
		else if (strcmp(item, "none") == 0)
			option = (struct console_option){ .vga = false };
		else if (str_starts_with(item, "dbgp") || str_starts_with(item, "ehci") || str_starts_with(item, "xhci"))
			usb = true;
		else if (!str_starts_with(item, "com") || console_com_parse(item, &option) != 0)
			return -EINVAL;
	}
	if (!any)
		return -EINVAL;
	*out = option;
	*unsupported = usb;
	return 0;
}

static int level_parse(const char *text, size_t len, s8 *level)
{
	static const struct {
		const char *name;
		s8 level;
	} levels[] = {
		{ "none", LOG_THRESHOLD_NONE }, { "error", LOG_ERROR }, { "warning", LOG_WARNING },
		{ "info", LOG_INFO }, { "debug", LOG_DEBUG }, { "all", LOG_THRESHOLD_ALL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		if (strlen(levels[i].name) == len && strncmp(text, levels[i].name, len) == 0) {
			*level = levels[i].level;
			return 0;
		}
	return -EINVAL;
}

int option_loglvl(const char *text, struct log_threshold *out)
{
	const char *slash = strchr(text, '/');
	struct log_threshold t;

	if (level_parse(text, slash == NULL ? strlen(text) : (size_t)(slash - text), &t.always) != 0)
		return -EINVAL;
	t.limited = t.always;
	if (slash != NULL && level_parse(slash + 1, strlen(slash + 1), &t.limited) != 0)
		return -EINVAL;
	t.limited = MAX(t.limited, t.always);
	*out = t;
	return 0;
}

/* A decimal number in [min, max] followed by the character "stop". Moves *p behind it. */
static int dimension_parse(const char **p, char stop, u64 min, u64 max, u16 *val)
{
	u64 v;

	if (str_to_u64(*p, p, 10, &v) != 0 || **p != stop || v < min || v > max)
		return -EINVAL;
	*val = (u16)v;
	if (stop != '\0')
		(*p)++;
	return 0;
}

static int rows_check(u16 rows)
{
	static const u16 valid[] = { 25, 28, 30, 34, 43, 50, 80 };

	for (size_t i = 0; i < ARRAY_SIZE(valid); i++)
		if (rows == valid[i])
			return 0;
	return -EINVAL;
}

static int vga_mode_parse(const char *item, struct vga_option *vga)
{
	const char *p;
	u64 v;

	if (strcmp(item, "ask") == 0) {
		vga->mode = VGA_MODE_ASK;
		return 0;
	}
	if (strcmp(item, "current") == 0) {
		vga->mode = VGA_MODE_CURRENT;
		return 0;
	}
	if (str_starts_with(item, "text-80x")) {
		p = item + 8;
		vga->mode = VGA_MODE_TEXT;
		return dimension_parse(&p, '\0', 1, 255, &vga->rows) == 0 ? rows_check(vga->rows) : -EINVAL;
	}
	if (str_starts_with(item, "gfx-")) {
		p = item + 4;
		vga->mode = VGA_MODE_GFX;
		if (dimension_parse(&p, 'x', 1, 16384, &vga->width) != 0 ||
		    dimension_parse(&p, 'x', 1, 16384, &vga->height) != 0)
			return -EINVAL;
		return dimension_parse(&p, '\0', 4, 32, &vga->depth);
	}
	if (str_starts_with(item, "mode-")) {
		vga->mode = VGA_MODE_NUMBER;
		if (str_to_u64(item + 5, &p, 16, &v) != 0 || *p != '\0' || v > 0xffff)
			return -EINVAL;
		vga->number = (u16)v;
		return 0;
	}
	return -EINVAL;
}

int option_vga(const char *text, struct vga_option *out)
{
	struct vga_option vga = { .mode = VGA_MODE_DEFAULT };
	char item[ITEM_MAX];

	while ((text = option_list_next(text, item, sizeof(item), NULL)) != NULL) {
		if (strcmp(item, "keep") == 0)
			vga.keep = true;
		else if (vga_mode_parse(item, &vga) != 0)
			return -EINVAL;
	}
	*out = vga;
	return 0;
}

int option_conswitch(const char *text, struct conswitch_option *out)
{
	char key = text[0];

	if (key >= 'A' && key <= 'Z')
		key = (char)(key - 'A' + 'a');
	if (key < 'a' || key > 'z' || (text[1] != '\0' && strcmp(text + 1, "x") != 0))
		return -EINVAL;
	*out = (struct conswitch_option){ .key = key, .stay = text[1] == 'x' };
	return 0;
}
