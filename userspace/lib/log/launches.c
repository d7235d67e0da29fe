// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* launches.c - see launches.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/compiler.h"
#include "base/bytes.h"
#include "crypto/digest.h"
#include "launches.h"
#include "base/lines.h"

static const char *const ccdm_launch_words[] = {
	[CCDM_LAUNCH_ID_KEY] = "id-key",
	[CCDM_LAUNCH_MEASUREMENT] = "measurement",
	[CCDM_LAUNCH_MRTD] = "mrtd",
};

#define CCDM_LAUNCH_KINDS (ARRAY_SIZE(ccdm_launch_words))

void ccdm_launches_drop(struct ccdm_launches *list)
{
	free(list->launch);
	memset(list, 0, sizeof(*list));
}

static int ccdm_launch_word(const char *word, struct ccdm_launch *launch)
{
	unsigned int i;

	for (i = 0; i < CCDM_LAUNCH_KINDS; i++)
		if (!strcmp(word, ccdm_launch_words[i])) {
			launch->kind = i;
			return 0;
		}
	return -EINVAL;
}

static bool ccdm_launch_zero(const struct ccdm_launch *launch)
{
	static const uint8_t zero[CCDM_LAUNCH_SIZE];

	return !memcmp(launch->value, zero, sizeof(zero));
}

static int ccdm_launches_line(const char *where, char *const *word, unsigned int words, void *arg,
			      struct ccdm_err *err)
{
	struct ccdm_launch launch, *grown;
	struct ccdm_launches *list = arg;

	if (ccdm_launch_word(word[0], &launch))
		return ccdm_err_set(
			err, -EINVAL,
			"%s: unknown kind '%.40s'; expected id-key, measurement or mrtd", where,
			word[0]);
	if (words != 2 || ccdm_unhex(word[1], launch.value, sizeof(launch.value)))
		return ccdm_err_set(err, -EINVAL, "%s: %s: expected one value of 96 hex digits",
				    where, word[0]);
	if (ccdm_launch_zero(&launch))
		return ccdm_err_set(err, -EINVAL, "%s: %s: expected a launch value, found zeros",
				    where, word[0]);
	/* the array grows at each power of two */
	if (!(list->count & (list->count - 1))) {
		grown = realloc(list->launch, (list->count ? 2 * list->count : 1) * sizeof(launch));
		if (!grown)
			return ccdm_err_memory(err);
		list->launch = grown;
	}
	list->launch[list->count++] = launch;
	return 0;
}

int ccdm_launches_parse(const char *what, const char *text, size_t size, struct ccdm_launches *list,
			struct ccdm_err *err)
{
	int r;

	memset(list, 0, sizeof(*list));
	r = ccdm_lines_read(what, text, size, CCDM_LAUNCHES_FILE, ccdm_launches_line, list, err);
	if (r)
		ccdm_launches_drop(list);
	return r;
}

bool ccdm_launches_have(const struct ccdm_launches *list, enum ccdm_launch_kind kind,
			const uint8_t value[CCDM_LAUNCH_SIZE])
{
	unsigned int i;

	for (i = 0; list && i < list->count; i++)
		if (list->launch[i].kind == kind &&
		    !memcmp(list->launch[i].value, value, CCDM_LAUNCH_SIZE))
			return true;
	return false;
}
