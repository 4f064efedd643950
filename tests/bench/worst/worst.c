/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls with the longest inputs: how long the hypervisor goes on without a preemption point is measured from outside
 * (tests/bench/latency). Each part says its name first, so that what stops it can be seen.
 */
#include <guest/domain.h>
#include <guest/guest.h>
#include <xen/memory.h>
#include <xen/physdev.h>
#include <xen/platform.h>
#include <xen/sysctl.h>
#include <xen/vcpu.h>
#include <xen/version.h>

#define LIST 2048
#define ENTRIES (PAGE_SIZE / sizeof(u64))
#define TABLES 32

static xen_pfn_t list[LIST], list_out[LIST];

static void part(const char *name)
{
	print("worst: %s\n", name);
}

static u64 *p2m(void)
{
	return (u64 *)start_info->mfn_list;
}

/* --- memory_op --- */

static long reservation(unsigned int cmd, u64 n, unsigned int order)
{
	struct xen_memory_reservation op = { .nr_extents = n, .extent_order = order, .domid = DOMID_SELF };

	set_xen_guest_handle(op.extent_start, list);
	return HYPERVISOR_memory_op(cmd, &op);
}

/* The domain's last pages, which nothing maps, given back and taken as extents of each order. */
static void worst_reservation(void)
{
	const u64 first = start_info->nr_pages - LIST;
	unsigned int order;

	part("reservation");
	for (unsigned int i = 0; i < LIST; i++)
		list[i] = p2m()[first + i];
	if (reservation(XENMEM_decrease_reservation, LIST, 0) != LIST)
		return;
	for (order = 11; order > 0; order--) {
		u64 n = LIST >> order, got;

		for (unsigned int i = 0; i < n; i++)
			list[i] = first + ((u64)i << order);
		got = (u64)reservation(XENMEM_populate_physmap, n, order);
		if (got && got <= n)
			reservation(XENMEM_decrease_reservation, got, order);
	}
	for (unsigned int i = 0; i < LIST; i++)
		list[i] = first + i;
	reservation(XENMEM_populate_physmap, LIST, 0);
	for (unsigned int i = 0; i < LIST; i++)
		p2m()[first + i] = list[i];
}

static long exchange(u64 n_in, unsigned int order_in, u64 n_out, unsigned int order_out)
{
	struct xen_memory_exchange op = {
		.in = { .nr_extents = n_in, .extent_order = order_in, .domid = DOMID_SELF },
		.out = { .nr_extents = n_out, .extent_order = order_out, .domid = DOMID_SELF },
	};

	set_xen_guest_handle(op.in.extent_start, list);
	set_xen_guest_handle(op.out.extent_start, list_out);
	return HYPERVISOR_memory_op(XENMEM_exchange, &op);
}

static void worst_exchange(void)
{
	const u64 first = start_info->nr_pages - LIST;

	part("exchange");
	for (unsigned int order = 3; order <= 11; order++) {
		u64 n = LIST >> order;

		/* Single frames become one extent, and extents single frames. */
		for (unsigned int i = 0; i < LIST; i++)
			list[i] = p2m()[first + i];
		for (unsigned int i = 0; i < n; i++)
			list_out[i] = first + ((u64)i << order);
		if (exchange(LIST, 0, n, order) == 0)
			for (unsigned int i = 0; i < LIST; i++)
				p2m()[first + i] = list_out[i >> order] + (i & ((1u << order) - 1));
		for (unsigned int i = 0; i < n; i++)
			list[i] = p2m()[first + ((u64)i << order)];
		for (unsigned int i = 0; i < LIST; i++)
			list_out[i] = first + i;
		if (exchange(n, order, LIST, 0) == 0)
			for (unsigned int i = 0; i < LIST; i++)
				p2m()[first + i] = list_out[i];
	}
}

/* --- page tables --- */

static struct mmu_update updates[LIST];
static struct mmuext_op ops[LIST];
static struct multicall_entry calls[256];

