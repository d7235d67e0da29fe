// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* trust_status.c - see trust_status.h */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/compiler.h"
#include "base/ui.h"
#include "evidence/collateral.h"
#include "base/file.h"
#include "crypto/x509_crl.h"
#include "trust_keep.h"
#include "trust_status.h"

struct ccdm_looking {
	const char *dir;
	int64_t at;
	struct ccdm_trust_items items;
	struct ccdm_err *err;
};

const char *ccdm_trust_state_name(enum ccdm_trust_state state)
{
	static const char *const names[] = { "valid", "superseded", "changed", "expires",
					     "early", "expired",    "broken" };

	return names[state];
}

void ccdm_trust_items_drop(struct ccdm_trust_items *items)
{
	free(items->item);
	memset(items, 0, sizeof(*items));
}

/* ---- one item --------------------------------------------------------------------- */

/* Add an item. @id: 32 bytes; an item with the same ID can supersede it. NULL: none can. */
static int ccdm_look_add(struct ccdm_looking *l, const char *kind, const char *what,
			 const char *file, const uint8_t *id, int64_t from, int64_t until)
{
	struct ccdm_trust_items *items = &l->items;
	struct ccdm_trust_item i = { .kind = kind, .from = from, .until = until }, *more;
	unsigned int n = items->count;

	if (id)
		memcpy(i.id, id, sizeof(i.id));
	snprintf(i.what, sizeof(i.what), "%s", what);
	snprintf(i.file, sizeof(i.file), "%s", file);
	ccdm_err_plain(i.what);
	ccdm_err_plain(i.file);
	i.state = from < 0 || until < 0		    ? CCDM_TRUST_BROKEN
		  : from > l->at		    ? CCDM_TRUST_EARLY
		  : until < l->at		    ? CCDM_TRUST_EXPIRED
		  : until - l->at < CCDM_TRUST_SOON ? CCDM_TRUST_EXPIRES
						    : CCDM_TRUST_VALID;
	/* the array grows at each power of two */
	if (!(n & (n - 1))) {
		more = realloc(items->item, (n ? 2 * (size_t)n : 1) * sizeof(*more));
		if (!more)
			return ccdm_err_memory(l->err);
		items->item = more;
	}
	items->count = n + 1;
	items->item[n] = i;
	return 0;
}

/*
 * Does @file hold a list that a vendor publishes? AMD has two with the same issuer, so neither
 * supersedes the other.
 */
static bool ccdm_look_slot(const char *file)
{
	const struct ccdm_slot *slot;
	unsigned int i;

	for (i = 0; (slot = ccdm_slot(i)); i++)
		if (!strncmp(file, "certs/", 6) && !strcmp(file + 6, slot->file))
			return true;
	return false;
}

/* Add the lists of a set, which were read from @file. */
static int ccdm_look_lists(struct ccdm_looking *l, const char *file, const struct ccdm_certs *set)
{
	const struct ccdm_crl *crl;
	struct ccdm_crl_info info;
	unsigned int i;
	int r = 0;

	for (i = 0; !r && (crl = ccdm_certs_crl(set, i)); i++) {
		ccdm_crl_info(crl, &info);
		r = ccdm_look_add(l, "list", info.issuer, file, info.name, info.from, info.to);
	}
	return r;
}

static int ccdm_look_certs(struct ccdm_looking *l, const char *kind, const char *name,
			   const char *file, const char *text, size_t size)
{
	struct ccdm_certs *set = ccdm_certs_own(NULL);
	const struct ccdm_cert *cert;
	struct ccdm_digest key;
	struct ccdm_err none;
	int64_t from, until;
	unsigned int i;
	char cn[64];
	int r = set ? 0 : ccdm_err_memory(l->err);

	if (!r && ccdm_certs_add(set, file, text, size, NULL, &none))
		r = ccdm_look_add(l, "file", "cannot be read", file, NULL, -1, -1);
	for (i = 0; !r && (cert = ccdm_certs_at(set, i)); i++) {
		ccdm_cert_validity(cert, &from, &until);
		r = ccdm_look_add(l, kind, name ? name : ccdm_cert_cn(cert, cn), file,
				  ccdm_pubkey_hash(ccdm_cert_key(cert), &key) ? NULL : key.bytes,
				  from, until);
	}
	if (!r)
		r = ccdm_look_lists(l, file, set);
	ccdm_certs_free(set);
	return r;
}

static int ccdm_look_certificate(struct ccdm_looking *l, const char *name, const char *file,
				 const char *text, size_t size)
{
	(void)name;
	return ccdm_look_certs(l, "certificate", NULL, file, text, size);
}

/* Add a chip's certificate; the chip ID is the file's name. */
static int ccdm_look_vcek(struct ccdm_looking *l, const char *name, const char *file,
			  const char *text, size_t size)
{
	char chip[136];

	snprintf(chip, sizeof(chip), "%.*s", (int)strcspn(name, "."), name);
	return ccdm_look_certs(l, "vcek", chip, file, text, size);
}

static int ccdm_look_collateral(struct ccdm_looking *l, const char *name, const char *file,
				const char *text, size_t size)
{
	struct ccdm_certs *set = ccdm_certs_own(NULL);
	struct ccdm_collateral c = { 0 };
	struct ccdm_signed_info info;
	struct ccdm_err none;
	char fmspc[136];
	int r = set ? 0 : ccdm_err_memory(l->err);

	snprintf(fmspc, sizeof(fmspc), "%.*s", (int)strcspn(name, "."), name);
	if (!r && ccdm_collateral_bundle(file, text, size, &c, set, &none)) {
		r = ccdm_look_add(l, "file", "cannot be read", file, NULL, -1, -1);
	} else if (!r) {
		ccdm_signed_info(&c.tcb, &info);
		r = ccdm_look_add(l, "tcb-info", fmspc, file, NULL, info.from, info.to);
		ccdm_signed_info(&c.qe, &info);
		if (!r)
			r = ccdm_look_add(l, "qe-identity", fmspc, file, NULL, info.from, info.to);
		if (!r)
			r = ccdm_look_lists(l, file, set);
	}
	ccdm_collateral_drop(&c);
	ccdm_certs_free(set);
	return r;
}

