// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* Disk formats of clouds and hypervisors: GNU tar and qemu-img read back the bytes of the disk. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/interrupt.h"
#include "folder.h"
#include "image/format_write.h"

#define MiB  (1 << 20)
#define DATE 1764547200 /* 2025-12-01T00:00:00Z */

static struct ccdm_err err;

/* The path of a file in the test's folder; up to four results are valid at a time. */
static const char *in(const char *name)
{
	static char path[4][128];
	static unsigned int n;

	n = (n + 1) % 4;
	snprintf(path[n], sizeof(path[n]), "%s/%s", dir, name);
	return path[n];
}

/* Run a shell command in that folder. Return: its exit status */
static int sh(const char *command)
{
	char all[1024];

	snprintf(all, sizeof(all), "cd %s && { %s ; } >/dev/null 2>said", dir, command);
	return system(all);
}

static void put(const char *name, const void *bytes, size_t size, off_t at)
{
	int fd = open(in(name), O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, size, at), size);
	close(fd);
}

/*
 * Make a disk with data at its beginning and end, with holes between them, and with a block whose
 * last byte only is not zero. @full: write the zeros, too.
 */
static void make(const char *name, off_t size, int full)
{
	static uint8_t zeros[MiB];
	uint8_t text[5000];
	off_t at;
	size_t i;

	for (i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * i >> 3);
	unlink(in(name));
	put(name, "", 0, 0);
	assert_int_equal(truncate(in(name), size), 0);
	for (at = 0; full && at < size; at += MiB)
		put(name, zeros, MiB, at);
	put(name, text, sizeof(text), 0);
	put(name, text, sizeof(text), 3 * CCDM_SPARSE_BLOCK - 1000);
	put(name, "x", 1, size / 2 - 1);
	put(name, text, 512, size - 512);
}

static int write_as(const char *kind, const char *from, const char *to)
{
	enum ccdm_format format;

	memset(&err, 0, sizeof(err));
	assert_int_equal(ccdm_format_find(kind, &format), 0);
	assert_string_equal(ccdm_format_name(format), kind);
	return ccdm_format_write(format, in(from), in(to), DATE, NULL, &err);
}

