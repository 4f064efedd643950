/* SPDX-License-Identifier: BSD-2-Clause */
/* An NMI, a shutdown and a debugger's reads and writes, from dom0 to a domain that runs. */
#include <guest/domain.h>
#include <guest/guest.h>
#include <xen/callback.h>

static struct domain d;
static struct xen_domctl op;

void trap_entry_nmi(void);
static volatile unsigned int nmis;
static volatile u64 watched = 0x1111;

static bool nmi(struct trap_frame *f)
{
	(void)f;
	nmis++;
	return true;
}

/* Ends when an NMI has come and dom0 has changed a word. */
static void child(void)
{
	struct callback_register cb = { .type = CALLBACKTYPE_nmi, .address = (u64)trap_entry_nmi };

	trap_handler_set(TRAP_NMI, nmi);
	HYPERVISOR_callback_op(CALLBACKOP_register, &cb);
	watched = 0x2222;
	while (!nmis || watched != 0x3333)
		__asm__ volatile("pause");
	guest_shutdown(SHUTDOWN_suspend);
}

static long memio(u64 gva, void *buf, u32 len, u8 write)
{
	memset(&op.u, 0, sizeof(op.u));
	op.u.gdbsx_guest_memio.gva = gva;
	op.u.gdbsx_guest_memio.uva = (u64)buf;
	op.u.gdbsx_guest_memio.len = len;
	op.u.gdbsx_guest_memio.gwr = write;
	return domain_control(XEN_DOMCTL_gdbsx_guestmemio, d.id, &op);
}

static u64 peek(void)
{
	/* Its image is this one: the same address in its own tables. */
	u64 pfn = va_pfn((void *)&watched), value = 0;
	u64 *page = domain_page(&d, (unsigned int)pfn);

	if (page)
		value = page[((u64)&watched & ~PAGE_MASK) / 8];
	domain_page_done();
	return value;
}

static void poke(u64 value)
{
	u64 *page = domain_page(&d, (unsigned int)va_pfn((void *)&watched));

	if (page)
		WRITE_ONCE(page[((u64)&watched & ~PAGE_MASK) / 8], value);
	domain_page_done();
}

void guest_main(void)
{
	u64 buf = 0;
	unsigned int i;

	if (!(start_info->flags & SIF_INITDOMAIN))
		child();
	test_begin("a debugger");
	if (!expect_eq(child_start(&d, &(struct domain_config){ 0 }, ""), 0))
		return;
	expect(yield_until(peek() == 0x2222, 5 * S));
	expect_eq(domain_control(XEN_DOMCTL_pausedomain, d.id, &op), 0);
	if (memio((u64)&watched, &buf, 8, 0) == 0 && op.u.gdbsx_guest_memio.remain == 0)
		expect_eq(buf, 0x2222);
	/* What is not there stays; the hypervisor's memory is not the domain's. */
	expect(memio(HYPERVISOR_VIRT_START + 0x1000000, &buf, 8, 1) < 0 || op.u.gdbsx_guest_memio.remain == 8);
	expect(memio(0x1000, &buf, 8, 0) < 0 || op.u.gdbsx_guest_memio.remain == 8);
	expect(memio((u64)&watched, (void *)HYPERVISOR_VIRT_START, 8, 0) < 0 || op.u.gdbsx_guest_memio.remain == 8);
	/* Its page tables are not written behind its back. */
	expect_eq(domain_control(XEN_DOMCTL_unpausedomain, d.id, &op), 0);
	test_begin("triggers");
	memset(&op.u, 0, sizeof(op.u));
	for (i = 5; i < 10; i++) {
		op.u.sendtrigger.trigger = i;
		expect(domain_control(XEN_DOMCTL_sendtrigger, d.id, &op) < 0);
	}
	op.u.sendtrigger.trigger = XEN_DOMCTL_SENDTRIGGER_NMI;
	op.u.sendtrigger.vcpu = 7;
	expect(domain_control(XEN_DOMCTL_sendtrigger, d.id, &op) < 0);
	op.u.sendtrigger.vcpu = 0;
	expect_eq(domain_control(XEN_DOMCTL_sendtrigger, d.id, &op), 0);
	poke(0x3333);
	expect_eq(child_wait(&d, 5 * S), SHUTDOWN_suspend);
	expect_eq(domain_destroy(&d), 0);
	test_begin("shut down from outside");
	if (!expect_eq(child_start(&d, &(struct domain_config){ 0 }, ""), 0))
		return;
	expect_eq(HYPERVISOR_sched_op(SCHEDOP_remote_shutdown,
				      &(struct sched_remote_shutdown){ .domain_id = d.id, .reason = SHUTDOWN_reboot }), 0);
	expect_eq(child_wait(&d, 5 * S), SHUTDOWN_reboot);
	expect_eq(domain_destroy(&d), 0);
}
