/* SPDX-License-Identifier: BSD-2-Clause */
#include <hv/format.h>
#include <hv/string.h>

struct output {
	format_emit_fn *emit;
	void *ctx;
	size_t total;
};

struct spec {
	bool left, zero, plus, space, alt;
	int width;
	int precision; /* -1: none given */
	int bytes;     /* size of an integer argument */
	char conv;
};

static void put(struct output *out, const char *text, size_t len)
{
	if (len == 0)
		return;
	out->emit(out->ctx, text, len);
	out->total += len;
}

static void put_repeated(struct output *out, char c, int count)
{
	char block[16];

	memset(block, c, sizeof(block));
	for (; count > 0; count -= (int)sizeof(block))
		put(out, block, (size_t)MIN(count, (int)sizeof(block)));
}

static bool flag_read(struct spec *spec, char c)
{
	switch (c) {
	case '-':
		spec->left = true;
		return true;
	case '0':
		spec->zero = true;
		return true;
	case '+':
		spec->plus = true;
		return true;
	case ' ':
		spec->space = true;
		return true;
	case '#':
		spec->alt = true;
		return true;
	default:
		return false;
	}
}

static const char *number_read(const char *p, int *val)
{
	int v = 0;

	for (; *p >= '0' && *p <= '9'; p++)
		v = v < 10000 ? v * 10 + (*p - '0') : v;
	*val = v;
	return p;
}

static const char *length_read(const char *p, struct spec *spec)
{
	spec->bytes = sizeof(int);
	if (*p == 'h') {
		p++;
		spec->bytes = sizeof(short);
		if (*p == 'h') {
			p++;
			spec->bytes = sizeof(char);
		}
	} else if (*p == 'l') {
		p += p[1] == 'l' ? 2 : 1;
		spec->bytes = sizeof(long);
	} else if (*p == 'z' || *p == 'j' || *p == 't') {
		p++;
		spec->bytes = sizeof(long);
	}
	return p;
}

/* va_list is an array type: the struct makes it one thing that can be passed by pointer. */
struct arguments {
	va_list list;
};

static const char *spec_read(const char *p, struct spec *spec, struct arguments *args)
{
	*spec = (struct spec){ .precision = -1 };
	while (flag_read(spec, *p))
		p++;
	if (*p == '*') {
		p++;
		spec->width = va_arg(args->list, int);
		if (spec->width < 0) {
			spec->left = true;
			spec->width = -spec->width;
		}
	} else {
		p = number_read(p, &spec->width);
	}
	if (*p == '.') {
		p++;
		if (*p == '*') {
			p++;
			spec->precision = va_arg(args->list, int);
		} else {
			p = number_read(p, &spec->precision);
		}
	}
	p = length_read(p, spec);
	spec->conv = *p;
	return *p == '\0' ? p : p + 1;
}

static u64 unsigned_arg(const struct spec *spec, struct arguments *args)
{
	if (spec->bytes == sizeof(long))
		return va_arg(args->list, unsigned long);
	if (spec->bytes == sizeof(short))
		return (unsigned short)va_arg(args->list, unsigned int);
	if (spec->bytes == sizeof(char))
		return (unsigned char)va_arg(args->list, unsigned int);
	return va_arg(args->list, unsigned int);
}

static s64 signed_arg(const struct spec *spec, struct arguments *args)
{
	if (spec->bytes == sizeof(long))
		return va_arg(args->list, long);
	if (spec->bytes == sizeof(short))
		return (short)va_arg(args->list, int);
	if (spec->bytes == sizeof(char))
		return (signed char)va_arg(args->list, int);
	return va_arg(args->list, int);
}

