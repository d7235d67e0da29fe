// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* main.c - ccdm-setup: the table of verbs */
#include "base/compiler.h"
#include "setup.h"

/* In the order of --help. */
static const struct ccdm_setup_verb *const setup_verbs[] = {
	&ccdm_verb_open,      &ccdm_verb_close,	  &ccdm_verb_status,   &ccdm_verb_list,
	&ccdm_verb_cache,     &ccdm_verb_scrub,	  &ccdm_verb_monitor,  &ccdm_verb_attach,
	&ccdm_verb_config,    &ccdm_verb_measure, &ccdm_verb_evidence, &ccdm_verb_attest,
	&ccdm_verb_secret,    &ccdm_verb_verify,  &ccdm_verb_boot,     &ccdm_verb_workload,
	&ccdm_verb_benchmark, &ccdm_verb_doctor,
};

static const struct ccdm_verb *setup_verb(unsigned int number)
{
	return number < ARRAY_SIZE(setup_verbs) ? &setup_verbs[number]->verb : NULL;
}

const struct ccdm_program ccdm_setup_program = { .name = CCDM_PROGRAM,
						 .manual = "man 8 " CCDM_PROGRAM,
						 .verb = setup_verb,
						 .offer = ccdm_setup_offer };

enum ccdm_exit ccdm_setup_print(json_t *object)
{
	struct ccdm_err err = { 0 };
	int r = ccdm_ui_json(object, &err);

	return r ? ccdm_ui_fail(CCDM_PROGRAM, &err, r) : CCDM_EXIT_OK;
}

int main(int argc, char **argv)
{
	enum ccdm_exit e;
	const struct ccdm_verb *verb;
	unsigned int i;

	ccdm_dm_init();
	verb = ccdm_verb_find(&ccdm_setup_program, &argc, argv, &e);
	for (i = 0; verb && setup_verb(i); i++)
		if (setup_verb(i) == verb)
			e = setup_verbs[i]->run(verb, argc, argv);
	return ccdm_ui_end(CCDM_PROGRAM, e);
}
