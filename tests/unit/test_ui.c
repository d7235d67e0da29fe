// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* test_ui - sizes, exit codes, values of a status line */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "disk/dm.h"
#include "base/ui.h"
#include "base/ui_report.h"

static void sizes(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {
		{ "0", 0 },
		{ "4096", 4096 },
		{ "8S", 4096 },
		{ "8s", 4096 },
		{ "4K", 4096 },
		{ "4KiB", 4096 },
		{ "4KB", 4000 },
		{ "2M", 2 << 20 },
		{ "2mib", 2 << 20 },
		{ "2MB", 2000000 },
		{ "1G", 1 << 30 },
		{ "1T", 1ULL << 40 },
		{ "16TiB", 16ULL << 40 },
		{ "18446744073709551615", UINT64_MAX },
	};
	static const char *const bad[] = { "",	 "x",	"-1",	"+1",	" 1", "1 M",
					   "1X", "1MM", "0x10", "1.5G", "K" };
	static const char *const range[] = { "18446744073709551616", "99999999T" };
	uint64_t v;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(ccdm_ui_size(good[i].text, &v), 0);
		assert_true(v == good[i].bytes);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(ccdm_ui_size(bad[i], &v), -EINVAL);
	for (i = 0; i < sizeof(range) / sizeof(range[0]); i++)
		assert_int_equal(ccdm_ui_size(range[i], &v), -ERANGE);
}

