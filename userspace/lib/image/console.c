// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* console.c - see console.h */
#include <stdio.h>
#include <string.h>
#include "base/err.h"
#include "console.h"

/* ECMA-48: ESC, then a sequence of this kind */
enum {
	CONSOLE_PLAIN,
	CONSOLE_ESC,
	CONSOLE_CSI,	/* up to a byte from @ to ~ */
	CONSOLE_STRING, /* up to BEL, or ESC and a backslash */
	CONSOLE_ONE,	/* one more byte */
};

/* Keep the rest of the line after @word, unless an earlier line had this word. */
static void console_keep(char found[CCDM_CONSOLE_FOUND], const char *line, const char *word,
			 bool with, bool last)
{
	const char *at = strstr(line, word);

	if (at && (last || !found[0]))
		snprintf(found, CCDM_CONSOLE_FOUND, "%s", with ? at : at + strlen(word));
}

static void console_search(struct ccdm_console *c)
{
	static const char *const nothing[] = { "UEFI Interactive Shell v",
					       "BdsDxe: No bootable option or device was found" };
	const char *at;
	size_t i;

	console_keep(c->code, c->line, "ccdm: CCDM-E-", true, false);
	console_keep(c->panic, c->line, "Kernel panic - not syncing: ", false, false);
	console_keep(c->ended, c->line, "ccdm: workload ended: ", false, true);
	at = strstr(c->line, ": tamper: ");
	if (at && strstr(c->line, "ccdm: "))
		console_keep(c->tamper, c->line, "ccdm: ", false, false);
	for (i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++)
		c->nothing |= strstr(c->line, nothing[i]) != NULL;
}

void ccdm_console_idle(struct ccdm_console *c)
{
	char text[CCDM_CONSOLE_LINE + 1];

	if (c->shown == c->size)
		return;
	memcpy(text, c->line + c->shown, c->size - c->shown);
	text[c->size - c->shown] = '\0';
	ccdm_err_plain(text);
	c->put(c->arg, text, strlen(text));
	c->shown = c->size;
}

static void console_end(struct ccdm_console *c, bool newline)
{
	ccdm_console_idle(c);
	if (newline)
		c->put(c->arg, "\n", 1);
	c->line[c->size] = '\0';
	console_search(c);
	c->size = 0;
	c->shown = 0;
}

static int console_escape(int state, unsigned char b)
{
	switch (state) {
	case CONSOLE_ESC:
		if (b == '[')
			return CONSOLE_CSI;
		if (b == ']' || b == 'P' || b == '^' || b == '_' || b == 'X')
			return CONSOLE_STRING;
		return strchr("()*+#% ", b) && b ? CONSOLE_ONE : CONSOLE_PLAIN;
	case CONSOLE_CSI:
		return b >= '@' && b <= '~' ? CONSOLE_PLAIN : CONSOLE_CSI;
	case CONSOLE_STRING:
		return b == '\a' ? CONSOLE_PLAIN : CONSOLE_STRING;
	default:
		return CONSOLE_PLAIN;
	}
}

void ccdm_console_take(struct ccdm_console *c, const char *bytes, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++) {
		char b = bytes[i];

		if (b == '\033') {
			c->escape = CONSOLE_ESC;
		} else if (b == '\n') {
			c->escape = CONSOLE_PLAIN;
			console_end(c, true);
		} else if (c->escape) {
			c->escape = console_escape(c->escape, (unsigned char)b);
		} else if (b && b != '\r') {
			if (c->size == CCDM_CONSOLE_LINE)
				console_end(c, false);
			c->line[c->size++] = b;
		}
	}
}
