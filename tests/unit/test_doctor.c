// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* test_doctor.c - disk/doctor.c, doctor_swap.c: what files of /proc and /sys say about a machine */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "disk/doctor.h"

static char root[] = "/tmp/ccdm-unit-XXXXXX";
static struct ccdm_doctor d;

/* Make a file below the root, with its folders. */
static void put(const char *path, const char *text)
{
	char full[PATH_MAX], *slash;
	int fd;

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (slash = full + sizeof(root); (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = '\0';
		mkdir(full, 0755);
	}
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static int drop(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	return at->level ? remove(path) : 0;
}

static int clear(void **state)
{
	(void)state;
	memset(&d, 0, sizeof(d));
	d.root = root;
	return nftw(root, drop, 16, FTW_DEPTH | FTW_PHYS);
}

/* Is line @n about @check, with this grade and this text in what was found? */
static void line_is(unsigned int n, const char *check, enum ccdm_doctor_grade grade,
		    const char *text)
{
	assert_true(n < d.count);
	assert_string_equal(d.line[n].check, check);
	assert_int_equal(d.line[n].grade, grade);
	assert_non_null(strstr(d.line[n].found, text));
	/* what is not as it should be has a next step, unless nothing can be told */
	assert_true(grade == CCDM_DOCTOR_OK || grade == CCDM_DOCTOR_NOTE || d.line[n].next[0]);
}

static void kernels(void **state)
{
	static const struct {
		const char *release, *version, *found;
		enum ccdm_doctor_grade grade;
	} cases[] = {
		{ "6.1.0-52-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.176-1 (2026-11-02)",
		  "Linux 6.1.176", CCDM_DOCTOR_OK },
		{ "6.1.0-9-amd64", "#1 SMP Debian 6.1.54-1", "6.1.54 has a bug",
		  CCDM_DOCTOR_FAILED },
		{ "6.1.55", "#1 SMP", "Linux 6.1.55", CCDM_DOCTOR_OK },
		{ "6.2.16", "", "has a bug", CCDM_DOCTOR_FAILED },
		{ "6.4", "", "has a bug", CCDM_DOCTOR_FAILED },
		{ "6.5.4-gentoo", "", "has a bug", CCDM_DOCTOR_FAILED },
		{ "6.5.5", "", "6.5.5", CCDM_DOCTOR_OK },
		{ "6.12.107+deb13-amd64", "", "6.12.107", CCDM_DOCTOR_OK },
		{ "7.3.9", "", "7.3.9", CCDM_DOCTOR_OK },
		{ "7.4.0", "", "later than all tested", CCDM_DOCTOR_WARNING },
		{ "8.0.0", "", "later than all tested", CCDM_DOCTOR_WARNING },
		{ "5.10.0", "", "expected 6.1", CCDM_DOCTOR_FAILED },
		{ "6.0.12", "", "expected 6.1", CCDM_DOCTOR_FAILED },
		{ "odd", "", "unknown form", CCDM_DOCTOR_NOTE },
		{ "6", "", "unknown form", CCDM_DOCTOR_NOTE },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		d.count = 0;
		ccdm_doctor_kernel(&d, cases[i].release, cases[i].version);
		assert_int_equal(d.count, 1);
		line_is(0, "kernel", cases[i].grade, cases[i].found);
	}
}

static void cpu(const char *machine, const char *text)
{
	d.count = 0;
	put("/proc/cpuinfo", text);
	ccdm_doctor_cpu(&d, machine);
}

static void cpus(void **state)
{
	(void)state;
	cpu("x86_64",
	    "processor\t: 0\nflags\t\t: fpu aes pclmulqdq rdrand rdseed vaes\nbugs\t: none\n");
	assert_int_equal(d.count, 2);
	line_is(0, "cpu-random", CCDM_DOCTOR_OK, "RDSEED");
	line_is(1, "cpu-aes", CCDM_DOCTOR_OK, "vector AES");
	cpu("x86_64", "flags : rdrand aes pclmulqdq\n");
	line_is(0, "cpu-random", CCDM_DOCTOR_OK, "RDRAND");
	line_is(1, "cpu-aes", CCDM_DOCTOR_OK, "multiplication");
	assert_null(strstr(d.line[1].found, "vector"));
	/* a word is a word: "rdrandom" is another one */
	cpu("x86_64", "flags : rdrandom aes\n");
	line_is(0, "cpu-random", CCDM_DOCTOR_FAILED, "no mapping can be opened");
	line_is(1, "cpu-aes", CCDM_DOCTOR_WARNING, "carry-less");
	cpu("x86_64", "flags : rdrand pclmulqdq\n");
	line_is(1, "cpu-aes", CCDM_DOCTOR_WARNING, "AES");
	cpu("aarch64", "processor : 0\nFeatures : fp aes pmull rng\n");
	line_is(0, "cpu-random", CCDM_DOCTOR_OK, "RNDRRS");
	line_is(1, "cpu-aes", CCDM_DOCTOR_OK, "");
	cpu("aarch64", "Features : fp aes pmull\n");
	line_is(0, "cpu-random", CCDM_DOCTOR_FAILED, "RNDRRS");
	cpu("aarch64", "flags : rng\n");
	line_is(0, "cpu", CCDM_DOCTOR_NOTE, "cannot read");
	cpu("riscv64", "");
	line_is(0, "cpu", CCDM_DOCTOR_FAILED, "riscv64");
	assert_int_equal(d.count, 1);
}

static void udev(void **state)
{
	(void)state;
	ccdm_doctor_udev(&d);
	line_is(0, "udev", CCDM_DOCTOR_NOTE, "not running");
	put("/run/udev/control", "");
	ccdm_doctor_udev(&d);
	line_is(1, "udev", CCDM_DOCTOR_WARNING, "95-dm-ccdm.rules");
	put("/usr/lib/udev/rules.d/95-dm-ccdm.rules", "");
	ccdm_doctor_udev(&d);
	line_is(2, "udev", CCDM_DOCTOR_OK, "/usr/lib/udev/rules.d/95-dm-ccdm.rules");
	assert_int_equal(ccdm_doctor_worst(&d), CCDM_DOCTOR_WARNING);
}

static void images(void **state)
{
	(void)state;
	ccdm_doctor_memory_images(&d);
	line_is(0, "kdump", CCDM_DOCTOR_OK, "no crash kernel is loaded");
	line_is(1, "hibernation", CCDM_DOCTOR_OK, "not possible");
	put("/sys/kernel/kexec_crash_loaded", "0\n");
	put("/proc/sys/kernel/kexec_load_disabled", "1\n");
	put("/sys/power/disk", "[disabled]\n");
	ccdm_doctor_memory_images(&d);
	line_is(2, "kdump", CCDM_DOCTOR_OK, "none can be loaded");
	line_is(3, "hibernation", CCDM_DOCTOR_OK, "not possible");
	put("/sys/kernel/kexec_crash_loaded", "1\n");
	put("/sys/power/disk", "[platform] shutdown reboot\n");
	ccdm_doctor_memory_images(&d);
	line_is(4, "kdump", CCDM_DOCTOR_FAILED, "crash kernel");
	line_is(5, "hibernation", CCDM_DOCTOR_WARNING, "possible while no mapping");
}

static void tpms(void **state)
{
	(void)state;
	ccdm_doctor_tpm(&d);
	line_is(0, "tpm", CCDM_DOCTOR_NOTE, "no TPM");
	put("/sys/class/tpm/tpm0/tpm_version_major", "1\n");
	ccdm_doctor_tpm(&d);
	line_is(1, "tpm", CCDM_DOCTOR_WARNING, "TPM 1");
	put("/sys/class/tpm/tpm0/tpm_version_major", "2\n");
	ccdm_doctor_tpm(&d);
	line_is(2, "tpm", CCDM_DOCTOR_OK, "TPM 2.0");
}

#define SWAPS "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"

static void swap(const char *line)
{
	char text[512];

	d.count = 0;
	snprintf(text, sizeof(text), SWAPS "%s", line);
	put("/proc/swaps", text);
	ccdm_doctor_swap(&d);
}

static void swaps(void **state)
{
	char text[256], path[256];
	struct stat st;

	(void)state;
	ccdm_doctor_swap(&d);
	line_is(0, "swap", CCDM_DOCTOR_OK, "there is none");
	swap("");
	line_is(0, "swap", CCDM_DOCTOR_OK, "there is none");
	put("/sys/class/block/dm-0/dm/uuid", "CCDM-00112233445566778899aabbccddeeff-s\n");
	swap("/dev/dm-0 partition 1024 0 -2\n");
	line_is(0, "swap", CCDM_DOCTOR_OK, "/dev/dm-0 is on a mapping");
	put("/sys/class/block/vdb/size", "1\n");
	swap("/dev/vdb partition 1024 0 -2\n");
	line_is(0, "swap", CCDM_DOCTOR_FAILED, "/dev/vdb is not encrypted");
	/* LVM on ccdm is as good as ccdm; LVM on ccdm and on a disk is as bad as the disk */
	put("/sys/class/block/dm-1/dm/uuid", "LVM-x\n");
	put("/sys/class/block/dm-1/slaves/dm-0", "");
	swap("/dev/dm-1 partition 1024 0 -2\n");
	line_is(0, "swap", CCDM_DOCTOR_OK, "/dev/dm-1");
	put("/sys/class/block/dm-1/slaves/vdb", "");
	swap("/dev/dm-1 partition 1024 0 -2\n");
	line_is(0, "swap", CCDM_DOCTOR_FAILED, "/dev/dm-1");
	put("/sys/class/block/dm-2/dm/uuid", "CRYPT-PLAIN-x\n");
	put("/sys/class/block/dm-2/slaves/vdb", "");
	swap("/dev/dm-2 partition 1024 0 -2\n");
	line_is(0, "swap", CCDM_DOCTOR_WARNING, "old ones");
	/* a circle ends */
	put("/sys/class/block/dm-3/slaves/dm-3", "");
	swap("/dev/dm-3 partition 1024 0 -2\n");
	line_is(0, "swap", CCDM_DOCTOR_WARNING, "cannot tell");
	put("/sys/class/block/zram0/backing_dev", "none\n");
	swap("/dev/zram0 partition 1024 0 -2\n");
	line_is(0, "swap", CCDM_DOCTOR_OK, "in memory");
	put("/sys/class/block/zram0/backing_dev", "/dev/vdb\n");
	swap("/dev/zram0 partition 1024 0 -2\n");
	line_is(0, "swap", CCDM_DOCTOR_WARNING, "cannot tell");
	put("/sys/class/block/loop0/loop/backing_file", "/x\n");
	swap("/dev/loop0 partition 1024 0 -2\n");
	line_is(0, "swap", CCDM_DOCTOR_WARNING, "cannot tell");
	swap("/dev/nosuch partition 1024 0 -2\n");
	line_is(0, "swap", CCDM_DOCTOR_WARNING, "cannot tell");
	/* a file: what its file system is on */
	put("/swap file", "x");
	swap("/swap\\040file file 1024 0 -2\n");
	line_is(0, "swap", CCDM_DOCTOR_WARNING, "/swap file: cannot tell");
	snprintf(path, sizeof(path), "%s/swap file", root);
	assert_int_equal(stat(path, &st), 0);
	snprintf(text, sizeof(text), "/sys/dev/block/%u:%u/dm/uuid", major(st.st_dev),
		 minor(st.st_dev));
	put(text, "CCDM-x\n");
	swap("/swap\\040file file 1024 0 -2\n");
	line_is(0, "swap", CCDM_DOCTOR_OK, "/swap file");
	put(text, "LVM-x\n");
	swap("/swap\\040file file 1024 0 -2\n/dev/dm-0 partition 1 0 -2\n");
	line_is(0, "swap", CCDM_DOCTOR_FAILED, "/swap file");
	line_is(1, "swap", CCDM_DOCTOR_OK, "/dev/dm-0");
}

/* Very many lines: the worst grade is not lost. */
static void many(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < CCDM_DOCTOR_MAX; i++)
		ccdm_doctor_add(&d, "x", CCDM_DOCTOR_OK, "", "%u", i);
	ccdm_doctor_add(&d, "bad", CCDM_DOCTOR_FAILED, "mend it", "\033[31mred");
	ccdm_doctor_add(&d, "x", CCDM_DOCTOR_NOTE, "", "after it");
	assert_int_equal(d.count, CCDM_DOCTOR_MAX);
	line_is(CCDM_DOCTOR_MAX - 1, "bad", CCDM_DOCTOR_FAILED, "?[31mred");
	assert_int_equal(ccdm_doctor_worst(&d), CCDM_DOCTOR_FAILED);
	assert_string_equal(ccdm_doctor_word(CCDM_DOCTOR_FAILED), "failed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(kernels, clear), cmocka_unit_test_setup(cpus, clear),
		cmocka_unit_test_setup(udev, clear),	cmocka_unit_test_setup(images, clear),
		cmocka_unit_test_setup(tpms, clear),	cmocka_unit_test_setup(swaps, clear),
		cmocka_unit_test_setup(many, clear),
	};
	int failed;

	if (!mkdtemp(root))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	clear(NULL);
	rmdir(root);
	return failed;
}
