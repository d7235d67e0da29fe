// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * cmd_benchmark.c - ccdm-setup benchmark
 *
 * Runs the primitives of the suites (primitive.h) on one CPU, 64 KiB per call, as cryptsetup does. A
 * suite's figure is the rate of its primitives one after the other. aes-xts-gmac
 * has two figures: its tag is either GMAC (aad), or the tag of GCM over the ciphertext (gcm). No
 * storage is involved. With --device, bench_device.c measures a device.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/json.h"
#include "bench_device.h"
#include "disk/open.h"
#include "primitive.h"
#include "setup.h"

#define BENCH_SECONDS 0.7

#define BENCH_LEAST  (16 << 20) /* of a device */
#define BENCH_HEADER (32 << 20) /* more than LUKS2 needs at the beginning */

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

struct benchmark_args {
	struct ccdm_bench bench;
	const char *svg;
	bool json;
	bool yes;
	bool only_device; /* an option that needs --device was given */
};

enum { OPT_DEVICE = 256, OPT_SIZE, OPT_SECONDS, OPT_SVG };

static const struct ccdm_option benchmark_options[] = {
	{ "device", 0, OPT_DEVICE, "DEV",
	  "measure DEV itself, dm-crypt, LUKS2 with integrity and ccdm with fio;\n"
	  "this destroys the content of DEV",
	  "@file", NULL },
	{ "size", 0, OPT_SIZE, "SIZE", "measure this much of DEV (default 1G)", NULL, NULL },
	{ "seconds", 0, OPT_SECONDS, "N", "how long each step runs (default 5)", NULL, NULL },
	{ "svg", 0, OPT_SVG, "FILE", "write a plot, too", "@file", NULL },
	{ "yes", 'y', 'y', NULL, "do not ask before the content of DEV is destroyed", NULL, NULL },
	{ "json", 0, 'j', NULL, "print JSON", NULL, NULL },
	{ 0 },
};

static enum ccdm_exit benchmark_take(int option, void *arg)
{
	struct benchmark_args *a = arg;
	uint64_t number;
	bool ok = true;

	a->only_device |= option != 'j' && option != OPT_DEVICE;
	switch (option) {
	case OPT_DEVICE:
		a->bench.device = optarg;
		break;
	case OPT_SIZE:
		ok = !ccdm_ui_size(optarg, &a->bench.area) && a->bench.area >= BENCH_LEAST;
		break;
	case OPT_SECONDS:
		ok = !ccdm_ui_number(optarg, 3600, &number) && number;
		a->bench.seconds = ok ? (unsigned int)number : 0;
		break;
	case OPT_SVG:
		a->svg = optarg;
		break;
	case 'y':
		a->yes = true;
		break;
	case 'j':
		a->json = true;
		break;
	default:
		ok = false;
	}
	return ok ? CCDM_EXIT_OK : CCDM_EXIT_USAGE;
}

/* ---- a device ------------------------------------------------------------------------- */

static int benchmark_consent(const struct benchmark_args *a, const struct ccdm_device *dev,
			     struct ccdm_err *err)
{
	char question[256], size[32];

	if (a->yes)
		return 0;
	snprintf(question, sizeof(question),
		 "warning: %s (%s) holds: %s.\n"
		 "The benchmark writes to it, and destroys its content irrevocably.",
		 dev->path, ccdm_ui_human(dev->bytes, size),
		 dev->signature[0] ? dev->signature : "nothing that is known");
	if (ccdm_ui_confirm(question))
		return 0;
	ccdm_err_hint(err, "to destroy its content, give --yes");
	return ccdm_err_set(err, -ECANCELED, "%s: not confirmed", dev->path);
}

static int benchmark_device(struct benchmark_args *a, struct ccdm_err *err)
{
	/* what ccdm cannot open is refused before anything is written */
	const struct ccdm_open o = { .device = a->bench.device, .name = "ccdm-benchmark" };
	struct ccdm_open_facts facts;
	uint64_t most;
	int fd, r = ccdm_setup_dm(err);

	if (!r)
		r = ccdm_open_look(&o, &facts, err);
	if (r)
		return r;
	/* LUKS2 with integrity has the smallest mapping: about a hundredth less, and a header */
	most = facts.device.bytes / 100 * 95;
	most = most > BENCH_HEADER ? (most - BENCH_HEADER) / BENCH_LEAST * BENCH_LEAST : 0;
	if (most < BENCH_LEAST)
		return ccdm_err_set(err, -ENOSPC, "%s: expected 64 MiB or more, found %llu bytes",
				    a->bench.device, (unsigned long long)facts.device.bytes);
	a->bench.bytes = facts.device.bytes;
	a->bench.area = a->bench.area / BENCH_LEAST * BENCH_LEAST;
	if (a->bench.area > most)
		a->bench.area = most;
	fd = open(a->bench.device, O_RDWR | O_EXCL | O_CLOEXEC);
	if (fd < 0)
		return ccdm_err_set(err, -errno, "%s: %s", a->bench.device,
				    errno == EBUSY ? "it is mounted or mapped" : strerror(errno));
	close(fd);
	r = benchmark_consent(a, &facts.device, err);
	if (!r)
		r = ccdm_bench_run(&a->bench, err);
	if (!r && a->svg)
		r = ccdm_bench_plot(&a->bench, a->svg, err);
	return r ? r : ccdm_bench_print(&a->bench, a->json, err);
}

/* ---- the suites ----------------------------------------------------------------------- */

static double bench_both(double a, double b)
{
	return a > 0 && b > 0 ? 1 / (1 / a + 1 / b) : 0;
}

static enum ccdm_exit benchmark_suites(bool json)
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
	char title[32];
	json_t *all, *row;
	int i, best = 0, r;

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

static enum ccdm_exit cmd_benchmark(const struct ccdm_verb *verb, int argc, char **argv)
{
	struct benchmark_args a = { .bench = { .area = 1 << 30, .seconds = 5 } };
	struct ccdm_err err = { 0 };
	enum ccdm_exit e;
	bool over;
	int r;

	e = ccdm_setup_options(verb, argc, argv, benchmark_take, &a, &over);
	if (over)
		return e;
	if (!a.bench.device && a.only_device)
		return ccdm_setup_usage(verb, "expected --device, too");
	if (!a.bench.device)
		return benchmark_suites(a.json);
	a.bench.quiet = a.json;
	r = benchmark_device(&a, &err);
	return r ? ccdm_ui_fail(CCDM_PROGRAM, &err, r) : CCDM_EXIT_OK;
}

const struct ccdm_setup_verb ccdm_verb_benchmark = {
	.verb = { .name = "benchmark",
		  .usage = "",
		  .summary = "measure the cipher suites, or a device with and without encryption",
		  .options = benchmark_options,
		  .min_args = 0,
		  .max_args = 0 },
	.run = cmd_benchmark,
};
