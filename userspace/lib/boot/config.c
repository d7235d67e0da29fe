// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* config.c - see config.h */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/compiler.h"
#include "base/ui.h"
#include "config.h"
#include "credstore.h"
#include "fence.h"
#include "base/file.h"
#include "base/ini.h"
#include "kbs/kbs.h"

enum ccdm_config_type { TEXT, PATH, DEVICE, HEX, WORD, NUMBER, SIZE };

/*
 * The keys of the file. A value of type WORD is one of @words; if @size is 0, its index there is
 * stored (in an enum or a bool), else its text.
 */
static const struct ccdm_config_key {
	const char *section;
	const char *key;
	enum ccdm_config_type type;
	size_t offset;
	size_t size;
	const char *words;
	uint64_t min;
	uint64_t max;
} ccdm_config_keys[] = {
#define FIELD(f)  offsetof(struct ccdm_config, f)
#define STRING(f) FIELD(f), sizeof(((struct ccdm_config *)0)->f)
/* clang-format off */
/* NOLINTBEGIN(bugprone-macro-parentheses) */
#define VERITY(s, f) \
	{ s, "device", DEVICE, STRING(f.device), NULL, 0, 0 }, \
	{ s, "hash_device", DEVICE, STRING(f.hash_device), NULL, 0, 0 }, \
	{ s, "roothash", HEX, STRING(f.roothash), NULL, 40, 128 }, \
	{ s, "salt", HEX, STRING(f.salt), "-", 2, 512 }, \
	{ s, "algorithm", WORD, STRING(f.algorithm), "sha256 sha512", 0, 0 }, \
	{ s, "data_blocks", NUMBER, FIELD(f.data_blocks), 0, NULL, 1, 1ULL << 40 }, \
	{ s, "hash_start", NUMBER, FIELD(f.hash_start), 0, NULL, 0, 1ULL << 40 }, \
	{ s, "data_block_size", NUMBER, FIELD(f.data_block_size), 0, NULL, 4096, 4096 }, \
	{ s, "hash_block_size", NUMBER, FIELD(f.hash_block_size), 0, NULL, 4096, 4096 }
	/* NOLINTEND(bugprone-macro-parentheses) */
	/* clang-format on */
	{ "boot", "cmdline", TEXT, STRING(cmdline), NULL, 0, 0 },
	{ "boot", "strict", WORD, FIELD(strict), 0, "no yes", 0, 0 },
	{ "boot", "on_failure", WORD, FIELD(on_failure), 0, "poweroff reboot", 0, 0 },
	{ "boot", "first_boot", WORD, FIELD(first_boot), 0, "random keep", 0, 0 },
	{ "boot", "lockdown", WORD, FIELD(lockdown), 0, "no yes", 0, 0 },
	{ "boot", "timeout", NUMBER, FIELD(timeout), 0, NULL, 1, 600 },
	VERITY("base", base),
	VERITY("workload", workload),
	{ "root", "device", DEVICE, STRING(root_device), "gpt blank", 0, 0 },
	{ "root", "wipe", WORD, FIELD(wipe), 0, "no yes", 0, 0 },
	{ "root", "min_size", SIZE, FIELD(min_size), 0, NULL, 0, 1ULL << 52 },
	{ "root", "cipher", WORD, STRING(cipher), "aes-xts-gmac aes-xts-hmac-sha256 aes-gcm", 0,
	  0 },
	{ "root", "cache_size", SIZE, FIELD(cache_size), 0, NULL, 2 << 20, 1ULL << 40 },
	{ "root", "on_tamper", WORD, STRING(on_tamper), "panic poweroff", 0, 0 },
	{ "measure", "tpm", WORD, FIELD(tpm), 0, "off optional required", 0, 0 },
	{ "measure", "rtmr", WORD, FIELD(rtmr), 0, "off optional required", 0, 0 },
	{ "measure", "workload", PATH, STRING(workload_file), NULL, 0, 0 },
	{ "measure", "signer", PATH, STRING(signer), NULL, 0, 0 },
	{ "measure", "policy_url", TEXT, STRING(policy_url), NULL, 0, 0 },
	{ "attest", "attest", WORD, FIELD(attest), 0, "off optional required", 0, 0 },
	{ "attest", "broker", TEXT, STRING(broker), NULL, 0, 0 },
	{ "attest", "ca", PATH, STRING(ca), NULL, 0, 0 },
	{ "attest", "pin", HEX, STRING(pin), NULL, 64, 64 },
	{ "attest", "protocol", WORD, FIELD(protocol), 0, "0.4.0 0.2.0", 0, 0 },
	{ "attest", "activation", WORD, FIELD(no_activation), 0, "yes no", 0, 0 },
	{ "attest", "certificate", PATH, STRING(certificate), NULL, 0, 0 },
	{ "attest", "timeout", NUMBER, FIELD(attest_timeout), 0, NULL, 1, 3600 },
	{ "secrets", NULL, TEXT, 0, 0, NULL, 0, 0 }, /* the keys are names of credentials */
#undef VERITY
#undef STRING
#undef FIELD
};

