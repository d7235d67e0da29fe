// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * day - another day for programs that run in a chroot, too
 *
 *	LD_PRELOAD=day.so CCDM_TEST_DAY=LOG PROGRAM ...
 *
 * Programs see the clock 400 days later. Each one writes its name to LOG, which must exist, so a test
 * can tell which programs the library reached. Times of files are those of the kernel.
 *
 * The programs run with the C libraries of several suites, so the library needs only old symbols of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define DAY_LATER ((time_t)400 * 24 * 60 * 60)

static bool day_is_ldd(int argc, char **argv)
{
	/* (a script: its interpreter is the first word) */
	const char *name = argc > 1 ? argv[1] : "", *slash = strrchr(name, '/');

	return !strcmp(slash ? slash + 1 : name, "ldd");
}

__attribute__((constructor)) static void day_begin(int argc, char **argv)
{
	const char *log = getenv("CCDM_TEST_DAY"), *name = program_invocation_short_name;
	char line[64], **env;
	size_t n = strlen(name);
	int fd = log ? open(log, O_WRONLY | O_APPEND | O_CLOEXEC) : -1;

	/*
	 * dracut would put this library, as one of each program, into its initrd. (bash has an
	 * unsetenv() of its own, which does nothing yet.)
	 */
	for (env = environ; day_is_ldd(argc, argv) && *env; env++)
		if (!strncmp(*env, "LD_PRELOAD=", 11))
			memcpy(*env, "LD_NOTHING", 10);
	if (fd < 0)
		return;
	if (n > sizeof(line) - 1)
		n = sizeof(line) - 1;
	memcpy(line, name, n);
	line[n++] = '\n';
	if (write(fd, line, n) != (ssize_t)n)
		abort();
	close(fd);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int r = (int)syscall(SYS_clock_gettime, clock, now);

	if (!r && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		now->tv_sec += DAY_LATER;
	return r;
}

int gettimeofday(struct timeval *now, void *zone)
{
	struct timespec ts;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &ts);
	now->tv_sec = ts.tv_sec;
	now->tv_usec = ts.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *to)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	if (to)
		*to = ts.tv_sec;
	return ts.tv_sec;
}
