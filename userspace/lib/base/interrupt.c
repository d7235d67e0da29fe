// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* interrupt.c - see interrupt.h */
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>
#include "interrupt.h"

static volatile sig_atomic_t interrupt_came;
static int interrupt_pipe[2] = { -1, -1 };

static void ccdm_interrupt_take(int sig)
{
	int kept = errno;
	ssize_t n;

	(void)sig;
	interrupt_came = 1;
	/* (a full pipe is readable as well) */
	n = write(interrupt_pipe[1], "", 1);
	(void)n;
	errno = kept;
}

int ccdm_interrupt_watch(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction sa = { .sa_handler = ccdm_interrupt_take };
	size_t i;

	if (interrupt_pipe[0] < 0 && pipe2(interrupt_pipe, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	/* (a file above the limit is then an error of write(2), and the caller cleans up) */
	if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
		return -errno;
	sigemptyset(&sa.sa_mask);
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		if (sigaction(signals[i], &sa, NULL))
			return -errno;
	return 0;
}

bool ccdm_interrupted(void)
{
	return interrupt_came;
}

int ccdm_interrupt_fd(void)
{
	return interrupt_pipe[0];
}

int ccdm_interrupt_check(struct ccdm_err *err)
{
	return ccdm_interrupted() ? ccdm_err_set(err, -EINTR, "interrupted") : 0;
}
