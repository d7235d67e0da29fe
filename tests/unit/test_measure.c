// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* Measured events, also into a TDX register; files take the place of the kernel's. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "attest/attest_log.h"
#include "base/file.h"
#include "boot/measure.h"
#include "log/tcglog.h"

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static char dir[] = "/tmp/ccdm-unit-XXXXXX", path[3][64];
static struct ccdm_err err;

static int setup(void **state)
{
	static const char *const names[] = { "rtmr3", "log", "file" };
	int i;

	(void)state;
	if (!mkdtemp(dir))
		return -1;
	for (i = 0; i < 3; i++)
		snprintf(path[i], sizeof(path[i]), "%s/%s", dir, names[i]);
	return 0;
}

static int teardown(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 3; i++)
		unlink(path[i]);
	return rmdir(dir);
}

static void put(const char *file, const char *text)
{
	assert_int_equal(ccdm_file_write(file, text, strlen(text), 0600, &err), 0);
}

/* An event is written to RTMR 3 as one SHA-384 hash, and the log contains it. */
static void rtmr(void **state)
{
	struct ccdm_measure_to to = { .rtmr = path[0], .log = path[1] };
	static const char event[] = "ccdm-ready:1";
	struct ccdm_digest want, value;
	unsigned int n;
	size_t size;
	char *text;

	(void)state;
	put(path[0], "");
	assert_int_equal(ccdm_measure_event(&to, event, &err), 0);
	assert_int_equal(ccdm_file_read(path[0], 100, &text, &size, &err), 0);
	want.alg = CCDM_ALG_SHA384;
	want.size = 48;
	assert_true(EVP_Digest(event, strlen(event), want.bytes, &n, EVP_sha384(), NULL));
	assert_int_equal(size, 48);
	assert_memory_equal(text, want.bytes, 48);
	free(text);
	assert_int_equal(ccdm_file_read(path[1], 10000, &text, &size, &err), 0);
	assert_non_null(strstr(text, "\"rtmr\":3"));
	assert_int_equal(ccdm_eventlog_begin(CCDM_ALG_SHA384, &value, &err), 0);
	assert_int_equal(ccdm_eventlog_extend(&value, &want), 0);
	want = value;
	assert_int_equal(ccdm_eventlog_begin(CCDM_ALG_SHA384, &value, &err), 0);
	assert_int_equal(ccdm_eventlog_replay(text, size, true, 3, &value, &err), 0);
	assert_memory_equal(value.bytes, want.bytes, 48);
	free(text);
}

/* The log has no event that did not reach the register. */
static void rtmr_fails(void **state)
{
	struct ccdm_measure_to to = { .rtmr = "/dev/full", .log = path[1] };
	struct ccdm_measure_values values;

	(void)state;
	unlink(path[1]);
	assert_int_equal(ccdm_measure_event(&to, "ccdm-ready:1", &err), -ENOSPC);
	assert_non_null(strstr(err.text, "/dev/full"));
	assert_int_equal(access(path[1], F_OK), -1);
	to.rtmr = "/nowhere";
	assert_int_equal(ccdm_measure_event(&to, "ccdm-ready:1", &err), -ENOENT);
	assert_int_equal(access(path[1], F_OK), -1);
	assert_int_equal(ccdm_measure_check(&to, &values, &err), -ENOENT);
	to.rtmr = NULL;
	assert_int_equal(ccdm_measure_check(&to, &values, &err), 0);
	assert_int_equal(values.pcr.count, 0);
	assert_int_equal(values.rtmr.size, 0);
}

/* Set the content of the register's file; a file does not extend by itself. */
static void hold(const void *bytes, size_t size)
{
	assert_int_equal(ccdm_file_write(path[0], bytes, size, 0600, &err), 0);
}

/*
 * RTMR 3 is read back: an event did not reach it, another writer extended it, it has no register.
 */
