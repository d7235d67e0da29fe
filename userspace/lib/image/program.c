// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* program.c - see program.h */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/interrupt.h"
#include "base/trace.h"
#include "program.h"

#define OUTPUT_MAX (64 << 20)
#define SAID_MAX   CCDM_PROGRAM_MESSAGES /* bytes of messages that are kept: the last ones */
#define WORDS_MAX  16			 /* of "NAME=VALUE" */

/*
 * Programs that are known.
 * @version: the lowest one, or NULL
 * @ask: option that prints the version
 * @package: of Debian, and of Fedora where its name differs
 */
static const struct program_known {
	const char *name;
	const char *version;
	const char *ask;
	const char *package;
} program_known[] = {
	{ "mke2fs", "1.47.1", "-V",
	  "e2fsprogs with libarchive13 (Debian 12: e2fsprogs of bookworm-backports)" },
	{ "debugfs", NULL, "-V", "e2fsprogs" },
	{ "veritysetup", NULL, "--version", "cryptsetup-bin (Fedora: veritysetup)" },
	{ "mkfs.vfat", NULL, "--help", "dosfstools" },
	{ "mmd", NULL, "--version", "mtools" },
	{ "mcopy", NULL, "--version", "mtools" },
	{ "sbsign", NULL, "--version", "sbsigntool (Fedora: sbsigntools)" },
	{ "qemu-img", NULL, "--version", "qemu-utils (Fedora: qemu-img)" },
	{ "qemu-system-x86_64", NULL, "--version", "qemu-system-x86" },
	{ "swtpm", NULL, "--version", "swtpm" },
	{ "swtpm_setup", NULL, "--version", "swtpm-tools" },
	{ "swtpm_localca", NULL, "--help", "swtpm-tools" },
	{ "certtool", NULL, "--version", "gnutls-bin (Fedora: gnutls-utils)" },
	{ "ccdm-broker", NULL, "--version", "of ccdm's broker (or: make install-broker)" },
	{ "ccdm-brokerd", NULL, "--version", "of ccdm's broker (or: make install-broker)" },
	{ "mmdebstrap", NULL, "--version", "mmdebstrap" },
	{ "chroot", NULL, "--version", "coreutils" },
	{ "unshare", NULL, "--version", "util-linux" },
	{ "fio", NULL, "--version", "fio" },
	{ "cryptsetup", NULL, "--version", "cryptsetup-bin (Fedora: cryptsetup)" },
};

static const struct program_known *ccdm_program_known(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(program_known); i++)
		if (!strcmp(program_known[i].name, name))
			return &program_known[i];
	return NULL;
}

/* ---- run ------------------------------------------------------------------------------ */

/* A program that runs, and what it said so far. */
struct program_state {
	const char *name;
	pid_t pid;
	int out, messages; /* descriptors; -1: at its end */
	char *output;
	size_t size;
	char said[SAID_MAX + 1];
	size_t said_size;
};

