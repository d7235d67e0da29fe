// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* signal_name.c - see signal_name.h */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "signal_name.h"

/* Of Linux on amd64, from 1. */
static const char *const ccdm_signal_names[] = {
	"HUP",	"INT",	"QUIT", "ILL",	  "TRAP",   "ABRT",  "BUS",  "FPE",  "KILL", "USR1", "SEGV",
	"USR2", "PIPE", "ALRM", "TERM",	  "STKFLT", "CHLD",  "CONT", "STOP", "TSTP", "TTIN", "TTOU",
	"URG",	"XCPU", "XFSZ", "VTALRM", "PROF",   "WINCH", "IO",   "PWR",  "SYS",
};

/* What C libraries leave to programs. */
#define CCDM_SIGNAL_RTMIN 34
#define CCDM_SIGNAL_RTMAX 64

/* One or two digits, from 0. Return: the number, or -1. */
static int ccdm_signal_digits(const char *text)
{
	size_t n = strlen(text);

	return n && n <= 2 && strspn(text, "0123456789") == n ? (int)strtol(text, NULL, 10) : -1;
}

static int ccdm_signal_number(const char *text)
{
	int n = ccdm_signal_digits(text);
	size_t i;

	if (n >= 0)
		return n;
	if (!strncmp(text, "SIG", 3))
		text += 3;
	for (i = 0; i < ARRAY_SIZE(ccdm_signal_names); i++)
		if (!strcmp(text, ccdm_signal_names[i]))
			return (int)i + 1;
	if (!strcmp(text, "RTMIN"))
		return CCDM_SIGNAL_RTMIN;
	if (!strcmp(text, "RTMAX"))
		return CCDM_SIGNAL_RTMAX;
	if (!strncmp(text, "RTMIN+", 6)) {
		n = ccdm_signal_digits(text + 6);
		return n < 0 ? n : CCDM_SIGNAL_RTMIN + n;
	}
	if (!strncmp(text, "RTMAX-", 6)) {
		n = ccdm_signal_digits(text + 6);
		return n < 0 ? n : CCDM_SIGNAL_RTMAX - n;
	}
	return -1;
}

int ccdm_signal_name(const char *text, char name[CCDM_SIGNAL_NAME])
{
	int n = ccdm_signal_number(text);

	if (n >= 1 && n <= (int)ARRAY_SIZE(ccdm_signal_names)) {
		snprintf(name, CCDM_SIGNAL_NAME, "SIG%s", ccdm_signal_names[n - 1]);
		return 0;
	}
	if (n < CCDM_SIGNAL_RTMIN || n > CCDM_SIGNAL_RTMAX)
		return -EINVAL;
	if (n == CCDM_SIGNAL_RTMIN)
		snprintf(name, CCDM_SIGNAL_NAME, "SIGRTMIN");
	else
		snprintf(name, CCDM_SIGNAL_NAME, "SIGRTMIN+%d", n - CCDM_SIGNAL_RTMIN);
	return 0;
}