static void sizes(void **state)
{
	static const struct {
		enum ccdm_format kind;
		uint64_t needed, rounded;
	} good[] = {
		{ CCDM_FORMAT_RAW, 1, 512 },
		{ CCDM_FORMAT_RAW, 1024, 1024 },
		{ CCDM_FORMAT_VHD, 1, MiB },
		{ CCDM_FORMAT_VHD, MiB, MiB },
		{ CCDM_FORMAT_VHD, MiB + 1, 2 * MiB },
		{ CCDM_FORMAT_VHD, (uint64_t)2040 << 30, (uint64_t)2040 << 30 },
		{ CCDM_FORMAT_GCP, 1, 1 << 30 },
		{ CCDM_FORMAT_GCP, ((uint64_t)9 << 30) + 1, (uint64_t)10 << 30 },
		{ CCDM_FORMAT_VMDK, 65537, 131072 },
	};
	enum ccdm_format kind;
	uint64_t size;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		size = good[i].needed;
		assert_int_equal(ccdm_format_size(good[i].kind, &size, &err), 0);
		assert_int_equal(size, good[i].rounded);
	}
	size = ((uint64_t)2040 << 30) + 1;
	assert_int_equal(ccdm_format_size(CCDM_FORMAT_VHD, &size, &err), -EFBIG);
	assert_string_equal(err.text, "a disk of format vhd has at most 2190433320960 bytes, "
				      "but 2190433320961 are needed");
	size = UINT64_MAX;
	assert_int_equal(ccdm_format_size(CCDM_FORMAT_RAW, &size, &err), -EFBIG);
	assert_int_equal(ccdm_format_find("qcow2", &kind), -EINVAL);
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Check each field, and the checksum of the specification. */
static void vhd_footer(void **state)
{
	static const uint8_t uuid[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
	uint8_t f[CCDM_VHD_FOOTER];
	uint32_t sum = 0;
	unsigned int i;

	(void)state;
	ccdm_vhd_footer((uint64_t)5 << 32 | MiB, DATE, uuid, f);
	assert_memory_equal(f, "conectix\0\0\0\2\0\1\0\0\xff\xff\xff\xff\xff\xff\xff\xff", 24);
	assert_int_equal(be32(f + 24), DATE - 946684800);
	assert_memory_equal(f + 28, "ccdm\0\1\0\0Wi2k", 12);
	assert_memory_equal(f + 40, "\0\0\0\5\0\x10\0\0\0\0\0\5\0\x10\0\0", 16);
	assert_memory_equal(f + 56, "\xff\xff\x10\xff\0\0\0\2", 8);
	assert_memory_equal(f + 68, uuid, 16);
	for (i = 84; i < CCDM_VHD_FOOTER; i++)
		assert_int_equal(f[i], 0);
	for (i = 0; i < CCDM_VHD_FOOTER; i++)
		sum += i >= 64 && i < 68 ? 0 : f[i];
	assert_int_equal(be32(f + 64), (uint32_t)~sum);
	/* times before the format's epoch */
	ccdm_vhd_footer(MiB, 5, uuid, f);
	assert_int_equal(be32(f + 24), 0);
}

/* The disk's bytes are unchanged; the file depends on neither holes nor names. */
static void vhd(void **state)
{
	(void)state;
	make("disk", 5 * MiB, 0);
	make("full", 5 * MiB, 1);
	assert_int_equal(write_as("vhd", "disk", "a.vhd"), 0);
	assert_int_equal(write_as("vhd", "full", "b.vhd"), 0);
	assert_int_equal(sh("cmp a.vhd b.vhd && test ! -e a.vhd.tmp"), 0);
	assert_int_equal(sh("head -c 5M a.vhd | cmp - disk && test $(stat -c %s a.vhd) = 5243392"),
			 0);
	/* sparse: 5 blocks and the footer */
	assert_int_equal(sh("test $(du -k a.vhd | cut -f1) -le 400"), 0);
	/* another disk has another UUID */
	put("full", "y", 1, MiB);
	assert_int_equal(write_as("vhd", "full", "b.vhd"), 0);
	assert_int_equal(sh("tail -c 444 a.vhd | head -c 16 >a; tail -c 444 b.vhd | head -c 16 >b"
			    "; test -s a && ! cmp a b"),
			 0);
	if (sh("qemu-img --version"))
		skip();
	assert_int_equal(sh("qemu-img info -f vpc --output=json a.vhd | grep '\"virtual-size\": "
			    "5242880,'"),
			 0);
	assert_int_equal(sh("qemu-img convert -f vpc -O raw a.vhd back && cmp back disk"), 0);
	/* QEMU writes the same fields, except for creator, time, UUID and checksum */
	assert_int_equal(
		sh("qemu-img convert -f raw -O vpc -o subformat=fixed,force_size=on disk q.vhd && "
		   "for f in a q; do tail -c 512 $f.vhd >$f; { head -c 24 $f; tail -c +41 $f | head "
		   "-c 24; } >$f.part; done; test $(stat -c %s a.part) = 48 && cmp a.part q.part"),
		0);
}

/* GNU tar accepts the header. */
static void gcp(void **state)
{
	(void)state;
	make("disk.raw", 1 << 30, 0);
	assert_int_equal(write_as("gcp", "disk.raw", "a.tar.gz"), 0);
	/* header, disk, zeros to the end of the record */
	assert_int_equal(sh("{ gzip -dc a.tar.gz && touch whole; } | { head -c 512 >header; "
			    "head -c 1G | cmp - disk.raw && touch same; cat >rest; }; "
			    "test -e whole && test -e same && test $(stat -c %s rest) = "
			    "$((10240 - (1073741824 + 512) % 10240)) && cmp -n $(stat -c %s rest) "
			    "rest /dev/zero"),
			 0);
	assert_int_equal(sh("chmod 0644 disk.raw; tar --format=oldgnu --owner=root:0 --group=root:0"
			    " --mtime=@1764547200 -cf - disk.raw | head -c 512 | cmp - header"),
			 0);
	assert_int_equal(sh("test $(stat -c %s a.tar.gz) -lt 1200000"), 0);
}

/* A size from 8 GiB on does not fit into octal digits. */
static void gcp_large(void **state)
{
	uint8_t h[CCDM_GCP_HEADER];

	(void)state;
	ccdm_gcp_header(((uint64_t)8 << 30) - 512, DATE, h);
	assert_memory_equal(h + 124, "77777777000", 12);
	ccdm_gcp_header((uint64_t)9 << 30, DATE, h);
	assert_memory_equal(h + 124, "\x80\0\0\0\0\0\0\2\x40\0\0\0", 12);
	put("header", h, sizeof(h), 0);
	assert_int_equal(sh("truncate -s 20480 header; tar -tvf header | grep ' 9663676416 '"), 0);
}

static void vmdk(void **state)
{
	(void)state;
	if (sh("qemu-img --version"))
		skip();
	make("disk", 5 * MiB, 0);
	make("full", 5 * MiB, 1);
	assert_int_equal(write_as("vmdk", "disk", "a.vmdk"), 0);
	assert_int_equal(write_as("vmdk", "full", "an:other.vmdk"), 0);
	assert_int_equal(sh("cmp a.vmdk an:other.vmdk && grep -aq 'SPARSE \"disk.vmdk\"' a.vmdk"),
			 0);
	assert_int_equal(
		sh("qemu-img check -f vmdk a.vmdk && qemu-img convert -f vmdk -O raw a.vmdk "
		   "back && cmp back disk"),
		0);
	put("full", "y", 1, MiB);
	assert_int_equal(write_as("vmdk", "full", "b.vmdk"), 0);
	assert_int_equal(
		sh("for f in a b; do grep -a ^CID= $f.vmdk >$f; done; test -s a && ! cmp a b"), 0);
}

static void raw(void **state)
{
	(void)state;
	make("full", 5 * MiB, 1);
	assert_int_equal(write_as("raw", "full", "copy"), 0);
	assert_int_equal(sh("cmp full copy && test $(du -k copy | cut -f1) -le 400"), 0);
	/* output over the input file */
	assert_int_equal(write_as("raw", "copy", "copy"), 0);
	assert_int_equal(sh("cmp full copy"), 0);
}

/* A failure leaves no file behind and keeps the old one. */
static void refused(void **state)
{
	struct rlimit small = { MiB, RLIM_INFINITY }, before;
	static const char *const kinds[] = { "raw", "vhd", "gcp", "vmdk" };
	size_t i;

	(void)state;
	make("disk", 5 * MiB, 0);
	for (i = 0; i < 4; i++) {
		assert_int_equal(write_as(kinds[i], "nosuch", "out"), -ENOENT);
		assert_int_equal(write_as(kinds[i], "", "out"), -EINVAL);
		assert_int_equal(write_as(kinds[i], "disk", "no/out"),
				 kinds[i][0] == 'g' ? -EINVAL : -ENOENT);
	}
	assert_int_equal(write_as("gcp", "disk", "out"), -EINVAL);
	assert_non_null(strstr(err.text, "disk: expected a multiple of 1073741824 bytes for format "
					 "gcp, found 5242880 bytes"));
	put("odd", "x", 1, MiB);
	assert_int_equal(write_as("vhd", "odd", "out"), -EINVAL);
	put("empty", "", 0, 0);
	assert_int_equal(write_as("raw", "empty", "out"), -EINVAL);
	put("out", "before", 6, 0);
	put("out.tmp", "left", 4, 0);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(write_as("raw", "disk", "out"), -EFBIG);
	assert_int_equal(write_as("vhd", "disk", "out"), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(sh("test ! -e out.tmp && test $(cat out) = before"), 0);
}

static uint64_t seen, of;

static void step(void *arg, uint64_t done, uint64_t all)
{
	assert_true(done > seen && done <= all);
	seen = done;
	of = all;
	if (arg && done == all)
		raise(SIGINT);
}

/* Must run last: after the signal the program stays interrupted. */
static void interrupted(void **state)
{
	struct ccdm_format_progress progress = { .step = step };

	(void)state;
	make("disk", 5 * MiB, 0);
	assert_int_equal(
		ccdm_format_write(CCDM_FORMAT_VHD, in("disk"), in("a.vhd"), DATE, &progress, &err),
		0);
	assert_int_equal(seen, 5 * MiB);
	assert_int_equal(of, 5 * MiB);
	assert_int_equal(ccdm_interrupt_watch(), 0);
	seen = 0;
	progress.arg = &err;
	assert_int_equal(ccdm_format_write(CCDM_FORMAT_VHD, in("disk"), in("new.vhd"), DATE,
					   &progress, &err),
			 -EINTR);
	assert_int_equal(sh("test ! -e new.vhd && test ! -e new.vhd.tmp"), 0);
	assert_int_equal(write_as("vmdk", "disk", "new.vmdk"), -EINTR);
	assert_int_equal(sh("test ! -e new.vmdk && test ! -e new.vmdk.tmp"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),       cmocka_unit_test(vhd_footer),
		cmocka_unit_test(vhd),	       cmocka_unit_test(gcp),
		cmocka_unit_test(gcp_large),   cmocka_unit_test(vmdk),
		cmocka_unit_test(raw),	       cmocka_unit_test(refused),
		cmocka_unit_test(interrupted),
	};

	return cmocka_run_group_tests(tests, folder_begin, folder_end);
}
