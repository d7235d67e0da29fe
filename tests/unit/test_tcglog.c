// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* Event logs of firmware in both formats: replayed, cut off at each byte, and malformed. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "log/tcglog.h"
#include "seed.h"

/* computed with Python's hashlib: H(H(zeros + a) + b), where a is all 0x11 and b all 0x22 */
#define PCR4_SHA1   "46b4464c04c4622cca40e7fa48bb2c729ebc301d"
#define PCR4_SHA256 "78830000e1197790a7e1884139a65721210d642ad112e6c9899a05cb214027a5"

static struct ccdm_err err;
static struct ccdm_banks banks;

struct text {
	uint8_t bytes[4096];
	size_t size;
};

static void put(struct text *t, uint32_t n, unsigned int bytes)
{
	while (bytes--) {
		t->bytes[t->size++] = n;
		n >>= 8;
	}
}

static void fill(struct text *t, int value, size_t n)
{
	memset(t->bytes + t->size, value, n);
	t->size += n;
}

static void say(struct text *t, const void *bytes, size_t n)
{
	memcpy(t->bytes + t->size, bytes, n);
	t->size += n;
}

/* The first event, which declares a log with SHA-1 and SHA-256. */
static void spec(struct text *t)
{
	put(t, 0, 4);
	put(t, 3, 4);
	fill(t, 0, 20);
	put(t, 37, 4);
	say(t, "Spec ID Event03", 16);
	put(t, 0, 4);
	put(t, 0x02000200, 4);
	put(t, 2, 4);
	put(t, CCDM_ALG_SHA1, 2);
	put(t, 20, 2);
	put(t, CCDM_ALG_SHA256, 2);
	put(t, 32, 2);
	put(t, 0, 1);
}

static void agile(struct text *t, uint32_t index, uint32_t type, int value, const void *data,
		  uint32_t size)
{
	put(t, index, 4);
	put(t, type, 4);
	put(t, 2, 4);
	put(t, CCDM_ALG_SHA1, 2);
	fill(t, value, 20);
	put(t, CCDM_ALG_SHA256, 2);
	fill(t, value, 32);
	put(t, size, 4);
	say(t, data, size);
}

static void sha1(struct text *t, uint32_t index, uint32_t type, int value, const void *data,
		 uint32_t size)
{
	put(t, index, 4);
	put(t, type, 4);
	fill(t, value, 20);
	put(t, size, 4);
	say(t, data, size);
}

static int replay(const struct text *t)
{
	uint8_t all[sizeof(t->bytes) + 2] = { 0xff, 0xff };

	memcpy(all + 2, t->bytes, t->size);
	seed("bootlog", all, t->size + 2);
	memset(&err, 0, sizeof(err));
	return ccdm_tcglog_replay(t->bytes, t->size, &banks, &err);
}

static void holds(uint16_t alg, unsigned int index, const char *want)
{
	const struct ccdm_bank *bank = ccdm_banks_find(&banks, alg);
	char hex[2 * CCDM_DIGEST_MAX + 1];

	assert_non_null(bank);
	ccdm_hex(bank->value[index].bytes, bank->value[index].size, hex);
	assert_string_equal(hex, want);
}

static void values(void **state)
{
	struct text t = { 0 };

	(void)state;
	spec(&t);
	agile(&t, 4, 0x80000003, 0x11, "x", 1);
	agile(&t, 4, 4, 0x22, "", 0);
	assert_int_equal(replay(&t), 0);
	holds(CCDM_ALG_SHA1, 4, PCR4_SHA1);
	holds(CCDM_ALG_SHA256, 4, PCR4_SHA256);
	assert_int_equal(banks.count, 2);
	assert_true(banks.bank[0].used[4]);
	assert_false(banks.bank[0].used[5]);
	/* padding with zeros, then with ones */
	fill(&t, 0, 300);
	assert_int_equal(replay(&t), 0);
	t.size -= 300;
	fill(&t, 0xff, 301);
	assert_int_equal(replay(&t), 0);
	/* padding with both */
	fill(&t, 0, 4);
	assert_int_equal(replay(&t), -EINVAL);

	memset(&t, 0, sizeof(t));
	sha1(&t, 4, 8, 0x11, "abc", 3);
	sha1(&t, 4, 4, 0x22, "", 0);
	assert_int_equal(replay(&t), 0);
	holds(CCDM_ALG_SHA1, 4, PCR4_SHA1);
	assert_int_equal(banks.count, 1);
}

