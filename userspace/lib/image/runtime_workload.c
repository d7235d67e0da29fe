// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* runtime_workload.c - workload.json: how the VM runs the workload; see boot/workload_json.h */
#include <stdio.h>
#include <string.h>
#include "base/json.h"
#include "runtime_parts.h"
#include "sandbox.h"

static json_t *ccdm_runtime_secrets(const struct ccdm_workload *w)
{
	json_t *list = json_array();
	unsigned int i;

	for (i = 0; i < w->nr_secrets; i++) {
		const struct ccdm_workload_want *s = &w->secret[i];
		json_t *one = json_object();

		ccdm_json_put(&one, "name", json_string(s->name));
		if (s->env[0])
			ccdm_json_put(&one, "env", json_string(s->env));
		else if (s->path[0])
			ccdm_json_put(&one, "path", json_string(s->path));
		else
			ccdm_json_put(&one, "file",
				      json_sprintf(CCDM_SANDBOX_SECRETS "/%s", s->name));
		if (!s->env[0])
			ccdm_json_put(&one, "mode",
				      json_sprintf("%04o", (unsigned int)s->mode & 0777));
		ccdm_json_add(&list, one);
	}
	return list;
}

/* workload.yaml's value, or the image's, or Docker's default. */
static json_t *ccdm_runtime_number(uint64_t own, uint64_t image, bool has_image, uint64_t unset)
{
	return json_integer((json_int_t)(own != UINT64_MAX ? own : has_image ? image : unset));
}

static json_t *ccdm_runtime_health(const struct ccdm_runtime_input *in)
{
	const struct ccdm_workload_check *own = &in->workload->health;
	const struct ccdm_image_health *image = &in->image->health;
	json_t *test = own->test ? own->test : image->test, *words, *health;
	bool has = image->test;

	if (!test || own->off)
		return json_null();
	words = json_pack("[s]", "CMD");
	if (words && json_array_extend(words, test)) {
		json_decref(words);
		words = NULL;
	}
	health = json_object();
	ccdm_json_put(&health, "test", words);
	ccdm_json_put(&health, "interval",
		      ccdm_runtime_number(own->interval, image->interval, has, 30));
	ccdm_json_put(&health, "timeout",
		      ccdm_runtime_number(own->timeout, image->timeout, has, 30));
	ccdm_json_put(&health, "start_period",
		      ccdm_runtime_number(own->start_period, image->start_period, has, 0));
	ccdm_json_put(&health, "retries",
		      ccdm_runtime_number(own->retries, image->retries, has, 3));
	ccdm_json_put(&health, "action", json_string(own->action));
	return health;
}

static json_t *ccdm_runtime_network(const struct ccdm_workload *w)
{
	json_t *network;

	if (w->network)
		return json_string(w->network);
	network = json_object();
	ccdm_json_put(&network, "address", json_string(w->address));
	if (w->gateway[0])
		ccdm_json_put(&network, "gateway", json_string(w->gateway));
	if (json_array_size(w->dns))
		ccdm_json_put(&network, "dns", json_incref(w->dns));
	return network;
}

static json_t *ccdm_runtime_paths(const json_t *volumes)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < json_array_size(volumes); i++)
		ccdm_json_add(&list, json_pack("{s:O}", "path", json_array_get(volumes, i)));
	return list;
}

json_t *ccdm_runtime_workload(const struct ccdm_runtime_parts *p)
{
	const struct ccdm_workload *w = p->in->workload;
	const char *image = p->in->image->stop_signal;
	json_t *o = json_object();

	ccdm_json_put(&o, "version", json_integer(1));
	ccdm_json_put(&o, "product", json_string(w->product[0] ? w->product : p->in->product));
	ccdm_json_put(&o, "user",
		      json_pack("{s:I,s:I}", "uid", (json_int_t)p->user.uid, "gid",
				(json_int_t)p->user.gid));
	ccdm_json_put(&o, "on_exit", json_string(w->on_exit));
	ccdm_json_put(&o, "restart",
		      json_pack("{s:s,s:I,s:I}", "when", w->restart, "delay",
				(json_int_t)w->restart_delay, "most", (json_int_t)w->restart_most));
	ccdm_json_put(&o, "stop_signal",
		      json_string(w->stop_signal[0] ? w->stop_signal
				  : *image	    ? image
						    : "SIGTERM"));
	ccdm_json_put(&o, "stop_timeout", json_integer((json_int_t)w->stop_timeout));
	ccdm_json_put(&o, "logs", json_string(w->logs));
	ccdm_json_put(&o, "network", ccdm_runtime_network(w));
	ccdm_json_put(&o, "ports", w->ports ? json_incref(w->ports) : json_null());
	ccdm_json_put(&o, "volumes", ccdm_runtime_paths(p->volumes));
	ccdm_json_put(&o, "secrets", ccdm_runtime_secrets(w));
	ccdm_json_put(&o, "health", ccdm_runtime_health(p->in));
	return o;
}