static const char *ccdm_program_short(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static char **ccdm_program_env(const char *const *env, const char **words)
{
	static const char *const fixed[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
					     "HOME=/nonexistent", "LC_ALL=C", "TZ=UTC" };
	size_t n;

	for (n = 0; n < ARRAY_SIZE(fixed); n++)
		words[n] = fixed[n];
	while (env && *env && n < WORDS_MAX - 1)
		words[n++] = *env++;
	words[n] = NULL;
	return (char **)words;
}

/* Of the child, between fork() and execve(). */
static void ccdm_program_child(const char *const *argv, char **envp, int in, int out, int messages,
			       pid_t parent)
{
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	setpgid(0, 0);
	umask(022);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	if (in < 0)
		in = open("/dev/null", O_RDONLY);
	if (in < 0 || dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(messages, STDERR_FILENO) < 0)
		_exit(127);
	execve(argv[0], (char **)argv, envp);
	dprintf(STDERR_FILENO, "%s\n", strerror(errno));
	_exit(127);
}

static int ccdm_program_start(struct program_state *s, const char *const *argv,
			      const char *const *env, int in, bool output, bool both)
{
	const char *words[WORDS_MAX];
	char **envp = ccdm_program_env(env, words);
	int out[2] = { -1, -1 }, messages[2];
	pid_t parent = getpid();

	if (pipe2(messages, O_CLOEXEC))
		return -errno;
	if (output && pipe2(out, O_CLOEXEC)) {
		close(messages[0]);
		close(messages[1]);
		return -errno;
	}
	s->pid = fork();
	if (!s->pid)
		ccdm_program_child(argv, envp, in, output ? out[1] : messages[1],
				   both ? out[1] : messages[1], parent);
	if (s->pid > 0)
		setpgid(s->pid, s->pid); /* (both do it: either can run first) */
	close(messages[1]);
	if (output)
		close(out[1]);
	s->messages = messages[0];
	s->out = out[0];
	return s->pid < 0 ? -errno : 0;
}

/* Keep the last SAID_MAX bytes of messages. */
static void ccdm_program_keep(struct program_state *s, const char *text, size_t n)
{
	size_t drop;

	if (n > SAID_MAX) {
		text += n - SAID_MAX;
		n = SAID_MAX;
	}
	drop = s->said_size + n > SAID_MAX ? s->said_size + n - SAID_MAX : 0;
	memmove(s->said, s->said + drop, s->said_size - drop);
	memcpy(s->said + s->said_size - drop, text, n);
	s->said_size += n - drop;
	s->said[s->said_size] = '\0';
}

/* Read what is there. Return: 0, -errno. */
static int ccdm_program_take(struct program_state *s, int *fd)
{
	char buf[16384], *more;
	ssize_t n = read(*fd, buf, sizeof(buf));

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	if (!n) {
		close(*fd);
		*fd = -1;
		return 0;
	}
	if (fd == &s->messages) {
		ccdm_program_keep(s, buf, (size_t)n);
		return 0;
	}
	if (s->size + (size_t)n > OUTPUT_MAX)
		return -EFBIG;
	more = realloc(s->output, s->size + (size_t)n + 1);
	if (!more)
		return -ENOMEM;
	memcpy(more + s->size, buf, (size_t)n);
	s->output = more;
	s->size += (size_t)n;
	s->output[s->size] = '\0';
	return 0;
}

/* Until it has closed both, or a signal came. */
static int ccdm_program_listen(struct program_state *s)
{
	int r = 0;

	while (!r && (s->out >= 0 || s->messages >= 0)) {
		struct pollfd fds[3] = { { .fd = s->out, .events = POLLIN },
					 { .fd = s->messages, .events = POLLIN },
					 { .fd = ccdm_interrupt_fd(), .events = POLLIN } };

		if (ccdm_interrupted())
			return -EINTR;
		if (poll(fds, 3, -1) < 0) {
			r = errno == EINTR ? 0 : -errno;
			continue;
		}
		if (fds[0].revents)
			r = ccdm_program_take(s, &s->out);
		if (!r && fds[1].revents)
			r = ccdm_program_take(s, &s->messages);
	}
	return r;
}

/* Wait for its end; after an error it is killed first. Return: 0 and *@status, -EINTR. */
static int ccdm_program_end(struct program_state *s, int r, int *status)
{
	if (s->out >= 0)
		close(s->out);
	if (s->messages >= 0)
		close(s->messages);
	if (r)
		kill(-s->pid, SIGKILL);
	while (waitpid(s->pid, status, 0) < 0)
		if (!r && ccdm_interrupted()) {
			r = -EINTR;
			kill(-s->pid, SIGKILL);
		}
	return r;
}

/* The lines at the end that fit into a message, as one line. */
static const char *ccdm_program_last(char *said, size_t room)
{
	size_t n = strlen(said);
	char *p;

	while (n && (said[n - 1] == '\n' || said[n - 1] == ' '))
		said[--n] = '\0';
	p = n > room ? said + n - room : said;
	if (p != said && strchr(p, '\n'))
		p = strchr(p, '\n') + 1;
	said = p;
	for (; *p; p++)
		if (*p == '\n' || *p == '\r' || *p == '\t')
			*p = ' ';
	return said;
}

static int ccdm_program_why(struct program_state *s, int status, struct ccdm_err *err)
{
	static const struct {
		const char *text;
		int error;
	} known[] = { { "No space left on device", -ENOSPC },
		      { "File too large", -ENOSPC },
		      { "Disk quota exceeded", -ENOSPC },
		      { "Permission denied", -EACCES },
		      { "Cannot allocate memory", -ENOMEM } };
	const char *said;
	int error = -EIO;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (strstr(s->said, known[i].text))
			error = known[i].error;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ)
		error = -ENOSPC;
	said = ccdm_program_last(s->said, sizeof(err->text) - 100);
	if (WIFSIGNALED(status))
		return ccdm_err_set(err, error, "%s was ended by signal %d (%s)%s%s", s->name,
				    WTERMSIG(status), strsignal(WTERMSIG(status)),
				    said[0] ? ": " : "", said);
	return ccdm_err_set(err, error, "%s ended with exit status %d%s%s", s->name,
			    WEXITSTATUS(status), said[0] ? ": " : "", said);
}

