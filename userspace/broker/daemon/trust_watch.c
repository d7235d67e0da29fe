// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* trust_watch.c - see trust_watch.h */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/compiler.h"
#include "trust_watch.h"

#define LOOK  3600  /* seconds between two checks of collateral */
#define AGAIN 86400 /* seconds until a warning is repeated */

/* Seconds; never 0, which means "never checked". */
static int64_t ccdm_watch_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec + 1;
}

/*
 * FNV-1a. If two lines have the same hash, the second one is not printed today; nothing worse
 * happens.
 */
static uint32_t ccdm_watch_hash(const char *text)
{
	uint32_t h = 2166136261U;

	for (; *text; text++)
		h = (h ^ (uint8_t)*text) * 16777619U;
	return h;
}

/* Must the line be printed? Not if it was printed recently. */
static bool ccdm_watch_new(struct ccdm_trust_watch *w, const char *line, int64_t now)
{
	const unsigned int n = ARRAY_SIZE(w->said);
	uint32_t h = ccdm_watch_hash(line);
	unsigned int i;

	for (i = 0; i < n; i++)
		if (w->said[i].at && w->said[i].hash == h && now - w->said[i].at < AGAIN)
			return false;
	w->said[w->next % n].hash = h;
	w->said[w->next++ % n].at = now;
	return true;
}

static void ccdm_watch_warn(struct ccdm_trust_watch *w, const struct ccdm_trust_items *items,
			    const char *program, int64_t now)
{
	unsigned int i, n = 0;
	char line[512];

	for (i = 0; i < items->count; i++) {
		if (items->item[i].state < CCDM_TRUST_EXPIRES)
			continue;
		ccdm_trust_line(&items->item[i], line);
		if (n++ < CCDM_WATCH_LINES && ccdm_watch_new(w, line, now))
			fprintf(stderr, "%s: warning: %s\n", program, line);
	}
	if (n <= CCDM_WATCH_LINES)
		return;
	snprintf(line, sizeof(line), "%u more; \"ccdm-broker trust status\" lists them",
		 n - CCDM_WATCH_LINES);
	if (ccdm_watch_new(w, line, now))
		fprintf(stderr, "%s: warning: %s\n", program, line);
}

enum ccdm_trust_state ccdm_trust_watch(struct ccdm_trust_watch *w,
				       const struct ccdm_trust_dir *trust, bool whole,
				       const char *program)
{
	struct ccdm_trust_items items;
	struct ccdm_err err = { 0 };
	int64_t now = ccdm_watch_now();
	enum ccdm_trust_state all;
	unsigned int i;

	/*
	 * The first full check runs soon after the start, not in it: the start must not take longer
	 * if there are many files.
	 */
	if (whole && w->looked && now - w->looked < LOOK)
		goto out;
	if (ccdm_trust_status(ccdm_trust_path(trust), time(NULL),
			      whole ? CCDM_LOOK_PLATFORMS : CCDM_LOOK_START, &items, &err)) {
		/* the next call checks again */
		w->start = CCDM_TRUST_BROKEN;
		if (ccdm_watch_new(w, err.text, now))
			fprintf(stderr, "%s: warning: %s\n", program, err.text);
		goto out;
	}
	w->start = CCDM_TRUST_VALID;
	if (whole) {
		w->platforms = CCDM_TRUST_VALID;
		w->looked = now;
	}
	for (i = 0; i < items.count; i++) {
		enum ccdm_trust_state *worst =
			strncmp(items.item[i].file, "collateral/", 11) ? &w->start : &w->platforms;

		if (items.item[i].state >= CCDM_TRUST_EXPIRES && items.item[i].state > *worst)
			*worst = items.item[i].state;
	}
	ccdm_watch_warn(w, &items, program, now);
	ccdm_trust_items_drop(&items);
out:
	all = w->start > w->platforms ? w->start : w->platforms;
	if (!ccdm_trust_changed(trust))
		return all;
	if (ccdm_watch_new(w, CCDM_TRUST_CHANGED_TEXT, now))
		fprintf(stderr, "%s: warning: %s\n", program, CCDM_TRUST_CHANGED_TEXT);
	return all > CCDM_TRUST_CHANGED ? all : CCDM_TRUST_CHANGED;
}
