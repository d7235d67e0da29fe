// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* fuzzes: broker/core/proxy.c - a load balancer's header in pieces, and, after a letter, a list of load balancers */
#include "core/proxy.h"
#include "fuzz.h"

/* Read the header as a connection does: never more bytes than are missing. */
static void header(const uint8_t *data, size_t size)
{
	static uint8_t bytes[CCDM_PROXY_MAX];
	enum ccdm_proxy_said said = CCDM_PROXY_MORE;
	struct sockaddr_storage address;
	size_t have = 0, length, whole = 0;

	while (said == CCDM_PROXY_MORE) {
		said = ccdm_proxy_read(bytes, have, &address, &length);
		if (length > CCDM_PROXY_MAX || length < have || length < whole)
			abort();
		whole = length;
		if (said == CCDM_PROXY_MORE && (have == length || have == size))
			break;
		while (said == CCDM_PROXY_MORE && have < length && have < size) {
			bytes[have] = data[have];
			have++;
			if (have % 5 == 0)
				break;
		}
	}
	if (said == CCDM_PROXY_MORE && have == whole)
		abort();
	if (said == CCDM_PROXY_ADDRESS && address.ss_family != AF_INET &&
	    address.ss_family != AF_INET6)
		abort();
	fuzz_said("header", fuzz_yes(said == CCDM_PROXY_ADDRESS));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sockaddr_storage address = { .ss_family = AF_INET6 };
	struct ccdm_proxies proxies;
	struct ccdm_err err;
	char *text;
	bool read;

	if (!size || data[0] != 'l') {
		header(data, size);
		return 0;
	}
	text = fuzz_text(data + 1, size - 1);
	read = !ccdm_proxies_read(text, &proxies, &err);
	fuzz_said("list", fuzz_yes(read));
	if (read && proxies.count > CCDM_PROXIES)
		abort();
	if (read)
		fuzz_said("has", fuzz_yes(ccdm_proxies_has(&proxies, (struct sockaddr *)&address)));
	free(text);
	return 0;
}
