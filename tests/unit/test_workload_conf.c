// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* ccdm.conf of an image: a boot reads what was meant, and nothing else can be put into it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "boot/config.h"
#include "image/workload_conf.h"

#define WORDS                                                                              \
	"root=/dev/mapper/ccdm-root rw systemd.import_credentials=no systemd.gpt_auto=no " \
	"systemd.ssh_auto=no nohibernate noresume panic=0"
#define HASH "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"

static const struct ccdm_hashtree base = { HASH, "b2", "sha256", 10, 0, 4096, 4096 };
static const struct ccdm_hashtree root = { HASH, "c3", "sha256", 20, 21, 4096, 4096 };
static struct ccdm_workload workload;
static struct ccdm_config config;
static struct ccdm_err err;

static struct ccdm_workload_conf valid(void)
{
	return (struct ccdm_workload_conf){
		.cmdline = WORDS,
		.base = &base,
		.base_device = "PARTUUID=1",
		.base_hash_device = "PARTUUID=2",
		.root = &root,
		.root_device = "PARTUUID=3",
		.tpm = "required",
		.broker = "https://broker.example:8080",
		.ca = "/etc/ccdm/ca.pem",
		.workload = &workload,
	};
}

static void read_back(const struct ccdm_workload_conf *c)
{
	char *text = NULL;
	size_t size = 0;

	if (ccdm_workload_conf_make(c, &text, &size, &err))
		fail_msg("%s", err.text);
	assert_int_equal(size, strlen(text));
	assert_int_equal(ccdm_config_parse("x", text, size, &config, &err), 0);
	free(text);
}

static void whole(void **state)
{
	struct ccdm_workload_conf c = valid();

	(void)state;
	workload.nr_secrets = 2;
	strcpy(workload.secret[0].name, "tls.key");
	strcpy(workload.secret[0].from, "a/b/c");
	strcpy(workload.secret[1].name, "db");
	strcpy(workload.secret[1].from, "a/b/d");
	read_back(&c);
	assert_string_equal(config.cmdline, WORDS);
	assert_string_equal(config.base.device, "PARTUUID=1");
	assert_string_equal(config.base.hash_device, "PARTUUID=2");
	assert_string_equal(config.base.salt, "b2");
	assert_string_equal(config.workload.device, "PARTUUID=3");
	assert_string_equal(config.workload.hash_device, "");
	assert_string_equal(config.workload.roothash, HASH);
	assert_int_equal(config.workload.data_blocks, 20);
	assert_int_equal(config.workload.hash_start, 21);
	assert_int_equal(config.tpm, CCDM_TPM_REQUIRED);
	assert_int_equal(config.attest, CCDM_ATTEST_REQUIRED);
	assert_string_equal(config.broker, "https://broker.example:8080");
	assert_string_equal(config.ca, "/etc/ccdm/ca.pem");
	assert_int_equal(config.nr_secrets, 2);
	assert_string_equal(config.secret[1].name, "db");
	assert_string_equal(config.secret[1].path, "a/b/d");
}

static void parts(void **state)
{
	struct ccdm_workload_conf c = valid();

	(void)state;
	workload.nr_secrets = 0;
	c.root = NULL;
	c.broker = NULL;
	c.scratch = "blank";
	c.min_size = 1 << 30;
	c.cipher = "aes-gcm";
	c.signer = "/etc/ccdm/signer.pem";
	c.policy_url = "https://policy.example/x";
	c.on_failure = "poweroff";
	read_back(&c);
	assert_string_equal(config.workload.device, "");
	assert_int_equal(config.attest, CCDM_ATTEST_OFF);
	assert_string_equal(config.root_device, "blank");
	assert_int_equal(config.min_size, 1 << 30);
	assert_string_equal(config.cipher, "aes-gcm");
	assert_string_equal(config.signer, "/etc/ccdm/signer.pem");
	assert_string_equal(config.policy_url, "https://policy.example/x");
}

static void refuses(const struct ccdm_workload_conf *c, const char *why)
{
	char *text = NULL;
	size_t size;

	assert_int_equal(ccdm_workload_conf_make(c, &text, &size, &err), -EINVAL);
	assert_null(text);
	if (!strstr(err.text, why))
		fail_msg("'%s', not '%s'", err.text, why);
}

static void refused(void **state)
{
	struct ccdm_workload_conf c = valid();

	(void)state;
	c.cmdline = WORDS "\nlockdown = no";
	refuses(&c, "cmdline: expected one line");
	c = valid();
	c.ca = "/x\r[boot]";
	refuses(&c, "ca: expected one line");
	c = valid();
	c.cmdline = "rw";
	refuses(&c, "cmdline has no 'root=");
	c = valid();
	c.broker = "http://broker.example";
	refuses(&c, "no 'broker'");
	c = valid();
	c.pin = HASH;
	refuses(&c, "either 'ca' or 'pin'");
	c = valid();
	c.tpm = "perhaps";
	refuses(&c, "tpm");
	c = valid();
	c.base_device = "sda1";
	refuses(&c, "device");
	c = valid();
	c.broker = NULL;
	workload.nr_secrets = 1;
	refuses(&c, "workload.yaml has secrets, but no broker is given");
	workload.nr_secrets = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),
		cmocka_unit_test(parts),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