#define CCDM_CONFIG_KEYS (ARRAY_SIZE(ccdm_config_keys))

struct ccdm_config_state {
	struct ccdm_config *config;
	bool seen[CCDM_CONFIG_KEYS];
	char sections[128]; /* the sections so far: " boot base " */
};

/* List what is allowed at this place: the sections, or the keys of one. */
static void ccdm_config_expected(const char *section, char *text, size_t size)
{
	const char *last = "";
	size_t i, at = 0;

	text[0] = '\0';
	/* coverage: there is room for all keywords */
	for (i = 0; i < CCDM_CONFIG_KEYS && at < size; i++) {
		const struct ccdm_config_key *k = &ccdm_config_keys[i];

		if (section && k->key && !strcmp(section, k->section))
			at += snprintf(text + at, size - at, "%s%s", at ? ", " : "", k->key);
		if (!section && strcmp(last, k->section))
			at += snprintf(text + at, size - at, "%s[%s]", at ? ", " : "", k->section);
		last = k->section;
	}
}

static int ccdm_config_section(const struct ccdm_ini_item *item, struct ccdm_config_state *s,
			       struct ccdm_err *err)
{
	char text[256], mark[64];
	size_t i;

	for (i = 0; i < CCDM_CONFIG_KEYS; i++)
		if (!strcmp(ccdm_config_keys[i].section, item->section))
			break;
	if (i == CCDM_CONFIG_KEYS) {
		ccdm_config_expected(NULL, text, sizeof(text));
		return ccdm_err_set(err, -EINVAL, "%s:%u:%u: unknown section '%s', expected %s",
				    item->file, item->line, item->key_column, item->section, text);
	}
	snprintf(mark, sizeof(mark), " %s ", item->section);
	if (strstr(s->sections, mark))
		return ccdm_err_set(err, -EINVAL, "%s:%u:%u: section [%s] appears twice",
				    item->file, item->line, item->key_column, item->section);
	strncat(s->sections, mark, sizeof(s->sections) - strlen(s->sections) - 1);
	if (!strcmp(item->section, "measure")) {
		s->config->tpm = CCDM_TPM_REQUIRED;
		s->config->rtmr = CCDM_RTMR_OPTIONAL;
	}
	if (!strcmp(item->section, "attest"))
		s->config->attest = CCDM_ATTEST_REQUIRED;
	return 0;
}

static int ccdm_config_bad(const struct ccdm_ini_item *item, const char *expected,
			   struct ccdm_err *err)
{
	return ccdm_err_set(err, -EINVAL, "%s:%u:%u: %s = '%s': expected %s", item->file,
			    item->line, item->value_column, item->key, item->value, expected);
}

/* The index of a word among words separated by blanks, or -1. */
static int ccdm_config_place(const char *words, const char *word)
{
	size_t n = strlen(word);
	int place = 0;

	for (; *words; words += strcspn(words, " "), words += strspn(words, " "), place++)
		if (strcspn(words, " ") == n && !strncmp(words, word, n))
			return place;
	return -1;
}

static int ccdm_config_word(const struct ccdm_config_key *k, const struct ccdm_ini_item *item,
			    void *field, struct ccdm_err *err)
{
	int place = ccdm_config_place(k->words, item->value);
	char expected[160];

	if (place < 0) {
		snprintf(expected, sizeof(expected), "one of: %s", k->words);
		return ccdm_config_bad(item, expected, err);
	}
	if (k->size)
		snprintf(field, k->size, "%s", item->value);
	else if (!strcmp(k->words, "no yes"))
		*(bool *)field = place;
	else
		*(unsigned int *)field = place;
	return 0;
}

static int ccdm_config_number(const struct ccdm_config_key *k, const struct ccdm_ini_item *item,
			      uint64_t *field, struct ccdm_err *err)
{
	char expected[96], *end;
	bool good;

	if (k->type == SIZE) {
		good = !ccdm_ui_size(item->value, field);
	} else {
		errno = 0;
		*field = strtoull(item->value, &end, 10);
		good = !errno && *item->value >= '0' && *item->value <= '9' && !*end;
	}
	if (good && *field >= k->min && *field <= k->max)
		return 0;
	if (k->min == k->max)
		snprintf(expected, sizeof(expected), "%llu", (unsigned long long)k->min);
	else
		snprintf(expected, sizeof(expected), "a %s from %llu to %llu",
			 k->type == SIZE ? "size" : "number", (unsigned long long)k->min,
			 (unsigned long long)k->max);
	return ccdm_config_bad(item, expected, err);
}

