// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* doctor.c - see doctor.h */
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/err.h"
#include "base/file.h"
#include "doctor.h"

void ccdm_doctor_add(struct ccdm_doctor *d, const char *check, enum ccdm_doctor_grade grade,
		     const char *next, const char *fmt, ...)
{
	struct ccdm_doctor_line *line;
	va_list ap;

	if (d->count < CCDM_DOCTOR_MAX)
		d->count++;
	else if (grade < d->line[CCDM_DOCTOR_MAX - 1].grade)
		return;
	line = &d->line[d->count - 1];
	line->check = check;
	line->grade = grade;
	va_start(ap, fmt);
	vsnprintf(line->found, sizeof(line->found), fmt, ap);
	va_end(ap);
	ccdm_err_plain(line->found);
	snprintf(line->next, sizeof(line->next), "%s", next);
}

enum ccdm_doctor_grade ccdm_doctor_worst(const struct ccdm_doctor *d)
{
	enum ccdm_doctor_grade worst = CCDM_DOCTOR_OK;
	unsigned int i;

	for (i = 0; i < d->count; i++)
		if (d->line[i].grade > worst)
			worst = d->line[i].grade;
	return worst;
}

const char *ccdm_doctor_word(enum ccdm_doctor_grade grade)
{
	static const char *const words[] = {
		[CCDM_DOCTOR_OK] = "ok",
		[CCDM_DOCTOR_NOTE] = "note",
		[CCDM_DOCTOR_WARNING] = "warning",
		[CCDM_DOCTOR_FAILED] = "failed",
	};

	return words[grade];
}

void ccdm_doctor_read(const struct ccdm_doctor *d, const char *path, char *text, unsigned int size)
{
	char full[PATH_MAX];
	ssize_t n = -1;
	int fd;

	text[0] = '\0';
	if (snprintf(full, sizeof(full), "%s%s", d->root, path) >= (int)sizeof(full))
		return;
	fd = open(full, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, text, size - 1);
	close(fd);
	text[n < 0 ? 0 : n] = '\0';
	text[strcspn(text, "\n")] = '\0';
}

static bool doctor_exists(const struct ccdm_doctor *d, const char *path)
{
	char full[PATH_MAX];

	return snprintf(full, sizeof(full), "%s%s", d->root, path) < (int)sizeof(full) &&
	       !access(full, F_OK);
}

/* Compare the first two numbers with @major.@minor. */
static bool doctor_is(const unsigned int v[3], unsigned int major, unsigned int minor)
{
	return v[0] == major && v[1] == minor;
}

/* Read up to three numbers with dots between them. Return: how many there are. */
static unsigned int doctor_numbers(const char *text, unsigned int v[3])
{
	unsigned int n = 0;
	char *end;

	while (n < 3 && *text >= '0' && *text <= '9') {
		v[n++] = (unsigned int)strtoul(text, &end, 10);
		if (*end != '.')
			break;
		text = end + 1;
	}
	return n;
}

void ccdm_doctor_kernel(struct ccdm_doctor *d, const char *release, const char *version)
{
	const char *debian = strstr(version, "Debian "), *from = release;
	unsigned int v[3] = { 0 };

	if (debian)
		from = debian + strlen("Debian ");
	if (doctor_numbers(from, v) < 2) {
		ccdm_doctor_add(d, "kernel", CCDM_DOCTOR_NOTE, "", "%s: unknown form of a release",
				release);
		return;
	}
	if (v[0] < 6 || doctor_is(v, 6, 0))
		ccdm_doctor_add(d, "kernel", CCDM_DOCTOR_FAILED, "install Linux 6.1 or later",
				"Linux %u.%u.%u; expected 6.1 or later", v[0], v[1], v[2]);
	else if ((doctor_is(v, 6, 1) && v[2] < 55) || (v[0] == 6 && v[1] >= 2 && v[1] <= 4) ||
		 (doctor_is(v, 6, 5) && v[2] < 5))
		ccdm_doctor_add(
			d, "kernel", CCDM_DOCTOR_FAILED,
			"install a later kernel of this series; Documentation/reference/dm-ccdm.rst "
			"describes the bug",
			"Linux %u.%u.%u has a bug in device-mapper", v[0], v[1], v[2]);
	else if (v[0] > 7 || (v[0] == 7 && v[1] > 3))
		ccdm_doctor_add(d, "kernel", CCDM_DOCTOR_WARNING,
				"try it with data that you can lose",
				"Linux %u.%u.%u is later than all tested kernels (6.1 to 7.3)",
				v[0], v[1], v[2]);
	else
		ccdm_doctor_add(d, "kernel", CCDM_DOCTOR_OK, "", "Linux %u.%u.%u", v[0], v[1],
				v[2]);
}

/* Does a line of words after a colon have this one? */
static bool doctor_has(const char *line, const char *word)
{
	size_t len = strlen(word), n;

	for (; *line; line += n) {
		line += strspn(line, " \t:");
		n = strcspn(line, " \t");
		if (n == len && !strncmp(line, word, n))
			return true;
	}
	return false;
}

/* The first line that begins with @key: it is @text then. Return: false if there is none. */
static bool doctor_features(char *text, const char *key)
{
	char *line, *rest = NULL;

	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		if (!strncmp(line, key, strlen(key))) {
			memmove(text, line, strlen(line) + 1);
			return true;
		}
	return false;
}

