/* SPDX-License-Identifier: BSD-2-Clause */
/* What the hypervisor prints, into hypervisor.log. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
#include <xen/xen.h>

#include <argon/reason.h>

#include "daemon.h"

void hypervisor_open(struct daemon *d)
{
	char path[4200];

	d->hypervisor_state = -1;
	d->hypervisor_log.fd = -1;
	if (!d->options.log_hypervisor)
		return;
	snprintf(path, sizeof(path), "%s/hypervisor.log", d->options.log_dir);
	log_open(&d->hypervisor_log, path, d->options.stamp_hypervisor, d->options.replace_escape);
	d->hypervisor_state = open(CONSOLE_STATE_DIR "/hypervisor", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (pread(d->hypervisor_state, &d->hypervisor_index, sizeof(d->hypervisor_index), 0) != sizeof(d->hypervisor_index))
		d->hypervisor_index = 0;
	d->hypervisor_port = evtchn_bind_virq(d->events, VIRQ_CON_RING);
	if (d->hypervisor_port < 0) {
		say(d, LOG_WARNING, "the hypervisor does not say when it prints: %s", reason_get());
		d->hypervisor_port = 0;
	}
	hypervisor_pump(d);
}

void hypervisor_pump(struct daemon *d)
{
	char buffer[4096];

	if (!d->options.log_hypervisor)
		return;
	for (unsigned int i = 0; i < 64; i++) {
		uint32_t index = d->hypervisor_index;
		int64_t bytes = ctrl_console_read(d->ctrl, buffer, sizeof(buffer), &index, false);

		if (bytes <= 0)
			break;
		for (int64_t at = 0, n; at < bytes; at += n) {
			n = bytes - at < LOG_PIECE ? bytes - at : LOG_PIECE;
			if (log_write(&d->hypervisor_log, buffer + at, (size_t)n)) {
				/* Tried again from here; the ring overwrites what waits too long. */
				index = d->hypervisor_index + (uint32_t)at;
				d->tick_wanted = true;
				break;
			}
		}
		if (index == d->hypervisor_index)
			break;
		d->hypervisor_index = index;
		if (pwrite(d->hypervisor_state, &index, sizeof(index), 0) < 0)
			break;
	}
	if (!d->hypervisor_port)
		d->tick_wanted = true;
}

void hypervisor_close(struct daemon *d)
{
	if (d->hypervisor_state >= 0)
		close(d->hypervisor_state);
	log_close(&d->hypervisor_log);
}
