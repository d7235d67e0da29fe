// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* cmd_trust.c - ccdm-broker trust fetch, ccdm-broker trust status */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/compiler.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/json.h"
#include "base/ui.h"
#include "evidence/snp_json.h"
#include "cmd_trust.h"
#include "trust/trust_fetch.h"
#include "trust/trust_status.h"

#define REPORT_MAX (1 << 20) /* bytes of a file with a report */

/* ---- report on each file ----------------------------------------------------------- */

void trust_said(struct trust_output *out, const char *from, const struct ccdm_kept *kept,
		const struct ccdm_err *err)
{
	const char *result = err ? "refused" : kept->changed ? "stored" : "unchanged";
	char date[32] = "";
	json_t *o;

	out->count++;
	out->failed += !!err;
	out->reload |= !err && kept->changed && kept->reload;
	if (!err)
		ccdm_ui_date(kept->until, date);
	if (out->json) {
		o = json_pack("{s:s, s:s}", "from", from, "result", result);
		if (err)
			ccdm_json_put(&o, "why", json_string(err->text));
		else
			ccdm_json_put(&o, "what", json_string(kept->what));
		if (!err)
			ccdm_json_put(&o, "file", json_string(kept->path));
		if (!err)
			ccdm_json_put(&o, "until", json_string(date));
		ccdm_json_add(&out->list, o);
	} else if (err) {
		fprintf(stderr, CCDM_PROGRAM ": %s\n", err->text);
		if (err->hint[0])
			fprintf(stderr, CCDM_PROGRAM ": %s\n", err->hint);
	} else {
		ccdm_ui_line("%s: %s, valid until %s", kept->what, result, date);
	}
}

int trust_end(struct trust_output *out, int r, struct ccdm_err *err)
{
	int printed = 0;

	if (out->json)
		printed = ccdm_ui_json(out->list, r ? &out->unused : err);
	else
		json_decref(out->list);
	if (!out->json && out->reload)
		puts("if the broker is running, make it read them: systemctl reload ccdm-brokerd");
	if (out->failed)
		ccdm_err_set(err, r, "%u of %u pieces were refused or could not be fetched",
			     out->failed, out->count);
	if (out->failed)
		err->hint[0] = '\0';
	return r ? r : printed;
}

/* ---- fetch --------------------------------------------------------------------------- */

/* Where distributions store the CAs of public web servers. */
static const char *trust_ca(const struct ccdm_cli *cli)
{
	static const char *const files[] = { "/etc/ssl/certs/ca-certificates.crt",
					     "/etc/pki/tls/certs/ca-bundle.crt",
					     "/etc/ssl/cert.pem" };
	size_t i;

	for (i = 0; !cli->ca && i < ARRAY_SIZE(files); i++)
		if (!access(files[i], R_OK))
			return files[i];
	return cli->ca ? cli->ca : files[0];
}

static int trust_json_report(const char *file, const char *text, size_t size,
			     uint8_t raw[CCDM_SNP_REPORT_SIZE], struct ccdm_err *err)
{
	struct ccdm_certs *certs = ccdm_certs_new();
	const struct ccdm_cert *leaf;
	json_error_t where;
	json_t *o = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
	const json_t *inner;
	int r;

	/* the output of "ccdm-setup evidence --json", or the object of the report */
	inner = json_object_get(json_object_get(o, "tee-evidence"), "primary_evidence");
	if (!o)
		r = ccdm_err_set(err, -EINVAL, "%s: line %d: %s", file, where.line, where.text);
	else if (!certs)
		r = ccdm_err_memory(err);
	else
		r = ccdm_snp_json_parse(inner ? inner : o, raw, certs, &leaf, err);
	ccdm_certs_free(certs);
	json_decref(o);
	return r;
}

static int trust_report(const char *file, struct ccdm_snp *snp, struct ccdm_err *err)
{
	uint8_t raw[CCDM_SNP_REPORT_SIZE];
	char *text;
	size_t size;
	int r = ccdm_file_read(file, REPORT_MAX, &text, &size, err);

	if (r)
		return r;
	if (text[strspn(text, " \t\r\n")] == '{')
		r = trust_json_report(file, text, size, raw, err);
	else if (size < sizeof(raw))
		r = ccdm_err_set(err, -EINVAL, "%s: expected an SNP report of %zu bytes, found %zu",
				 file, sizeof(raw), size);
	else
		/* the host's certificates may follow */
		memcpy(raw, text, sizeof(raw));
	free(text);
	return r ? r : ccdm_snp_parse(raw, sizeof(raw), snp, err);
}

