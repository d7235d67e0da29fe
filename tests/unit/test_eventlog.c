// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* ccdm's event log: written, read back and replayed; and malformed logs. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "log/eventlog.h"
#include "base/file.h"
#include "seed.h"

/* computed with Python's hashlib: hash(value + hash(text)), from zeros on */
#define REPLAY_SHA256 "eff9f3ca5b397a65d1d15a71b8458a39476c79176a48c795bb11ae059a33917e"
#define REPLAY_RTMR                                        \
	"4d20e8568c4b8158aca918e46e8a46b69fc52ae37344924b" \
	"4116dbb9872243b24546e150dc4e128e18c9678a11753550"

#define REPLAY_FOREIGN "5f420e04958b2e3f1807391e99d9492c67aaeffd"

static const char foreign[] =
	"\x1e{\"pcr\":15,\"digests\":[{\"hashAlg\":\"sha1\","
	"\"digest\":\"0102030405060708090a0b0c0d0e0f1011121314\"}],"
	"\"content_type\":\"systemd\",\"content\":{\"string\":\"machine-id:1\"}}\n";
static struct ccdm_err err;
static char log_text[65536];

static int replay_of(const char *text, size_t size, bool rtmr, unsigned int index, uint16_t alg,
		     struct ccdm_digest *value)
{
	int r = ccdm_eventlog_begin(alg, value, &err);

	seed_texts("bootlog", 0, 0xff, text, "", "", NULL);
	return r ? r : ccdm_eventlog_replay(text, size, rtmr, index, value, &err);
}

static void event(const char *file, bool rtmr, unsigned int index, const char *text,
		  const uint16_t *algs, unsigned int n)
{
	struct ccdm_event e = { .rtmr = rtmr, .index = index };
	unsigned int i;

	strcpy(e.text, text);
	for (i = 0; i < n; i++)
		assert_int_equal(ccdm_digest_of(algs[i], text, strlen(text), NULL, 0,
						&e.digests.digest[e.digests.count++]),
				 0);
	assert_int_equal(ccdm_eventlog_append(file, &e, &err), 0);
}

static void replay(void **state)
{
	static const uint16_t both[] = { CCDM_ALG_SHA256, CCDM_ALG_SHA384 };
	char file[] = "/tmp/ccdm-unit-XXXXXX", *text, hex[2 * CCDM_DIGEST_MAX + 1];
	struct ccdm_digest value;
	size_t size;
	int fd = mkstemp(file);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	event(file, false, 15, "ccdm-base:x", both, 2);
	event(file, false, 16, "ccdm-signer:y", both, 2);
	event(file, true, 3, "ccdm-base:x", both + 1, 1);
	event(file, false, 15, "ccdm-ready:1", both, 2);
	assert_int_equal(ccdm_file_read(file, CCDM_EVENTLOG_MAX, &text, &size, &err), 0);
	unlink(file);
	assert_int_equal(text[0], 0x1e);
	assert_int_equal(text[size - 1], '\n');
	assert_int_equal(replay_of(text, size, false, 15, CCDM_ALG_SHA256, &value), 0);
	ccdm_hex(value.bytes, value.size, hex);
	assert_string_equal(hex, REPLAY_SHA256);
	assert_int_equal(replay_of(text, size, true, 3, CCDM_ALG_SHA384, &value), 0);
	ccdm_hex(value.bytes, value.size, hex);
	assert_string_equal(hex, REPLAY_RTMR);
	/* a bank that a record lacks cannot be replayed */
	assert_int_equal(replay_of(text, size, false, 15, CCDM_ALG_SHA1, &value), -ENOENT);
	assert_int_equal(replay_of(text, size, false, 15, 0x99, &value), -ENOTSUP);
	/* a record of systemd is replayed from there, whatever its content is */
	assert_int_equal(ccdm_eventlog_begin(CCDM_ALG_SHA1, &value, &err), 0);
	assert_int_equal(ccdm_eventlog_replay(foreign, strlen(foreign), false, 15, &value, &err),
			 0);
	ccdm_hex(value.bytes, value.size, hex);
	assert_string_equal(hex, REPLAY_FOREIGN);
	memcpy(log_text, text, size + 1);
	free(text);
}

static int none(const struct ccdm_event *e, void *arg)
{
	(void)e;
	(*(int *)arg)++;
	return 0;
}

#define SHA1_OF_A "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"