/* @both: its messages are part of the output; @messages: set if the program failed, or NULL */
static int ccdm_program_do(const char *const *argv, const char *const *env, int in, char **output,
			   bool both, char *messages, struct ccdm_err *err)
{
	struct program_state s = { .name = ccdm_program_short(argv[0]), .out = -1, .messages = -1 };
	int r, status = 0;

	if (output)
		*output = NULL;
	r = ccdm_interrupt_check(err);
	if (r)
		return r;
	for (r = 0; argv[r]; r++)
		ccdm_trace("%s%s", r ? "    " : "run ", argv[r]);
	r = ccdm_program_start(&s, argv, env, in, output != NULL, both);
	if (!r)
		r = ccdm_program_end(&s, ccdm_program_listen(&s), &status);
	if (r == -EINTR) {
		r = ccdm_err_set(err, r, "interrupted");
	} else if (r) {
		r = ccdm_err_set(err, r, "%s: %s", s.name, strerror(-r));
	} else if (status) {
		if (messages)
			memcpy(messages, s.said, sizeof(s.said));
		r = ccdm_program_why(&s, status, err);
	} else if (output) {
		/* (one that printed nothing gives an empty text) */
		*output = s.output ? s.output : strdup("");
		if (!*output)
			r = ccdm_err_memory(err);
		s.output = NULL;
	}
	free(s.output);
	return r;
}

int ccdm_program_run(const char *const *argv, const char *const *env, int in, char **output,
		     struct ccdm_err *err)
{
	return ccdm_program_do(argv, env, in, output, false, NULL, err);
}

int ccdm_program_run_messages(const char *const *argv, const char *const *env,
			      char messages[CCDM_PROGRAM_MESSAGES + 1], struct ccdm_err *err)
{
	messages[0] = '\0';
	return ccdm_program_do(argv, env, -1, NULL, false, messages, err);
}

/* ---- find ----------------------------------------------------------------------------- */

static bool ccdm_program_there(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) && !access(path, X_OK);
}

/* An ordinary account has no sbin in its PATH, but mke2fs is there. */
static bool ccdm_program_look(const char *name, char path[PATH_MAX])
{
	const char *from = getenv("PATH");
	size_t n;

	for (from = from ? from : "/usr/bin:/bin"; *from; from += n + (from[n] == ':')) {
		n = strcspn(from, ":");
		if (!n || *from != '/')
			continue;
		if (snprintf(path, PATH_MAX, "%.*s/%s", (int)n, from, name) < PATH_MAX &&
		    ccdm_program_there(path))
			return true;
		if (n < 4 || strncmp(from + n - 4, "/bin", 4))
			continue;
		if (snprintf(path, PATH_MAX, "%.*ssbin/%s", (int)n - 3, from, name) < PATH_MAX &&
		    ccdm_program_there(path))
			return true;
	}
	return false;
}

/* The first number with a point in @text. */
static void ccdm_program_number(const char *text, char *version, size_t size)
{
	size_t n;

	version[0] = '\0';
	for (text += strcspn(text, "0123456789"); *text; text += strcspn(text, "0123456789")) {
		n = strspn(text, "0123456789.");
		if (memchr(text, '.', n)) {
			snprintf(version, size, "%.*s", (int)n, text);
			return;
		}
		text += n;
	}
}

static bool ccdm_program_older(const char *version, const char *lowest)
{
	unsigned long a, b;
	char *end;

	while (*lowest) {
		a = strtoul(version, &end, 10);
		version = *end == '.' ? end + 1 : end;
		b = strtoul(lowest, &end, 10);
		lowest = *end == '.' ? end + 1 : end;
		if (a != b)
			return a < b;
	}
	return false;
}

int ccdm_program_find(const char *name, struct ccdm_program_found *found, struct ccdm_err *err)
{
	const struct program_known *known = ccdm_program_known(name);
	struct ccdm_err said = { 0 };
	char *output = NULL;
	int r;

	memset(found, 0, sizeof(*found));
	found->name = name;
	if (known)
		ccdm_err_hint(err, "install the package %s", known->package);
	if (!ccdm_program_look(name, found->path))
		return ccdm_err_set(err, -ENOENT, "%s: no such program in PATH%s%s", name,
				    known && known->version ? "; it is needed from version " : "",
				    known && known->version ? known->version : "");
	if (known) {
		const char *const argv[] = { found->path, known->ask, NULL };

		/* (mke2fs prints its version to standard error) */
		r = ccdm_program_do(argv, NULL, -1, &output, true, NULL, &said);
		if (r == -EINTR || r == -ENOMEM) {
			*err = said;
			return r;
		}
		if (output)
			ccdm_program_number(output, found->version, sizeof(found->version));
		free(output);
	}
	if (known && known->version && ccdm_program_older(found->version, known->version))
		return ccdm_err_set(err, -ENOENT, "%s: expected version %s or later, found %s",
				    found->path, known->version,
				    found->version[0] ? found->version : "none");
	err->hint[0] = '\0';
	return 0;
}
