// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* The configuration of container images: each field, absent and null, and each refusal. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include "image/image_config.h"
#include "seed.h"

#define C(members) "{\"config\":{" members "}}"

static struct ccdm_image_config c;
static struct ccdm_err err;

static int parse(const char *text)
{
	seed_texts("workload_image", 0, 0xff, text, "version: 1\n", NULL, NULL);
	return ccdm_image_config_parse("img", text, strlen(text), &c, &err);
}

static void is(const json_t *list, const char *expected)
{
	char *text = json_dumps(list, JSON_COMPACT);

	assert_string_equal(text, expected);
	free(text);
}

static void empty(void **state)
{
	static const char *const all[] = {
		"{}",
		"{\"config\":null}",
		C(""),
		C("\"Entrypoint\":null,\"Cmd\":null,\"Env\":null,\"WorkingDir\":null,\"User\":null,"
		  "\"Volumes\":null,\"ExposedPorts\":null,\"StopSignal\":null,\"Healthcheck\":null"),
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		assert_int_equal(parse(all[i]), 0);
		is(c.entrypoint, "[]");
		is(c.cmd, "[]");
		is(c.env, "[]");
		is(c.volumes, "[]");
		is(c.exposed, "[]");
		assert_string_equal(c.workdir, "");
		assert_string_equal(c.user, "");
		assert_string_equal(c.stop_signal, "");
		assert_null(c.health.test);
		ccdm_image_config_drop(&c);
	}
}

static void fields(void **state)
{
	(void)state;
	assert_int_equal(
		parse("{\"os\":\"linux\",\"architecture\":\"amd64\",\"config\":{"
		      "\"Entrypoint\":[\"/e\"],\"Cmd\":[\"a\",\"\"],\"Env\":[\"A=1\",\"B=\",\"A=x=y\\n\"],"
		      "\"WorkingDir\":\"w\",\"User\":\"u:g\",\"Volumes\":{\"/z\":{},\"/b\":null,\"/a\":{}},"
		      "\"ExposedPorts\":{\"80/tcp\":{},\"53/udp\":{}},\"StopSignal\":\"QUIT\","
		      "\"Labels\":{\"x\":\"y\"},\"Healthcheck\":{\"Test\":[\"CMD\",\"t\",\"u\"],"
		      "\"Interval\":1,\"Timeout\":2000000000,\"StartPeriod\":86400000000000,\"Retries\":9}}}"),
		0);
	is(c.entrypoint, "[\"/e\"]");
	is(c.cmd, "[\"a\",\"\"]");
	is(c.env, "[\"A=x=y\\n\",\"B=\"]");
	is(c.volumes, "[\"/a\",\"/b\",\"/z\"]");
	is(c.exposed, "[\"53/udp\",\"80/tcp\"]");
	assert_string_equal(c.workdir, "w");
	assert_string_equal(c.user, "u:g");
	assert_string_equal(c.stop_signal, "SIGQUIT");
	is(c.health.test, "[\"t\",\"u\"]");
	assert_int_equal(c.health.interval, 1);
	assert_int_equal(c.health.timeout, 2);
	assert_int_equal(c.health.start_period, 86400);
	assert_int_equal(c.health.retries, 9);
	ccdm_image_config_drop(&c);
	assert_int_equal(parse(C("\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"a b\"]}")), 0);
	is(c.health.test, "[\"/bin/sh\",\"-c\",\"a b\"]");
	assert_int_equal(c.health.interval, 30);
	assert_int_equal(c.health.timeout, 30);
	assert_int_equal(c.health.start_period, 0);
	assert_int_equal(c.health.retries, 3);
	ccdm_image_config_drop(&c);
	assert_int_equal(parse(C("\"Healthcheck\":{\"Test\":[\"NONE\"]}")), 0);
	assert_null(c.health.test);
	ccdm_image_config_drop(&c);
	assert_int_equal(parse(C("\"Healthcheck\":{\"Test\":[]}")), 0);
	assert_null(c.health.test);
	ccdm_image_config_drop(&c);
}