/* prefix is a sign or 0x; digits are printed after it, padded to precision with zeroes and to width as the flags say. */
static void put_number(struct output *out, const struct spec *spec, const char *prefix, u64 val, unsigned int base)
{
	const char *digits = spec->conv == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	char text[24];
	char *end = text + sizeof(text), *p = end;
	int len, zeroes, spaces, prefix_len = (int)strlen(prefix);

	for (; val != 0; val /= base)
		*--p = digits[val % base];
	if (p == end && spec->precision != 0)
		*--p = '0';
	len = (int)(end - p);
	zeroes = MAX(spec->precision - len, 0);
	if (base == 8 && spec->alt && zeroes == 0 && (len == 0 || *p != '0'))
		zeroes = 1;
	spaces = spec->width - prefix_len - zeroes - len;
	if (spec->zero && !spec->left && spec->precision < 0 && spaces > 0) {
		zeroes += spaces;
		spaces = 0;
	}
	if (!spec->left)
		put_repeated(out, ' ', spaces);
	put(out, prefix, (size_t)prefix_len);
	put_repeated(out, '0', zeroes);
	put(out, p, (size_t)len);
	if (spec->left)
		put_repeated(out, ' ', spaces);
}

static void put_signed(struct output *out, const struct spec *spec, struct arguments *args)
{
	s64 val = signed_arg(spec, args);

	if (val < 0)
		put_number(out, spec, "-", 0 - (u64)val, 10);
	else
		put_number(out, spec, spec->plus ? "+" : spec->space ? " " : "", (u64)val, 10);
}

static void put_hex(struct output *out, const struct spec *spec, struct arguments *args)
{
	u64 val = unsigned_arg(spec, args);

	put_number(out, spec, !spec->alt || val == 0 ? "" : spec->conv == 'X' ? "0X" : "0x", val, 16);
}

static void put_text(struct output *out, const struct spec *spec, const char *text, size_t len)
{
	int spaces = spec->width - (int)len;

	if (!spec->left)
		put_repeated(out, ' ', spaces);
	put(out, text, len);
	if (spec->left)
		put_repeated(out, ' ', spaces);
}

static void put_string(struct output *out, const struct spec *spec, const char *s)
{
	if (s == NULL)
		s = "(null)";
	put_text(out, spec, s, spec->precision >= 0 ? strnlen(s, (size_t)spec->precision) : strlen(s));
}

static void convert(struct output *out, const struct spec *spec, struct arguments *args)
{
	char c;

	switch (spec->conv) {
	case 'd':
	case 'i':
		put_signed(out, spec, args);
		break;
	case 'u':
		put_number(out, spec, "", unsigned_arg(spec, args), 10);
		break;
	case 'o':
		put_number(out, spec, "", unsigned_arg(spec, args), 8);
		break;
	case 'x':
	case 'X':
		put_hex(out, spec, args);
		break;
	case 'p':
		put_number(out, spec, "0x", (u64)(uintptr_t)va_arg(args->list, void *), 16);
		break;
	case 's':
		put_string(out, spec, va_arg(args->list, const char *));
		break;
	case 'c':
		c = (char)va_arg(args->list, int);
		put_text(out, spec, &c, 1);
		break;
	case '%':
		put(out, "%", 1);
		break;
	default: /* a mistake in the format: show it */
		put(out, "%?", 2);
		break;
	}
}

int hv_vformat(format_emit_fn *emit, void *ctx, const char *fmt, va_list list)
{
	struct output out = { .emit = emit, .ctx = ctx };
	struct arguments args;
	struct spec spec;

	va_copy(args.list, list);
	while (*fmt != '\0') {
		size_t plain = 0;

		while (fmt[plain] != '\0' && fmt[plain] != '%')
			plain++;
		put(&out, fmt, plain);
		fmt += plain;
		if (*fmt == '%') {
			fmt = spec_read(fmt + 1, &spec, &args);
			convert(&out, &spec, &args);
		}
	}
	va_end(args.list);
	return (int)out.total;
}

struct buffer {
	char *text;
	size_t size, used;
};

static void buffer_emit(void *ctx, const char *text, size_t len)
{
	struct buffer *b = ctx;
	size_t n;

	if (b->size == 0)
		return;
	n = MIN(len, b->size - 1 - b->used);
	memcpy(b->text + b->used, text, n);
	b->used += n;
}

int hv_vsnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
	struct buffer b = { .text = buf, .size = size };
	int len = hv_vformat(buffer_emit, &b, fmt, args);

	if (size > 0)
		buf[b.used] = '\0';
	return len;
}

int hv_snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = hv_vsnprintf(buf, size, fmt, args);
	va_end(args);
	return len;
}
