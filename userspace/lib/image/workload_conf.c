// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* workload_conf.c - see workload_conf.h */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "boot/config.h"
#include "workload_conf.h"

static const char ccdm_conf_file[] = "ccdm.conf";

/* "key = value", unless there is no value. A line break would be another line of the file. */
static int ccdm_conf_line(FILE *f, const char *key, const char *value, struct ccdm_err *err)
{
	if (!value || !*value)
		return 0;
	if (strpbrk(value, "\r\n"))
		return ccdm_err_set(err, -EINVAL, "%s: %s: expected one line, found several",
				    ccdm_conf_file, key);
	fprintf(f, "%s = %s\n", key, value);
	return 0;
}

/* Lines of one section: pairs of key and value, the last key is NULL. */
static int ccdm_conf_lines(FILE *f, struct ccdm_err *err, ...)
{
	const char *key, *value;
	va_list args;
	int r = 0;

	va_start(args, err);
	while (!r && (key = va_arg(args, const char *))) {
		value = va_arg(args, const char *);
		r = ccdm_conf_line(f, key, value, err);
	}
	va_end(args);
	return r;
}

static int ccdm_conf_verity(FILE *f, const char *section, const struct ccdm_hashtree *tree,
			    const char *device, const char *hash_device, struct ccdm_err *err)
{
	int r;

	fprintf(f, "\n[%s]\n", section);
	r = ccdm_conf_lines(f, err, "device", device, "hash_device", hash_device, "roothash",
			    tree->roothash, "salt", tree->salt, "algorithm", tree->algorithm, NULL);
	fprintf(f,
		"data_blocks = %llu\nhash_start = %llu\ndata_block_size = %u\n"
		"hash_block_size = %u\n",
		(unsigned long long)tree->data_blocks, (unsigned long long)tree->hash_start,
		tree->data_block_size, tree->hash_block_size);
	return r;
}

static int ccdm_conf_root(FILE *f, const struct ccdm_workload_conf *c, struct ccdm_err *err)
{
	char size[32] = "";

	if (c->min_size)
		snprintf(size, sizeof(size), "%llu", (unsigned long long)c->min_size);
	fputs("\n[root]\n", f);
	return ccdm_conf_lines(f, err, "device", c->scratch, "min_size", size, "cipher", c->cipher,
			       NULL);
}

static int ccdm_conf_broker(FILE *f, const struct ccdm_workload_conf *c, struct ccdm_err *err)
{
	unsigned int i;
	int r;

	fputs("\n[attest]\n", f);
	r = ccdm_conf_lines(f, err, "broker", c->broker, "ca", c->ca, "pin", c->pin, NULL);
	if (r || !c->workload || !c->workload->nr_secrets)
		return r;
	fputs("\n[secrets]\n", f);
	for (i = 0; !r && i < c->workload->nr_secrets; i++)
		r = ccdm_conf_line(f, c->workload->secret[i].name, c->workload->secret[i].from,
				   err);
	return r;
}

static int ccdm_conf_print(FILE *f, const struct ccdm_workload_conf *c, struct ccdm_err *err)
{
	int r;

	fputs("[boot]\n", f);
	r = ccdm_conf_lines(f, err, "cmdline", c->cmdline, "on_failure", c->on_failure, "lockdown",
			    c->lockdown, NULL);
	if (!r)
		r = ccdm_conf_verity(f, "base", c->base, c->base_device, c->base_hash_device, err);
	if (!r && c->root)
		r = ccdm_conf_verity(f, "workload", c->root, c->root_device, NULL, err);
	if (!r)
		r = ccdm_conf_root(f, c, err);
	if (r)
		return r;
	fputs("\n[measure]\n", f);
	r = ccdm_conf_lines(f, err, "tpm", c->tpm, "signer", c->signer, "policy_url", c->policy_url,
			    NULL);
	return r || !c->broker ? r : ccdm_conf_broker(f, c, err);
}

/* Check that a boot reads the text. */
static int ccdm_conf_check(const struct ccdm_workload_conf *c, const char *text, size_t size,
			   struct ccdm_err *err)
{
	struct ccdm_config *config = malloc(sizeof(*config));
	int r;

	if (!config)
		return ccdm_err_memory(err);
	r = ccdm_config_parse(ccdm_conf_file, text, size, config, err);
	if (!r && c->workload && !c->broker && c->workload->nr_secrets)
		r = ccdm_err_set(err, -EINVAL,
				 "workload.yaml has secrets, but no broker is given; add --broker");
	free(config);
	return r;
}

int ccdm_workload_conf_make(const struct ccdm_workload_conf *conf, char **text, size_t *size,
			    struct ccdm_err *err)
{
	FILE *f;
	int r;

	*text = NULL;
	f = open_memstream(text, size);
	if (!f)
		return ccdm_err_memory(err);
	r = ccdm_conf_print(f, conf, err);
	if ((ferror(f) | fclose(f)) && !r)
		r = ccdm_err_memory(err);
	if (!r)
		r = ccdm_conf_check(conf, *text, *size, err);
	if (r) {
		free(*text);
		*text = NULL;
	}
	return r;
}