static int trust_what(const struct ccdm_cli *cli, struct ccdm_fetch *f, struct ccdm_err *err)
{
	unsigned int k;
	int i;

	for (i = 0; i < cli->argc; i++) {
		if (!strcmp(cli->argv[i], "snp"))
			f->snp = true;
		else if (!strcmp(cli->argv[i], "tdx"))
			f->tdx = true;
		else
			return ccdm_err_set(err, -EINVAL, "expected snp or tdx, found '%.32s'",
					    cli->argv[i]);
	}
	if (!cli->argc)
		f->snp = f->tdx = true;
	for (k = 0; k < cli->nr_fmspc; k++)
		if (ccdm_unhex(cli->fmspc[k], f->fmspc[f->nr_fmspc++], 6))
			return ccdm_err_set(err, -EINVAL,
					    "--fmspc: expected 12 hex digits, found '%.32s'",
					    cli->fmspc[k]);
	return 0;
}

/* Print what to download, for a person who does it on another machine. */
static void trust_print(struct trust_output *out, const struct ccdm_fetched *f)
{
	json_t *o;

	if (out->json) {
		o = json_pack("{s:s, s:s}", "from", f->url, "file", f->path);
		if (f->header)
			ccdm_json_put(&o, "header", json_string(f->header));
		ccdm_json_add(&out->list, o);
	} else {
		ccdm_ui_line("%s", f->url);
		if (f->header)
			ccdm_ui_line("\theader %s, decoded", f->header);
		ccdm_ui_line("\tto %s", f->path);
	}
}

static void trust_fetched(const struct ccdm_fetched *f, void *arg)
{
	if (f->kept || f->err)
		trust_said(arg, f->url, f->kept, f->err);
	else
		trust_print(arg, f);
}

int cmd_trust_fetch(const struct ccdm_cli *cli, struct ccdm_err *err)
{
	struct trust_output out = { .json = cli->json, .list = json_array() };
	struct ccdm_fetch f = { .at = cli->at,
				.from = cli->from,
				.ca = trust_ca(cli),
				.timeout = cli->timeout,
				.print = cli->print,
				.said = trust_fetched,
				.arg = &out };
	struct ccdm_conf conf;
	struct ccdm_snp snp;
	int r = ccdm_cli_conf(cli, &conf, err);

	if (!r)
		r = trust_what(cli, &f, err);
	if (!r && cli->report) {
		r = trust_report(cli->report, &snp, err);
		f.report = &snp;
	}
	if (r) {
		json_decref(out.list);
		return r;
	}
	f.dir = conf.trust;
	r = ccdm_fetch(&f, err);
	if (!r && f.print && !out.json)
		puts("then: " CCDM_PROGRAM " trust import FILE...");
	return trust_end(&out, r, err);
}

/* ---- status ------------------------------------------------------------------------------ */

static json_t *trust_json(const struct ccdm_trust_items *items)
{
	json_t *list = json_array(), *o;
	char from[32], until[32];
	unsigned int i;

	for (i = 0; i < items->count; i++) {
		const struct ccdm_trust_item *t = &items->item[i];

		o = json_pack("{s:s, s:s, s:s, s:s}", "kind", t->kind, "what", t->what, "file",
			      t->file, "state", ccdm_trust_state_name(t->state));
		if (t->state != CCDM_TRUST_BROKEN) {
			ccdm_json_put(&o, "from", json_string(ccdm_ui_date(t->from, from)));
			ccdm_json_put(&o, "until", json_string(ccdm_ui_date(t->until, until)));
		}
		ccdm_json_add(&list, o);
	}
	return list;
}

int cmd_trust_status(const struct ccdm_cli *cli, struct ccdm_err *err)
{
	struct ccdm_trust_items items;
	enum ccdm_trust_state worst;
	struct ccdm_conf conf;
	unsigned int i, n = 0;
	char line[512];
	int r = ccdm_cli_conf(cli, &conf, err);

	if (!r)
		r = ccdm_trust_status(conf.trust, cli->at, CCDM_LOOK_ALL, &items, err);
	if (r)
		return r;
	for (i = 0; !cli->json && i < items.count; i++)
		ccdm_ui_line("%-10s %s", ccdm_trust_state_name(items.item[i].state),
			     ccdm_trust_line(&items.item[i], line));
	if (cli->json)
		r = ccdm_ui_json(trust_json(&items), err);
	else if (!items.count)
		puts("the trust directory is empty; run " CCDM_PROGRAM " trust fetch");
	worst = ccdm_trust_worst(&items);
	for (i = 0; i < items.count; i++)
		n += items.item[i].state == worst;
	ccdm_trust_items_drop(&items);
	if (!r && worst == CCDM_TRUST_EXPIRES)
		r = ccdm_err_set(err, -EBUSY, "warning: %u files expire within %d days", n,
				 (int)(CCDM_TRUST_SOON / 86400));
	else if (!r && worst > CCDM_TRUST_EXPIRES)
		r = ccdm_err_set(err, -ESTALE, "%u files %s", n,
				 worst == CCDM_TRUST_BROKEN  ? "cannot be read"
				 : worst == CCDM_TRUST_EARLY ? "are not valid yet"
							     : "have expired");
	if (r == -EBUSY || r == -ESTALE)
		ccdm_err_hint(err, "\"" CCDM_PROGRAM " trust fetch\" renews lists and collateral");
	return r;
}
