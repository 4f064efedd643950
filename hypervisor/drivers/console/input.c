/* SPDX-License-Identifier: BSD-2-Clause */
/* Input: characters for dom0, the switch between dom0 and the debug keys, and the keys themselves. */
#include <hv/lock.h>
#include <hv/log.h>
#include <hv/string.h>
#include "internal.h"

#define INPUT_SIZE 256U        /* a power of two */
#define SWITCH_COUNT 3
#define KEY_FIRST ' '
#define KEY_LAST '~'
#define KEYS_MAX 64

/* Guarded by the console lock. */
static char input[INPUT_SIZE];
static u32 input_head, input_tail;  /* next to write, next to read; modulo 2^32 */
static unsigned int switch_seen;    /* switch characters in a row */
static bool input_to_dom0;
static bool dom0_runs;

/* Set at boot by one CPU. */
static void (*notify)(void);

struct debug_key {
	char key;
	const char *name;
	void (*fn)(char key);
};

/* Filled at boot by one CPU, constant afterwards, so read without a lock. */
static struct debug_key keys[KEYS_MAX];
static unsigned int key_count;

void console_receiver_set(void (*fn)(void))
{
	notify = fn;
}

/* A character that finds the buffer full is lost, as on a real serial line. */
static void input_keep(char c)
{
	if (input_head - input_tail < INPUT_SIZE)
		input[input_head++ % INPUT_SIZE] = c;
}

size_t console_input_read(char *dst, size_t cap)
{
	bool locked = console_lock();
	size_t n = 0;

	while (n < cap && input_tail != input_head)
		dst[n++] = input[input_tail++ % INPUT_SIZE];
	console_unlock(locked);
	return n;
}

static void input_announce(void)
{
	if (input_to_dom0)
		log_always("Input goes to dom0 (Ctrl-%c three times: to Argon)", console_conswitch.key);
	else
		log_always("Input goes to Argon (Ctrl-%c three times: to dom0; 'h': help)", console_conswitch.key);
}

void input_dom0_starts(void)
{
	bool locked = console_lock();

	dom0_runs = true;
	input_to_dom0 = !console_conswitch.stay;
	console_unlock(locked);
	input_announce();
}

/* Is this the last of the switch characters in a row? Then the input has been switched. Console lock held. */
static bool switch_check(char c)
{
	if (c != (console_conswitch.key & 0x1f) || !dom0_runs) {
		switch_seen = 0;
		return false;
	}
	if (++switch_seen < SWITCH_COUNT)
		return false;
	switch_seen = 0;
	input_to_dom0 = !input_to_dom0;
	return true;
}

void console_receive(char c)
{
	bool locked = console_lock();
	bool switched = switch_check(c);
	bool to_dom0 = input_to_dom0;

	if (!switched && to_dom0)
		input_keep(c);
	console_unlock(locked);
	if (switched)
		input_announce();
	else if (!to_dom0)
		debug_key_run(c);
	else if (notify != NULL)
		notify();
}

static const struct debug_key *key_find(char key)
{
	for (unsigned int i = 0; i < key_count; i++)
		if (keys[i].key == key)
			return &keys[i];
	return NULL;
}

void debug_key_register(char key, const char *name, void (*fn)(char key))
{
	BUG_ON(key < KEY_FIRST || key > KEY_LAST || key == 'h' || key_count == KEYS_MAX || key_find(key) != NULL);
	keys[key_count++] = (struct debug_key){ .key = key, .name = name, .fn = fn };
}

static void keys_list(void)
{
	log_always("Debug keys:");
	log_always(" h  this list");
	for (int c = KEY_FIRST; c <= KEY_LAST; c++) {
		const struct debug_key *k = key_find((char)c);

		if (k != NULL)
			log_always(" %c  %s", c, k->name);
	}
}

bool debug_key_run(char key)
{
	const struct debug_key *k = key_find(key);

	if (key == 'h') {
		keys_list();
		return true;
	}
	if (k == NULL)
		return false;
	log_always("'%c' pressed: %s", key, k->name);
	k->fn(key);
	return true;
}