/* ---- all items -------------------------------------------------------------------- */

static int ccdm_look_file(struct ccdm_looking *l, const char *sub, const char *name,
			  int (*look)(struct ccdm_looking *l, const char *name, const char *file,
				      const char *text, size_t size))
{
	char path[1024], *text;
	struct ccdm_err none;
	size_t size;
	int r;

	if (snprintf(path, sizeof(path), "%s/%s/%s", l->dir, sub, name) >= (int)sizeof(path))
		return ccdm_err_set(l->err, -ENAMETOOLONG, "%s: the name is too long", name);
	/* NAME.usage accompanies NAME.pem and is not a certificate */
	if (strlen(name) > 6 && !strcmp(name + strlen(name) - 6, ".usage"))
		return 0;
	if (ccdm_file_read(path, CCDM_COLLATERAL_MAX, &text, &size, &none))
		return ccdm_look_add(l, "file", "cannot be read", path + strlen(l->dir) + 1, NULL,
				     -1, -1);
	r = look(l, name, path + strlen(l->dir) + 1, text, size);
	free(text);
	return r;
}

/* An item that expires is superseded if a valid one has the same key or the same issuer. */
static void ccdm_look_superseded(struct ccdm_trust_items *items, unsigned int i)
{
	static const uint8_t none[sizeof(items->item[0].id)];
	struct ccdm_trust_item *one = &items->item[i];
	unsigned int k;

	if (!memcmp(one->id, none, sizeof(none)) || ccdm_look_slot(one->file))
		return;
	/* An item of a bundle is valid for one platform only. */
	for (k = 0; k < items->count; k++)
		if (items->item[k].state == CCDM_TRUST_VALID &&
		    strncmp(items->item[k].file, "collateral/", 11) &&
		    !strcmp(items->item[k].kind, one->kind) &&
		    !memcmp(items->item[k].id, one->id, sizeof(one->id)))
			one->state = CCDM_TRUST_SUPERSEDED;
}

int ccdm_trust_status(const char *dir, int64_t at, enum ccdm_trust_look look,
		      struct ccdm_trust_items *items, struct ccdm_err *err)
{
	static const struct {
		const char *sub;
		enum ccdm_trust_look from;
		int (*look)(struct ccdm_looking *l, const char *name, const char *file,
			    const char *text, size_t size);
	} subs[] = {
		{ "roots", CCDM_LOOK_START, ccdm_look_certificate },
		{ "ak-roots", CCDM_LOOK_START, ccdm_look_certificate },
		{ "ek-roots", CCDM_LOOK_START, ccdm_look_certificate },
		{ "certs", CCDM_LOOK_START, ccdm_look_certificate },
		{ "collateral", CCDM_LOOK_PLATFORMS, ccdm_look_collateral },
		{ "vcek", CCDM_LOOK_ALL, ccdm_look_vcek },
	};
	struct ccdm_looking l = { .dir = dir, .at = at, .err = err };
	struct dirent **names;
	char path[1024];
	unsigned int i, k;
	int n, r = 0;

	for (i = 0; !r && i < ARRAY_SIZE(subs); i++) {
		if (subs[i].from > look)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, subs[i].sub);
		n = ccdm_trust_names(path, &names, err);
		if (n < 0)
			r = n;
		for (k = 0; (int)k < n; k++) {
			if (!r)
				r = ccdm_look_file(&l, subs[i].sub, names[k]->d_name, subs[i].look);
			free(names[k]);
		}
		if (n >= 0)
			free(names);
	}
	for (i = 0; !r && i < l.items.count; i++)
		if (l.items.item[i].state >= CCDM_TRUST_EXPIRES &&
		    l.items.item[i].state <= CCDM_TRUST_EXPIRED)
			ccdm_look_superseded(&l.items, i);
	if (r)
		ccdm_trust_items_drop(&l.items);
	*items = l.items;
	return r;
}

enum ccdm_trust_state ccdm_trust_worst(const struct ccdm_trust_items *items)
{
	enum ccdm_trust_state worst = CCDM_TRUST_VALID;
	unsigned int i;

	for (i = 0; i < items->count; i++)
		if (items->item[i].state > worst)
			worst = items->item[i].state;
	return worst == CCDM_TRUST_SUPERSEDED ? CCDM_TRUST_VALID : worst;
}

char *ccdm_trust_line(const struct ccdm_trust_item *i, char *text)
{
	static const char *const verbs[] = { "is valid until",	    "",		 "", "expires at",
					     "is not valid before", "expired at" };
	char date[32];

	if (i->state == CCDM_TRUST_BROKEN)
		snprintf(text, 512, "cannot read %s", i->file);
	else if (i->state == CCDM_TRUST_SUPERSEDED)
		snprintf(text, 512, "%s of %s (%s): another is valid longer", i->kind, i->what,
			 i->file);
	else
		snprintf(text, 512, "%s of %s (%s) %s %s", i->kind, i->what, i->file,
			 verbs[i->state],
			 ccdm_ui_date(i->state == CCDM_TRUST_EARLY ? i->from : i->until, date));
	return text;
}
