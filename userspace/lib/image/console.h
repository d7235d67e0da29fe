/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * console.h - the output of a VM's console: safe for a terminal, and searched for known lines
 *
 * Everything on the console is untrusted, and must not control the user's terminal: escape
 * sequences are left out, other control characters become '?'.
 */
#ifndef CCDM_CONSOLE_H
#define CCDM_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

#define CCDM_CONSOLE_LINE  1024 /* a longer line is printed in parts */
#define CCDM_CONSOLE_FOUND 256

/**
 * struct ccdm_console - a console; begins as zeros, except for the callback
 * @put: called with text
 * @arg: argument of the callback
 * @line, @size: the line so far
 * @shown: bytes of it that were printed
 * @escape: state within an escape sequence
 * @code: the first line with a code of ccdm: "CCDM-E-BASE-03: ..."
 * @tamper: the first line in which the kernel module reports tampering
 * @panic: the first line with which the kernel gave up
 * @ended: the last line of the workload's end
 * @nothing: the firmware found nothing to boot
 */
struct ccdm_console {
	void (*put)(void *arg, const char *text, size_t size);
	void *arg;
	char line[CCDM_CONSOLE_LINE + 1];
	size_t size, shown;
	int escape;
	char code[CCDM_CONSOLE_FOUND];
	char tamper[CCDM_CONSOLE_FOUND];
	char panic[CCDM_CONSOLE_FOUND];
	char ended[CCDM_CONSOLE_FOUND];
	bool nothing;
};

/* Take bytes of the VM. */
void ccdm_console_take(struct ccdm_console *c, const char *bytes, size_t size);

/* Print a line that has not ended: a prompt, for example. */
void ccdm_console_idle(struct ccdm_console *c);

#endif
