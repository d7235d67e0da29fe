// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * cmd_benchmark.c - ccdm-setup benchmark
 *
 * Runs the primitives of the suites in the kernel through AF_ALG: on one CPU, 64 KiB per call, as
 * cryptsetup does. A suite's figure is the rate of its primitives one after the other. aes-xts-gmac
 * has two figures: its tag is either GMAC (aad), or the tag of GCM over the ciphertext (gcm). No
 * storage is involved.
 */
#include <errno.h>
#include <linux/if_alg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "base/json.h"
#include "setup.h"

#define BENCH_BYTES   65536
#define BENCH_SECONDS 0.7

struct bench_primitive {
	const char *type;
	const char *alg;
	unsigned int key_bytes;
	unsigned int iv_bytes;
	bool aad;     /* pass all data as additional data, for GMAC */
	double mib_s; /* 0: this kernel lacks the primitive */
};

static double bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Run one operation over @buf. Return: 0 or -errno. */
static int bench_once(int fd, const struct bench_primitive *p, unsigned char *buf)
{
	unsigned char control[CMSG_SPACE(4) + CMSG_SPACE(sizeof(struct af_alg_iv) + 16) +
			      CMSG_SPACE(4)] = { 0 };
	struct iovec iov = { buf, BENCH_BYTES };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;
	struct af_alg_iv *iv;

	if (p->iv_bytes) {
		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(4) +
				     CMSG_SPACE(sizeof(struct af_alg_iv) + p->iv_bytes) +
				     (!strcmp(p->type, "aead") ? CMSG_SPACE(4) : 0);
		c = CMSG_FIRSTHDR(&msg);
		if (!c)
			return -EINVAL;
		c->cmsg_level = SOL_ALG;
		c->cmsg_type = ALG_SET_OP;
		c->cmsg_len = CMSG_LEN(4);
		*(uint32_t *)CMSG_DATA(c) = ALG_OP_ENCRYPT;
		c = CMSG_NXTHDR(&msg, c);
		if (!c)
			return -EINVAL;
		c->cmsg_level = SOL_ALG;
		c->cmsg_type = ALG_SET_IV;
		c->cmsg_len = CMSG_LEN(sizeof(struct af_alg_iv) + p->iv_bytes);
		iv = (struct af_alg_iv *)CMSG_DATA(c);
		iv->ivlen = p->iv_bytes;
		if (!strcmp(p->type, "aead")) {
			c = CMSG_NXTHDR(&msg, c);
			if (!c)
				return -EINVAL;
			c->cmsg_level = SOL_ALG;
			c->cmsg_type = ALG_SET_AEAD_ASSOCLEN;
			c->cmsg_len = CMSG_LEN(4);
			*(uint32_t *)CMSG_DATA(c) = p->aad ? BENCH_BYTES : 0;
		}
	}
	if (sendmsg(fd, &msg, 0) < 0)
		return -errno;
	/* Read exactly the size of the result; AF_ALG would wait for more. */
	if (read(fd, buf, !p->iv_bytes ? 32 : BENCH_BYTES + (strcmp(p->type, "aead") ? 0 : 16)) < 0)
		return -errno;
	return 0;
}

static int bench_run(struct bench_primitive *p)
{
	struct sockaddr_alg sa = { .salg_family = AF_ALG };
	unsigned char key[64], *buf = aligned_alloc(4096, BENCH_BYTES + 4096);
	int tfm = -1, fd = -1, r = -ENOMEM;
	unsigned long n = 0;
	double start, now;

	snprintf((char *)sa.salg_type, sizeof(sa.salg_type), "%s", p->type);
	snprintf((char *)sa.salg_name, sizeof(sa.salg_name), "%s", p->alg);
	if (!buf || getrandom(key, sizeof(key), 0) != sizeof(key))
		goto out;
	memset(buf, 0, BENCH_BYTES + 4096);
	tfm = socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (tfm < 0 || bind(tfm, (struct sockaddr *)&sa, sizeof(sa)) ||
	    setsockopt(tfm, SOL_ALG, ALG_SET_KEY, key, p->key_bytes) ||
	    (!strcmp(p->type, "aead") &&
	     setsockopt(tfm, SOL_ALG, ALG_SET_AEAD_AUTHSIZE, NULL, 16)) ||
	    (fd = accept4(tfm, NULL, NULL, SOCK_CLOEXEC)) < 0) {
		r = -errno;
		goto out;
	}
	start = bench_now();
	do {
		r = bench_once(fd, p, buf);
		n++;
		now = bench_now();
	} while (!r && now - start < BENCH_SECONDS);
	if (!r)
		p->mib_s = n * (BENCH_BYTES / 1048576.0) / (now - start);
out:
	if (fd >= 0)
		close(fd);
	if (tfm >= 0)
		close(tfm);
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
	struct bench_primitive xts = { "skcipher", "xts(aes)", 64, 16, false, 0 };
	struct bench_primitive gmac = { "aead", "gcm(aes)", 32, 12, true, 0 };
	struct bench_primitive hmac = { "hash", "hmac(sha256)", 32, 0, false, 0 };
	struct bench_primitive gcm = { "aead", "gcm(aes)", 32, 12, false, 0 };
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
