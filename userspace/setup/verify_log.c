// SPDX-License-Identifier: Apache-2.0
/* verify_log.c - see verify_log.h */
#include <stdio.h>
#include <stdlib.h>
#include "../lib/bytes.h"
#include "../lib/member.h"
#include "setup.h"
#include "verify_log.h"

/* "rtmr0" is register 1 of the log of a confidential guest. */
static bool verify_register(const char *name, unsigned int *index)
{
	bool rtmr = !strncmp(name, "rtmr", 4);
	const char *digits = name + (rtmr ? 4 : 0);
	unsigned long n;
	char *end;

	n = strtoul(digits, &end, 10);
	if (!strchr("0123456789", *digits) || end == digits || *end ||
	    n >= (rtmr ? 4 : CCDM_REGISTERS))
		return false;
	*index = (unsigned int)n + rtmr;
	return true;
}

static int verify_expect_one(const struct ccdm_banks *banks, const char *bank_name,
			     const char *name, const json_t *value, struct ccdm_verdict *v,
			     struct ccdm_err *err)
{
	const struct ccdm_bank *bank = ccdm_banks_find(banks, ccdm_digest_alg(bank_name));
	uint16_t size = ccdm_digest_size(ccdm_digest_alg(bank_name));
	char found[2 * CCDM_DIGEST_MAX + 1] = "no such bank in the log", check[40];
	uint8_t want[CCDM_DIGEST_MAX];
	unsigned int index;

	if (!size || !verify_register(name, &index) || !json_is_string(value) ||
	    ccdm_unhex(json_string_value(value), want, size))
		return ccdm_err_set(err, -EINVAL, "what is expected: %s %s is no register",
				    bank_name, name);
	if (bank)
		ccdm_digest_hex(bank->value[index].bytes, size, found);
	snprintf(check, sizeof(check), "%s-%s", bank_name, name);
	ccdm_verdict_add(v, check, bank && !memcmp(bank->value[index].bytes, want, size), 0,
			 json_string_value(value), "%s", found);
	return 0;
}

int verify_log_expect(const char *file, const struct ccdm_banks *banks, struct ccdm_verdict *v,
		      struct ccdm_err *err)
{
	json_error_t where;
	const char *key, *name;
	json_t *o = json_load_file(file, JSON_REJECT_DUPLICATES, &where), *value, *inner;
	int r = 0;

	if (!json_is_object(o))
		r = ccdm_err_set(err, -EINVAL, "%s: line %d: %s", file, where.line,
				 o ? "no object" : where.text);
	else if (!json_object_size(o))
		r = ccdm_err_set(err, -EINVAL, "%s: no register in it", file);
	json_object_foreach(o, key, value)
	{
		if (!r && !json_is_object(value))
			r = verify_expect_one(banks, "sha384", key, value, v, err);
		json_object_foreach(value, name, inner) if (!r) r =
			verify_expect_one(banks, key, name, inner, v, err);
	}
	json_decref(o);
	return r;
}

enum ccdm_exit verify_log_print(const struct ccdm_banks *banks, bool as_json)
{
	char hex[2 * CCDM_DIGEST_MAX + 1], index[4];
	json_t *all = json_object(), *values;
	unsigned int i, k;

	for (i = 0; i < banks->count; i++) {
		const struct ccdm_bank *bank = &banks->bank[i];
		const char *name = ccdm_digest_name(bank->alg);

		values = json_object();
		for (k = 0; k < CCDM_REGISTERS; k++) {
			if (!bank->used[k])
				continue;
			ccdm_digest_hex(bank->value[k].bytes, bank->value[k].size, hex);
			snprintf(index, sizeof(index), "%u", k);
			ccdm_member_put(&values, index, json_string(hex));
			if (!as_json)
				printf("%s %u %s\n", name, k, hex);
		}
		ccdm_member_put(&all, name, values);
	}
	if (as_json)
		return ccdm_setup_print(all);
	json_decref(all);
	return CCDM_EXIT_OK;
}