static int ccdm_config_text(const struct ccdm_config_key *k, const struct ccdm_ini_item *item,
			    char *field, struct ccdm_err *err)
{
	size_t n = strlen(item->value);

	/* A word instead of a device: the first one means "none". */
	if (k->type == DEVICE && k->words && ccdm_config_place(k->words, item->value) >= 0) {
		if (ccdm_config_place(k->words, item->value))
			snprintf(field, k->size, "%s", item->value);
		else
			field[0] = '\0';
		return 0;
	}
	if (!n)
		return ccdm_config_bad(item, "a value", err);
	if (n >= k->size)
		return ccdm_config_bad(item, "a shorter value", err);
	if (k->type != TEXT && strpbrk(item->value, " \t"))
		return ccdm_config_bad(item, "a value without blanks", err);
	if (k->type == PATH && *item->value != '/')
		return ccdm_config_bad(item, "an absolute path", err);
	if (k->type == DEVICE && strncmp(item->value, "/dev/", 5) &&
	    strncmp(item->value, "PARTUUID=", 9))
		return ccdm_config_bad(item, "/dev/... or PARTUUID=...", err);
	/* coverage: no such value is longer than the field */
	if (k->type == HEX && !(k->words && !strcmp(item->value, k->words)) &&
	    (strspn(item->value, "0123456789abcdef") != n || n % 2 || n < k->min || n > k->max))
		return ccdm_config_bad(item, "lower-case hex digits, two for each byte", err);
	memcpy(field, item->value, n + 1);
	return 0;
}

/* Would both secrets be the key of the same volume? */
static bool ccdm_config_same_key(const char *a, const char *b)
{
	const char *x = ccdm_credstore_volume(a), *y = ccdm_credstore_volume(b);

	return x && y && !strcmp(x, y) && strcmp(a, b);
}

/* Parse CREDENTIAL = REPO/TYPE/TAG. */
static int ccdm_config_secret(const struct ccdm_ini_item *item, struct ccdm_config *c,
			      struct ccdm_err *err)
{
	struct ccdm_config_secret *s = &c->secret[c->nr_secrets];
	unsigned int i;

	if (c->nr_secrets == CCDM_SECRETS_MAX)
		return ccdm_config_bad(item, "at most 64 secrets", err);
	/* it becomes a file name */
	if (strlen(item->key) >= sizeof(s->name) || item->key[0] == '.')
		return ccdm_err_set(err, -EINVAL, "%s:%u:%u: '%s' is not a valid credential name",
				    item->file, item->line, item->key_column, item->key);
	for (i = 0; i < c->nr_secrets; i++)
		if (!strcmp(c->secret[i].name, item->key))
			return ccdm_err_set(err, -EINVAL, "%s:%u:%u: '%s' appears twice",
					    item->file, item->line, item->key_column, item->key);
	if (strlen(item->value) >= sizeof(s->path) || !ccdm_kbs_path_good(item->value))
		return ccdm_config_bad(item, "REPO/TYPE/TAG", err);
	for (i = 0; i < c->nr_secrets; i++)
		if (ccdm_config_same_key(c->secret[i].path, item->value))
			return ccdm_config_bad(item, "another TAG, because a volume has one key",
					       err);
	snprintf(s->name, sizeof(s->name), "%s", item->key);
	snprintf(s->path, sizeof(s->path), "%s", item->value);
	c->nr_secrets++;
	return 0;
}

static int ccdm_config_each(const struct ccdm_ini_item *item, void *arg, struct ccdm_err *err)
{
	struct ccdm_config_state *s = arg;
	const struct ccdm_config_key *k;
	char text[256];
	void *field;
	size_t i;

	if (!item->key)
		return ccdm_config_section(item, s, err);
	if (!strcmp(item->section, "secrets"))
		return ccdm_config_secret(item, s->config, err);
	for (i = 0; i < CCDM_CONFIG_KEYS; i++) {
		k = &ccdm_config_keys[i];
		if (k->key && !strcmp(k->section, item->section) && !strcmp(k->key, item->key))
			break;
	}
	if (i == CCDM_CONFIG_KEYS) {
		ccdm_config_expected(item->section, text, sizeof(text));
		return ccdm_err_set(err, -EINVAL, "%s:%u:%u: unknown key '%s' in [%s], expected %s",
				    item->file, item->line, item->key_column, item->key,
				    item->section, text);
	}
	if (s->seen[i])
		return ccdm_err_set(err, -EINVAL, "%s:%u:%u: '%s' appears twice", item->file,
				    item->line, item->key_column, item->key);
	s->seen[i] = true;
	field = (char *)s->config + k->offset;
	switch (k->type) {
	case WORD:
		return ccdm_config_word(k, item, field, err);
	case NUMBER:
	case SIZE:
		return ccdm_config_number(k, item, field, err);
	default:
		return ccdm_config_text(k, item, field, err);
	}
}

