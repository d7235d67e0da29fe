// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* boot_stop.c - the end of a boot that failed */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>
#include "boot/report.h"
#include "boot.h"

#define BOOT_READ 5 /* seconds for a person to read the line */

static const char *const boot_codes[] = {
	[CCDM_E_BOOT_STEP] = "CCDM-E-BOOT-01",
	[CCDM_E_BOOT_SHELL] = "CCDM-E-BOOT-02",
	[CCDM_E_CONF] = "CCDM-E-CONF-01",
	[CCDM_E_FENCE_CMDLINE] = "CCDM-E-FENCE-01",
	[CCDM_E_FENCE_FILES] = "CCDM-E-FENCE-02",
	[CCDM_E_FENCE_PCR] = "CCDM-E-FENCE-03",
	[CCDM_E_TPM_NONE] = "CCDM-E-TPM-01",
	[CCDM_E_TPM_ERROR] = "CCDM-E-TPM-02",
	[CCDM_E_TPM_VALUE] = "CCDM-E-TPM-03",
	[CCDM_E_RTMR_NONE] = "CCDM-E-RTMR-01",
	[CCDM_E_BASE_NONE] = "CCDM-E-BASE-01",
	[CCDM_E_BASE_TWICE] = "CCDM-E-BASE-02",
	[CCDM_E_BASE_HASH] = "CCDM-E-BASE-03",
	[CCDM_E_BASE_SMALL] = "CCDM-E-BASE-04",
	[CCDM_E_BASE_FS] = "CCDM-E-BASE-05",
	[CCDM_E_BASE_ERROR] = "CCDM-E-BASE-06",
	[CCDM_E_ROOT_NONE] = "CCDM-E-ROOT-01",
	[CCDM_E_ROOT_TWICE] = "CCDM-E-ROOT-02",
	[CCDM_E_ROOT_READONLY] = "CCDM-E-ROOT-03",
	[CCDM_E_ROOT_SMALL] = "CCDM-E-ROOT-04",
	[CCDM_E_ROOT_FOREIGN] = "CCDM-E-ROOT-05",
	[CCDM_E_ROOT_MODULE] = "CCDM-E-ROOT-06",
	[CCDM_E_ROOT_ERROR] = "CCDM-E-ROOT-07",
	[CCDM_E_HOST_MOUNT] = "CCDM-E-HOST-01",
	[CCDM_E_HOST_ERROR] = "CCDM-E-HOST-02",
	[CCDM_E_NET_NONE] = "CCDM-E-NET-01",
	[CCDM_E_NET_LINK] = "CCDM-E-NET-02",
	[CCDM_E_NET_ADDRESS] = "CCDM-E-NET-03",
	[CCDM_E_NET_BROKER] = "CCDM-E-NET-04",
	[CCDM_E_ATTEST_NONE] = "CCDM-E-ATTEST-01",
	[CCDM_E_ATTEST_BROKER] = "CCDM-E-ATTEST-02",
	[CCDM_E_ATTEST_DENIED] = "CCDM-E-ATTEST-03",
	[CCDM_E_ATTEST_ERROR] = "CCDM-E-ATTEST-04",
	[CCDM_E_SECRET_DENIED] = "CCDM-E-SECRET-01",
	[CCDM_E_SECRET_ERROR] = "CCDM-E-SECRET-02",
	[CCDM_E_WORK_NONE] = "CCDM-E-WORK-01",
	[CCDM_E_WORK_TWICE] = "CCDM-E-WORK-02",
	[CCDM_E_WORK_HASH] = "CCDM-E-WORK-03",
	[CCDM_E_WORK_SMALL] = "CCDM-E-WORK-04",
	[CCDM_E_WORK_FS] = "CCDM-E-WORK-05",
	[CCDM_E_WORK_ERROR] = "CCDM-E-WORK-06",
	[CCDM_E_WORK_CONF] = "CCDM-E-WORK-07",
	[CCDM_E_WORK_BASE] = "CCDM-E-WORK-08",
	[CCDM_E_WORK_PREPARE] = "CCDM-E-WORK-09",
	[CCDM_E_WORK_SECRET] = "CCDM-E-WORK-10",
	[CCDM_E_WORK_START] = "CCDM-E-WORK-11",
	[CCDM_E_WORK_HEALTH] = "CCDM-E-WORK-12",
};

const char *ccdm_boot_code(enum ccdm_boot_code code)
{
	return boot_codes[code];
}

static void boot_put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return;
	n = write(fd, text, strlen(text));
	(void)n; /* a failed write cannot be reported any more */
	close(fd);
}

/* A random time from @low to @high seconds: machines that failed together restart apart. */
static unsigned int boot_random(unsigned int low, unsigned int high)
{
	unsigned int r = 0;

	if (getrandom(&r, sizeof(r), GRND_NONBLOCK) != sizeof(r))
		return high;
	return low + r % (high - low + 1);
}

static void boot_sleep(unsigned int seconds)
{
	while (seconds)
		seconds = sleep(seconds);
}

/* Only one process reports. A later one waits here, and continues only if the first one dies. */
static void boot_alone(void)
{
	int fd;

	mkdir(CCDM_RUN, 0755);
	fd = open(CCDM_RUN "/stop", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		while (flock(fd, LOCK_EX) && errno == EINTR)
			;
	/* keep the lock until this process ends */
}

static __attribute__((format(printf, 2, 0))) void boot_log(int level, const char *format,
							   va_list args)
{
	char text[600], line[700];

	vsnprintf(text, sizeof(text), format, args);
	snprintf(line, sizeof(line), "<%d>ccdm: %s\n", level, text);
	boot_put("/dev/kmsg", line);
}

void ccdm_boot_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	boot_log(5, format, args);
	va_end(args);
}

void ccdm_boot_line(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	boot_log(2, format, args);
	va_end(args);
}

void ccdm_boot_tell(enum ccdm_boot_code code, const struct ccdm_err *err, const char *then)
{
	char line[900];

	/* level 2: printed even on a quiet console */
	snprintf(line, sizeof(line), "<2>ccdm: %s: %s%s%s; see dracut.ccdm(7); %s\n",
		 ccdm_boot_code(code), err->text, err->hint[0] ? "; " : "", err->hint, then);
	boot_put("/dev/kmsg", line);
}

void ccdm_boot_stop(enum ccdm_boot_code code, const struct ccdm_err *err,
		    enum ccdm_on_failure on_failure, bool generator)
{
	bool reboots = on_failure == CCDM_FAILURE_REBOOT;
	unsigned int wait = reboots ? boot_random(30, generator ? 75 : 300) : BOOT_READ;
	char then[64];

	boot_alone();
	snprintf(then, sizeof(then), "%s in %u s", reboots ? "reboot" : "power off", wait);
	ccdm_boot_tell(code, err, then);
	boot_sleep(wait);
	reboot(reboots ? RB_AUTOBOOT : RB_POWER_OFF);
	boot_put("/proc/sysrq-trigger", reboots ? "b" : "o");
	boot_sleep(10);
	/* power-off failed: crash, to halt */
	for (;;) {
		boot_put("/proc/sysrq-trigger", "c");
		boot_sleep(10);
	}
}
