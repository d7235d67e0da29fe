// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* main.c - ccdm-image: its verbs, and what all of them share */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "image.h"
#include "launches.h"

/* In the order of --help. */
static const struct ccdm_image_verb *const image_verbs[] = {
	&ccdm_verb_base, &ccdm_verb_build,  &ccdm_verb_measure, &ccdm_verb_inspect,
	&ccdm_verb_run,	 &ccdm_verb_verify, &ccdm_verb_sign,
};

static const struct ccdm_verb *image_verb(unsigned int number)
{
	return number < ARRAY_SIZE(image_verbs) ? &image_verbs[number]->verb : NULL;
}

static const struct ccdm_program image_program = { .name = CCDM_PROGRAM,
						   .manual = "man 1 " CCDM_PROGRAM,
						   .verb = image_verb,
						   .options = ccdm_image_launch_options };

/* ---- what the verbs share ---------------------------------------------------------- */

enum ccdm_exit ccdm_image_usage(const struct ccdm_verb *verb, const char *what)
{
	return ccdm_verb_usage(&image_program, verb, what);
}

enum ccdm_exit ccdm_image_options(const struct ccdm_verb *verb, int argc, char **argv,
				  enum ccdm_exit (*take)(int option, void *arg), void *arg,
				  bool *over)
{
	enum ccdm_exit e;

	*over = !ccdm_options(&image_program, verb, argc, argv, take, arg, &e);
	return e;
}

enum ccdm_exit ccdm_image_print(json_t *object)
{
	struct ccdm_err err = { 0 };
	int r = ccdm_ui_json(object, &err);

	return r ? ccdm_ui_fail(CCDM_PROGRAM, &err, r) : CCDM_EXIT_OK;
}

struct ccdm_image_disk *ccdm_image_load(const char *file, bool secure_boot, enum ccdm_exit *e)
{
	struct ccdm_image_disk *disk = calloc(1, sizeof(*disk));
	struct ccdm_err err = { 0 };
	int r;

	*e = CCDM_EXIT_OK;
	if (!disk) {
		*e = ccdm_ui_fail(CCDM_PROGRAM, &err, ccdm_err_memory(&err));
		return NULL;
	}
	r = ccdm_bootable_open(file, &disk->boot, &err);
	if (!r)
		r = ccdm_predict(&disk->boot, secure_boot, &disk->prediction, &err);
	if (!r)
		return disk;
	*e = ccdm_ui_fail(CCDM_PROGRAM, &err, r);
	ccdm_image_free(disk);
	return NULL;
}

void ccdm_image_free(struct ccdm_image_disk *disk)
{
	if (disk)
		ccdm_bootable_close(&disk->boot);
	free(disk);
}

const char *ccdm_image_hex(const struct ccdm_digest *digest, char hex[2 * CCDM_DIGEST_MAX + 1])
{
	ccdm_hex(digest->bytes, digest->size, hex);
	return hex;
}

/* ---- enclave IDs -------------------------------------------------------------------- */

static const struct {
	const char *kind;
	bool rtmr;
	unsigned int bank;
} image_ids[] = { { "tpm", false, 0 }, { "tpm", false, 1 }, { "tdx", true, 1 } };

json_t *ccdm_image_ids(const struct ccdm_image_disk *disk)
{
	char id[CCDM_ENCLAVE_ID_SIZE], why[640];
	json_t *all = json_object(), *unknown = json_object();
	const char *bank;
	size_t i;

	ccdm_json_put(&all, "tpm", json_object());
	ccdm_json_put(&all, "tdx", json_object());
	for (i = 0; all && unknown && i < ARRAY_SIZE(image_ids); i++) {
		json_t *of = json_object_get(all, image_ids[i].kind);

		bank = ccdm_digest_name(ccdm_predict_bank(image_ids[i].bank));
		if (ccdm_predict_id(&disk->boot, &disk->prediction, image_ids[i].rtmr,
				    image_ids[i].bank, id, why, sizeof(why)) ||
		    json_object_set_new(of, bank, id[0] ? json_string(id) : json_null())) {
			json_decref(all);
			all = NULL;
		} else if (!id[0]) {
			ccdm_json_put(&unknown, image_ids[i].kind, json_string(why));
		}
	}
	if (!unknown) {
		/* (an ID or a reason is missing) */
		json_decref(all);
		return NULL;
	}
	if (json_object_size(unknown))
		ccdm_json_put(&all, "unknown", json_incref(unknown));
	json_decref(unknown);
	return all;
}

int ccdm_image_print_ids(const struct ccdm_image_disk *disk)
{
	char id[CCDM_ENCLAVE_ID_SIZE], why[640];
	size_t i;
	int r;

	for (i = 0; i < ARRAY_SIZE(image_ids); i++) {
		r = ccdm_predict_id(&disk->boot, &disk->prediction, image_ids[i].rtmr,
				    image_ids[i].bank, id, why, sizeof(why));
		if (r)
			return r;
		ccdm_ui_line("enclave-id %s %s %s%s", image_ids[i].kind,
			     ccdm_digest_name(ccdm_predict_bank(image_ids[i].bank)),
			     id[0] ? id : "unknown: ", id[0] ? "" : why);
	}
	return 0;
}

int main(int argc, char **argv)
{
	enum ccdm_exit e;
	const struct ccdm_verb *verb = ccdm_verb_find(&image_program, &argc, argv, &e);
	unsigned int i;

	for (i = 0; verb && image_verb(i); i++)
		if (image_verb(i) == verb)
			e = image_verbs[i]->run(verb, argc, argv);
	return ccdm_ui_end(CCDM_PROGRAM, e);
}
