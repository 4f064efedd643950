/* SPDX-License-Identifier: BSD-2-Clause */
/* console_io: the hypervisor's console, for guests. */
#include <hv/console.h>
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/guest.h>
#include <hv/hypercall.h>
#include <hv/softirq.h>
#include <xen/xen.h>

#define PIECE 256u

static void text_write(struct domain *d, const char *text, size_t len)
{
	if (d == dom0) {
		console_write_dom0(text, len);
		return;
	}
	spin_lock(&d->lock);
	console_write_guest(d->console, d->id, text, len);
	spin_unlock(&d->lock);
}

/* args: command, count, address. What is written is taken off count, so that the rest can be written later. */
static long io_write(struct vcpu *v, u64 *args)
{
	char text[PIECE];
	u64 left = (u32)args[1];
	long rc = 0;

	while (left && !rc) {
		size_t n = MIN(left, sizeof(text));

		if (guest_copy_in(v, text, args[2], n))
			return -EFAULT;
		text_write(v->domain, text, n);
		left -= n;
		args[2] += n;
		if (left && preempt_needed())
			rc = -ERESTART;
	}
	args[1] = left;
	return rc;
}

static long io_read(struct vcpu *v, gva_t to, u64 count)
{
	char text[PIECE];
	size_t n;

	if (!is_privileged(v))
		return -EPERM;
	/* What is taken from the input and cannot be delivered is lost: so try the memory first. */
	count = MIN(count, sizeof(text));
	if (guest_copy_in(v, text, to, count) || guest_copy_out(v, to, text, count))
		return -EFAULT;
	n = console_input_read(text, count);
	return guest_copy_out(v, to, text, n) ? -EFAULT : (long)n;
}

long do_console_io(struct vcpu *v, u64 *args)
{
	switch ((u32)args[0]) {
	case CONSOLEIO_write:
		return io_write(v, args);
	case CONSOLEIO_read:
		return io_read(v, args[2], (u32)args[1]);
	default:
		return -ENOSYS;
	}
}