static void malformed(void **state)
{
	static const char too_long[] = "\x1e{\"pcr\":15,\"digests\":[{\"hashAlg\":\"sha1\","
				       "\"digest\":\"" SHA1_OF_A "\"}],\"content_type\":\"ccdm\","
				       "\"content\":{\"ccdm\":\"%0*d\"}}\n";
	static const char good_one[] = "\x1e{\"pcr\":15,\"digests\":[{\"hashAlg\":\"sha1\","
				       "\"digest\":\"" SHA1_OF_A "\"}],\"content_type\":\"ccdm\","
				       "\"content\":{\"ccdm\":\"a\"}}\n";
	static const char *const bad[] = {
		"x",
		"\x1e\n",
		"\x1e{}\n",
		"\x1e[]\n",
		"\x1e{\"pcr\":15,\"digests\":[],\"content_type\":\"ccdm\",\"content\":{\"ccdm\":\"a\"}}\n",
		"\x1e{\"pcr\":24,\"digests\":[{\"hashAlg\":\"sha1\",\"digest\":\"00\"}],"
		"\"content_type\":\"ccdm\",\"content\":{\"ccdm\":\"a\"}}\n",
		"\x1e{\"pcr\":15,\"digests\":[{\"hashAlg\":\"md5\",\"digest\":\"00\"}],"
		"\"content_type\":\"ccdm\",\"content\":{\"ccdm\":\"a\"}}\n",
		"\x1e{\"pcr\":15,\"digests\":[{\"hashAlg\":\"sha1\","
		"\"digest\":\"0000000000000000000000000000000000000000\"}],"
		"\"content_type\":\"ccdm\",\"content\":{\"ccdm\":\"a\"}}\n",
		"\x1e{\"pcr\":-1,\"digests\":[{\"hashAlg\":\"sha1\","
		"\"digest\":\"" SHA1_OF_A "\"}],"
		"\"content_type\":\"ccdm\",\"content\":{\"ccdm\":\"a\"}}\n",
		"\x1e{\"rtmr\":4,\"digests\":[{\"hashAlg\":\"sha1\","
		"\"digest\":\"" SHA1_OF_A "\"}],"
		"\"content_type\":\"ccdm\",\"content\":{\"ccdm\":\"a\"}}\n",
		/* one more member; a digest in capitals, or one digit short */
		"\x1e{\"pcr\":15,\"digests\":[{\"hashAlg\":\"sha1\","
		"\"digest\":\"" SHA1_OF_A "\"}],"
		"\"content_type\":\"ccdm\",\"content\":{\"ccdm\":\"a\"},\"x\":1}\n",
		"\x1e{\"pcr\":15,\"digests\":[{\"hashAlg\":\"sha1\","
		"\"digest\":\"86F7E437FAA5A7FCE15D1DDCB9EAEAEA377667B8\"}],"
		"\"content_type\":\"ccdm\",\"content\":{\"ccdm\":\"a\"}}\n",
		"\x1e{\"pcr\":15,\"digests\":[{\"hashAlg\":\"sha1\","
		"\"digest\":\"86f7e437faa5a7fce15d1ddcb9eaeaea377667b\"}],"
		"\"content_type\":\"systemd\",\"content\":{\"string\":\"a\"}}\n",
		/* the same bank twice */
		"\x1e{\"pcr\":15,\"digests\":[{\"hashAlg\":\"sha1\","
		"\"digest\":\"0000000000000000000000000000000000000000\"},{\"hashAlg\":\"sha1\","
		"\"digest\":\"0000000000000000000000000000000000000000\"}],"
		"\"content_type\":\"systemd\",\"content\":{\"string\":\"a\"}}\n",
	};
	char *large = calloc(1, CCDM_EVENTLOG_MAX + 1);
	size_t i, n;
	int seen = 0;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		seed_texts("bootlog", 0, 0xff, bad[i], "", "", NULL);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(ccdm_eventlog_parse(bad[i], strlen(bad[i]), none, &seen, &err),
				 -EINVAL);
	assert_int_equal(seen, 0);
	snprintf(large, CCDM_EVENTLOG_MAX, too_long, CCDM_EVENT_MAX + 1, 0);
	assert_int_equal(ccdm_eventlog_parse(large, strlen(large), none, &seen, &err), -EINVAL);
	assert_int_equal(ccdm_eventlog_parse(good_one, strlen(good_one), none, &seen, &err), 0);
	assert_int_equal(seen, 1);
	seen = 0;
	assert_int_equal(ccdm_eventlog_parse("", 0, none, &seen, &err), 0);
	assert_int_equal(ccdm_eventlog_parse(large, CCDM_EVENTLOG_MAX + 1, none, &seen, &err),
			 -EINVAL);
	assert_non_null(strstr(err.text, "larger than"));
	free(large);
	/* a valid log: cut at each byte, and with each byte changed */
	n = strlen(log_text);
	if (ccdm_eventlog_parse(log_text, n, none, &seen, &err))
		fail_msg("%s (%zu bytes)", err.text, n);
	assert_int_equal(seen, 4);
	for (i = 0; i < n; i++) {
		int r = ccdm_eventlog_parse(log_text, i, none, &seen, &err);
		char old = log_text[i];

		assert_true(r == 0 || r == -EINVAL);
		assert_true(r || !i || log_text[i - 1] == '\n');
		log_text[i] ^= 1;
		r = ccdm_eventlog_parse(log_text, n, none, &seen, &err);
		assert_true(r == 0 || r == -EINVAL);
		log_text[i] = old;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(replay), cmocka_unit_test(malformed) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
