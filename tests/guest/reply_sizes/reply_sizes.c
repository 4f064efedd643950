/* SPDX-License-Identifier: BSD-2-Clause */
/* Replies end where they should: nothing is written behind them, and none holds an address of the hypervisor. */
#include <guest/guest.h>
#include <xen/vcpu.h>
#include <xen/version.h>

static u64 reply[1024];

static void fill(void)
{
	memset(reply, 0xa5, sizeof(reply));
}

static void check(const char *what, long ret, size_t size)
{
	const u8 *bytes = (const u8 *)reply;
	size_t i;

	expect_msg(ret >= 0, "%s: %ld", what, ret);
	for (i = size; i < sizeof(reply); i++)
		if (bytes[i] != 0xa5)
			break;
	expect_msg(i == sizeof(reply), "%s: byte %lu is written, of %lu", what, i, size);
	for (i = 0; i + 8 <= size; i += 8)
		expect_msg(reply[i / 8] < HYPERVISOR_VIRT_START || reply[i / 8] >= HYPERVISOR_VIRT_END ||
			   reply[i / 8] == HYPERVISOR_VIRT_START, "%s: has %lx", what, reply[i / 8]);
}

static void test_version(void)
{
	test_begin("xen_version");
	fill();
	check("extraversion", HYPERVISOR_xen_version(XENVER_extraversion, reply), sizeof(xen_extraversion_t));
	fill();
	check("compile_info", HYPERVISOR_xen_version(XENVER_compile_info, reply), sizeof(struct xen_compile_info));
	fill();
	check("capabilities", HYPERVISOR_xen_version(XENVER_capabilities, reply), sizeof(xen_capabilities_info_t));
	fill();
	check("changeset", HYPERVISOR_xen_version(XENVER_changeset, reply), sizeof(xen_changeset_info_t));
	fill();
	check("parameters", HYPERVISOR_xen_version(XENVER_platform_parameters, reply), sizeof(xen_platform_parameters_t));
	fill();
	reply[0] = 0;
	check("features", HYPERVISOR_xen_version(XENVER_get_features, reply), sizeof(struct xen_feature_info));
	fill();
	check("command line", HYPERVISOR_xen_version(XENVER_commandline, reply), sizeof(xen_commandline_t));
	fill();
	check("handle", HYPERVISOR_xen_version(XENVER_guest_handle, reply), sizeof(xen_domain_handle_t));
}

static void test_vcpu(void)
{
	test_begin("vcpu_op");
	fill();
	check("runstate", HYPERVISOR_vcpu_op(VCPUOP_get_runstate_info, 0, reply), sizeof(struct vcpu_runstate_info));
}

static void test_events(void)
{
	struct evtchn_status *st = (struct evtchn_status *)reply;
	struct evtchn_bind_ipi *bind = (struct evtchn_bind_ipi *)reply;
	evtchn_port_t port;

	test_begin("event_channel_op");
	fill();
	bind->vcpu = 0;
	check("bind_ipi", HYPERVISOR_event_channel_op(EVTCHNOP_bind_ipi, reply), sizeof(*bind));
	port = bind->port;
	fill();
	st->dom = DOMID_SELF;
	st->port = port;
	check("status", HYPERVISOR_event_channel_op(EVTCHNOP_status, reply), sizeof(*st));
	event_close(port);
}

/* The buffer ends at the end of a page and the next is not there: a reply that fits goes through. */
static void test_edge(void)
{
	u8 *first = page_alloc(), *next = page_alloc();

	test_begin("at the end of a page");
	require(va_map(next, 0));
	expect_eq(HYPERVISOR_xen_version(XENVER_extraversion, next - sizeof(xen_extraversion_t)), 0);
	expect(HYPERVISOR_xen_version(XENVER_capabilities, next - sizeof(xen_capabilities_info_t) + 1) < 0);
	expect(HYPERVISOR_vcpu_op(VCPUOP_get_runstate_info, 0, next - 8) < 0);
	require(va_map(next, mfn_pte(va_mfn(next), PTE_KERNEL)));
	(void)first;
}

void guest_main(void)
{
	test_version();
	test_vcpu();
	test_events();
	test_edge();
}