static void rtmr_read_back(void **state)
{
	struct ccdm_measure_to to = { .rtmr = path[0], .log = path[1] };
	static const char *const events[] = { "ccdm-ready:1", "ccdm-cap:1" };
	struct ccdm_digest value, d = { .alg = CCDM_ALG_SHA384, .size = 48 };
	struct ccdm_measure_values values;
	size_t i;

	(void)state;
	unlink(path[1]);
	put(path[0], "");
	assert_int_equal(ccdm_eventlog_begin(CCDM_ALG_SHA384, &value, &err), 0);
	for (i = 0; i < 2; i++) {
		assert_int_equal(ccdm_measure_event(&to, events[i], &err), 0);
		assert_true(EVP_Digest(events[i], strlen(events[i]), d.bytes, NULL, EVP_sha384(),
				       NULL));
		/* not yet extended */
		hold(value.bytes, 48);
		assert_int_equal(ccdm_measure_check(&to, &values, &err), -EBADMSG);
		assert_non_null(strstr(err.text, "RTMR 3 (sha384): expected"));
		assert_int_equal(ccdm_eventlog_extend(&value, &d), 0);
		hold(value.bytes, 48);
		assert_int_equal(ccdm_measure_check(&to, &values, &err), 0);
		assert_int_equal(values.rtmr.alg, CCDM_ALG_SHA384);
		assert_memory_equal(values.rtmr.bytes, value.bytes, 48);
	}
	value.bytes[47] ^= 1;
	hold(value.bytes, 48);
	assert_int_equal(ccdm_measure_check(&to, &values, &err), -EBADMSG);
	hold(value.bytes, 47);
	assert_int_equal(ccdm_measure_check(&to, &values, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "expected 48 bytes, found 47"));
	/* a later step that no longer has the register */
	to.rtmr = NULL;
	assert_int_equal(ccdm_measure_check(&to, &values, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "has disappeared"));
}

/* ---- a driver that comes late ------------------------------------------------------- */

#define TDX "processor\t: 0\nflags\t\t: fpu tdx_guest vme\n"

static unsigned int loads;
static int load_answer;

/* The driver appears some time after it was requested. */
static int load(void)
{
	loads++;
	if (!load_answer && !fork()) {
		usleep(300000);
		_exit(ccdm_file_write(path[0], "", 0, 0600, &err) ||
		      ccdm_file_write(path[1], "", 0, 0600, &err));
	}
	return load_answer;
}

static void late(void **state)
{
	static const struct {
		const char *cpuinfo;
		enum ccdm_rtmr_use use;
		int load, r;
		bool device, found, tdx;
		unsigned int loads;
	} cases[] = {
		/* the driver comes while the step waits */
		{ TDX, CCDM_RTMR_OPTIONAL, 0, 0, false, true, true, 1 },
		{ "flags\t: fpu tdx_guest\n", CCDM_RTMR_OPTIONAL, 0, 0, false, true, true, 1 },
		/* no driver */
		{ TDX, CCDM_RTMR_OPTIONAL, -ENOENT, 0, false, false, true, 1 },
		{ TDX, CCDM_RTMR_REQUIRED, -ENOENT, -ENXIO, false, false, true, 0 },
		/* a driver without registers */
		{ TDX, CCDM_RTMR_OPTIONAL, 0, 0, true, false, true, 0 },
		{ TDX, CCDM_RTMR_REQUIRED, 0, -ENXIO, true, false, true, 0 },
		/* not a TDX guest: the step does not wait, unless the register is required */
		{ "flags\t: fpu tdx_guests xtdx_guest\nbugs: tdx_guest\n", CCDM_RTMR_OPTIONAL, 0, 0,
		  false, false, false, 0 },
		{ "", CCDM_RTMR_REQUIRED, 0, -ENXIO, false, false, false, 0 },
		{ TDX, CCDM_RTMR_OFF, 0, 0, true, false, false, 0 },
	};
	const struct ccdm_measure_tdx tdx = { path[2], path[1], path[0], load };
	struct ccdm_measure_to to;
	size_t i;
	int s;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unlink(path[0]);
		unlink(path[1]);
		put(path[2], cases[i].cpuinfo);
		if (cases[i].device)
			put(path[1], "");
		memset(&to, 0, sizeof(to));
		loads = 0;
		load_answer = cases[i].load;
		assert_int_equal(ccdm_measure_find_rtmr(&tdx, cases[i].use, cases[i].found ? 20 : 1,
							&to, &err),
				 cases[i].r);
		assert_int_equal(to.rtmr != NULL, cases[i].found);
		assert_int_equal(to.tdx, cases[i].tdx);
		assert_int_equal(loads, cases[i].loads);
		if (cases[i].r)
			assert_non_null(strstr(err.text, "RTMR 3 is required"));
		while (wait(&s) > 0)
			assert_int_equal(s, 0);
	}
	/* the driver exists from the start */
	put(path[0], "");
	put(path[1], "");
	assert_int_equal(ccdm_measure_find_rtmr(&tdx, CCDM_RTMR_REQUIRED, 1, &to, &err), 0);
	assert_string_equal(to.rtmr, path[0]);
}

