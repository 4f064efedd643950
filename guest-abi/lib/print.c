/* SPDX-License-Identifier: BSD-2-Clause */
#include <guest/hypercall.h>
#include <guest/mm.h>
#include <guest/print.h>
#include <guest/start.h>
#include <xen/event_channel.h>
#include <xen/io/console.h>

struct out {
	char *buf;
	size_t size, len;
};

struct spec {
	bool left, zero;
	unsigned int width;
	int precision; /* negative: none */
};

static void out_char(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void out_text(struct out *o, const char *text, size_t n, const struct spec *s)
{
	size_t pad = s->width > n ? s->width - n : 0;

	for (; !s->left && pad; pad--)
		out_char(o, ' ');
	while (n--)
		out_char(o, *text++);
	for (; pad; pad--)
		out_char(o, ' ');
}

static void out_number(struct out *o, u64 v, bool negative, unsigned int base, bool upper, const struct spec *s)
{
	char text[24];
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	size_t at = sizeof(text);
	size_t least = s->precision > 0 ? (size_t)s->precision : 1;

	do {
		text[--at] = digits[v % base];
		v /= base;
	} while (v);
	if (s->zero && !s->left && s->precision < 0)
		least = s->width > negative ? s->width - negative : 1;
	while (sizeof(text) - at < least && at > 1)
		text[--at] = '0';
	if (negative)
		text[--at] = '-';
	out_text(o, text + at, sizeof(text) - at, s);
}

static const char *spec_parse(const char *fmt, struct spec *s, va_list *args)
{
	*s = (struct spec){ .precision = -1 };
	for (;; fmt++) {
		if (*fmt == '-')
			s->left = true;
		else if (*fmt == '0')
			s->zero = true;
		else
			break;
	}
	for (; *fmt >= '0' && *fmt <= '9'; fmt++)
		s->width = s->width * 10 + (unsigned int)(*fmt - '0');
	if (*fmt == '*') {
		s->width = va_arg(*args, unsigned int);
		fmt++;
	}
	if (*fmt == '.')
		for (s->precision = 0, fmt++; *fmt >= '0' && *fmt <= '9'; fmt++)
			s->precision = s->precision * 10 + (*fmt - '0');
	return fmt;
}

static void out_conversion(struct out *o, char c, bool wide, const struct spec *s, va_list *args)
{
	const char *text;
	char one;
	size_t n;
	s64 v;

	switch (c) {
	case 'd':
	case 'i':
		v = wide ? va_arg(*args, s64) : va_arg(*args, int);
		out_number(o, v < 0 ? -(u64)v : (u64)v, v < 0, 10, false, s);
		break;
	case 'u':
	case 'x':
	case 'X':
		out_number(o, wide ? va_arg(*args, u64) : va_arg(*args, unsigned int), false, c == 'u' ? 10 : 16,
			   c == 'X', s);
		break;
	case 'p':
		out_number(o, (u64)va_arg(*args, void *), false, 16, false, s);
		break;
	case 's':
		text = va_arg(*args, const char *);
		if (!text)
			text = "(null)";
		for (n = 0; text[n] && (s->precision < 0 || n < (size_t)s->precision); n++)
			;
		out_text(o, text, n, s);
		break;
	case 'c':
		one = (char)va_arg(*args, int);
		out_text(o, &one, 1, s);
		break;
	default:
		out_char(o, c);
		break;
	}
}

int vformat(char *buf, size_t size, const char *fmt, va_list list)
{
	struct out o = { buf, size, 0 };
	struct spec s;
	va_list args;

	va_copy(args, list);
	for (; *fmt; fmt++) {
		bool wide = false;

		if (*fmt != '%') {
			out_char(&o, *fmt);
			continue;
		}
		fmt = spec_parse(fmt + 1, &s, &args);
		for (; *fmt == 'l' || *fmt == 'z'; fmt++)
			wide = true;
		if (!*fmt)
			break;
		out_conversion(&o, *fmt, wide, &s, &args);
	}
	va_end(args);
	if (size)
		buf[o.len < size ? o.len : size - 1] = 0;
	return (int)o.len;
}

int format(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vformat(buf, size, fmt, args);
	va_end(args);
	return n;
}

/* The PV console ring: waits while it is full. */
static void ring_write(const char *text, size_t n)
{
	volatile struct xencons_interface *ring = pfn_va(mfn_pfn(start_info->console.domU.mfn));
	struct evtchn_send send = { .port = start_info->console.domU.evtchn };

	while (n) {
		u32 prod = ring->out_prod;

		while (n && prod - ring->out_cons < sizeof(ring->out)) {
			ring->out[MASK_XENCONS_IDX(prod, ring->out)] = *text++;
			prod++;
			n--;
		}
		__asm__ volatile("" ::: "memory");
		ring->out_prod = prod;
		HYPERVISOR_event_channel_op(EVTCHNOP_send, &send);
		if (n)
			HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
	}
}

void console_write(const char *text, size_t n)
{
	if (start_info->flags & SIF_INITDOMAIN)
		HYPERVISOR_console_io(CONSOLEIO_write, (unsigned int)n, text);
	else
		ring_write(text, n);
}

void vprint(const char *fmt, va_list args)
{
	char text[512];
	int n = vformat(text, sizeof(text), fmt, args);

	console_write(text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

void print(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprint(fmt, args);
	va_end(args);
}
