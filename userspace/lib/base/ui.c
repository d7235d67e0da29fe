// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* ui.c - see ui.h */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>
#include "compiler.h"
#include "clock.h"
#include "ui.h"

static bool ccdm_ui_lost; /* a line could not be printed: out of memory */

void ccdm_ui_line(const char *fmt, ...)
{
	char *text;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		ccdm_ui_lost = true;
		return;
	}
	ccdm_err_plain(text);
	puts(text);
	free(text);
}

enum ccdm_exit ccdm_exit_of(int error)
{
	switch (-error) {
	case 0:
		return CCDM_EXIT_OK;
	case EPERM:
	case EACCES:
		return CCDM_EXIT_PERMISSION;
	case ENOMEM:
		return CCDM_EXIT_MEMORY;
	case ENODEV:
	case ENXIO:
	case ENOENT:
	case ENOSPC:
	case ENOTBLK:
	case ENOTUNIQ:
	case EROFS:
	case EIO:
		return CCDM_EXIT_DEVICE;
	case EEXIST:
	case EBUSY:
		return CCDM_EXIT_BUSY;
	case EBADMSG:
		return CCDM_EXIT_TAMPER;
	case ECANCELED:
	case EBADE:
	case ESTALE:
		return CCDM_EXIT_REFUSED;
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ECONNREFUSED:
	case ETIMEDOUT:
	case EKEYREJECTED:
	case EPROTO:
		return CCDM_EXIT_NETWORK;
	default:
		return CCDM_EXIT_USAGE;
	}
}

enum ccdm_exit ccdm_ui_fail(const char *program, const struct ccdm_err *err, int error)
{
	fprintf(stderr, "%s: %s\n", program, err->text[0] ? err->text : strerror(-error));
	if (err->hint[0])
		fprintf(stderr, "%s: %s\n", program, err->hint);
	return ccdm_exit_of(error);
}

static const struct {
	const char *suffix;
	uint64_t factor;
} ccdm_units[] = {
	{ "", 1 },
	{ "S", 512 },
	{ "K", 1ULL << 10 },
	{ "KiB", 1ULL << 10 },
	{ "KB", 1000ULL },
	{ "M", 1ULL << 20 },
	{ "MiB", 1ULL << 20 },
	{ "MB", 1000000ULL },
	{ "G", 1ULL << 30 },
	{ "GiB", 1ULL << 30 },
	{ "GB", 1000000000ULL },
	{ "T", 1ULL << 40 },
	{ "TiB", 1ULL << 40 },
	{ "TB", 1000000000000ULL },
};

int ccdm_ui_end(const char *program, int code)
{
	bool bad = ferror(stdout) || fflush(stdout);

	if (code)
		return code;
	if (bad) {
		fprintf(stderr, "%s: standard output: %s\n", program, strerror(errno));
		return CCDM_EXIT_DEVICE;
	}
	if (ccdm_ui_lost) {
		fprintf(stderr, "%s: out of memory: the output lacks lines\n", program);
		return CCDM_EXIT_MEMORY;
	}
	return CCDM_EXIT_OK;
}

int ccdm_ui_size(const char *text, uint64_t *bytes)
{
	unsigned long long n;
	char *end;
	size_t i;

	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno)
		return -ERANGE;
	for (i = 0; i < ARRAY_SIZE(ccdm_units); i++) {
		if (strcasecmp(end, ccdm_units[i].suffix))
			continue;
		if (n > UINT64_MAX / ccdm_units[i].factor)
			return -ERANGE;
		*bytes = n * ccdm_units[i].factor;
		return 0;
	}
	return -EINVAL;
}

int ccdm_ui_number(const char *text, uint64_t max, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	return isdigit((unsigned char)text[0]) && !*end && !errno && *number <= max ? 0 : -EINVAL;
}

/* Does @text begin with @shape, where 0 stands for any digit? (strptime() accepts more.) */
static bool ccdm_ui_shape(const char *text, const char *shape)
{
	for (; *shape; text++, shape++)
		if (*shape == '0' ? !isdigit((unsigned char)*text) : *text != *shape)
			return false;
	return true;
}

