// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* cmd_run.c - ccdm-image run */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/interrupt.h"
#include "image.h"
#include "image/machine.h"
#include "image/scratch_dir.h"

#define MEMORY_LEAST 256  /* MiB */
#define MEMORY	     2048 /* MiB, without --memory */
#define CPUS_MOST    255

struct run_args {
	const char *firmware;
	struct ccdm_machine machine;
};

enum { OPT_MEMORY = 256, OPT_CPUS, OPT_FIRMWARE, OPT_FORWARD, OPT_KEEP };

static const struct ccdm_option run_options[] = {
	{ "memory", 0, OPT_MEMORY, "SIZE", "of the VM (default 2G)", NULL, NULL },
	{ "cpus", 0, OPT_CPUS, "N", "of the VM (default 2; without KVM 1)", NULL, NULL },
	{ "forward", 0, OPT_FORWARD, "HOST:GUEST",
	  "a TCP port of this machine's loopback leads to a port of the VM", NULL, NULL },
	{ "firmware", 0, OPT_FIRMWARE, "FILE", "another OVMF than the distribution's", "@file",
	  NULL },
	{ "keep", 0, OPT_KEEP, NULL, "what the VM writes stays on DISK", NULL, NULL },
	{ 0 },
};

/* ---- options ------------------------------------------------------------------------ */

/* A number from 1 to @most up to the character @end. */
static bool run_number(const char **text, char end, unsigned long most, unsigned long *number)
{
	char *rest;

	if (**text < '0' || **text > '9')
		return false;
	errno = 0;
	*number = strtoul(*text, &rest, 10);
	if (*rest != end || errno || !*number || *number > most)
		return false;
	*text = rest + (end != '\0');
	return true;
}

static enum ccdm_exit run_forward(struct ccdm_machine *m, const char *text)
{
	unsigned long host, guest;

	if (m->forwards == CCDM_MACHINE_FORWARDS || !run_number(&text, ':', 65535, &host) ||
	    !run_number(&text, '\0', 65535, &guest))
		return CCDM_EXIT_USAGE;
	m->forward[m->forwards].host = (uint16_t)host;
	m->forward[m->forwards++].guest = (uint16_t)guest;
	return CCDM_EXIT_OK;
}

static enum ccdm_exit run_take(int option, void *arg)
{
	struct run_args *a = arg;
	const char *text = optarg;
	unsigned long n;
	uint64_t size;

	switch (option) {
	case OPT_MEMORY:
		if (ccdm_ui_size(text, &size) || size >> 20 < MEMORY_LEAST || size >> 20 > 1 << 20)
			return CCDM_EXIT_USAGE;
		a->machine.memory = size >> 20;
		return CCDM_EXIT_OK;
	case OPT_CPUS:
		if (!run_number(&text, '\0', CPUS_MOST, &n))
			return CCDM_EXIT_USAGE;
		a->machine.cpus = (unsigned int)n;
		return CCDM_EXIT_OK;
	case OPT_FORWARD:
		return run_forward(&a->machine, text);
	case OPT_FIRMWARE:
		a->firmware = text;
		return CCDM_EXIT_OK;
	case OPT_KEEP:
		a->machine.keep = true;
		return CCDM_EXIT_OK;
	default:
		return CCDM_EXIT_USAGE;
	}
}

/* ---- what it prints ------------------------------------------------------------------- */

/* The console is standard output; what ccdm-image says itself is not part of it. */
static void run_say(const struct ccdm_machine *m)
{
	fprintf(stderr,
		"%s: this is a try. It protects nothing:\n"
		"  memory:    not encrypted; this machine can read and change it\n"
		"  TPM:       emulated by swtpm; its owner is this machine\n"
		"  firmware:  %s\n"
		"  processor: %s%s\n"
		"  disk:      %s%s\n",
		CCDM_PROGRAM, m->firmware.code,
		m->kvm ? "of this machine, with KVM"
		       : "emulated, which is slow: KVM does not work: ",
		m->kvm ? "" : m->no_kvm, m->disk,
		m->keep ? "; the VM changes it" : " stays as it is; what the VM writes is deleted");
}

static void run_put(void *arg, const char *text, size_t size)
{
	(void)arg;
	fwrite(text, 1, size, stdout);
	fflush(stdout);
}

/* ---- the verb --------------------------------------------------------------------------- */

static int run_do(struct run_args *a, struct ccdm_err *err)
{
	struct ccdm_machine *m = &a->machine;
	char dir[CCDM_SCRATCH_DIR] = "";
	int r = ccdm_interrupt_watch();

	if (r)
		return ccdm_err_set(err, r, "cannot catch signals: %s", strerror(-r));
	r = ccdm_machine_prepare(m, a->firmware, err);
	if (!r)
		r = ccdm_scratch_dir_make(dir, err);
	m->dir = dir;
	if (!r) {
		run_say(m);
		r = ccdm_machine_run(m, err);
	}
	ccdm_scratch_dir_remove(dir);
	return r;
}

static enum ccdm_exit cmd_run(const struct ccdm_verb *verb, int argc, char **argv)
{
	struct run_args *a = calloc(1, sizeof(*a));
	struct ccdm_err err = { 0 };
	enum ccdm_exit e;
	bool over;
	int r;

	if (!a)
		return ccdm_ui_fail(CCDM_PROGRAM, &err, ccdm_err_memory(&err));
	a->machine = (struct ccdm_machine){ .memory = MEMORY, .drain = -1, .console.put = run_put };
	e = ccdm_image_options(verb, argc, argv, run_take, a, &over);
	if (!over) {
		a->machine.disk = argv[optind];
		/* (the VM may end while its console is written to) */
		signal(SIGPIPE, SIG_IGN);
		r = run_do(a, &err);
		if (!r)
			fprintf(stderr, "%s: the VM powered off%s%s\n", CCDM_PROGRAM,
				a->machine.console.ended[0] ? "; its workload ended: " : "",
				a->machine.console.ended);
		e = r ? ccdm_ui_fail(CCDM_PROGRAM, &err, r) : CCDM_EXIT_OK;
	}
	free(a);
	return e;
}

const struct ccdm_image_verb ccdm_verb_run = {
	.verb = { .name = "run",
		  .usage = "DISK",
		  .summary = "try a disk on this machine, in QEMU with an emulated TPM",
		  .intro = "  DISK is a disk image, or a block device\n",
		  .text = "The VM's console is standard output. A try protects nothing: this machine can read\n"
			  "and change the VM's memory and its TPM.\n"
			  "Exit code 0: the VM powered off. 7: it ended its boot with a code of ccdm.\n",
		  .options = run_options,
		  .offer = "@file",
		  .min_args = 1,
		  .max_args = 1 },
	.run = cmd_run,
};
