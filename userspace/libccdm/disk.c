// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* disk.c - the functions of ccdm.h, but for events */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/err.h"
#include "base/ui.h"
#include "ccdm.h"
#include "ccdm_format.h"
#include "disk/dm.h"
#include "disk/module.h"
#include "disk/open.h"
#include "error.h"

enum ccdm_disk_text {
	CCDM_DISK_CIPHER,
	CCDM_DISK_ON_TAMPER,
	CCDM_DISK_ORIGIN,
	CCDM_DISK_UUID,
	CCDM_DISK_TEXTS,
};

/**
 * struct ccdm_disk_plan - see ccdm.h
 * @open: the options; its strings are those below
 * @device: path
 * @name: of the mapping
 * @text: values of options; NULL for the default
 */
struct ccdm_disk_plan {
	struct ccdm_open open;
	char *device;
	char *name;
	char *text[CCDM_DISK_TEXTS];
};

/* ---- the plan --------------------------------------------------------------------- */

/* Copy a string of the caller. */
static int ccdm_disk_keep(char **to, const char *text, struct ccdm_err *err)
{
	char *copy = strdup(text);

	if (!copy)
		return ccdm_err_memory(err);
	free(*to);
	*to = copy;
	return 0;
}

int ccdm_disk_plan_new(struct ccdm_disk_plan **plan, const char *device, const char *name,
		       struct ccdm_disk_error *error)
{
	struct ccdm_disk_plan *p = calloc(1, sizeof(*p));
	struct ccdm_err err = { 0 };
	int r;

	*plan = NULL;
	if (!p)
		return ccdm_disk_error_fill(error, &err, ccdm_err_memory(&err));
	r = ccdm_disk_keep(&p->device, device, &err);
	if (!r)
		r = ccdm_disk_keep(&p->name, name, &err);
	if (r) {
		ccdm_disk_plan_free(p);
		return ccdm_disk_error_fill(error, &err, r);
	}
	p->open.device = p->device;
	p->open.name = p->name;
	*plan = p;
	return 0;
}

void ccdm_disk_plan_free(struct ccdm_disk_plan *plan)
{
	size_t i;

	if (!plan)
		return;
	free(plan->device);
	free(plan->name);
	for (i = 0; i < CCDM_DISK_TEXTS; i++)
		free(plan->text[i]);
	free(plan);
}

/* Return: -EINVAL if @value is not one of the words of the option; -ENOMEM */
static int ccdm_disk_text(struct ccdm_disk_plan *p, enum ccdm_disk_text number, const char **to,
			  const char *value, struct ccdm_err *err)
{
	struct ccdm_open open = p->open;
	const char *wrong;
	int r;

	*to = value;
	if (!ccdm_open_words(&p->open, &wrong)) {
		p->open = open;
		return -EINVAL;
	}
	r = ccdm_disk_keep(&p->text[number], value, err);
	*to = p->text[number];
	return r;
}

static int ccdm_disk_set(struct ccdm_disk_plan *p, const char *option, const char *value,
			 struct ccdm_err *err)
{
	const struct {
		const char *name;
		const char *expected;
		enum ccdm_disk_text number;
		const char **text;
		uint64_t *bytes;
		bool *flag;
	} options[] = {
		{ "cipher", "aes-xts-gmac, aes-xts-hmac-sha256 or aes-gcm", CCDM_DISK_CIPHER,
		  &p->open.cipher, NULL, NULL },
		{ "on-tamper", "panic, poweroff or eio", CCDM_DISK_ON_TAMPER, &p->open.on_tamper,
		  NULL, NULL },
		{ "origin", "a device", CCDM_DISK_ORIGIN, &p->open.origin, NULL, NULL },
		{ "uuid", "32 hex digits in lower case", CCDM_DISK_UUID, &p->open.uuid, NULL,
		  NULL },
		{ "cache-size", "a size above 0, such as 64M", CCDM_DISK_TEXTS, NULL,
		  &p->open.cache, NULL },
		{ "size", "a size above 0, such as 64M", CCDM_DISK_TEXTS, NULL, &p->open.size,
		  NULL },
		{ "allow-discards", "no value", CCDM_DISK_TEXTS, NULL, NULL,
		  &p->open.allow_discards },
		{ "allow-kdump", "no value", CCDM_DISK_TEXTS, NULL, NULL, &p->open.allow_kdump },
	};
	uint64_t bytes;
	size_t i;
	int r;

	for (i = 0; i < ARRAY_SIZE(options); i++)
		if (!strcmp(option, options[i].name))
			break;
	if (i == ARRAY_SIZE(options)) {
		ccdm_err_hint(err, "the options are those of \"ccdm-setup open\", without dashes");
		return ccdm_err_set(err, -EINVAL, "unknown option '%s'", option);
	}
	r = -EINVAL;
	if (options[i].flag && !value) {
		*options[i].flag = true;
		r = 0;
	} else if (options[i].text && value) {
		r = ccdm_disk_text(p, options[i].number, options[i].text, value, err);
	} else if (options[i].bytes && value && !ccdm_ui_size(value, &bytes) && bytes) {
		*options[i].bytes = bytes;
		r = 0;
	}
	return r != -EINVAL ? r
			    : ccdm_err_set(err, r, "option '%s': expected %s, found %s%s%s", option,
					   options[i].expected, value ? "'" : "",
					   value ? value : "none", value ? "'" : "");
}

