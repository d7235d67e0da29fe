// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* seccomp.c - see seccomp.h */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "capabilities.h"
#include "seccomp.h"
#include "seccomp_gate.h"

/* the oldest Linux of a base is 6.1 */
#define CCDM_SECCOMP_MAJOR 6
#define CCDM_SECCOMP_MINOR 1

/* The profile's name and where errors go. */
struct ccdm_seccomp {
	const char *name;
	uint64_t caps;
	struct ccdm_err *err;
};

static int ccdm_seccomp_bad(const struct ccdm_seccomp *s, const char *what, const char *found)
{
	return ccdm_err_set(s->err, -EINVAL, "%s: %s%s%s", s->name, what, found ? " " : "",
			    found ? found : "");
}

/* Does a list of architectures have that of the container? */
static bool ccdm_seccomp_here(const json_t *list)
{
	const char *one;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		one = json_string_value(json_array_get(list, i));
		if (one && !strcmp(one, "amd64"))
			return true;
	}
	return false;
}

/* @each: each capability of the list is needed; otherwise one is enough. */
static int ccdm_seccomp_caps(const struct ccdm_seccomp *s, const json_t *list, bool each,
			     bool *holds)
{
	const char *one;
	uint64_t bit;
	size_t i;

	*holds = each;
	for (i = 0; i < json_array_size(list); i++) {
		one = json_string_value(json_array_get(list, i));
		bit = one ? ccdm_capabilities_find(one) : 0;
		if (!bit)
			return ccdm_seccomp_bad(s, "unknown capability", one);
		if (each != !!(s->caps & bit))
			*holds = !each;
	}
	return 0;
}

/* "4.8" */
static bool ccdm_seccomp_kernel(const char *text)
{
	unsigned long major, minor;
	char *end;

	major = text ? strtoul(text, &end, 10) : 0;
	if (!major || *end != '.')
		return false;
	minor = strtoul(end + 1, NULL, 10);
	return major < CCDM_SECCOMP_MAJOR ||
	       (major == CCDM_SECCOMP_MAJOR && minor <= CCDM_SECCOMP_MINOR);
}

/*
 * Conditions of a rule. "includes": all must hold, "excludes": none may. A condition that is not
 * known is an error: it would make the filter weaker or stronger than its author meant.
 */
static int ccdm_seccomp_conditions(const struct ccdm_seccomp *s, json_t *rule, const char *which,
				   bool *applies)
{
	bool includes = !strcmp(which, "includes"), holds = false;
	json_t *all = json_object_get(rule, which), *value;
	const char *key;
	int r = 0;

	if (all && !json_is_null(all) && !json_is_object(all))
		return ccdm_seccomp_bad(s, which, "is no object");
	json_object_foreach(all, key, value)
	{
		if (json_is_null(value) || (json_is_array(value) && !json_array_size(value)))
			continue;
		if (!strcmp(key, "arches") && json_is_array(value))
			holds = ccdm_seccomp_here(value);
		else if (!strcmp(key, "caps") && json_is_array(value))
			r = ccdm_seccomp_caps(s, value, includes, &holds);
		else if (!strcmp(key, "minKernel") && json_is_string(value))
			holds = ccdm_seccomp_kernel(json_string_value(value));
		else
			r = ccdm_seccomp_bad(s, "unknown condition", key);
		if (r)
			return r;
		if (holds != includes)
			*applies = false;
	}
	return 0;
}

/* True if @value is one of the words, which end with NULL. */
static bool ccdm_seccomp_word(const json_t *value, const char *const *words)
{
	const char *text = json_string_value(value);

	while (text && *words && strcmp(text, *words))
		words++;
	return text && *words;
}

/* The first bad part of a rule, or NULL. The runtime would find it only when the VM boots. */
static const char *ccdm_seccomp_wrong(const json_t *names, const json_t *action, const json_t *args)
{
	static const char *const operators[] = { "SCMP_CMP_NE",	       "SCMP_CMP_LT", "SCMP_CMP_LE",
						 "SCMP_CMP_EQ",	       "SCMP_CMP_GE", "SCMP_CMP_GT",
						 "SCMP_CMP_MASKED_EQ", NULL };
	static const char *const actions[] = { "SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE",
					       NULL };
	const json_t *one, *index, *value;
	size_t i;

	for (i = 0; i < json_array_size(names); i++)
		if (!json_string_length(json_array_get(names, i)))
			return "'names' of a rule: expected names of system calls";
	if (!ccdm_seccomp_word(action, actions) && !ccdm_seccomp_refuses(json_string_value(action)))
		return "'action' of a rule: expected one such as SCMP_ACT_ALLOW or SCMP_ACT_ERRNO";
	for (i = 0; i < json_array_size(args); i++) {
		one = json_array_get(args, i);
		index = json_object_get(one, "index");
		value = json_object_get(one, "value");
		if (!json_is_integer(index) || (uint64_t)json_integer_value(index) > 5)
			return "'args' of a rule: expected an index of 0 to 5";
		if (!json_is_integer(value) ||
		    !ccdm_seccomp_word(json_object_get(one, "op"), operators))
			return "'args' of a rule: expected a number as value, and an op such as "
			       "SCMP_CMP_EQ";
	}
	return NULL;
}