static void locality(void **state)
{
	struct text t = { 0 };

	(void)state;
	spec(&t);
	agile(&t, 0, 3, 0, "StartupLocality\0\3", 17);
	assert_int_equal(replay(&t), 0);
	holds(CCDM_ALG_SHA1, 0, "0000000000000000000000000000000000000003");
	/* after the first extension it is ignored */
	agile(&t, 0, 8, 0x11, "", 0);
	assert_int_equal(replay(&t), 0);
	{
		struct ccdm_bank before = banks.bank[0];

		agile(&t, 0, 3, 0, "StartupLocality\0\4", 17);
		assert_int_equal(replay(&t), 0);
		assert_memory_equal(before.value[0].bytes, banks.bank[0].value[0].bytes, 20);
	}
	/* nor in another register, nor with a longer text */
	memset(&t, 0, sizeof(t));
	spec(&t);
	agile(&t, 1, 3, 0, "StartupLocality\0\3", 17);
	agile(&t, 0, 3, 0, "StartupLocality\0\3 ", 18);
	agile(&t, 0, 3, 0, "StartUpLocality\0\3", 17);
	assert_int_equal(replay(&t), 0);
	assert_false(banks.bank[0].used[0]);
}

static void cut_off(void **state)
{
	struct text t = { 0 };
	size_t n, first, second;
	uint8_t *copy;
	int r;

	(void)state;
	spec(&t);
	first = t.size;
	agile(&t, 4, 8, 0x11, "data", 4);
	second = t.size;
	agile(&t, 5, 8, 0x22, "more", 4);
	for (n = 0; n <= t.size; n++) {
		copy = malloc(n ? n : 1);
		memcpy(copy, t.bytes, n);
		r = ccdm_tcglog_replay(copy, n, &banks, &err);
		/* the sanitizer sees a read beyond the copy */
		assert_int_equal(r, n == first || n == second || n == t.size ? 0 : -EINVAL);
		free(copy);
	}
}

/* Change one byte of the first or the second event. */
static void malformed(void **state)
{
	static const struct {
		size_t at;
		int value;
	} all[] = {
		{ 28, 36 },    /* the declaration is shorter than its content */
		{ 28, 15 },    /* shorter than its name */
		{ 28, 26 },    /* too short for the number of hashes */
		{ 32, 'x' },   /* another signature */
		{ 56, 0 },     /* no hash */
		{ 56, 17 },    /* more hashes than the limit */
		{ 62, 21 },    /* SHA-1 with 21 bytes */
		{ 62, 0 },     /* with none */
		{ 62, 65 },    /* with more than any has */
		{ 46, '2' },   /* a declaration of another version, without hashes */
		{ 64, 4 },     /* SHA-1 twice, one with 32 bytes */
		{ 68, 1 },     /* vendor data that is missing */
		{ 69, 24 },    /* register 24 */
		{ 72, 1 },     /* a very large register number */
		{ 77, 0 },     /* no digest */
		{ 77, 3 },     /* more digests than declared hashes */
		{ 81, 12 },    /* a hash that is not declared */
		{ 103, 4 },    /* SHA-1 twice */
		{ 137, 5 },    /* more data than the log holds */
		{ 140, 0xff }, /* nearly 4 GiB */
	};
	struct text good = { 0 }, t;
	size_t i, at;

	(void)state;
	spec(&good);
	agile(&good, 4, 8, 0x11, "data", 4);
	assert_int_equal(replay(&good), 0);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		t = good;
		t.bytes[all[i].at] = all[i].value;
		if (replay(&t) != -EINVAL)
			fail_msg("case %zu is taken", i);
		assert_true(err.text[0]);
	}
	/* the declaration ends among the hashes, or declares no known hash */
	t = good;
	t.bytes[28] = 30;
	assert_int_equal(replay(&t), -EINVAL);
	/* an unknown hash with an impossible size; a log that is too large */
	for (i = 0; i < 2; i++) {
		t = good;
		t.bytes[60] = 0x98;
		t.bytes[62] = i ? 65 : 0;
		assert_int_equal(replay(&t), -EINVAL);
	}
	assert_int_equal(ccdm_tcglog_replay(t.bytes, CCDM_TCGLOG_MAX + 1, &banks, &err), -EINVAL);
	assert_non_null(strstr(err.text, "expected an event log"));
	/* an event that lacks one of the banks */
	t = good;
	put(&t, 4, 4);
	put(&t, 8, 4);
	put(&t, 1, 4);
	put(&t, CCDM_ALG_SHA1, 2);
	fill(&t, 0x33, 20);
	put(&t, 0, 4);
	assert_int_equal(replay(&t), -EINVAL);
	/* a log with an unknown hash only */
	memset(&t, 0, sizeof(t));
	spec(&t);
	at = t.size + 12;
	agile(&t, 4, 8, 0x33, "", 0);
	t.bytes[60] = t.bytes[at] = 0x98;
	t.bytes[64] = t.bytes[at + 2 + 20] = 0x99;
	assert_int_equal(replay(&t), -EINVAL);
	assert_non_null(strstr(err.text, "no known bank"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(locality),
		cmocka_unit_test(cut_off),
		cmocka_unit_test(malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
