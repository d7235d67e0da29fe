// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* fuzzes: lib/image/lock.c - the lock file of a base */
#include "fuzz.h"
#include "image/lock.h"

/* What is written of a valid file is read as the same. */
static void again(const struct ccdm_lock *lock)
{
	char *text = ccdm_lock_text(lock);
	struct ccdm_lock other = { 0 };
	struct ccdm_err err = { 0 };
	json_t *json;
	int r;

	if (!text)
		return;
	r = ccdm_lock_parse("lock", text, strlen(text), &other, &err);
	if (!r)
		r = ccdm_lock_compare("lock", lock, &other, &err);
	if (r && r != -ENOMEM)
		abort();
	json = ccdm_lock_json(&other);
	if (json && json_array_size(json) != other.count)
		abort();
	json_decref(json);
	ccdm_lock_free(&other);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ccdm_lock lock;
	struct ccdm_err err = { 0 };

	if (!ccdm_lock_parse("lock", (const char *)data, size, &lock, &err)) {
		if (!ccdm_lock_sort(&lock, &err))
			again(&lock);
	}
	ccdm_lock_free(&lock);
	return 0;
}