static void where(void **state)
{
	static const struct ccdm_measure_to none, tpm = { .tpm = (void *)1 },
						  both = { .tpm = (void *)1, .rtmr = "r" },
						  rtmr_only = { .rtmr = "r" };
	char text[64];

	(void)state;
	ccdm_measure_where(&none, "ccdm-signer:1", text, sizeof(text));
	assert_string_equal(text, "no register");
	ccdm_measure_where(&tpm, "ccdm-base:1", text, sizeof(text));
	assert_string_equal(text, "PCR 15");
	ccdm_measure_where(&both, "ccdm-signer:1", text, sizeof(text));
	assert_string_equal(text, "PCR 15, PCR 16, RTMR 3");
	ccdm_measure_where(&rtmr_only, "ccdm-signer:1", text, sizeof(text));
	assert_string_equal(text, "RTMR 3");
}

static void hex_of(const void *bytes, size_t size, char *hex)
{
	unsigned char sum[32];
	unsigned int n;

	assert_true(EVP_Digest(bytes, size, sum, &n, EVP_sha256(), NULL));
	ccdm_hex(sum, n, hex);
}

/*
 * The events of a configuration, in order. A signer's key is measured as its SubjectPublicKeyInfo.
 */
static void events(void **state)
{
	static struct ccdm_measure_list list;
	struct ccdm_config config = { .base = { .data_blocks = 7 }, .strict = true };
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	unsigned char *der = NULL;
	char want[128];
	FILE *f;
	int n;

	(void)state;
	snprintf(config.base.roothash, sizeof(config.base.roothash), HASH);
	assert_int_equal(ccdm_measure_events(&config, &list, &err), 0);
	assert_int_equal(list.count, 2);
	assert_true(!strncmp(list.text[0], "ccdm-base:", 10) && strstr(list.text[0], HASH));
	assert_string_equal(list.text[1], "ccdm-ready:1");
	config.strict = false;
	assert_int_equal(ccdm_measure_events(&config, &list, &err), 0);
	assert_string_equal(list.text[1], "ccdm-ready:not-strict");
	config.strict = true;
	put(path[2], "work");
	snprintf(config.workload_file, sizeof(config.workload_file), "%s", path[2]);
	snprintf(config.policy_url, sizeof(config.policy_url), "https://broker/policy");
	f = fopen(path[0], "w");
	assert_non_null(f);
	assert_true(key && PEM_write_PUBKEY(f, key));
	fclose(f);
	snprintf(config.signer, sizeof(config.signer), "%s", path[0]);
	assert_int_equal(ccdm_measure_events(&config, &list, &err), 0);
	assert_int_equal(list.count, 5);
	strcpy(want, "ccdm-workload:");
	hex_of("work", 4, want + strlen(want));
	assert_string_equal(list.text[1], want);
	n = i2d_PUBKEY(key, &der);
	strcpy(want, "ccdm-signer:");
	hex_of(der, n, want + strlen(want));
	assert_string_equal(list.text[2], want);
	assert_string_equal(list.text[3], "ccdm-policy-url:https://broker/policy");
	assert_string_equal(list.text[4], "ccdm-ready:1");
	OPENSSL_free(der);
	EVP_PKEY_free(key);
	/* a workload in its own partition: dm-verity's table line with the workload's values */
	config.workload_file[0] = '\0';
	config.workload = config.base;
	config.workload.data_blocks = 9;
	strcpy(config.workload.device, "PARTUUID=1");
	assert_int_equal(ccdm_measure_events(&config, &list, &err), 0);
	assert_int_equal(list.count, 5);
	assert_string_equal(list.text[1],
			    "ccdm-workload:1 0 0 9 0  " HASH "  1 panic_on_corruption");
	config.workload.device[0] = '\0';
	snprintf(config.workload_file, sizeof(config.workload_file), "%s", path[2]);
	/* an invalid key, a missing file */
	put(path[0], "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n");
	assert_int_equal(ccdm_measure_events(&config, &list, &err), -EINVAL);
	unlink(path[0]);
	assert_int_equal(ccdm_measure_events(&config, &list, &err), -ENOENT);
	assert_non_null(strstr(err.text, path[0]));
	unlink(path[2]);
	assert_int_equal(ccdm_measure_events(&config, &list, &err), -ENOENT);
	assert_non_null(strstr(err.text, path[2]));
}

