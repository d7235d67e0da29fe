// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* build_conf.c - ccdm.conf of an image whose base is a tree */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/bytes.h"
#include "base/ini.h"
#include "build.h"
#include "guid.h"

/* Required by ccdm-setup: dracut.ccdm(7). Clouds stop disks for minutes: NVMe disks must wait. */
#define CMDLINE                                                                             \
	"root=/dev/mapper/ccdm-root rw systemd.import_credentials=no systemd.gpt_auto=no "  \
	"systemd.ssh_auto=no nohibernate noresume panic=0 nvme_core.io_timeout=4294967295 " \
	"console=ttyS0"

enum { BOOT, ROOT, MEASURE, ATTEST, SECRETS, SECTIONS };

static const char *const conf_sections[SECTIONS] = { "boot", "root", "measure", "attest",
						     "secrets" };

/*
 * The file under construction.
 * @text: lines of each section
 * @has: the section is there
 * @tpm, @broker, @ca, @signer, @lockdown: the tree's file says it
 */
struct conf_make {
	struct ccdm_build *b;
	FILE *to[SECTIONS];
	char *text[SECTIONS];
	size_t size[SECTIONS];
	bool has[SECTIONS];
	bool tpm, broker, ca, signer, lockdown;
};

static int ccdm_conf_take(const struct ccdm_ini_item *item, void *arg, struct ccdm_err *err)
{
	struct conf_make *m = arg;
	int i;

	/* skip what build computes */
	if (!strcmp(item->section, "base") || !strcmp(item->section, "workload"))
		return 0;
	for (i = 0; i < SECTIONS && strcmp(conf_sections[i], item->section); i++)
		;
	if (i == SECTIONS)
		return ccdm_err_set(err, -EINVAL, "%s:%u: unknown section [%s]", item->file,
				    item->line, item->section);
	m->has[i] = true;
	if (!item->key)
		return 0;
	if (i == BOOT && !strcmp(item->key, "cmdline")) {
		if (snprintf(m->b->cmdline, sizeof(m->b->cmdline), "%s", item->value) <
		    (int)sizeof(m->b->cmdline))
			return 0;
		return ccdm_err_set(err, -EINVAL, "%s:%u: cmdline is too long", item->file,
				    item->line);
	}
	m->lockdown |= i == BOOT && !strcmp(item->key, "lockdown");
	m->tpm |= i == MEASURE && !strcmp(item->key, "tpm");
	m->signer |= i == MEASURE && !strcmp(item->key, "signer");
	m->broker |= i == ATTEST && !strcmp(item->key, "broker");
	m->ca |= i == ATTEST && !strcmp(item->key, "ca");
	fprintf(m->to[i], "%s = %s\n", item->key, item->value);
	return 0;
}

/* An option of the command line must not contradict the tree's file. */
static int ccdm_conf_add(struct conf_make *m, int section, const char *option, const char *key,
			 const char *value, bool there, struct ccdm_err *err)
{
	if (!value)
		return 0;
	if (there)
		return ccdm_err_set(err, -EINVAL,
				    "--%s: etc/ccdm/ccdm.conf of the tree has %s already; remove "
				    "one of them",
				    option, key);
	m->has[section] = true;
	fprintf(m->to[section], "%s = %s\n", key, value);
	return 0;
}

static int ccdm_conf_options(struct conf_make *m, struct ccdm_err *err)
{
	const struct ccdm_build_ask *ask = m->b->ask;
	const char *tpm = ask->tpm;
	int r;

	/* without [measure] nothing would be measured */
	if (!tpm && !m->has[MEASURE])
		tpm = "required";
	r = ccdm_conf_add(m, MEASURE, "tpm", "tpm", tpm, m->tpm, err);
	if (!r)
		r = ccdm_conf_add(m, MEASURE, "signer", "signer",
				  m->b->signer ? CCDM_BUILD_SIGNER : NULL, m->signer, err);
	if (!r)
		r = ccdm_conf_add(m, ATTEST, "broker", "broker", ask->broker, m->broker, err);
	if (!r)
		r = ccdm_conf_add(m, ATTEST, "ca", "ca", ask->ca ? CCDM_BUILD_CA : NULL, m->ca,
				  err);
	if (!r)
		r = ccdm_conf_add(m, BOOT, "debug", "lockdown", ask->debug ? "no" : NULL,
				  m->lockdown, err);
	return r;
}

