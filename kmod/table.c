// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/*
 * table.c - the table line and the status line
 *
 *	<start> <length> ccdm 1 <backing device> <#options> [<option>...]
 *
 * Every rejected word has an error of its own. What ccdm_table_print() prints,
 * ccdm_table_parse() accepts word for word. There is no place for a key.
 */
#include <linux/mm.h>
#include "ccdm.h"

static const char * const ccdm_on_tamper_names[] = {
	[CCDM_TAMPER_PANIC] = "panic",
	[CCDM_TAMPER_POWEROFF] = "poweroff",
	[CCDM_TAMPER_EIO] = "eio",
};

static const char * const ccdm_state_names[] = {
	[CCDM_ACTIVE] = "active",
	[CCDM_TAMPERED] = "tampered",
	[CCDM_FAILED] = "failed",
};

unsigned int ccdm_table_cache_max(void)
{
	return totalram_pages() / 2 >> (20 - PAGE_SHIFT);
}

static unsigned int ccdm_table_cache_default(void)
{
	unsigned long mib = totalram_pages() / 50 >> (20 - PAGE_SHIFT);

	return clamp_t(unsigned long, mib, CCDM_CACHE_MIB_DEFAULT_MIN,
		       CCDM_CACHE_MIB_DEFAULT_MAX);
}

static int ccdm_parse_cache_mib(struct ccdm *c, const char *value, char **error)
{
	unsigned int mib;

	if (kstrtouint(value, 10, &mib)) {
		*error = "cache_mib: not a number";
		return -EINVAL;
	}
	if (mib < CCDM_CACHE_MIB_MIN) {
		*error = "cache_mib: less than 2";
		return -EINVAL;
	}
	if (mib > ccdm_table_cache_max()) {
		*error = "cache_mib: more than half of the memory";
		return -EINVAL;
	}
	c->opt.cache_mib = mib;
	return 0;
}

static int ccdm_parse_on_tamper(struct ccdm *c, const char *value, char **error)
{
	int i = match_string(ccdm_on_tamper_names, ARRAY_SIZE(ccdm_on_tamper_names), value);

	if (i < 0) {
		*error = "on_tamper: not one of eio, panic, poweroff";
		return -EINVAL;
	}
	c->opt.on_tamper = i;
	return 0;
}

static int ccdm_parse_flag(bool *flag, const char *value, char **error)
{
	if (value) {
		*error = "allow_discards and allow_kdump take no value";
		return -EINVAL;
	}
	if (*flag) {
		*error = "Option given twice";
		return -EINVAL;
	}
	*flag = true;
	return 0;
}

static int ccdm_parse_option(struct ccdm *c, char *word, const char **origin)
{
	char **error = &c->ti->error;
	char *value = strchr(word, ':');
	bool *given = NULL, had_origin = *origin;

	if (value)
		*value++ = '\0';
	if (!strcmp(word, "allow_discards"))
		return ccdm_parse_flag(&c->opt.allow_discards, value, error);
	if (!strcmp(word, "allow_kdump"))
		return ccdm_parse_flag(&c->opt.allow_kdump, value, error);

	if (!strcmp(word, "cipher"))
		given = &c->opt.given.cipher;
	else if (!strcmp(word, "cache_mib"))
		given = &c->opt.given.cache_mib;
	else if (!strcmp(word, "on_tamper"))
		given = &c->opt.given.on_tamper;
	else if (!strcmp(word, "origin"))
		given = &had_origin;
	/*
	 * coverage: 10-life has unknown options; the compiler counts them where the last
	 * keyword is compared
	 */
	if (!given) {
		*error = "Unknown option";
		return -EINVAL;
	}
	if (*given) {
		*error = "Option given twice";
		return -EINVAL;
	}
	if (!value || !*value) {
		*error = "Option without its value";
		return -EINVAL;
	}
	*given = true;

	if (given == &c->opt.given.cache_mib)
		return ccdm_parse_cache_mib(c, value, error);
	if (given == &c->opt.given.on_tamper)
		return ccdm_parse_on_tamper(c, value, error);
	if (given == &had_origin) {
		*origin = value;
		return 0;
	}
	c->opt.suite = ccdm_suite_find(value);
	if (!c->opt.suite) {
		*error = "cipher: not one of aes-xts-gmac, aes-xts-hmac-sha256, aes-gcm";
		return -EINVAL;
	}
	return 0;
}

