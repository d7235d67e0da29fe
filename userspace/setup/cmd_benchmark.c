// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * cmd_benchmark.c - ccdm-setup benchmark
 *
 * Runs the primitives of the suites (primitive.h) on one CPU, 64 KiB per call, as cryptsetup does. A
 * suite's figure is the rate of its primitives one after the other. aes-xts-gmac
 * has two figures: its tag is either GMAC (aad), or the tag of GCM over the ciphertext (gcm). No
 * storage is involved.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/json.h"
#include "primitive.h"
#include "setup.h"

#define BENCH_SECONDS 0.7

static double bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static int bench_run(struct ccdm_primitive *p)
{
	unsigned char *buf = aligned_alloc(4096, CCDM_PRIMITIVE_BYTES + 4096);
	unsigned long n = 0;
	double start, now;
	int fd = -1, r;

	if (!buf)
		return -ENOMEM;
	memset(buf, 0, CCDM_PRIMITIVE_BYTES + 4096);
	r = ccdm_primitive_open(p, &fd);
	if (r)
		goto out;
	start = bench_now();
	do {
		r = ccdm_primitive_run(fd, p, buf);
		n++;
		now = bench_now();
	} while (!r && now - start < BENCH_SECONDS);
	if (!r)
		p->mib_s = n * (CCDM_PRIMITIVE_BYTES / 1048576.0) / (now - start);
out:
	if (fd >= 0)
		close(fd);
	free(buf);
	return r;
}

static const struct ccdm_option benchmark_options[] = {
	{ "json", 0, 'j', NULL, "print JSON", NULL, NULL },
	{ 0 },
};

static enum ccdm_exit benchmark_take(int option, void *arg)
{
	if (option != 'j')
		return CCDM_EXIT_USAGE;
	*(bool *)arg = true;
	return CCDM_EXIT_OK;
}

static double bench_both(double a, double b)
{
	return a > 0 && b > 0 ? 1 / (1 / a + 1 / b) : 0;
}

static enum ccdm_exit cmd_benchmark(const struct ccdm_verb *verb, int argc, char **argv)
{
	struct ccdm_primitive xts = CCDM_PRIMITIVE_XTS, gmac = CCDM_PRIMITIVE_GMAC;
	struct ccdm_primitive hmac = CCDM_PRIMITIVE_HMAC, gcm = CCDM_PRIMITIVE_GCM;
	struct {
		const char *suite;
		const char *gmac; /* as in the status line; NULL: the suite has no variants */
		double mib_s;
	} rows[4] = {
		{ "aes-xts-gmac", "aad", 0 },
		{ "aes-xts-gmac", "gcm", 0 },
		{ "aes-xts-hmac-sha256", NULL, 0 },
		{ "aes-gcm", NULL, 0 },
	};
	bool json = false, over;
	enum ccdm_exit e;
	char title[32];
	json_t *all, *row;
	int i, best = 0, r;

	e = ccdm_setup_options(verb, argc, argv, benchmark_take, &json, &over);
	if (over)
		return e;
	r = bench_run(&xts);
	if (r == -EAFNOSUPPORT || r == -EPERM || r == -EACCES) {
		struct ccdm_err err = { 0 };

		ccdm_err_set(&err, r, "cannot reach the kernel's crypto API (AF_ALG): %s",
			     strerror(-r));
		ccdm_err_hint(
			&err,
			"load the modules af_alg, algif_skcipher, algif_aead and algif_hash; in a "
			"container, allow AF_ALG sockets");
		return ccdm_ui_fail(CCDM_PROGRAM, &err, r == -EAFNOSUPPORT ? -ENOENT : r);
	}
	bench_run(&gmac);
	bench_run(&hmac);
	bench_run(&gcm);
	rows[0].mib_s = bench_both(xts.mib_s, gmac.mib_s);
	rows[1].mib_s = bench_both(xts.mib_s, gcm.mib_s);
	rows[2].mib_s = bench_both(xts.mib_s, hmac.mib_s);
	rows[3].mib_s = gcm.mib_s;
	for (i = 1; i < 4; i++)
		if (rows[i].mib_s > rows[best].mib_s)
			best = i;

	if (json) {
		all = json_array();
		for (i = 0; i < 4; i++) {
			row = json_pack("{s:s, s:f, s:b}", "suite", rows[i].suite, "mib_s",
					rows[i].mib_s, "recommended",
					i == best && rows[i].mib_s > 0);
			if (rows[i].gmac)
				ccdm_json_put(&row, "gmac", json_string(rows[i].gmac));
			ccdm_json_add(&all, row);
		}
		return ccdm_setup_print(all);
	}
	printf("# Approximate, one CPU, memory only; primitives in MiB/s:\n"
	       "#   XTS %.0f, GMAC %.0f, HMAC-SHA-256 %.0f, GCM %.0f\n",
	       xts.mib_s, gmac.mib_s, hmac.mib_s, gcm.mib_s);
	for (i = 0; i < 4; i++) {
		snprintf(title, sizeof(title), "%s%s%s", rows[i].suite, rows[i].gmac ? " " : "",
			 rows[i].gmac ?: "");
		if (rows[i].mib_s > 0)
			printf("%-20s %8.0f MiB/s\n", title, rows[i].mib_s);
		else
			printf("%-20s      not available in this kernel\n", title);
	}
	if (rows[best].mib_s > 0)
		printf("Recommended here: --cipher %s\n", rows[best].suite);
	return CCDM_EXIT_OK;
}

const struct ccdm_setup_verb ccdm_verb_benchmark = {
	.verb = { .name = "benchmark",
		  .usage = "",
		  .summary = "measure how fast this kernel runs the cipher suites",
		  .options = benchmark_options,
		  .min_args = 0,
		  .max_args = 0 },
	.run = cmd_benchmark,
};