static void worst_tables(void)
{
	static u64 *tables[TABLES];
	const u64 first = start_info->nr_pages - LIST;
	u64 *l2 = page_alloc(), *l3 = page_alloc();
	unsigned int done;

	part("page tables");
	for (unsigned int t = 0; t < TABLES; t++) {
		tables[t] = page_alloc();
		for (unsigned int i = 0; i < ENTRIES; i++)
			tables[t][i] = mfn_pte(p2m()[first + (t * ENTRIES + i) % LIST], PTE_KERNEL);
		require(page_protect(tables[t], false));
		l2[t] = mfn_pte(va_mfn(tables[t]), PTE_TABLE);
	}
	l3[0] = mfn_pte(va_mfn(l2), PTE_TABLE);
	require(page_protect(l2, false));
	require(page_protect(l3, false));
	for (unsigned int round = 0; round < 4; round++) {
		require(mmuext_mfn(MMUEXT_PIN_L3_TABLE, va_mfn(l3)));
		require(mmuext_mfn(MMUEXT_UNPIN_TABLE, va_mfn(l3)));
	}
	/* Tables set and cleared again in one list. */
	require(mmuext_mfn(MMUEXT_PIN_L2_TABLE, va_mfn(l2)));
	for (unsigned int i = 0; i < LIST; i++)
		updates[i] = (struct mmu_update){ .ptr = (va_mfn(l2) << PAGE_SHIFT) + (i / 2 % TABLES) * 8,
						  .val = i & 1 ? mfn_pte(va_mfn(tables[i / 2 % TABLES]), PTE_TABLE) : 0 };
	require(HYPERVISOR_mmu_update(updates, LIST, &done, DOMID_SELF));
	/* Entries that replace each other: first and last references of frames. */
	for (unsigned int i = 0; i < LIST; i++)
		updates[i] = (struct mmu_update){ .ptr = (va_mfn(tables[i % TABLES]) << PAGE_SHIFT) + i / TABLES * 8,
						  .val = i & 1 ? 0 : mfn_pte(p2m()[first + i], PTE_KERNEL) };
	require(HYPERVISOR_mmu_update(updates, LIST, &done, DOMID_SELF));
	require(mmuext_mfn(MMUEXT_UNPIN_TABLE, va_mfn(l2)));
	part("page operations");
	for (unsigned int i = 0; i < LIST; i++)
		ops[i] = (struct mmuext_op){ .cmd = i & 1 ? MMUEXT_CLEAR_PAGE : MMUEXT_COPY_PAGE, .arg1.mfn = p2m()[first + i],
					     .arg2.src_mfn = p2m()[first] };
	require(HYPERVISOR_mmuext_op(ops, LIST, &done, DOMID_SELF));
	for (unsigned int i = 0; i < LIST; i++)
		ops[i] = (struct mmuext_op){ .cmd = MMUEXT_TLB_FLUSH_ALL };
	require(HYPERVISOR_mmuext_op(ops, LIST, &done, DOMID_SELF));
	part("multicall");
	for (unsigned int i = 0; i < ARRAY_SIZE(calls); i++)
		calls[i] = (struct multicall_entry){ .op = __HYPERVISOR_mmuext_op,
						     .args = { (u64)ops, LIST, 0, DOMID_SELF } };
	require(HYPERVISOR_multicall(calls, 8));
	for (unsigned int t = 0; t < TABLES; t++)
		require(page_protect(tables[t], true));
	require(page_protect(l2, true));
	require(page_protect(l3, true));
}

/* --- grants --- */

#define GRANTS 256

static struct gnttab_copy copies[GRANTS];
static struct gnttab_map_grant_ref maps[GRANTS];
static struct gnttab_unmap_grant_ref unmaps[GRANTS];

static void worst_grants(void)
{
	static u8 *windows[GRANTS];
	unsigned int n = 96;

	part("grants");
	if (!require(grant_init()))
		return;
	for (unsigned int i = 0; i < n; i++) {
		int ref = grant_give(0, p2m()[start_info->nr_pages - 1 - i], false);

		windows[i] = page_alloc();
		require(va_map(windows[i], 0));
		maps[i] = (struct gnttab_map_grant_ref){ .host_addr = (u64)windows[i], .flags = GNTMAP_host_map,
							 .ref = (grant_ref_t)ref };
		copies[i] = (struct gnttab_copy){ .source = { .u.ref = (grant_ref_t)ref, .domid = DOMID_SELF },
						  .dest = { .u.gmfn = p2m()[start_info->nr_pages - 200], .domid = DOMID_SELF },
						  .len = PAGE_SIZE, .flags = GNTCOPY_source_gref };
	}
	require(HYPERVISOR_grant_table_op(GNTTABOP_copy, copies, n));
	require(HYPERVISOR_grant_table_op(GNTTABOP_map_grant_ref, maps, n));
	for (unsigned int i = 0; i < n; i++)
		unmaps[i] = (struct gnttab_unmap_grant_ref){ .host_addr = (u64)windows[i], .handle = maps[i].handle };
	require(HYPERVISOR_grant_table_op(GNTTABOP_unmap_grant_ref, unmaps, n));
	for (unsigned int i = 0; i < n; i++)
		require(va_map(windows[i], mfn_pte(va_mfn(windows[i]), PTE_KERNEL)));
}

