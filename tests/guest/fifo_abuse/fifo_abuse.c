/* SPDX-License-Identifier: BSD-2-Clause */
/* FIFO event channels used wrongly: control blocks and arrays at bad places, links that lead in circles or out of the array. */
#include <guest/guest.h>

static struct evtchn_fifo_control_block *control;
static u32 *words;

static long init(u64 gfn, u32 offset, u32 vcpu)
{
	struct evtchn_init_control op = { .control_gfn = gfn, .offset = offset, .vcpu = vcpu };

	return HYPERVISOR_event_channel_op(EVTCHNOP_init_control, &op);
}

static long expand(u64 gfn)
{
	return HYPERVISOR_event_channel_op(EVTCHNOP_expand_array, &(struct evtchn_expand_array){ .array_gfn = gfn });
}

static void test_set_up(void)
{
	test_begin("set up wrongly");
	expect(expand(va_mfn(words)) < 0);
	expect(init(va_mfn(control), 4096, 0) < 0);
	expect(init(va_mfn(control), 4096 - 8, 0) < 0);
	expect(init(va_mfn(control), 4, 0) < 0);
	expect(init(va_mfn(control), 0xfffffff8, 0) < 0);
	expect(init(va_mfn(control), 0, 1) < 0);
	expect(init(va_mfn(control), 0, 0xffffffff) < 0);
	expect(init(va_mfn(kernel_root()), 0, 0) < 0);
	expect(init(0xffffffff, 0, 0) < 0);
	expect(init(0xfee00, 0, 0) < 0);
	expect_eq(init(va_mfn(control), 0, 0), 0);
	expect(init(va_mfn(page_alloc()), 0, 0) < 0);
	expect(expand(va_mfn(kernel_root())) < 0);
	expect(expand(0xffffffff) < 0);
	expect(expand(0xfec00) < 0);
	expect_eq(expand(va_mfn(words)), 0);
}

static bool pending(evtchn_port_t port)
{
	return READ_ONCE(words[port]) >> EVTCHN_FIFO_PENDING & 1;
}

/* Whatever the guest writes to its words: sending ends, and says that it went well. */
static void test_words(void)
{
	static const u32 junk[] = { 0, 0xffffffff, 0x80000000, 0x1fffffff, 0x3fffffff, 1U << EVTCHN_FIFO_LINKED,
				    1U << EVTCHN_FIFO_LINKED | 1, 1U << EVTCHN_FIFO_LINKED | 0x1ffff, 1U << EVTCHN_FIFO_BUSY,
				    1U << EVTCHN_FIFO_BUSY | 1U << EVTCHN_FIFO_LINKED, 0x0001ffff };
	evtchn_port_t port[16];
	unsigned int i, k, n;

	test_begin("words that lie");
	for (i = 0; i < ARRAY_SIZE(port); i++)
		port[i] = (evtchn_port_t)event_bind_ipi(0);
	for (i = 0; i < ARRAY_SIZE(junk); i++)
		for (k = 0; k < ARRAY_SIZE(junk); k++) {
			for (n = 0; n < ARRAY_SIZE(port); n++) {
				words[port[n]] = n & 1 ? junk[i] : junk[k];
				control->head[EVTCHN_FIFO_PRIORITY_DEFAULT] = junk[i];
				control->ready = junk[k];
				expect_eq(event_send(port[n]), 0);
				event_unmask(port[n]);
			}
			/* Rings of links, as a guest can write them. */
			for (n = 0; n < ARRAY_SIZE(port); n++)
				words[port[n]] = 1U << EVTCHN_FIFO_LINKED | port[(n + 1) % ARRAY_SIZE(port)];
			for (n = 0; n < ARRAY_SIZE(port); n++)
				event_send(port[n]);
		}
	test_begin("good words again");
	memset(words, 0, PAGE_SIZE);
	memset(control, 0, sizeof(*control));
	for (n = 0; n < ARRAY_SIZE(port); n++) {
		expect_eq(event_send(port[n]), 0);
		expect(pending(port[n]));
		expect_eq(event_close(port[n]), 0);
	}
}

/* Two vCPUs' worth of noise in one word while it is sent to. */
static void test_pages(void)
{
	unsigned int i, made = 0;

	test_begin("pages of words");
	/* The page is the hypervisor's to write to: not to be made a table. */
	require(page_protect(words, false));
	expect(mmuext_mfn(MMUEXT_PIN_L1_TABLE, va_mfn(words)) < 0);
	require(page_protect(words, true));
	require(page_protect(control, false));
	expect(mmuext_mfn(MMUEXT_PIN_L1_TABLE, va_mfn(control)) < 0);
	require(page_protect(control, true));
	for (i = 0; i < 300; i++)
		if (expand(va_mfn(i < 200 ? page_alloc() : words)) == 0)
			made++;
	expect_msg(made < 128, "%u pages for 131,072 ports at most", made + 1);
}

void guest_main(void)
{
	control = page_alloc();
	words = page_alloc();
	test_set_up();
	test_words();
	test_pages();
	test_begin("reset");
	expect_eq(HYPERVISOR_event_channel_op(EVTCHNOP_reset, &(struct evtchn_reset){ .dom = DOMID_SELF }), 0);
	expect(event_bind_ipi(0) > 0);
}