/* ---- registers and logs at the same moment ------------------------------------------ */

struct moment {
	char file[64];
	unsigned int calls, changes; /* the first @changes calls measure something */
	int fails;
};

static int sign(void *arg, struct ccdm_err *e)
{
	struct moment *m = arg;
	FILE *f;

	if (m->fails)
		return ccdm_err_set(e, m->fails, "no signature");
	if (++m->calls > m->changes)
		return 0;
	f = fopen(m->file, "a");
	fputs("x", f);
	fclose(f);
	return 0;
}

static void steady(void **state)
{
	static const struct {
		unsigned int changes;
		int r;
		const char *log;
	} cases[] = {
		{ 0, 0, "" },
		{ 1, 0, "eA==" },
		{ 2, 0, "eHg=" },
		{ 99, -EAGAIN, NULL },
	};
	struct moment m = { .file = "/tmp/ccdm-moment-XXXXXX" };
	const struct ccdm_attest_logs logs = { "log", m.file, sign, &m };
	const char *log;
	json_t *o;
	size_t i;
	int fd = mkstemp(m.file);

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(ftruncate(fd, 0), 0);
		m.calls = 0;
		m.changes = cases[i].changes;
		o = json_object();
		assert_int_equal(ccdm_attest_steady(&logs, o, &err), cases[i].r);
		log = json_string_value(json_object_get(o, "log"));
		assert_int_equal(!!log, !!cases[i].log);
		if (log) {
			assert_string_equal(log, cases[i].log);
			assert_int_equal(m.calls, cases[i].changes + 1);
		}
		json_decref(o);
	}
	/* without a signature no logs are returned; nor is a log that is too large */
	o = json_object();
	m.fails = -EIO;
	assert_int_equal(ccdm_attest_steady(&logs, o, &err), -EIO);
	assert_string_equal(err.text, "no signature");
	m.fails = 0;
	assert_int_equal(ftruncate(fd, CCDM_TCGLOG_MAX + 1), 0);
	assert_int_equal(ccdm_attest_steady(&logs, o, &err), -EFBIG);
	assert_int_equal(json_object_size(o), 0);
	json_decref(o);
	close(fd);
	unlink(m.file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rtmr),		  cmocka_unit_test(rtmr_fails),
		cmocka_unit_test(rtmr_read_back), cmocka_unit_test(late),
		cmocka_unit_test(where),	  cmocka_unit_test(events),
		cmocka_unit_test(steady)
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