/* Members of a rule that the runtime knows. */
static int ccdm_seccomp_rule(const struct ccdm_seccomp *s, json_t *rule, json_t **rules)
{
	json_t *names = json_object_get(rule, "names"), *args = json_object_get(rule, "args");
	json_t *action = json_object_get(rule, "action"), *ret = json_object_get(rule, "errnoRet");
	const char *wrong;
	json_t *made;
	bool applies = true;
	int r;

	if (!json_is_array(names) || !json_array_size(names) || !json_is_string(action))
		return ccdm_seccomp_bad(s, "a rule needs 'names' and 'action'", NULL);
	if (args && !json_is_null(args) && !json_is_array(args))
		return ccdm_seccomp_bad(s, "'args' of a rule: expected an array", NULL);
	wrong = ccdm_seccomp_wrong(names, action, args);
	if (wrong)
		return ccdm_seccomp_bad(s, wrong, NULL);
	r = ccdm_seccomp_conditions(s, rule, "includes", &applies);
	if (!r)
		r = ccdm_seccomp_conditions(s, rule, "excludes", &applies);
	if (r || !applies)
		return r;
	made = json_object();
	ccdm_json_put(&made, "names", json_incref(names));
	ccdm_json_put(&made, "action", json_incref(action));
	if (json_is_integer(ret))
		ccdm_json_put(&made, "errnoRet", json_incref(ret));
	if (json_array_size(args))
		ccdm_json_put(&made, "args", json_incref(args));
	ccdm_json_add(rules, made);
	return *rules ? 0 : -ENOMEM;
}

static int ccdm_seccomp_root(const struct ccdm_seccomp *s, const json_t *root, json_t **filter)
{
	const json_t *list = json_object_get(root, "syscalls");
	json_t *action = json_object_get(root, "defaultAction");
	json_t *ret = json_object_get(root, "defaultErrnoRet"), *rules = json_array();
	size_t i;
	int r = rules ? 0 : -ENOMEM;

	/* (SCMP_ACT_LOG allows a call, too) */
	if (!r && (!json_is_array(list) || !ccdm_seccomp_refuses(json_string_value(action))))
		r = ccdm_seccomp_bad(
			s,
			"expected a seccomp profile with 'syscalls' and a 'defaultAction' that "
			"refuses",
			NULL);
	for (i = 0; !r && i < json_array_size(list); i++)
		r = ccdm_seccomp_rule(s, json_array_get(list, i), &rules);
	if (!r)
		r = ccdm_seccomp_gate(
			s->caps, json_is_integer(ret) ? (int)json_integer_value(ret) : -1, &rules);
	if (r) {
		json_decref(rules);
		return r;
	}
	*filter = json_object();
	ccdm_json_put(filter, "syscalls", rules);
	ccdm_json_put(filter, "defaultAction", json_incref(action));
	if (json_is_integer(ret))
		ccdm_json_put(filter, "defaultErrnoRet", json_incref(ret));
	ccdm_json_put(filter, "architectures",
		      json_pack("[sss]", "SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"));
	return *filter ? 0 : -ENOMEM;
}

int ccdm_seccomp_resolve(const char *name, const char *text, size_t size, uint64_t caps,
			 json_t **filter, struct ccdm_err *err)
{
	const struct ccdm_seccomp s = { name, caps, err };
	json_error_t where;
	json_t *root;
	int r;

	*filter = NULL;
	if (size > CCDM_SECCOMP_MAX)
		return ccdm_err_set(err, -EINVAL, "%s: larger than %u bytes", name,
				    CCDM_SECCOMP_MAX);
	root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
	if (!root && json_error_code(&where) == json_error_out_of_memory)
		return ccdm_err_memory(err);
	if (!root)
		return ccdm_err_set(err, -EINVAL, "%s:%d:%d: %s", name, where.line, where.column,
				    where.text);
	r = ccdm_seccomp_root(&s, root, filter);
	json_decref(root);
	return r == -ENOMEM ? ccdm_err_memory(err) : r;
}
