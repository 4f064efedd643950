/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Building domains, for dom0: memory through foreign mappings, page tables, the first vCPU, a console. To be included
 * before other headers, which have parts for tools only.
 */
#ifndef GUEST_DOMAIN_H
#define GUEST_DOMAIN_H

#define __XEN_TOOLS__ 1

#include <guest/event.h>
#include <guest/types.h>
#include <xen/domctl.h>
#include <xen/sysctl.h>

#define DOMAIN_PAGES_MAX 4096

/* What a new domain is to have; zero means the value in brackets. */
struct domain_config {
	unsigned int vcpus; /* [1] */
	unsigned int pages; /* [DOMAIN_PAGES_MAX] */
	unsigned int grant_version; /* highest [2] */
	unsigned int max_port; /* [1023] */
	int grant_frames, maptrack_frames; /* [8] */
	unsigned int pool; /* of CPUs */
};

struct domain {
	domid_t id;
	unsigned int pages, vcpus;
	xen_pfn_t frames[DOMAIN_PAGES_MAX]; /* machine frame of each pseudo-physical one */
	/* Pseudo-physical frames of what domain_load made. */
	unsigned int console_pfn, info_pfn, p2m_pfn, root_pfn, stack_pfn;
	u64 entry, hypercall_page;
	struct xencons_interface *console; /* while mapped */
	evtchn_port_t console_port, console_remote;
	bool paused; /* not yet started */
};

/* domctl and sysctl with versions filled in; op->u is the caller's. */
long domain_control(u32 cmd, domid_t dom, struct xen_domctl *op);
long system_control(u32 cmd, struct xen_sysctl *op);
/* Free memory of the machine, what waits to be scrubbed included. */
u64 free_pages(void);

/* Creates a domain with memory and nothing in it. 0 or a negated error; then nothing is left of it. */
int domain_create(struct domain *d, const struct domain_config *config);
/* Makes the kernel of an ELF image, tables, start_info and console in a created domain. */
int domain_load(struct domain *d, const void *elf, size_t size, const char *cmdline);
/* Gives vCPU 0 its registers; and lets the domain run. */
int domain_context_set(struct domain *d);
int domain_start(struct domain *d);
/* Takes it apart: mappings of the library's first. The domain may stay as a zombie while others map its frames. */
int domain_destroy(struct domain *d);

/* XEN_DOMINF_* and the reason of a shutdown; XEN_DOMINF_dying alone when there is no such domain. */
u32 domain_state(domid_t dom);
static inline unsigned int domain_shutdown_reason(u32 state)
{
	return state >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask;
}
bool domain_exists(domid_t dom);

/*
 * Shows a frame of the domain at a page of the caller's pool, writable or not; window_close gives the page its own
 * frame back. domain_page uses a window of the library's own, which is good until its next use. Null: it cannot be.
 */
int window_open(void *page, domid_t dom, u64 mfn, u64 flags);
int window_close(void *page);
void *domain_page(struct domain *d, unsigned int pfn);
void domain_page_done(void);

/* Takes what the domain has written to its console. Returns the number of characters. */
size_t domain_console_read(struct domain *d, char *buf, size_t size);

/* Creates, loads and starts one from this kernel's own image. 0 or a negated error. */
int child_start(struct domain *d, const struct domain_config *config, const char *cmdline);
/* Waits until it has shut down. Returns the reason, or a negative number: it has not, for so long. */
int child_wait(struct domain *d, u64 ns);
/* All its vCPUs on that CPU alone. */
int domain_pin(struct domain *d, unsigned int cpu);

/* The image in the module that this kernel was booted with (its own ELF file, for tests that make domains). */
const void *boot_module(size_t *size);

#endif