/* Check that no required key is missing. */
static int ccdm_config_needed(const char *file, const struct ccdm_config_state *s,
			      struct ccdm_err *err)
{
	static const char needed[] = "cmdline device roothash salt data_blocks hash_start";
	bool workload = strstr(s->sections, " workload ");
	size_t i;

	for (i = 0; i < CCDM_CONFIG_KEYS; i++) {
		const struct ccdm_config_key *k = &ccdm_config_keys[i];

		if (s->seen[i] || (strcmp(k->section, "boot") && strcmp(k->section, "base") &&
				   !(workload && !strcmp(k->section, "workload"))))
			continue;
		if (ccdm_config_place(needed, k->key) >= 0)
			return ccdm_err_set(err, -EINVAL, "%s: no '%s' in [%s]", file, k->key,
					    k->section);
	}
	return 0;
}

static int ccdm_config_roothash(const char *file, const struct ccdm_config_verity *v,
				struct ccdm_err *err)
{
	unsigned int digits = strcmp(v->algorithm, "sha512") ? 64 : 128;

	if (strlen(v->roothash) == digits)
		return 0;
	return ccdm_err_set(err, -EINVAL, "%s: a root hash of %s has %u hex digits, found %zu",
			    file, v->algorithm, digits, strlen(v->roothash));
}

/* A workload is measured once: as a partition, or as a file. */
static int ccdm_config_workload(const char *file, const struct ccdm_config *c, struct ccdm_err *err)
{
	if (!c->workload.device[0])
		return 0;
	if (c->workload_file[0])
		return ccdm_err_set(err, -EINVAL,
				    "%s: [measure] has a 'workload', but the boot measures the "
				    "section [workload]; remove the one or the other",
				    file);
	return ccdm_config_roothash(file, &c->workload, err);
}

/* A section [attest] must identify its broker; without it there must be no secrets. */
static int ccdm_config_broker(const char *file, const struct ccdm_config *c, struct ccdm_err *err)
{
	if (c->attest == CCDM_ATTEST_OFF)
		return c->nr_secrets
			       ? ccdm_err_set(
					 err, -EINVAL,
					 "%s: [secrets] needs attestation; add a section [attest]",
					 file)
			       : 0;
	if (strncmp(c->broker, "https://", 8) || !c->broker[8])
		return ccdm_err_set(err, -EINVAL,
				    "%s: [attest] has no 'broker'; add broker = https://HOST",
				    file);
	if (!c->ca[0] == !c->pin[0])
		return ccdm_err_set(err, -EINVAL, "%s: [attest] needs either 'ca' or 'pin'", file);
	return 0;
}

static void ccdm_config_verity_default(struct ccdm_config_verity *v)
{
	v->data_block_size = 4096;
	v->hash_block_size = 4096;
	strcpy(v->algorithm, "sha256");
}

int ccdm_config_parse(const char *file, const char *text, size_t size, struct ccdm_config *config,
		      struct ccdm_err *err)
{
	struct ccdm_config_state s = { .config = config };
	int r;

	memset(config, 0, sizeof(*config));
	config->strict = true;
	config->lockdown = true;
	config->timeout = 60;
	config->attest_timeout = 120;
	ccdm_config_verity_default(&config->base);
	ccdm_config_verity_default(&config->workload);
	r = ccdm_ini_parse(file, text, size, ccdm_config_each, &s, err);
	if (!r)
		r = ccdm_config_needed(file, &s, err);
	if (!r)
		r = ccdm_config_roothash(file, &config->base, err);
	if (!r)
		r = ccdm_config_workload(file, config, err);
	if (!r)
		r = ccdm_config_broker(file, config, err);
	if (!r)
		r = ccdm_fence_expected(file, config, err);
	return r;
}

int ccdm_config_load(const char *file, struct ccdm_config *config, struct ccdm_err *err)
{
	char *text;
	size_t size;
	int r;

	memset(config, 0, sizeof(*config));
	r = ccdm_file_read(file, CCDM_INI_MAX, &text, &size, err);
	if (r)
		return r;
	r = ccdm_config_parse(file, text, size, config, err);
	free(text);
	return r;
}
