// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* main.c - ccdm-open: verbs of ccdm-setup in a small static program */
#include "base/compiler.h"
#include "setup/verb.h"

/* In the order of --help. */
static const struct ccdm_setup_verb *const open_verbs[] = {
	&ccdm_verb_open, &ccdm_verb_close, &ccdm_verb_status, &ccdm_verb_list, &ccdm_verb_attach,
};

static const struct ccdm_verb *open_verb(unsigned int number)
{
	return number < ARRAY_SIZE(open_verbs) ? &open_verbs[number]->verb : NULL;
}

const struct ccdm_program ccdm_setup_program = { .name = CCDM_PROGRAM,
						 .manual = "man 8 " CCDM_PROGRAM,
						 .verb = open_verb,
						 .offer = ccdm_setup_offer };

int main(int argc, char **argv)
{
	enum ccdm_exit e;
	const struct ccdm_verb *verb;
	unsigned int i;

	verb = ccdm_verb_find(&ccdm_setup_program, &argc, argv, &e);
	for (i = 0; verb && open_verb(i); i++)
		if (open_verb(i) == verb)
			e = open_verbs[i]->run(verb, argc, argv);
	return ccdm_ui_end(CCDM_PROGRAM, e);
}
