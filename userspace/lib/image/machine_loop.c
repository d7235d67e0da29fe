// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* machine_loop.c - see machine_loop.h */
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/trace.h"
#include "machine_loop.h"

#define LOOP_IDLE  200	/* ms after which a line that has not ended is printed */
#define LOOP_PANIC 3000 /* ms that a kernel without pvpanic has after its last line */

enum {
	LOOP_OUTPUT,
	LOOP_INPUT,
	LOOP_QMP,
	LOOP_MESSAGES,
	LOOP_DRAIN,
	LOOP_END,
	LOOP_SIGNAL,
	LOOP_FDS
};

/* ---- QEMU's monitor ----------------------------------------------------------------------- */

static void loop_event(struct machine_io *io, const char *text, size_t size)
{
	json_t *o = json_loadb(text, size, 0, NULL), *data = json_object_get(o, "data");
	const char *event = json_string_value(json_object_get(o, "event"));
	const char *reason = json_string_value(json_object_get(data, "reason"));

	if (event)
		ccdm_trace("qemu: %s%s%s", event, reason ? " " : "", reason ? reason : "");
	if (event && !strcmp(event, "GUEST_PANICKED"))
		io->panicked = true;
	if (event && reason && !strcmp(event, "SHUTDOWN") && !strcmp(reason, "guest-shutdown"))
		io->off = true;
	json_decref(o);
}

static void loop_qmp(struct machine_io *io)
{
	char *end;
	ssize_t n = read(io->qmp[0], io->text + io->text_size, MACHINE_QMP - io->text_size);

	if (n <= 0) {
		if (n == 0 || errno != EINTR) {
			close(io->qmp[0]);
			io->qmp[0] = -1;
		}
		return;
	}
	io->text_size += (size_t)n;
	while ((end = memchr(io->text, '\n', io->text_size))) {
		loop_event(io, io->text, (size_t)(end - io->text));
		io->text_size -= (size_t)(end + 1 - io->text);
		memmove(io->text, end + 1, io->text_size);
	}
	/* (no event is as long) */
	if (io->text_size == MACHINE_QMP)
		io->text_size = 0;
}

/* ---- messages and console ------------------------------------------------------------------- */

/* Keep the last messages; print all with --verbose. */
static void loop_messages(struct machine_io *io, int *fd)
{
	char text[1024];
	ssize_t n = read(*fd, text, sizeof(text) - 1);
	size_t size, drop;
	char *line, *rest;

	if (n <= 0) {
		if (n == 0 || errno != EINTR) {
			close(*fd);
			*fd = -1;
		}
		return;
	}
	text[n] = '\0';
	size = (size_t)n > MACHINE_SAID ? MACHINE_SAID : (size_t)n;
	drop = io->said_size + size > MACHINE_SAID ? io->said_size + size - MACHINE_SAID : 0;
	if (fd == &io->messages[0]) {
		memmove(io->said, io->said + drop, io->said_size - drop);
		memcpy(io->said + io->said_size - drop, text + n - size, size);
		io->said_size += size - drop;
		io->said[io->said_size] = '\0';
	}
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		ccdm_trace("%s", line);
}

static void loop_console(struct ccdm_machine *m, struct machine_io *io)
{
	char bytes[4096];
	ssize_t n = read(io->output[0], bytes, sizeof(bytes));

	if (n > 0) {
		ccdm_console_take(&m->console, bytes, (size_t)n);
	} else if (n == 0 || errno != EINTR) {
		close(io->output[0]);
		io->output[0] = -1;
	}
}

/* Pass on what was typed. A full pipe waits: the guest reads no more than a line at a time. */
static void loop_input(struct machine_io *io)
{
	char bytes[512];
	ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));

	if (n < 0 && errno == EINTR)
		return;
	if (n > 0 && write(io->input[1], bytes, (size_t)n) == n)
		return;
	close(io->input[1]);
	io->input[1] = -1;
}

/* Only what is typed into this program counts: in the background reading would stop it. */
static bool loop_typed(const struct machine_io *io)
{
	return io->input[1] >= 0 && isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp();
}

/* ---- how it ended --------------------------------------------------------------------------- */

static int loop_why(const struct ccdm_machine *m, struct machine_io *io, int status,
		    struct ccdm_err *err)
{
	const struct ccdm_console *c = &m->console;
	char *p;

