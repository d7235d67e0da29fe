// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* A VM's console output: it cannot steer the terminal, and known lines are found. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "image/console.h"
#include "seed.h"

static char shown[65536];
static size_t size;

static void put(void *arg, const char *text, size_t n)
{
	assert_ptr_equal(arg, shown);
	assert_true(n && n < sizeof(shown) - size);
	memcpy(shown + size, text, n);
	size += n;
	shown[size] = '\0';
}

/* Feed @text to a console, in pieces of @piece bytes. */
static struct ccdm_console *console(const char *text, size_t piece)
{
	static struct ccdm_console c;
	size_t all = strlen(text), n;

	if (piece > 8)
		seed("console", text, all);
	c = (struct ccdm_console){ .put = put, .arg = shown };
	size = 0;
	shown[0] = '\0';
	for (; all; all -= n, text += n) {
		char *copy;

		n = all < piece ? all : piece;
		copy = malloc(n); /* an exact copy: the sanitizer sees a read beyond it */
		memcpy(copy, text, n);
		ccdm_console_take(&c, copy, n);
		free(copy);
	}
	return &c;
}

static void plain(void **state)
{
	static const struct {
		const char *text, *shown;
	} cases[] = {
		{ "one\r\ntwo\n", "one\ntwo\n" },
		{ "\033[2J\033[01;01Ha\033[=3hb\033[0m\n", "ab\n" },
		{ "a\033]0;title\ab\033]8;;x\033\\c\n", "abc\n" },
		{ "\033(Ba\033cb\033Pq\033\\c\n", "abc\n" },
		/* an escape sequence ends with its line */
		{ "a\033[\nb\n", "a\nb\n" },
		{ "a\tb\bc\177d\n", "a?b?c?d\n" },
		{ "\xc3\xa9 \xc2\x9b \xff\n", "\xc3\xa9 ?? ?\n" },
		{ "\n\n", "\n\n" },
		{ "no end", "" },
	};
	size_t i, piece;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (piece = 1; piece < 10; piece++) {
			console(cases[i].text, piece);
			assert_string_equal(shown, cases[i].shown);
		}
	}
}

/* A prompt is printed once nothing follows it, and only once. */
static void prompt(void **state)
{
	struct ccdm_console *c = console("# ", 2);

	(void)state;
	assert_string_equal(shown, "");
	ccdm_console_idle(c);
	ccdm_console_idle(c);
	assert_string_equal(shown, "# ");
	ccdm_console_take(c, "ls\n", 3);
	assert_string_equal(shown, "# ls\n");
	ccdm_console_idle(c);
	assert_string_equal(shown, "# ls\n");
}

static void long_line(void **state)
{
	char text[3 * CCDM_CONSOLE_LINE + 2];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 2] = '\n';
	text[sizeof(text) - 1] = '\0';
	console(text, 1000);
	assert_string_equal(shown, text);
}

static void found(void **state)
{
	struct ccdm_console *c;

	(void)state;
	c = console(
		"[ 1.0] ccdm-setup[1]: ccdm: CCDM-E-BASE-03: the base\r\nccdm: CCDM-E-X-01: b\n",
		9);
	assert_string_equal(c->code, "ccdm: CCDM-E-BASE-03: the base");
	c = console(
		"[ 9.1] ccdm: ccdm-root: tamper: mac level 0 index 5\n"
		"[ 9.2] Kernel panic - not syncing: ccdm: ccdm-root: tamper: mac level 0 index 5\n",
		100);
	assert_string_equal(c->tamper, "ccdm-root: tamper: mac level 0 index 5");
	assert_string_equal(c->panic, "ccdm: ccdm-root: tamper: mac level 0 index 5");
	c = console("ccdm: workload ended: exit 3\nccdm: workload ended: signal 9\n", 100);
	assert_string_equal(c->ended, "signal 9");
	assert_false(c->nothing);
	c = console("\033[1mUEFI Interactive Shell v2.2\r\n", 100);
	assert_true(c->nothing);
	c = console("BdsDxe: No bootable option or device was found.\r\n", 100);
	assert_true(c->nothing);
	c = console("a program says: tamper: no\nccdm\n", 100);
	assert_string_equal(c->tamper, "");
	assert_string_equal(c->panic, "");
	assert_string_equal(c->code, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain),
		cmocka_unit_test(prompt),
		cmocka_unit_test(long_line),
		cmocka_unit_test(found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
