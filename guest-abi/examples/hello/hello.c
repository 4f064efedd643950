/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A first paravirtual kernel: says what it runs on, lets a timer wake it three times, and shuts down.
 *
 * The library (guest-abi/lib) has done the rest by the time guest_main is called: the ELF notes that the builder reads,
 * a stack, the shared page, trap and event entry points.
 */
#include <guest/guest.h>
#include <xen/version.h>

static volatile unsigned int ticks;

static void timer_tick(evtchn_port_t port, void *arg)
{
	(void)port;
	(void)arg;
	ticks++;
	timer_set(time_now() + 10 * MS);
}

void guest_main(void)
{
	xen_extraversion_t extra = "";
	long version = HYPERVISOR_xen_version(XENVER_version, NULL);
	int port = event_bind_virq(VIRQ_TIMER, 0);

	HYPERVISOR_xen_version(XENVER_extraversion, extra);
	print("Hello from a PV kernel on %ld.%ld%s (%s)\n", version >> 16, version & 0xffff, extra, start_info->magic);
	print("%lu pages of memory, command line \"%s\"\n", start_info->nr_pages, (const char *)start_info->cmd_line);
	if (port < 0)
		guest_panic("no timer: %d\n", port);
	event_handler_set((evtchn_port_t)port, timer_tick, NULL);
	event_unmask((evtchn_port_t)port);
	timer_set(time_now() + 10 * MS);
	event_wait_for(ticks == 3);
	print("three ticks, at %lu ms\n", time_now() / MS);
}