int ccdm_disk_plan_set(struct ccdm_disk_plan *plan, const char *option, const char *value,
		       struct ccdm_disk_error *error)
{
	struct ccdm_err err = { 0 };

	return ccdm_disk_error_fill(error, &err, ccdm_disk_set(plan, option, value, &err));
}

static int ccdm_disk_look(struct ccdm_disk_plan *plan, struct ccdm_disk_facts *facts,
			  struct ccdm_err *err)
{
	struct ccdm_disk_facts found = { 0 };
	struct ccdm_open_facts open;
	char params[CCDM_OPEN_PARAMS];
	int r = ccdm_open_look(&plan->open, &open, err);

	if (!r)
		r = ccdm_open_params(&plan->open, params, sizeof(params), err);
	if (r)
		return r;
	found.bytes = open.blocks * CCDM_BLOCK_SIZE;
	found.device_bytes = open.device.bytes;
	snprintf(found.content, sizeof(found.content), "%s", open.device.signature);
	snprintf(found.table, sizeof(found.table), "0 %llu ccdm %s",
		 (unsigned long long)open.blocks * CCDM_BLOCK_SECTORS, params);
	return ccdm_disk_copy(facts, &found, sizeof(found), CCDM_DISK_FACTS_FIRST, err);
}

int ccdm_disk_plan_look(struct ccdm_disk_plan *plan, struct ccdm_disk_facts *facts,
			struct ccdm_disk_error *error)
{
	struct ccdm_err err = { 0 };

	return ccdm_disk_error_fill(error, &err, ccdm_disk_look(plan, facts, &err));
}

static int ccdm_disk_open(struct ccdm_disk_plan *plan, bool destroy, struct ccdm_err *err)
{
	struct ccdm_open_facts facts;
	int r = ccdm_dm_need(err);

	if (!r)
		r = ccdm_open_look(&plan->open, &facts, err);
	if (!r)
		r = ccdm_module_need(err);
	if (!r && facts.device.signature[0] && !destroy) {
		ccdm_err_hint(err, "to destroy it, set \"destroy\"");
		r = ccdm_err_set(err, -ECANCELED, "%s holds: %s", plan->device,
				 facts.device.signature);
	}
	return r ? r : ccdm_open_map(&plan->open, &facts, err);
}

int ccdm_disk_plan_open(struct ccdm_disk_plan *plan, bool destroy, struct ccdm_disk_error *error)
{
	struct ccdm_err err = { 0 };

	return ccdm_disk_error_fill(error, &err, ccdm_disk_open(plan, destroy, &err));
}

/* ---- mappings ------------------------------------------------------------------------ */

int ccdm_disk_close(const char *name, bool deferred, struct ccdm_disk_error *error)
{
	struct ccdm_dm_info info;
	struct ccdm_err err = { 0 };
	int r = ccdm_dm_need(&err);

	if (!r)
		r = ccdm_dm_info(name, &info, &err);
	if (!r)
		r = ccdm_dm_remove(name, deferred, &err);
	return ccdm_disk_error_fill(error, &err, r);
}

int ccdm_disk_status(const char *name, struct ccdm_disk_status *status,
		     struct ccdm_disk_error *error)
{
	struct ccdm_disk_status found = { 0 };
	struct ccdm_dm_info info;
	struct ccdm_err err = { 0 };
	int r = ccdm_dm_need(&err);

	if (!r)
		r = ccdm_dm_info(name, &info, &err);
	if (!r) {
		snprintf(found.name, sizeof(found.name), "%s", info.name);
		snprintf(found.uuid, sizeof(found.uuid), "%s", info.uuid);
		snprintf(found.dev, sizeof(found.dev), "%s", info.dev);
		snprintf(found.backing, sizeof(found.backing), "%s", info.backing);
		snprintf(found.table, sizeof(found.table), "%s", info.table);
		snprintf(found.status, sizeof(found.status), "%s", info.status);
		found.bytes = info.length * 512;
		found.in_use = info.open_count > 0;
		found.suspended = info.suspended;
		r = ccdm_disk_copy(status, &found, sizeof(found), CCDM_DISK_STATUS_FIRST, &err);
	}
	return ccdm_disk_error_fill(error, &err, r);
}

bool ccdm_disk_value(const char *status, const char *key, char *value, size_t size)
{
	char word[CCDM_DM_TEXT];

	if (size)
		value[0] = '\0';
	if (!ccdm_dm_word(status, key, word, sizeof(word)) || strlen(word) >= size)
		return false;
	memcpy(value, word, strlen(word) + 1);
	return true;
}

struct ccdm_disk_each {
	int (*each)(const char *name, void *arg);
	void *arg;
	int result;
};

/* A result above 0 is the caller's own; ccdm_dm_list() returns it as it is. */
static int ccdm_disk_each(const char *name, void *arg, struct ccdm_err *err)
{
	struct ccdm_disk_each *a = arg;

	(void)err;
	a->result = a->each(name, a->arg);
	return a->result;
}

int ccdm_disk_list(int (*each)(const char *name, void *arg), void *arg,
		   struct ccdm_disk_error *error)
{
	struct ccdm_disk_each a = { .each = each, .arg = arg };
	struct ccdm_err err = { 0 };
	int r = ccdm_dm_need(&err);

	if (!r)
		r = ccdm_dm_list(ccdm_disk_each, &a, &err);
	/* the caller's result has no message */
	return a.result ? r : ccdm_disk_error_fill(error, &err, r);
}
