// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* workload_run.c - see workload_run.h */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "workload_run.h"

#define GRACE 2000 /* milliseconds from SIGTERM to SIGKILL */

/*
 * @own: a program of the base, which may write to the journal and has the caller's descriptors.
 * Another one, such as a check of the workload, has no descriptor but /dev/null.
 */
static int ccdm_workload_run_spawn(const char *const *argv, bool own, pid_t *pid)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char *const env[] = { path, NULL };
	posix_spawn_file_actions_t files;
	int r = posix_spawn_file_actions_init(&files);

	if (r)
		return -r;
	r = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	if (!r)
		r = posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
	if (!r && !own)
		r = posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
	if (!r && !own)
		r = posix_spawn_file_actions_addclosefrom_np(&files, 3);
	if (!r)
		r = posix_spawn(pid, argv[0], &files, NULL, (char *const *)argv, env);
	posix_spawn_file_actions_destroy(&files);
	return -r;
}

/* Wait for the end of the process. Return: whether it ended within @milliseconds. */
static int ccdm_workload_run_ends(pid_t pid, unsigned int milliseconds)
{
	struct pollfd fd = { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	int r = fd.fd < 0 ? 0 : poll(&fd, 1, (int)milliseconds);

	if (fd.fd >= 0)
		close(fd.fd);
	return r > 0;
}

static int ccdm_workload_run_wait(const char *const *argv, bool own, unsigned int milliseconds,
				  int *status, struct ccdm_err *err)
{
	int how = 0, late = 0, r;
	pid_t pid = -1;

	r = ccdm_workload_run_spawn(argv, own, &pid);
	if (r)
		return ccdm_err_set(err, r, "%s: %s", argv[0], strerror(-r));
	if (milliseconds && !ccdm_workload_run_ends(pid, milliseconds)) {
		late = 1;
		kill(pid, SIGTERM);
		if (!ccdm_workload_run_ends(pid, GRACE))
			kill(pid, SIGKILL);
	}
	while (waitpid(pid, &how, 0) < 0)
		if (errno != EINTR)
			return ccdm_err_set(err, -errno, "%s: %s", argv[0], strerror(errno));
	*status = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
	return late ? ccdm_err_set(err, -ETIMEDOUT, "%s did not end within %u ms", argv[0],
				   milliseconds)
		    : 0;
}

int ccdm_workload_run(const char *const *argv, unsigned int milliseconds, int *status,
		      struct ccdm_err *err)
{
	return ccdm_workload_run_wait(argv, false, milliseconds, status, err);
}

int ccdm_workload_run_well(const char *const *argv, struct ccdm_err *err)
{
	int status = 0, r = ccdm_workload_run_wait(argv, true, 0, &status, err);

	if (r || !status)
		return r;
	return ccdm_err_set(err, -EIO, "%s ended with status %d", argv[0], status);
}

int ccdm_workload_become(const char *const *argv, struct ccdm_err *err)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char *const env[] = { path, NULL };
	int r;

	if (!close_range(3, UINT_MAX, CLOSE_RANGE_CLOEXEC))
		execve(argv[0], (char *const *)argv, env);
	r = -errno;
	return ccdm_err_set(err, r, "%s: %s", argv[0], strerror(-r));
}

int ccdm_workload_supervisor(const char *cgroup, struct ccdm_err *err)
{
	char path[PATH_MAX];
	int fd, r = 0;

	snprintf(path, sizeof(path), "%s/supervisor", cgroup);
	if (mkdir(path, 0755) && errno != EEXIST)
		return ccdm_err_set(err, -errno, "%s: %s", path, strerror(errno));
	snprintf(path, sizeof(path), "%s/supervisor/cgroup.procs", cgroup);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	/* (0 is the process that writes) */
	if (fd < 0 || write(fd, "0", 1) != 1)
		r = ccdm_err_set(err, -errno, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return r;
}
