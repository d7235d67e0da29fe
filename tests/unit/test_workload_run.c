// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* test_workload_run.c - boot/workload_run.c, workload_userns.c: programs, and what they inherit */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/compiler.h"
#include "base/file.h"
#include "boot/workload_run.h"
#include "boot/workload_userns.h"

static struct ccdm_err err;
static char top[] = "/tmp/ccdm-unit-XXXXXX";

static const char *at(const char *name)
{
	static char path[4][256];
	static unsigned int n;

	n = (n + 1) % 4;
	snprintf(path[n], sizeof(path[n]), "%s/%s", top, name);
	return path[n];
}

static void put(const char *name, const char *text)
{
	assert_int_equal(ccdm_file_write(at(name), text, strlen(text), 0644, &err), 0);
}

/* True if the file holds @text. */
static bool has(const char *name, const char *text)
{
	char *found;
	size_t size;
	bool yes;

	if (ccdm_file_read(at(name), 1 << 20, &found, &size, &err))
		return false;
	yes = strstr(found, text);
	free(found);
	return yes;
}

static int fresh(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", top);
	if (system(command))
		return -1;
	strcpy(top, "/tmp/ccdm-unit-XXXXXX");
	memset(&err, 0, sizeof(err));
	return mkdtemp(top) ? 0 : -1;
}

static int gone(void **state)
{
	int r = fresh(state);

	return r || rmdir(top);
}

static void programs(void **state)
{
	static const char *const exits[] = { "/bin/sh", "-c", "exit 3", NULL };
	static const char *const killed[] = { "/bin/sh", "-c", "kill -9 $$", NULL };
	static const char *const slow[] = { "/bin/sleep", "60", NULL };
	static const char *const deaf[] = { "/bin/sh", "-c", "trap '' TERM; while :; do :; done",
					    NULL };
	static const char *const none[] = { "/nosuch/program", NULL };
	static const char *const env[] = { "/bin/sh", "-c", "test -z \"$HOME$CCDM_SEEDS\"", NULL };
	int status = -1;

	(void)state;
	assert_int_equal(ccdm_workload_run(exits, 0, &status, &err), 0);
	assert_int_equal(status, 3);
	assert_int_equal(ccdm_workload_run(killed, 10000, &status, &err), 0);
	assert_int_equal(status, 137);
	assert_int_equal(ccdm_workload_run(slow, 50, &status, &err), -ETIMEDOUT);
	assert_non_null(strstr(err.text, "/bin/sleep did not end within 50 ms"));
	assert_int_equal(status, 143);
	assert_int_equal(ccdm_workload_run(deaf, 200, &status, &err), -ETIMEDOUT);
	assert_int_equal(status, 137);
	assert_int_equal(ccdm_workload_run(none, 0, &status, &err), -ENOENT);
	assert_int_equal(ccdm_workload_run_well(env, &err), 0);
	assert_int_equal(ccdm_workload_run_well(exits, &err), -EIO);
	assert_string_equal(err.text, "/bin/sh ended with status 3");
}

/* A check of the workload gets nothing of the caller's, such as a socket of the journal. */
static void descriptors(void **state)
{
	const char *argv[] = { "/bin/sh", "-c", NULL, NULL };
	int status = -1, pair[2], saved = dup(2);
	char script[1024];

	(void)state;
	assert_int_equal(pipe(pair), 0);
	assert_true(dup2(pair[1], 2) == 2 && saved > 2);
	snprintf(script, sizeof(script),
		 "for f in 0 1 2; do [ /dev/null -ef /proc/$$/fd/$f ] || exit 10; done; "
		 "for f in %d %d %d; do [ -e /proc/$$/fd/$f ] && exit 11; done; echo x >&2; exit 7",
		 pair[0], pair[1], saved);
	argv[2] = script;
	assert_int_equal(ccdm_workload_run(argv, 0, &status, &err), 0);
	/* a program of the base keeps its standard error */
	argv[2] = "echo y >&2";
	assert_int_equal(ccdm_workload_run_well(argv, &err), 0);
	assert_int_equal(dup2(saved, 2), 2);
	assert_int_equal(status, 7);
	assert_int_equal(read(pair[0], script, sizeof(script)), 2);
	assert_memory_equal(script, "y\n", 2);
	close(pair[0]);
	close(pair[1]);
	close(saved);
}