/* Parses "Z" or "+01:30" into seconds; @end is set to the text that follows. */
static int ccdm_ui_offset(const char *text, int64_t *seconds, const char **end)
{
	int64_t hours, minutes;

	*seconds = 0;
	*end = text + 1;
	if (*text == 'Z' || *text == 'z')
		return 0;
	if ((*text != '+' && *text != '-') || !ccdm_ui_shape(text + 1, "00:00"))
		return -EINVAL;
	hours = (text[1] - '0') * 10 + text[2] - '0';
	minutes = (text[4] - '0') * 10 + text[5] - '0';
	if (hours > 23 || minutes > 59)
		return -EINVAL;
	*seconds = (*text == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
	*end = text + 6;
	return 0;
}

int ccdm_ui_time(const char *text, int64_t *at)
{
	struct tm tm = { 0 };
	int64_t offset = 0;
	const char *p;

	p = ccdm_ui_shape(text, "0000-00-00") ? strptime(text, "%Y-%m-%d", &tm) : NULL;
	if (p && (*p == 'T' || *p == 't' || *p == ' ')) {
		p = ccdm_ui_shape(p + 1, "00:00:00") ? strptime(p + 1, "%H:%M:%S", &tm) : NULL;
		if (p && *p == '.')
			p += 1 + strspn(p + 1, "0123456789");
		if (p && ccdm_ui_offset(p, &offset, &p))
			return -EINVAL;
	}
	if (!p || *p)
		return -EINVAL;
	*at = (int64_t)timegm(&tm) - offset;
	return 0;
}

char *ccdm_ui_date(int64_t at, char *buf)
{
	time_t t = at;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(buf, 32, "%Y-%m-%dT%H:%M:%SZ", &tm))
		snprintf(buf, 32, "no date");
	return buf;
}

char *ccdm_ui_human(uint64_t bytes, char *buf)
{
	static const char *const names[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	double v = (double)bytes;
	size_t i = 0;

	while (v >= 1024 && i < 5) {
		v /= 1024;
		i++;
	}
	snprintf(buf, 32, v == (uint64_t)v ? "%.0f %s" : "%.1f %s", v, names[i]);
	return buf;
}

void *ccdm_malloc_or_exit(size_t size)
{
	void *p = malloc(size);

	if (p)
		return p;
	fprintf(stderr, "%s: out of memory\n", program_invocation_short_name);
	_exit(CCDM_EXIT_MEMORY);
}

bool ccdm_ui_confirm(const char *question)
{
	char answer[16];

	if (!isatty(STDIN_FILENO))
		return false;
	fprintf(stderr, "%s\nAre you sure? (Type 'yes' in capital letters): ", question);
	if (!fgets(answer, sizeof(answer), stdin))
		return false;
	return !strcmp(answer, "YES\n");
}

/* The code point at @p, which is valid UTF-8, and how many bytes it has. */
static uint32_t ccdm_ui_point(const unsigned char *p, size_t *size)
{
	uint32_t point = *p < 0x80 ? *p : *p < 0xe0 ? *p & 0x1f : *p < 0xf0 ? *p & 0x0f : *p & 0x07;
	size_t i;

	*size = *p < 0x80 ? 1 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
	for (i = 1; i < *size; i++)
		point = point << 6 | (p[i] & 0x3f);
	return point;
}

void ccdm_ui_json_text(const char *text)
{
	char *plain = strdup(text);
	const char *p = plain;
	uint32_t point;
	size_t size;

	if (!plain) {
		ccdm_ui_lost = true;
		p = "";
	} else {
		ccdm_err_plain(plain);
	}
	putchar('"');
	for (; *p; p += size) {
		point = ccdm_ui_point((const unsigned char *)p, &size);
		if (point == '"' || point == '\\')
			printf("\\%c", (int)point);
		else if (point < 0x80)
			putchar((int)point);
		else if (point < 0x10000)
			printf("\\u%04X", point);
		else
			printf("\\u%04X\\u%04X", 0xd800 + ((point - 0x10000) >> 10),
			       0xdc00 + ((point - 0x10000) & 0x3ff));
	}
	putchar('"');
	free(plain);
}

void ccdm_ui_progress(struct ccdm_progress *p, uint64_t done, uint64_t all)
{
	uint64_t now = (uint64_t)ccdm_clock_ms(), ms;
	unsigned int i, width = 30, part, percent;
	char a[32], b[32], rate[32];

	if (!p->started_ms)
		p->started_ms = now;
	ms = now - p->started_ms;
	if (p->quiet)
		return;
	if (p->json) {
		printf("{\"%s\":\"progress\",\"done\":\"%" PRIu64 "\",\"all\":\"%" PRIu64
		       "\",\"elapsed_ms\":\"%" PRIu64 "\"}\n",
		       p->what, done, all, ms);
		fflush(stdout);
		return;
	}
	if (!isatty(STDERR_FILENO))
		return;
	part = all ? done * width / all : width;
	percent = all ? done * 100 / all : 100;
	fprintf(stderr, "\r[");
	for (i = 0; i < width; i++)
		fputc(i < part ? '#' : '-', stderr);
	fprintf(stderr, "] %3u %% %s of %s, %s/s  ", percent, ccdm_ui_human(done, a),
		ccdm_ui_human(all, b), ccdm_ui_human(ms ? done * 1000 / ms : 0, rate));
	p->drawn = true;
}

void ccdm_ui_progress_end(struct ccdm_progress *p)
{
	if (p->drawn)
		fputc('\n', stderr);
	p->drawn = false;
}