static void numbers(void **state)
{
	static const char *const bad[] = { "",	  "x",	"-1",
					   "+1",  " 1", "1 ",
					   "0x1", "8",	"18446744073709551616" };
	uint64_t n;
	size_t i;

	(void)state;
	assert_int_equal(ccdm_ui_number("0", 7, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(ccdm_ui_number("7", 7, &n), 0);
	assert_int_equal(n, 7);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(ccdm_ui_number(bad[i], 7, &n), -EINVAL);
}

static void human(void **state)
{
	char buf[32];

	(void)state;
	assert_string_equal(ccdm_ui_human(0, buf), "0 B");
	assert_string_equal(ccdm_ui_human(4096, buf), "4 KiB");
	assert_string_equal(ccdm_ui_human(1536, buf), "1.5 KiB");
	assert_string_equal(ccdm_ui_human(16ULL << 40, buf), "16 TiB");
	assert_string_equal(ccdm_ui_human(UINT64_MAX, buf), "16384 PiB");
	assert_string_equal(ccdm_ui_date(0, buf), "1970-01-01T00:00:00Z");
	assert_string_equal(ccdm_ui_date(INT64_MAX, buf), "no date");
}

static void times(void **state)
{
	static const struct {
		const char *text;
		int64_t at;
	} good[] = {
		{ "1970-01-01", 0 },
		{ "1970-01-01T00:00:01Z", 1 },
		{ "1970-01-02t00:00:00z", 86400 },
		{ "1970-01-01 00:01:00Z", 60 },
		{ "2026-11-22T12:00:00Z", 1795348800 },
		{ "2026-11-22T12:00:00.999999Z", 1795348800 },
		{ "2026-11-22T13:30:00+01:30", 1795348800 },
		{ "2026-11-22T06:45:00-05:15", 1795348800 },
		{ "1969-12-31T23:59:59Z", -1 },
	};
	static const char *const bad[] = {
		"",
		"x",
		"2026",
		"2026-13-01",
		"2026-11-22T",
		"2026-11-22T12:00:00",
		"2026-11-22T12:00:00x",
		"2026-11-22T12:00:00Zx",
		"2026-11-22x",
		"2026-11-22T12:00Z",
		"2026-11-22T12:00:00+1:30",
		"2026-11-22T12:00:00+01:3",
		"2026-11-22T12:00:00+24:00",
		"2026-11-22T12:00:00+01:60",
		"2026-11-22T12:00:00+01:30Z",
		"2026-11-22T12:00:00+01-30",
		"2026-11-22T12:00:00++1:30",
		"2026-11-22T12:00:00+ 1:30",
		"2026-11-22T12:00:00+-1:30",
		"2026-11-22T12:00:00+01:+3",
		"2026-11-22T12:00:00+01: 3",
		" 2026-11-22",
		"2026-1-22",
		"2026-11- 2",
		"+026-11-22",
		"2026-11-22T 1:00:00Z",
		"2026-11-22T12:00:61.Zx",
	};
	char buf[32];
	int64_t at;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(ccdm_ui_time(good[i].text, &at), 0);
		assert_true(at == good[i].at);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (ccdm_ui_time(bad[i], &at) != -EINVAL)
			fail_msg("%s is taken for a time", bad[i]);
	assert_string_equal(ccdm_ui_date(1795348800, buf), "2026-11-22T12:00:00Z");
	assert_string_equal(ccdm_ui_date(INT64_MAX, buf), "no date");
}

/* Text from a host or a guest must not steer the terminal on which it is shown. */
static void plain(void **state)
{
	struct ccdm_err err = { 0 };

	(void)state;
	ccdm_err_text(&err, "%s", "a\x1b[2Jb\nc\rd\x7f e\xc2\x9b\xc2\x80 \xc3\xa9\xc2\xa0\xc2");
	assert_string_equal(err.text, "a?[2Jb?c?d? e???? \xc3\xa9\xc2\xa0?");
	ccdm_err_text(&err, "??\x1b?");
	assert_string_equal(err.text, "????");
	ccdm_err_hint(&err, "%s", "a\nb");
	assert_string_equal(err.hint, "a?b");
}

/* Whatever the bytes are, JSON must accept the result; else a guest could prevent its log entry. */
static void utf8(void **state)
{
	static const struct {
		const char *text, *plain;
	} all[] = {
		{ "\xc2\xa0 \xdf\xbf", "\xc2\xa0 \xdf\xbf" },
		{ "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbd",
		  "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbd" },
		{ "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf" },
		{ "\x80\xbf\xc0\x80\xc1\xbf", "??????" },
		{ "\xe0\x9f\xbf\xed\xa0\x80", "??????" },
		{ "\xf0\x8f\xbf\xbf\xf4\x90\x80\x80", "????????" },
		{ "\xf5\x80\x80\x80\xff\xfe", "??????" },
		{ "\xc3x\xe2\x82x\xf0\x9f\x98x", "?x??x???x" },
		{ "\xc3", "?" },
		{ "\xe2\x82", "??" },
		{ "\xf0\x9f\x98", "???" },
		{ "\x9b\x32J", "?2J" },
		/* characters that change the text's direction, or are invisible */
		{ "\xe2\x80\xaeyes\xe2\x80\xac \xe2\x81\xa6no\xe2\x81\xa9", "???yes??? ???no???" },
		{ "\xe2\x80\x8e\xe2\x80\x8f\xe2\x80\xa8\xd8\x9c", "???????????" },
		{ "\xe2\x80\x8d\xe2\x80\x90\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa\xd8\x9b",
		  "\xe2\x80\x8d\xe2\x80\x90\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa\xd8\x9b" },
	};
	struct ccdm_err err = { 0 };
	char letters[600];
	json_t *o;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		ccdm_err_text(&err, "%s", all[i].text);
		assert_string_equal(err.text, all[i].plain);
	}
	/*
	 * cut at the end of the buffer: its size is even, and the characters begin at odd positions
	 */
	for (i = 0; i < sizeof(letters) - 1; i++)
		letters[i] = i % 2 ? '\xc3' : '\xa9';
	letters[0] = 'x';
	letters[sizeof(letters) - 1] = '\0';
	ccdm_err_text(&err, "%s", letters);
	ccdm_err_hint(&err, "%s", letters + 1);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	o = json_pack("{s:s, s:s}", "text", err.text, "hint", err.hint);
	assert_non_null(o);
	json_decref(o);
}

/* JSON output also goes to terminals. */
static void ascii(void **state)
{
	FILE *terminal = stdout;
	struct ccdm_err err = { 0 };
	size_t size, i;
	char *text;
	json_t *o;

	(void)state;
	stdout = open_memstream(&text, &size);
	assert_non_null(stdout);
	i = ccdm_ui_json(json_pack("{s:s}", "\xc2\x9b", "a\x1b\xc2\x9b\x32J \xe2\x80\xae"), &err);
	fclose(stdout);
	stdout = terminal;
	assert_int_equal(i, 0);
	for (i = 0; i < size; i++)
		assert_true(text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~'));
	o = json_loads(text, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(o, "\xc2\x9b")),
			    "a\x1b\xc2\x9b\x32J \xe2\x80\xae");
	json_decref(o);
	free(text);
}

static void exits(void **state)
{
	(void)state;
	assert_int_equal(ccdm_exit_of(0), 0);
	assert_int_equal(ccdm_exit_of(-EINVAL), CCDM_EXIT_USAGE);
	assert_int_equal(ccdm_exit_of(-EPERM), CCDM_EXIT_PERMISSION);
	assert_int_equal(ccdm_exit_of(-ENOMEM), CCDM_EXIT_MEMORY);
	assert_int_equal(ccdm_exit_of(-ENXIO), CCDM_EXIT_DEVICE);
	assert_int_equal(ccdm_exit_of(-EBUSY), CCDM_EXIT_BUSY);
	assert_int_equal(ccdm_exit_of(-EBADMSG), CCDM_EXIT_TAMPER);
	assert_int_equal(ccdm_exit_of(-ECANCELED), CCDM_EXIT_REFUSED);
	assert_int_equal(ccdm_exit_of(-ETIMEDOUT), CCDM_EXIT_NETWORK);
}

static void words(void **state)
{
	const char *s = "state:active cache_kib:10/20 read:7 thread:9";
	char v[8];

	(void)state;
	assert_true(ccdm_dm_word(s, "state", v, sizeof(v)));
	assert_string_equal(v, "active");
	assert_true(ccdm_dm_word(s, "cache_kib", v, sizeof(v)));
	assert_string_equal(v, "10/20");
	assert_int_equal(ccdm_dm_number(s, "read"), 7);
	assert_false(ccdm_dm_word(s, "stat", v, sizeof(v)));
	assert_false(ccdm_dm_word(s, "hread", v, sizeof(v)));
	assert_false(ccdm_dm_word("", "x", v, sizeof(v)));
	assert_true(ccdm_dm_word("a:0123456789", "a", v, sizeof(v)));
	assert_string_equal(v, "0123456");
}

static void values(void **state)
{
	static const char *const bad[] = { "",	 "off",	  "1/",
					   "/1", "1/2/3", "1x",
					   "-1", " 1",	  "18446744073709551616" };
	uint64_t v[2];
	size_t i;

	(void)state;
	assert_int_equal(ccdm_dm_values("12", v), 1);
	assert_int_equal(v[0], 12);
	assert_int_equal(ccdm_dm_values("0/18446744073709551615", v), 2);
	assert_int_equal(v[0], 0);
	assert_true(v[1] == UINT64_MAX);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(ccdm_dm_values(bad[i], v), 0);
}

/* Text without the library is the same text as with it. */
static void json_text(void **state)
{
	static const char *const texts[] = { "", "a", "\"\\/", "\xc3\xa4 \xe2\x82\xac",
					     "\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf" };
	static const char *const unsafe[] = { "a\nb", "\x1b[2J", "\xc3", "\xff", "\xe2\x80\xae" };
	FILE *terminal = stdout;
	char *text, *expected;
	size_t size, i;
	json_t *s;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		stdout = open_memstream(&text, &size);
		assert_non_null(stdout);
		ccdm_ui_json_text(texts[i]);
		fclose(stdout);
		stdout = terminal;
		s = json_string(texts[i]);
		expected = json_dumps(s, JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
		assert_string_equal(text, expected);
		json_decref(s);
		free(expected);
		free(text);
	}
	for (i = 0; i < sizeof(unsafe) / sizeof(unsafe[0]); i++) {
		stdout = open_memstream(&text, &size);
		assert_non_null(stdout);
		ccdm_ui_json_text(unsafe[i]);
		fclose(stdout);
		stdout = terminal;
		assert_non_null(strchr(text, '?'));
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers), cmocka_unit_test(json_text), cmocka_unit_test(sizes),
		cmocka_unit_test(human),   cmocka_unit_test(times),	cmocka_unit_test(plain),
		cmocka_unit_test(utf8),	   cmocka_unit_test(ascii),	cmocka_unit_test(exits),
		cmocka_unit_test(words),   cmocka_unit_test(values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
