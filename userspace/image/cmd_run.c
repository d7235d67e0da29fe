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
#include "image/broker_here.h"
#include "image/machine.h"
#include "image/scratch_dir.h"

#define MEMORY_LEAST 256  /* MiB */
#define MEMORY	     2048 /* MiB, without --memory */
#define CPUS_MOST    255

struct run_args {
	const char *firmware;
	bool broker_here;
	const char *policy;
	unsigned int secrets;
	struct {
		char path[CCDM_CONFIG_PATH];
		const char *file;
	} secret[CCDM_SECRETS_MAX];
	struct ccdm_machine machine;
	struct ccdm_broker_here broker;
};

enum {
	OPT_MEMORY = 256,
	OPT_CPUS,
	OPT_FIRMWARE,
	OPT_FORWARD,
	OPT_KEEP,
	OPT_BROKER_HERE,
	OPT_SECRET,
	OPT_POLICY,
};

static const struct ccdm_option run_options[] = {
	{ "memory", 0, OPT_MEMORY, "SIZE", "of the VM (default 2G)", NULL, NULL },
	{ "cpus", 0, OPT_CPUS, "N", "of the VM (default 2; without KVM 1)", NULL, NULL },
	{ "forward", 0, OPT_FORWARD, "HOST:GUEST",
	  "a TCP port of this machine's loopback leads to a port of the VM", NULL, NULL },
	{ "firmware", 0, OPT_FIRMWARE, "FILE", "another OVMF than the distribution's", "@file",
	  NULL },
	{ "keep", 0, OPT_KEEP, NULL, "what the VM writes stays on DISK", NULL, NULL },
	{ "broker-here", 0, OPT_BROKER_HERE, NULL,
	  "start a broker on this machine; without DISK: print the options of\n"
	  "build for an image that attests to it",
	  NULL, NULL },
	{ "secret", 0, OPT_SECRET, "PATH=FILE",
	  "a secret of that broker: default/web/key=FILE; once or more", "@file", NULL },
	{ "policy", 0, OPT_POLICY, "FILE",
	  "a policy of that broker (default: for this image, with a TPM alone)", "@file", NULL },
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

static enum ccdm_exit run_secret(struct run_args *a, const char *text)
{
	size_t n = strcspn(text, "=");

	if (a->secrets == CCDM_SECRETS_MAX || !n || n >= sizeof(a->secret[0].path) || !text[n] ||
	    !text[n + 1])
		return CCDM_EXIT_USAGE;
	memcpy(a->secret[a->secrets].path, text, n);
	a->secret[a->secrets++].file = text + n + 1;
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
	case OPT_BROKER_HERE:
		a->broker_here = true;
		return CCDM_EXIT_OK;
	case OPT_SECRET:
		return run_secret(a, text);
	case OPT_POLICY:
		a->policy = text;
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

/* ---- the broker ------------------------------------------------------------------------- */

/* Each secret that the image fetches has a file. */
static int run_has_secrets(const struct run_args *a, const struct ccdm_bootable *disk,
			   struct ccdm_err *err)
{
	const struct ccdm_config *c = &disk->config;
	unsigned int i, k;

	for (i = 0; i < c->nr_secrets; i++) {
		for (k = 0; k < a->secrets; k++)
			if (!strcmp(a->secret[k].path, c->secret[i].path))
				break;
		if (k < a->secrets)
			continue;
		ccdm_err_hint(err, "give --secret %s=FILE", c->secret[i].path);
		return ccdm_err_set(err, -EINVAL,
				    "%s: the image fetches the secret %s, and the broker has none",
				    disk->source.name, c->secret[i].path);
	}
	return 0;
}

/* Compare the image's broker and secrets with the options before anything starts. */
static int run_broker_start(struct run_args *a, struct ccdm_bootable *disk, struct ccdm_err *err)
{
	struct ccdm_broker_here *b = &a->broker;
	uint16_t port = 0;
	unsigned int i;
	int r = ccdm_broker_here_match(b, disk, &port, err);

	if (!r)
		r = run_has_secrets(a, disk, err);
	if (!r)
		r = ccdm_broker_here_tpm(b, err);
	if (!r)
		r = ccdm_broker_here_start(b, port, err);
	for (i = 0; !r && i < a->secrets; i++)
		r = ccdm_broker_here_secret(b, a->secret[i].path, a->secret[i].file, err);
	if (r)
		return r;
	return a->policy ? ccdm_broker_here_policy(b, a->policy, err)
			 : ccdm_broker_here_policy_of(b, disk, err);
}

static int run_broker(struct run_args *a, struct ccdm_err *err)
{
	struct ccdm_bootable *disk = calloc(1, sizeof(*disk));
	int r = disk ? ccdm_bootable_open(a->machine.disk, disk, err) : ccdm_err_memory(err);

	if (!r)
		r = run_broker_start(a, disk, err);
	if (disk)
		ccdm_bootable_close(disk);
	free(disk);
	if (!r)
		fprintf(stderr,
			"  broker:    on this machine; it trusts this TPM, and its CA is %s\n",
			a->broker.ca);
	return r;
}

/* The broker does not tell a refused guest the reason; its log has it. */
static void run_broker_log(const struct run_args *a)
{
	struct ccdm_err err = { 0 };
	char *text = NULL, *line, *rest;

	if (ccdm_broker_here_log(&a->broker, &text, &err)) {
		fprintf(stderr, "%s: the broker's log: %s\n", CCDM_PROGRAM, err.text);
		return;
	}
	fprintf(stderr, "%s: the end of the broker's log:\n", CCDM_PROGRAM);
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		ccdm_err_plain(line);
		fprintf(stderr, "  %s\n", line);
	}
	free(text);
}

/* ---- the verb --------------------------------------------------------------------------- */

static int run_do(struct run_args *a, struct ccdm_err *err)
{
	struct ccdm_machine *m = &a->machine;
	int r = ccdm_machine_prepare(m, a->firmware, err);

	if (r)
		return r;
	run_say(m);
	if (a->broker_here)
		r = run_broker(a, err);
	if (r)
		return r;
	/* the machine reads and closes it */
	m->drain = a->broker.messages;
	a->broker.messages = -1;
	r = ccdm_machine_run(m, err);
	if (a->broker_here && r == -ECANCELED)
		run_broker_log(a);
	return r;
}

static int run_in_folder(struct run_args *a, struct ccdm_err *err)
{
	char dir[CCDM_SCRATCH_DIR] = "";
	int r = ccdm_interrupt_watch();

	if (r)
		return ccdm_err_set(err, r, "cannot catch signals: %s", strerror(-r));
	r = ccdm_scratch_dir_make(dir, err);
	a->machine.dir = dir;
	a->broker.dir = dir;
	if (!r && a->broker_here)
		r = ccdm_broker_here_make(&a->broker, err);
	if (!r && a->machine.disk)
		r = run_do(a, err);
	ccdm_broker_here_end(&a->broker);
	if (a->machine.drain >= 0)
		close(a->machine.drain);
	ccdm_scratch_dir_remove(dir);
	return r;
}

static void run_end(const struct run_args *a)
{
	const char *ended = a->machine.console.ended;

	if (a->machine.disk)
		fprintf(stderr, "%s: the VM powered off%s%s\n", CCDM_PROGRAM,
			ended[0] ? "; its workload ended: " : "", ended);
	else
		printf("--broker https://%s:%d --ca %s\n", CCDM_BROKER_HERE_HOST,
		       CCDM_BROKER_HERE_PORT, a->broker.ca);
}

static enum ccdm_exit run_args(const struct ccdm_verb *verb, struct run_args *a, char **argv)
{
	struct ccdm_err err = { 0 };
	int r;

	a->machine.disk = argv[optind];
	if (!a->machine.disk && !a->broker_here)
		return ccdm_image_usage(verb, "expected a disk");
	if ((a->secrets || a->policy) && !a->broker_here)
		return ccdm_image_usage(verb, "--secret and --policy need --broker-here");
	/* (a program may end while something is written to it) */
	signal(SIGPIPE, SIG_IGN);
	r = run_in_folder(a, &err);
	if (r)
		return ccdm_ui_fail(CCDM_PROGRAM, &err, r);
	run_end(a);
	return CCDM_EXIT_OK;
}

static enum ccdm_exit cmd_run(const struct ccdm_verb *verb, int argc, char **argv)
{
	struct run_args *a = calloc(1, sizeof(*a));
	struct ccdm_err err = { 0 };
	enum ccdm_exit e;
	bool over;

	if (!a)
		return ccdm_ui_fail(CCDM_PROGRAM, &err, ccdm_err_memory(&err));
	a->machine.memory = MEMORY;
	a->machine.drain = -1;
	a->machine.console.put = run_put;
	a->broker.daemon.pidfd = -1;
	a->broker.messages = -1;
	e = ccdm_image_options(verb, argc, argv, run_take, a, &over);
	if (!over)
		e = run_args(verb, a, argv);
	free(a);
	return e;
}

const struct ccdm_image_verb ccdm_verb_run = {
	.verb = { .name = "run",
		  .usage = "[DISK]",
		  .summary = "try a disk on this machine, in QEMU with an emulated TPM",
		  .intro = "  DISK is a disk image, or a block device\n",
		  .text = "The VM's console is standard output. A try protects nothing: this machine can read\n"
			  "and change the VM's memory and its TPM.\n"
			  "Exit code 0: the VM powered off. 7: the VM ended with an error code of ccdm\n"
			  "(CCDM-E-...).\n",
		  .options = run_options,
		  .offer = "@file",
		  .min_args = 0,
		  .max_args = 1 },
	.run = cmd_run,
};