int ccdm_table_parse(struct ccdm *c, unsigned int argc, char **argv, const char **origin)
{
	unsigned int version, nr, i;
	int r;

	c->opt.suite = ccdm_suite_default();
	c->opt.cache_mib = ccdm_table_cache_default();
	c->opt.on_tamper = CCDM_TAMPER_PANIC;
	*origin = NULL;

	if (argc < 3) {
		c->ti->error = "Too few words: <version> <device> <#options> [<option>...]";
		return -EINVAL;
	}
	if (kstrtouint(argv[0], 10, &version) || version != CCDM_TABLE_VERSION) {
		c->ti->error = "Unknown version of the table line (this module knows 1)";
		return -EINVAL;
	}
	if (kstrtouint(argv[2], 10, &nr)) {
		c->ti->error = "Number of options: not a number";
		return -EINVAL;
	}
	if (nr != argc - 3) {
		c->ti->error = "Number of options differs from the options";
		return -EINVAL;
	}
	for (i = 0; i < nr; i++) {
		r = ccdm_parse_option(c, argv[3 + i], origin);
		if (r)
			return r;
	}
	return 0;
}

void ccdm_table_print(struct ccdm *c, char *result, unsigned int maxlen)
{
	const struct ccdm_options *o = &c->opt;
	unsigned int sz = 0;

	DMEMIT("%u %s %u", CCDM_TABLE_VERSION, c->dev->name,
	       o->given.cipher + o->given.cache_mib + o->given.on_tamper + !!c->origin +
	       o->allow_discards + o->allow_kdump);
	if (o->given.cipher)
		DMEMIT(" cipher:%s", o->suite->name);
	if (o->given.cache_mib)
		DMEMIT(" cache_mib:%u", o->cache_mib);
	if (o->given.on_tamper)
		DMEMIT(" on_tamper:%s", ccdm_on_tamper_names[o->on_tamper]);
	if (c->origin)
		DMEMIT(" origin:%s", c->origin->name);
	if (o->allow_discards)
		DMEMIT(" allow_discards");
	if (o->allow_kdump)
		DMEMIT(" allow_kdump");
}

static u64 ccdm_stat(struct ccdm *c, enum ccdm_stat stat)
{
	u64 n = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		n += READ_ONCE(per_cpu_ptr(c->stats, cpu)->n[stat]);
	return n;
}

void ccdm_status_print(struct ccdm *c, char *result, unsigned int maxlen)
{
	struct ccdm_cache *k = &c->cache;
	unsigned int sz = 0;
	u64 root_seq, finished;
	bool running;

	spin_lock_irq(&k->root.lock);
	root_seq = ccdm_le64_to_cpu(k->root_entry.seq);
	spin_unlock_irq(&k->root.lock);

	DMEMIT("state:%s suite:%s cache_kib:%u/%u pages:%u/%u dirty:%u unwritable:%u",
	       ccdm_state_names[READ_ONCE(c->state)], c->opt.suite->name,
	       ccdm_nodes_kib(c), c->opt.cache_mib << 10,
	       ccdm_pages_free(&c->pages), c->pages.nr,
	       READ_ONCE(k->nr_dirty), READ_ONCE(k->nr_unwritable));
	DMEMIT(" hits:%llu misses:%llu writebacks:%llu rechecks:%llu",
	       ccdm_stat(c, CCDM_STAT_HITS), ccdm_stat(c, CCDM_STAT_MISSES),
	       ccdm_stat(c, CCDM_STAT_WRITEBACKS), ccdm_stat(c, CCDM_STAT_RECHECKS));
	DMEMIT(" read:%llu written:%llu zeroed:%llu poisoned:%llu",
	       ccdm_stat(c, CCDM_STAT_READ), ccdm_stat(c, CCDM_STAT_WRITTEN),
	       ccdm_stat(c, CCDM_STAT_ZEROED), ccdm_stat(c, CCDM_STAT_POISONED));
	DMEMIT(" data_errors:%llu node_errors:%llu tampers:%llu",
	       ccdm_stat(c, CCDM_STAT_DATA_ERRORS), ccdm_stat(c, CCDM_STAT_NODE_ERRORS),
	       ccdm_stat(c, CCDM_STAT_TAMPERS));
	spin_lock(&c->scrub.lock);
	running = c->scrub.running;
	finished = c->scrub.finished;
	spin_unlock(&c->scrub.lock);
	if (running)
		DMEMIT(" scrub:%llu/%llu", READ_ONCE(c->scrub.done), c->scrub.all);
	else
		DMEMIT(" scrub:off");
	DMEMIT(" root_seq:%llu scrubs:%llu gmac:%s", root_seq, finished,
	       ccdm_gmac_name(c->block.kind));
}

void ccdm_status_ima(struct ccdm *c, char *result, unsigned int maxlen)
{
	unsigned int sz = 0;

	DMEMIT_TARGET_NAME_VERSION(c->ti->type);
	DMEMIT(",device=%s,suite=%s,on_tamper=%s,allow_discards=%c,allow_kdump=%c",
	       c->dev->name, c->opt.suite->name, ccdm_on_tamper_names[c->opt.on_tamper],
	       c->opt.allow_discards ? 'y' : 'n', c->opt.allow_kdump ? 'y' : 'n');
	if (c->origin)
		DMEMIT(",origin=%s", c->origin->name);
	DMEMIT(";");
}