/* --- events --- */

static void worst_events(void)
{
	struct evtchn_reset reset = { .dom = DOMID_SELF };
	unsigned int n = 0;
	int port;

	part("events");
	while (n < 4096 && (port = event_bind_ipi(0)) >= 0) {
		event_send((evtchn_port_t)port);
		n++;
	}
	print("worst: %u ports\n", n);
	HYPERVISOR_event_channel_op(EVTCHNOP_reset, &reset);
}

/* --- console and control --- */

static char text[32768];

static void worst_console(void)
{
	struct xen_sysctl sys = { .cmd = XEN_SYSCTL_readconsole };

	part("console");
	/* Nothing that a terminal would show. */
	memset(text, 0, sizeof(text));
	HYPERVISOR_console_io(CONSOLEIO_write, 4096, text);
	sys.u.readconsole.count = sizeof(text);
	set_xen_guest_handle(sys.u.readconsole.buffer, text);
	print("worst: readconsole %ld\n", system_control(XEN_SYSCTL_readconsole, &sys));
}

static void worst_domains(void)
{
	static struct domain d;
	size_t size = 0;
	const void *image;
	int ret;

	part("domains");
	image = boot_module(&size);
	ret = domain_create(&d, &(struct domain_config){ .vcpus = 1, .pages = 2048 });
	if (ret) {
		print("worst: no domain: %d\n", ret);
		return;
	}
	if (image)
		domain_load(&d, image, size, "");
	/* What tools ask for. */
	for (unsigned int i = 0; i < 8; i++) {
		struct xen_domctl op = { 0 };

		set_xen_guest_handle(op.u.getpageframeinfo3.array, list);
		for (unsigned int k = 0; k < 1024; k++)
			list[k] = d.frames[k];
		op.u.getpageframeinfo3.num = 1024;
		domain_control(XEN_DOMCTL_getpageframeinfo3, d.id, &op);
	}
	domain_destroy(&d);
}

static void worst_lists(void)
{
	static struct trap_info traps[257];
	struct xen_machphys_mfn_list mfns = { .max_extents = LIST };
	struct xen_memory_map map = { .nr_entries = 256 };
	struct xen_sysctl sys = { 0 };

	part("lists");
	for (unsigned int i = 0; i < 256; i++)
		traps[i] = (struct trap_info){ (u8)i, 0, FLAT_KERNEL_CS, (unsigned long)trap_table()[0].address };
	HYPERVISOR_set_trap_table(traps);
	HYPERVISOR_set_trap_table(trap_table());
	set_xen_guest_handle(mfns.extent_start, list);
	HYPERVISOR_memory_op(XENMEM_machphys_mfn_list, &mfns);
	set_xen_guest_handle(map.buffer, text);
	HYPERVISOR_memory_op(XENMEM_machine_memory_map, &map);
	sys.u.perfc_op.cmd = XEN_SYSCTL_PERFCOP_query;
	set_xen_guest_handle(sys.u.perfc_op.desc, (xen_sysctl_perfc_desc_t *)(void *)text);
	set_xen_guest_handle(sys.u.perfc_op.val, (xen_sysctl_perfc_val_t *)(void *)list);
	system_control(XEN_SYSCTL_perfc_op, &sys);
	for (unsigned int i = 0; i < 3; i++) {
		static xen_domctl_getdomaininfo_t infos[16];

		sys = (struct xen_sysctl){ 0 };
		sys.u.getdomaininfolist.max_domains = 16;
		set_xen_guest_handle(sys.u.getdomaininfolist.buffer, infos);
		system_control(XEN_SYSCTL_getdomaininfolist, &sys);
	}
}

void guest_main(void)
{
	worst_lists();
	worst_tables();
	worst_grants();
	worst_reservation();
	worst_exchange();
	worst_console();
	worst_domains();
	worst_events();
	test_begin("all parts");
	expect(true);
}
