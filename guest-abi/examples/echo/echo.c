/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that answers on its console: what is typed comes back, line by line, behind "echo: ". The words crash, reboot
 * and quit end it; "flood N" prints N lines of 64 characters. For tests of consoles, life cycles and many guests at once.
 */
#include <guest/guest.h>
#include <xen/io/console.h>

static char line[256];
static unsigned int length;

static bool word_is(const char *text, const char *word)
{
	for (; *word; word++, text++) {
		if (*text != *word)
			return false;
	}
	return true;
}

static void flood(const char *number)
{
	unsigned int n = 0;

	for (; *number >= '0' && *number <= '9'; number++)
		n = n * 10 + (unsigned int)(*number - '0');
	for (unsigned int i = 0; i < n; i++)
		print("%08u: -----------------------------------------------------\n", i);
}

static void line_answer(void)
{
	line[length] = 0;
	length = 0;
	if (word_is(line, "quit"))
		guest_shutdown(SHUTDOWN_poweroff);
	if (word_is(line, "crash"))
		guest_shutdown(SHUTDOWN_crash);
	if (word_is(line, "reboot"))
		guest_shutdown(SHUTDOWN_reboot);
	if (word_is(line, "flood "))
		flood(line + 6);
	print("echo: %s\n", line);
}

static void console_read(volatile struct xencons_interface *ring)
{
	while (ring->in_cons != ring->in_prod) {
		char c = ring->in[MASK_XENCONS_IDX(ring->in_cons, ring->in)];

		__asm__ volatile("" ::: "memory");
		ring->in_cons++;
		event_send(start_info->console.domU.evtchn);
		if (c == '\r' || c == '\n')
			line_answer();
		else if (length < sizeof(line) - 1)
			line[length++] = c;
	}
}

/* The event only wakes guest_main; a port without a handler would be masked. */
static void console_woken(evtchn_port_t port, void *arg)
{
	(void)port;
	(void)arg;
}

void guest_main(void)
{
	volatile struct xencons_interface *ring;
	evtchn_port_t port;

	if (start_info->flags & SIF_INITDOMAIN) {
		print("this kernel answers on the console of a guest; dom0 has none\n");
		return;
	}
	ring = pfn_va(mfn_pfn(start_info->console.domU.mfn));
	port = start_info->console.domU.evtchn;
	event_handler_set(port, console_woken, NULL);
	event_unmask(port);
	print("ECHO-UP %lu pages\n", start_info->nr_pages);
	for (;;) {
		event_wait_for(ring->in_cons != ring->in_prod);
		console_read(ring);
	}
}
