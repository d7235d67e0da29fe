// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* Base64: which texts decode, in the plain form and in the URL form. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/base64.h"

static void texts(void **state)
{
	static const struct {
		const char *text;
		bool url;
		int r;
		const char *bytes;
	} all[] = {
		{ "", false, 0, "" },
		{ "QQ==", false, 0, "A" },
		{ "QUI=", false, 0, "AB" },
		{ "QUJD", false, 0, "ABC" },
		{ "QQ", false, -EINVAL, "" },
		{ "QR==", false, -EINVAL, "" },
		{ "A", false, -EINVAL, "" },
		{ "AA=A", false, -EINVAL, "" },
		{ "QUJD=", false, -EINVAL, "" },
		{ "====", false, -EINVAL, "" },
		{ "QQ=\n", false, -EINVAL, "" },
		{ "-_8=", false, -EINVAL, "" },
		{ "+/8=", false, 0, "\xfb\xff" },
		{ "QQ", true, 0, "A" },
		{ "QQ==", true, 0, "A" },
		{ "-_8", true, 0, "\xfb\xff" },
		{ "+/8", true, -EINVAL, "" },
		{ "QR", true, -EINVAL, "" },
		{ "QQ=", true, -EINVAL, "" },
		{ "QUJDRA==", false, -EFBIG, "" },
	};
	uint8_t *bytes;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		assert_int_equal(ccdm_base64_decode(all[i].text, all[i].url, 3, &bytes, &n),
				 all[i].r);
		if (all[i].r)
			continue;
		assert_int_equal(n, strlen(all[i].bytes));
		assert_memory_equal(bytes, all[i].bytes, n);
		free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