/* The program that starts the container has descriptors 0 to 2, and no variable but PATH. */
static void becomes(void **state)
{
	const char *argv[] = { "/bin/sh", "-c", NULL, NULL };
	static const char *const none[] = { "/nosuch/program", NULL };
	char script[256];
	int fd = dup(2), how = 0;
	pid_t pid;

	(void)state;
	snprintf(script, sizeof(script),
		 "[ -e /proc/$$/fd/%d ] && exit 11; [ \"$NOTIFY_SOCKET\" ] && exit 12; exit 5", fd);
	argv[2] = script;
	setenv("NOTIFY_SOCKET", "/run/x", 1);
	pid = fork();
	if (!pid)
		_exit(ccdm_workload_become(argv, &err) ? 1 : 0);
	assert_int_equal(waitpid(pid, &how, 0), pid);
	assert_true(WIFEXITED(how));
	assert_int_equal(WEXITSTATUS(how), 5);
	pid = fork();
	if (!pid)
		_exit(ccdm_workload_become(none, &err) == -ENOENT &&
				      strstr(err.text, "/nosuch/program: No such file")
			      ? 6
			      : 1);
	assert_int_equal(waitpid(pid, &how, 0), pid);
	assert_int_equal(WEXITSTATUS(how), 6);
	unsetenv("NOTIFY_SOCKET");
	close(fd);
}

/* A workload without CAP_SYS_ADMIN: no user namespaces. */
static void userns(void **state)
{
	static const struct {
		const char *config;
		int r;
		const char *limit;
	} all[] = {
		{ "{\"process\":{\"capabilities\":{\"bounding\":[]}}}", 0, "0" },
		{ "{\"process\":{\"capabilities\":{\"bounding\":[\"CAP_KILL\"]}}}", 0, "0" },
		{ "{\"process\":{\"capabilities\":{\"bounding\":[1,\"CAP_SYS_ADMIN\"]}}}", 0,
		  "99" },
		{ "{\"process\":{}}", -EINVAL, "99" },
		{ "{", -EINVAL, "99" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		put("config.json", all[i].config);
		put("max", "99");
		assert_int_equal(ccdm_workload_userns_close(top, at("max"), &err), all[i].r);
		assert_true(has("max", all[i].limit));
		assert_int_equal(has("max", "99"), !strcmp(all[i].limit, "99"));
	}
	put("config.json", all[0].config);
	/* a kernel without them */
	assert_int_equal(ccdm_workload_userns_close(top, at("nosuch"), &err), 0);
	assert_int_equal(access(at("nosuch"), F_OK), -1);
	assert_int_equal(ccdm_workload_userns_close(at("nosuch"), at("max"), &err), -ENOENT);
}

static void supervisor(void **state)
{
	(void)state;
	/* (only a cgroup has this file at once) */
	assert_int_equal(ccdm_workload_supervisor(top, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/supervisor/cgroup.procs: No such file"));
	put("supervisor/cgroup.procs", "");
	assert_int_equal(ccdm_workload_supervisor(top, &err), 0);
	assert_true(has("supervisor/cgroup.procs", "0"));
	assert_int_equal(ccdm_workload_supervisor(at("none"), &err), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(programs, fresh),
		cmocka_unit_test_setup(descriptors, fresh),
		cmocka_unit_test_setup(becomes, fresh),
		cmocka_unit_test_setup(userns, fresh),
		cmocka_unit_test_setup(supervisor, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, gone);
}
