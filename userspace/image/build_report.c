// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* build_report.c - disk.json: inputs and result of the build, and what a boot will measure */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/json.h"
#include "build.h"
#include "image/repack.h"

static json_t *build_number(uint64_t n)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, n);
	return json_string(text);
}

static json_t *build_inputs(const struct ccdm_build *b)
{
	json_t *o = json_object();
	unsigned int i;

	for (i = 0; i < b->inputs; i++)
		ccdm_json_put(&o, b->input[i].name, json_string(b->input[i].sha256));
	return o;
}

static json_t *build_tools(const struct ccdm_build *b)
{
	json_t *o = json_object();
	const char *name, *version;
	unsigned int i;

	ccdm_json_put(&o, CCDM_PROGRAM, json_string(CCDM_VERSION));
	/* (a program that was not used has no version) */
	for (i = 0; (name = ccdm_build_tool(i, &version)); i++)
		if (version[0])
			ccdm_json_put(&o, name, json_string(version));
	if (b->packed)
		ccdm_json_put(&o, "libzstd", json_string(ccdm_initrd_compressor()));
	return o;
}

static json_t *build_partitions(const struct ccdm_build *b)
{
	json_t *a = json_array();
	unsigned int i;

	for (i = 0; i < b->parts; i++)
		ccdm_json_add(&a, json_pack("{s:i, s:s, s:s, s:s}", "number",
					    (int)b->part[i].number, "name", b->part[i].name, "type",
					    b->part[i].type, "uuid", b->part[i].uuid));
	return a;
}

static json_t *build_verity(const struct ccdm_hashtree *tree)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:o}", "roothash", tree->roothash, "salt",
			 tree->salt, "algorithm", tree->algorithm, "data_blocks",
			 build_number(tree->data_blocks), "hash_start",
			 build_number(tree->hash_start));
}

/* Numbers of the entries of the layers that were left out. */
static json_t *build_left_out(const struct ccdm_layers_count *c)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "devices", (json_int_t)c->devices, "sockets",
			 (json_int_t)c->sockets, "xattrs", (json_int_t)c->xattrs, "acls",
			 (json_int_t)c->acls);
}

static void build_workload(json_t **o, const struct ccdm_build *b)
{
	ccdm_json_put(o, "workload", build_verity(&b->root));
	ccdm_json_put(o, "left-out", build_left_out(&b->count));
	ccdm_json_put(o, "logs", json_string(b->workload.logs));
	ccdm_json_put(o, "warnings", b->said ? json_incref(b->said) : json_array());
}

json_t *build_report(const struct build_args *a, const struct ccdm_build *b,
		     const struct ccdm_image_disk *disk, json_t *launches)
{
	json_t *o = ccdm_image_measured(disk);
	const char *slash = strrchr(b->ask->output, '/');

	if (!o)
		return NULL;
	ccdm_json_put(&o, "version", json_integer(1));
	ccdm_json_put(&o, "file", json_string(slash ? slash + 1 : b->ask->output));
	ccdm_json_put(&o, "format", json_string(ccdm_format_name(b->ask->kind)));
	ccdm_json_put(&o, "date", json_integer(b->date));
	ccdm_json_put(&o, "size", build_number(b->disk_size));
	ccdm_json_put(&o, "inputs", build_inputs(b));
	ccdm_json_put(&o, "tools", build_tools(b));
	ccdm_json_put(&o, "disk", json_string(b->disk_uuid));
	ccdm_json_put(&o, "partitions", build_partitions(b));
	ccdm_json_put(&o, "base", build_verity(&b->base));
	ccdm_json_put(&o, "debug", json_boolean(b->ask->debug));
	ccdm_json_put(&o, "cmdline", json_string(b->cmdline));
	if (b->product[0])
		ccdm_json_put(&o, "product", json_string(b->product));
	ccdm_json_put(&o, "svn", json_integer(b->svn));
	if (b->from)
		ccdm_json_put(&o, "base-name", json_string(b->from->name));
	if (b->root_file[0])
		build_workload(&o, b);
	if (a->key[0])
		ccdm_json_put(&o, "signer.key", json_string(a->key));
	if (launches)
		ccdm_json_put(&o, "snp", json_incref(launches));
	return o;
}