static int ccdm_conf_cmdline(struct ccdm_build *b, struct ccdm_err *err)
{
	size_t n;

	if (!b->cmdline[0])
		snprintf(b->cmdline, sizeof(b->cmdline), "%s", CMDLINE);
	n = strlen(b->cmdline);
	if (b->ask->debug && snprintf(b->cmdline + n, sizeof(b->cmdline) - n, "%s",
				      CCDM_BUILD_DEBUG_WORDS) >= (int)(sizeof(b->cmdline) - n))
		return ccdm_err_set(err, -EINVAL, "the kernel's command line is too long");
	return 0;
}

int ccdm_build_base_guid(const struct ccdm_hashtree *tree, const char *name, char text[37])
{
	uint8_t root[32];

	if (ccdm_unhex(tree->roothash, root, sizeof(root)))
		return -EIO;
	return ccdm_guid_text(name, root, sizeof(root), text);
}

static int ccdm_conf_print(struct conf_make *m, FILE *to, struct ccdm_err *err)
{
	const struct ccdm_hashtree *base = &m->b->base;
	char device[37], hash[37];
	int i;

	if (ccdm_build_base_guid(base, "base", device) ||
	    ccdm_build_base_guid(base, "base hash", hash))
		return ccdm_err_set(err, -EIO, "hashing failed");
	fprintf(to, "[boot]\ncmdline = %s\n%s", m->b->cmdline, m->text[BOOT]);
	fprintf(to,
		"[base]\ndevice = PARTUUID=%s\nhash_device = PARTUUID=%s\nroothash = %s\n"
		"salt = %s\nalgorithm = %s\ndata_blocks = %" PRIu64 "\nhash_start = %" PRIu64 "\n",
		device, hash, base->roothash, base->salt, base->algorithm, base->data_blocks,
		base->hash_start);
	for (i = BOOT + 1; i < SECTIONS; i++)
		if (m->has[i])
			fprintf(to, "[%s]\n%s", conf_sections[i], m->text[i]);
	return 0;
}

static int ccdm_conf_text(struct conf_make *m, struct ccdm_err *err)
{
	struct ccdm_config config;
	size_t size = 0;
	FILE *to = open_memstream(&m->b->conf, &size);
	int r = to ? ccdm_conf_print(m, to, err) : ccdm_err_memory(err);

	if (to && fclose(to) && !r)
		r = ccdm_err_memory(err);
	/* (this finds errors of the tree's file, too) */
	if (!r)
		r = ccdm_config_parse("ccdm.conf", m->b->conf, size, &config, err);
	return r;
}

int ccdm_build_conf(struct ccdm_build *b, struct ccdm_err *err)
{
	struct conf_make m = { .b = b };
	int i, r = 0;

	for (i = 0; !r && i < SECTIONS; i++) {
		m.to[i] = open_memstream(&m.text[i], &m.size[i]);
		if (!m.to[i])
			r = ccdm_err_memory(err);
	}
	if (!r && b->own_conf)
		r = ccdm_ini_parse("etc/ccdm/ccdm.conf of the tree", b->own_conf, b->own_conf_size,
				   ccdm_conf_take, &m, err);
	if (!r)
		r = ccdm_conf_options(&m, err);
	if (!r)
		r = ccdm_conf_cmdline(b, err);
	for (i = 0; i < SECTIONS; i++)
		if (m.to[i] && fclose(m.to[i]) && !r)
			r = ccdm_err_memory(err);
	if (!r)
		r = ccdm_conf_text(&m, err);
	for (i = 0; i < SECTIONS; i++)
		free(m.text[i]);
	return r;
}