void ccdm_doctor_cpu(struct ccdm_doctor *d, const char *machine)
{
	const bool arm = !strcmp(machine, "aarch64");
	struct ccdm_err err = { 0 };
	char path[PATH_MAX], *text = NULL;
	const char *random, *aes;
	size_t size;

	if (!arm && strcmp(machine, "x86_64")) {
		ccdm_doctor_add(d, "cpu", CCDM_DOCTOR_FAILED, "use a machine of x86-64 or arm64",
				"%s; expected x86_64 or aarch64", machine);
		return;
	}
	snprintf(path, sizeof(path), "%s/proc/cpuinfo", d->root);
	if (ccdm_file_read(path, 16 << 20, &text, &size, &err) ||
	    !doctor_features(text, arm ? "Features" : "flags")) {
		free(text);
		ccdm_doctor_add(d, "cpu", CCDM_DOCTOR_NOTE, "",
				"cannot read the CPU's features in /proc/cpuinfo");
		return;
	}
	if (arm)
		random = doctor_has(text, "rng") ? "RNDRRS" : NULL;
	else
		random = doctor_has(text, "rdseed")   ? "RDSEED"
			 : doctor_has(text, "rdrand") ? "RDRAND"
						      : NULL;
	if (random)
		ccdm_doctor_add(d, "cpu-random", CCDM_DOCTOR_OK, "", "%s", random);
	else
		ccdm_doctor_add(d, "cpu-random", CCDM_DOCTOR_FAILED,
				"give the VM a CPU model with it; QEMU: -cpu host",
				"the CPU has no %s: no mapping can be opened",
				arm ? "RNDRRS" : "RDSEED and no RDRAND");
	aes = doctor_has(text, "aes")
		      ? doctor_has(text, arm ? "pmull" : "pclmulqdq") ? "both" : "aes"
		      : NULL;
	if (aes && !strcmp(aes, "both"))
		ccdm_doctor_add(d, "cpu-aes", CCDM_DOCTOR_OK, "",
				"AES and carry-less multiplication%s",
				doctor_has(text, "vaes") ? ", vector AES" : "");
	else
		ccdm_doctor_add(d, "cpu-aes", CCDM_DOCTOR_WARNING,
				"give the VM a CPU model with them; QEMU: -cpu host",
				"the CPU has no instructions for %s: I/O takes many times longer",
				aes ? "carry-less multiplication" : "AES");
	free(text);
}

void ccdm_doctor_udev(struct ccdm_doctor *d)
{
	static const char *const places[] = { "/etc", "/run", "/usr/local/lib", "/usr/lib",
					      "/lib" };
	char path[64];
	unsigned int i;

	if (!doctor_exists(d, "/run/udev/control")) {
		ccdm_doctor_add(d, "udev", CCDM_DOCTOR_NOTE,
				"in a container this is normal; ccdm-open needs no udev",
				"udev is not running: there are no links in /dev/disk");
		return;
	}
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		snprintf(path, sizeof(path), "%s/udev/rules.d/95-dm-ccdm.rules", places[i]);
		if (doctor_exists(d, path)) {
			ccdm_doctor_add(d, "udev", CCDM_DOCTOR_OK, "", "%s", path);
			return;
		}
	}
	ccdm_doctor_add(d, "udev", CCDM_DOCTOR_WARNING,
			"install the package ccdm, or call \"make install-programs\"",
			"udev has no 95-dm-ccdm.rules: it reads each new mapping, and probes it "
			"for file systems");
}

void ccdm_doctor_memory_images(struct ccdm_doctor *d)
{
	char text[128];

	ccdm_doctor_read(d, "/sys/kernel/kexec_crash_loaded", text, sizeof(text));
	if (!strcmp(text, "1")) {
		ccdm_doctor_add(
			d, "kdump", CCDM_DOCTOR_FAILED,
			"unload it (kdump-config unload); ccdm-setup open --allow-kdump overrides "
			"this",
			"a crash kernel is loaded: a dump contains the keys, and no mapping opens");
	} else {
		ccdm_doctor_read(d, "/proc/sys/kernel/kexec_load_disabled", text, sizeof(text));
		ccdm_doctor_add(d, "kdump", CCDM_DOCTOR_OK, "", "no crash kernel is loaded%s",
				strcmp(text, "1") ? "" : ", and none can be loaded");
	}
	ccdm_doctor_read(d, "/sys/power/disk", text, sizeof(text));
	if (!text[0] || strstr(text, "[disabled]"))
		ccdm_doctor_add(d, "hibernation", CCDM_DOCTOR_OK, "", "not possible");
	else
		ccdm_doctor_add(
			d, "hibernation", CCDM_DOCTOR_WARNING,
			"add \"nohibernate\" to the kernel's command line",
			"possible while no mapping is open: it writes the memory to a disk");
}

void ccdm_doctor_tpm(struct ccdm_doctor *d)
{
	char text[16];

	ccdm_doctor_read(d, "/sys/class/tpm/tpm0/tpm_version_major", text, sizeof(text));
	if (!strcmp(text, "2"))
		ccdm_doctor_add(d, "tpm", CCDM_DOCTOR_OK, "", "TPM 2.0");
	else if (text[0])
		ccdm_doctor_add(d, "tpm", CCDM_DOCTOR_WARNING, "give the VM a TPM 2.0",
				"TPM %s; expected 2", text);
	else
		ccdm_doctor_add(d, "tpm", CCDM_DOCTOR_NOTE,
				"only measured boot and evidence of a TPM need one",
				"there is no TPM");
}