static void refused(void **state)
{
	static const char *const all[][2] = {
		{ "", "image img: configuration:1:" },
		{ "[]", "expected an object" },
		{ "{\"config\":{},\"config\":{}}", "duplicate" },
		{ "{\"config\":[]}", "config: expected an object" },
		{ "{\"os\":\"windows\"}", "os: expected linux, found 'windows'" },
		{ "{\"os\":1}", "os: expected a string" },
		{ "{\"architecture\":\"arm64\"}", "architecture: expected amd64, found 'arm64'" },
		{ C("\"Entrypoint\":\"/e\""), "Entrypoint: expected an array of strings" },
		{ C("\"Cmd\":[1]"), "Cmd: expected an array of strings" },
		{ C("\"Cmd\":[\"a\\u0000b\"]"), "configuration:1:" },
		{ C("\"Env\":[\"A\"]"), "Env: expected NAME=VALUE, found 'A'" },
		{ C("\"Env\":[\"=A\"]"), "Env: expected NAME=VALUE" },
		{ C("\"Env\":{}"), "Env: expected an array of strings" },
		{ C("\"WorkingDir\":{}"), "WorkingDir: expected a string" },
		{ C("\"User\":0"), "User: expected a string" },
		{ C("\"Volumes\":[\"/a\"]"), "Volumes: expected an object" },
		{ C("\"Volumes\":{\"a\":{}}"), "Volumes: expected absolute paths, found 'a'" },
		{ C("\"ExposedPorts\":[]"), "ExposedPorts: expected an object" },
		{ C("\"StopSignal\":\"SIGNONE\""), "StopSignal: expected a signal" },
		{ C("\"StopSignal\":9"), "StopSignal: expected a string" },
		{ C("\"Healthcheck\":[]"), "Healthcheck: expected an object" },
		{ C("\"Healthcheck\":{\"Test\":\"x\"}"), "Test: expected an array of strings" },
		{ C("\"Healthcheck\":{\"Test\":[\"x\"]}"), "Healthcheck.Test: expected NONE, CMD" },
		{ C("\"Healthcheck\":{\"Test\":[\"CMD\"]}"), "Healthcheck.Test: expected NONE" },
		{ C("\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"a\",\"b\"]}"), "expected NONE" },
		{ C("\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"a\"]},\"Shell\":1"),
		  "Shell: expec" },
		{ C("\"Healthcheck\":{\"Interval\":-1}"), "Interval: expected nanoseconds" },
		{ C("\"Healthcheck\":{\"Timeout\":\"1s\"}"), "Timeout: expected nanoseconds" },
		{ C("\"Healthcheck\":{\"StartPeriod\":86400000000001}"), "StartPeriod: expected" },
		{ C("\"Healthcheck\":{\"Retries\":1001}"), "Retries: expected a number" },
		{ C("\"Healthcheck\":{\"Retries\":-1}"), "Retries: expected a number" },
		{ C("\"Healthcheck\":{\"Retries\":\"1\"}"), "Retries: expected a number" },
	};
	char *text = calloc(1, CCDM_IMAGE_CONFIG_MAX + 2);
	unsigned int i;
	size_t at;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		if (parse(all[i][0]) != -EINVAL)
			fail_msg("accepted: %s", all[i][0]);
		ccdm_image_config_drop(&c);
		if (!strstr(err.text, all[i][1]))
			fail_msg("%s: '%s', not '%s'", all[i][0], err.text, all[i][1]);
	}
	at = sprintf(text, "{\"config\":{\"Volumes\":{\"/v\":{}");
	for (i = 0; i < 64; i++)
		at += sprintf(text + at, ",\"/v%u\":{}", i);
	sprintf(text + at, "}}}");
	assert_int_equal(parse(text), -EINVAL);
	ccdm_image_config_drop(&c);
	assert_non_null(strstr(err.text, "at most 64 volumes"));
	memset(text, ' ', CCDM_IMAGE_CONFIG_MAX + 1);
	assert_int_equal(ccdm_image_config_parse("img", text, CCDM_IMAGE_CONFIG_MAX + 1, &c, &err),
			 -EINVAL);
	ccdm_image_config_drop(&c);
	assert_non_null(strstr(err.text, "larger than"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty),
		cmocka_unit_test(fields),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
