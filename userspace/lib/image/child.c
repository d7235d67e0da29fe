// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* child.c - see child.h */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/trace.h"
#include "child.h"

#define CHILD_PATIENCE 3000 /* ms from SIGTERM to SIGKILL */

static void child_fd(int fd, int number, int flags)
{
	if (fd < 0)
		fd = open("/dev/null", flags | O_CLOEXEC);
	if (fd < 0 || dup2(fd, number) < 0)
		_exit(127);
}

/* Between fork() and execve(). */
static void child_exec(const char *const *argv, const char *tmp, const struct ccdm_child_fds *fds,
		       pid_t parent)
{
	const char *const env[] = {
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=/nonexistent",
		"LC_ALL=C",
		"TZ=UTC",
		tmp,
		NULL,
	};
	unsigned int i;
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	for (i = 0; i < fds->nr; i++)
		if (fcntl(fds->keep[i], F_SETFD, 0))
			_exit(127);
	child_fd(fds->in, STDIN_FILENO, O_RDONLY);
	child_fd(fds->out, STDOUT_FILENO, O_WRONLY);
	child_fd(fds->messages, STDERR_FILENO, O_WRONLY);
	execve(argv[0], (char *const *)argv, (char *const *)env);
	dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

int ccdm_child_start(struct ccdm_child *child, const char *const *argv, const char *tmp,
		     const struct ccdm_child_fds *fds, struct ccdm_err *err)
{
	const char *slash = strrchr(argv[0], '/');
	pid_t parent = getpid();
	char words[4096];
	unsigned int i;

	snprintf(words, sizeof(words), "TMPDIR=%s", tmp);
	for (i = 0; argv[i]; i++)
		ccdm_trace("%s%s", i ? "    " : "start ", argv[i]);
	child->name = slash ? slash + 1 : argv[0];
	child->pid = fork();
	if (!child->pid)
		child_exec(argv, words, fds, parent);
	if (child->pid > 0) {
		setpgid(child->pid, child->pid);
		child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
		if (child->pidfd >= 0)
			return 0;
	}
	i = (unsigned int)errno;
	ccdm_child_end(child);
	return ccdm_err_set(err, -(int)i, "%s: cannot start: %s", child->name, strerror((int)i));
}

bool ccdm_child_wait(struct ccdm_child *child, int milliseconds, int *status)
{
	struct pollfd fd = { .fd = child->pidfd, .events = POLLIN };
	int64_t end = ccdm_clock_ms() + milliseconds, left = milliseconds;

	while (poll(&fd, 1, left > 0 ? (int)left : 0) < 0 && errno == EINTR)
		left = end - ccdm_clock_ms();
	if (waitpid(child->pid, status, WNOHANG) != child->pid)
		return false;
	close(child->pidfd);
	child->pidfd = -1;
	child->pid = 0;
	return true;
}

void ccdm_child_end(struct ccdm_child *child)
{
	int status;

	if (child->pid <= 0)
		return;
	kill(child->pid, child->pidfd >= 0 ? SIGTERM : SIGKILL);
	if (child->pidfd >= 0 && ccdm_child_wait(child, CHILD_PATIENCE, &status))
		return;
	kill(-child->pid, SIGKILL);
	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (child->pidfd >= 0)
		close(child->pidfd);
	child->pidfd = -1;
	child->pid = 0;
}