	if (c->code[0])
		return ccdm_err_set(err, -ECANCELED, "%s: the VM ended its boot: %s", m->disk,
				    c->code + strlen("ccdm: "));
	if (c->tamper[0])
		return ccdm_err_set(err, -EBADMSG, "%s: the VM found tampering: %s", m->disk,
				    c->tamper);
	if (c->panic[0] || io->panicked)
		return ccdm_err_set(err, -EIO, "%s: the VM's kernel panicked%s%s", m->disk,
				    c->panic[0] ? ": " : "; its console does not say why",
				    c->panic);
	if (c->nothing)
		return ccdm_err_set(err, -EINVAL,
				    "%s: the firmware found nothing to boot on the disk", m->disk);
	if (io->off)
		return 0;
	for (p = io->said; *p; p++)
		if (*p == '\n')
			*p = p[1] ? ' ' : '\0';
	if (WIFSIGNALED(status))
		return ccdm_err_set(err, -EIO, "%s was ended by signal %d%s%.350s", io->qemu.name,
				    WTERMSIG(status), io->said[0] ? ": " : "", io->said);
	return ccdm_err_set(err, -EIO, "%s ended with exit status %d%s%.350s", io->qemu.name,
			    WEXITSTATUS(status), io->said[0] ? ": " : "", io->said);
}

/* Read what is left in the pipes after QEMU has ended. */
static void loop_rest(struct ccdm_machine *m, struct machine_io *io)
{
	while (io->output[0] >= 0)
		loop_console(m, io);
	while (io->qmp[0] >= 0)
		loop_qmp(io);
	ccdm_child_end(&io->swtpm);
	while (io->messages[0] >= 0)
		loop_messages(io, &io->messages[0]);
	ccdm_console_idle(&m->console);
}

static void loop_take(struct ccdm_machine *m, struct machine_io *io, const struct pollfd *fds)
{
	if (fds[LOOP_OUTPUT].revents)
		loop_console(m, io);
	if (fds[LOOP_INPUT].revents)
		loop_input(io);
	if (fds[LOOP_QMP].revents)
		loop_qmp(io);
	if (fds[LOOP_MESSAGES].revents)
		loop_messages(io, &io->messages[0]);
	if (fds[LOOP_DRAIN].revents)
		loop_messages(io, &m->drain);
}

int ccdm_machine_loop(struct ccdm_machine *m, struct machine_io *io, struct ccdm_err *err)
{
	static const char hello[] = "{\"execute\":\"qmp_capabilities\"}\n{\"execute\":\"cont\"}\n";
	int64_t end = 0;
	int status = 0, n;
	bool wait;

	if (write(io->qmp[0], hello, sizeof(hello) - 1) != sizeof(hello) - 1)
		ccdm_trace("qemu: its monitor does not answer");
	while (!ccdm_child_wait(&io->qemu, 0, &status)) {
		struct pollfd fds[LOOP_FDS] = {
			[LOOP_OUTPUT] = { .fd = io->output[0], .events = POLLIN },
			[LOOP_INPUT] = { .fd = loop_typed(io) ? STDIN_FILENO : -1,
					 .events = POLLIN },
			[LOOP_QMP] = { .fd = io->qmp[0], .events = POLLIN },
			[LOOP_MESSAGES] = { .fd = io->messages[0], .events = POLLIN },
			[LOOP_DRAIN] = { .fd = m->drain, .events = POLLIN },
			[LOOP_END] = { .fd = io->qemu.pidfd, .events = POLLIN },
			[LOOP_SIGNAL] = { .fd = ccdm_interrupt_fd(), .events = POLLIN },
		};

		if (ccdm_interrupted()) {
			ccdm_console_idle(&m->console);
			return ccdm_interrupt_check(err);
		}
		wait = end || m->console.shown != m->console.size;
		n = poll(fds, LOOP_FDS, wait ? LOOP_IDLE : -1);
		if (n > 0)
			loop_take(m, io, fds);
		else if (!n)
			ccdm_console_idle(&m->console);
		/* neither a firmware's shell nor a kernel that has panicked ends by itself */
		if (!end && (m->console.panic[0] || m->console.nothing))
			end = ccdm_clock_ms() + (m->console.nothing ? 0 : LOOP_PANIC);
		if (end && ccdm_clock_ms() >= end)
			ccdm_child_end(&io->qemu);
		if (io->qemu.pid <= 0)
			break;
	}
	loop_rest(m, io);
	return loop_why(m, io, status, err);
}
