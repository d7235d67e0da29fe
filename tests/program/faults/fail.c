// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * fail.c - the n-th call of a program into its libraries or the kernel fails
 *
 * Linked into ccdm-setup, ccdm-broker and ccdm-brokerd with --wrap for each function of
 * functions.h. Only calls from ccdm's own code come here, not calls inside of libraries.
 * CCDM_FAULTS names a file with struct faults that is shared with the test. The test sets which
 * call fails, and reads by which call paths each call was reached.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_CALLS (1 << 16)
#define DEPTH	  6 /* callers that identify a call path */

/*
 * struct faults - shared with tests/program/faults/harness.py, which knows the offsets
 * @armed: calls are counted and may fail
 * @fail_at: number of the call that fails, from 1 on; 0: none
 * @failed: number of the call that failed
 * @calls: number of calls while it was armed
 * @way: for each call, a hash of the functions that led to it
 * @what: for each call, the index in functions.h
 */
struct faults {
	uint64_t armed, fail_at, failed, calls;
	uint64_t way[MAX_CALLS];
	uint16_t what[MAX_CALLS];
};

enum what {
#define F(name, value, error) WHAT_##name,
#define W		      F
#include "functions.h"
#undef F
};

static const struct {
	long value;
	int error;
} how[] = {
#define F(name, v, e) { .value = (v), .error = (e) },
#include "functions.h"
#undef F
#undef W
};

extern const char __executable_start[], etext[];
static struct faults *faults;
static uintptr_t stack_end;

/*
 * Count a call and record its call path. Return: whether it fails.
 * @frame: the wrapper's frame, with the caller's frame and the return address
 */
__attribute__((used)) bool ccdm_fail(unsigned int what, const uintptr_t *frame)
{
	uint64_t way = 5381, n;

	if (!faults || !faults->armed)
		return false;
	for (int i = 0; i < DEPTH; i++) {
		uintptr_t at = frame[1], next = frame[0];

		if (at < (uintptr_t)__executable_start || at >= (uintptr_t)etext)
			break;
		way = way * 1000003 ^ (at - (uintptr_t)__executable_start);
		if (next <= (uintptr_t)frame || next >= stack_end || next & 7)
			break; /* the library that called this keeps no frame pointers */
		frame = (const uintptr_t *)next;
	}
	n = faults->calls++;
	if (n < MAX_CALLS) {
		faults->way[n] = way;
		faults->what[n] = (uint16_t)what;
	}
	if (n + 1 != faults->fail_at)
		return false;
	faults->failed = n + 1;
	if (how[what].error)
		errno = how[what].error;
	return true;
}

__attribute__((used)) long ccdm_fail_value(unsigned int what)
{
	return how[what].value;
}

/*
 * A wrapper that needs no prototype. It asks ccdm_fail(); then it either returns or jumps to the
 * real function as if it were not there.
 */
#define F(name, value, error)                                                                  \
	".globl __wrap_" #name "\n.type __wrap_" #name ", @function\n.weak __real_" #name "\n" \
	"__wrap_" #name ":\n"                                                                  \
	"	endbr64\n"                                                                           \
	"	movl $number, %r11d\n"                                                               \
	"	leaq 1f(%rip), %r10\n"                                                               \
	"	jmp ccdm_ask\n"                                                                      \
	"1:	jmp __real_" #name "@PLT\n"                                                    \
	".set number, number + 1\n"

#define W(name, value, error)

__asm__(".pushsection .text\n.set number, 0\n"
#include "functions.h"
	".type ccdm_ask, @function\nccdm_ask:\n"
	"	pushq %rbp\n	movq %rsp, %rbp\n"
	"	pushq %rdi\n	pushq %rsi\n	pushq %rdx\n	pushq %rcx\n"
	"	pushq %r8\n	pushq %r9\n	pushq %rax\n	pushq %r10\n	pushq %r11\n	subq $8, %rsp\n"
	"	movl %r11d, %edi\n	movq %rbp, %rsi\n	call ccdm_fail\n"
	"	addq $8, %rsp\n	testb %al, %al\n	jne 2f\n"
	"	popq %r11\n	popq %r10\n	popq %rax\n	popq %r9\n	popq %r8\n"
	"	popq %rcx\n	popq %rdx\n	popq %rsi\n	popq %rdi\n	leave\n	jmp *%r10\n"
	"2:	movl (%rsp), %edi\n	subq $8, %rsp\n	call ccdm_fail_value\n"
	"	leave\n	ret\n"
	".popsection\n");

/* ---- effects that a failing call must still have --------------------------------- */

#define FAILS(name) ccdm_fail(WHAT_##name, __builtin_frame_address(0))

int __real_json_array_append_new(json_t *array, json_t *value);
int __wrap_json_array_append_new(json_t *array, json_t *value)
{
	if (!FAILS(json_array_append_new))
		return __real_json_array_append_new(array, value);
	json_decref(value);
	return -1;
}

int __real_json_object_set_new(json_t *object, const char *key, json_t *value);
int __wrap_json_object_set_new(json_t *object, const char *key, json_t *value)
{
	if (!FAILS(json_object_set_new))
		return __real_json_object_set_new(object, key, value);
	json_decref(value);
	return -1;
}

/* json_pack() takes its objects even when it fails */
json_t *__wrap_json_pack(const char *format, ...)
{
	bool fails = FAILS(json_pack);
	json_t *made;
	va_list ap;

	va_start(ap, format);
	made = json_vpack_ex(NULL, 0, format, ap);
	va_end(ap);
	if (fails) {
		json_decref(made);
		return NULL;
	}
	return made;
}

int __real_fclose(FILE *f);
int __wrap_fclose(FILE *f)
{
	bool fails = FAILS(fclose);
	int r = __real_fclose(f);

	if (!fails)
		return r;
	errno = ENOSPC;
	return EOF;
}

struct sqlite3;
struct sqlite3_stmt;
int __real_sqlite3_open_v2(const char *file, struct sqlite3 **db, int flags, const char *vfs)
	__attribute__((weak));
int __wrap_sqlite3_open_v2(const char *file, struct sqlite3 **db, int flags, const char *vfs)
{
	if (!FAILS(sqlite3_open_v2))
		return __real_sqlite3_open_v2(file, db, flags, vfs);
	*db = NULL;
	return 7;
}

int __real_sqlite3_prepare_v2(struct sqlite3 *db, const char *sql, int n, struct sqlite3_stmt **s,
			      const char **tail) __attribute__((weak));
int __wrap_sqlite3_prepare_v2(struct sqlite3 *db, const char *sql, int n, struct sqlite3_stmt **s,
			      const char **tail)
{
	if (!FAILS(sqlite3_prepare_v2))
		return __real_sqlite3_prepare_v2(db, sql, n, s, tail);
	*s = NULL;
	return 10;
}

/* with BEV_OPT_CLOSE_ON_FREE, a failed call has freed the SSL */
void SSL_free(void *ssl) __attribute__((weak));
void *__real_bufferevent_openssl_socket_new(void *base, int fd, void *ssl, int state, int options)
	__attribute__((weak));
void *__wrap_bufferevent_openssl_socket_new(void *base, int fd, void *ssl, int state, int options)
{
	if (!FAILS(bufferevent_openssl_socket_new))
		return __real_bufferevent_openssl_socket_new(base, fd, ssl, state, options);
	SSL_free(ssl);
	return NULL;
}

/* if a task fails, udev sends no event, so the cookie is completed here */
struct dm_task;
static struct dm_task *with_cookie;
static uint32_t *its_cookie;
int dm_udev_complete(uint32_t cookie) __attribute__((weak));
int __real_dm_task_set_cookie(struct dm_task *task, uint32_t *cookie, uint16_t flags)
	__attribute__((weak));
int __wrap_dm_task_set_cookie(struct dm_task *task, uint32_t *cookie, uint16_t flags)
{
	if (FAILS(dm_task_set_cookie)) {
		errno = ENOMEM;
		return 0;
	}
	with_cookie = task;
	its_cookie = cookie;
	return __real_dm_task_set_cookie(task, cookie, flags);
}

int __real_dm_task_run(struct dm_task *task) __attribute__((weak));
int __wrap_dm_task_run(struct dm_task *task)
{
	struct dm_task *has = with_cookie;

	with_cookie = NULL;
	if (!FAILS(dm_task_run))
		return __real_dm_task_run(task);
	if (task == has)
		dm_udev_complete(*its_cookie);
	errno = EIO;
	return 0;
}

/* Keep the process dumpable: the leak check needs that. */
int __wrap_prctl(int option, ...)
{
	(void)option;
	return 0;
}

/* ---- the part of the program that is tested --------------------------------------- */

/*
 * Functions that exit() runs, such as coverage counters, are not tested. The test arms a daemon
 * itself.
 */
void __real_exit(int status) __attribute__((noreturn));
void __wrap_exit(int status)
{
	if (faults)
		faults->armed = 0;
	__real_exit(status);
}

#ifdef COVERAGE
void __gcov_dump(void);

/* A daemon ends here when its library is out of memory: write the coverage up to this point. */
void __real__exit(int status) __attribute__((noreturn));
void __wrap__exit(int status)
{
	__gcov_dump();
	__real__exit(status);
}
#endif

int __real_main(int argc, char **argv, char **envp);
int __wrap_main(int argc, char **argv, char **envp)
{
	const char *path = getenv("CCDM_FAULTS"), *later = getenv("CCDM_FAULTS_LATER");
	int fd, r;

	stack_end = (uintptr_t)envp;
	if (path) {
		fd = open(path, O_RDWR | O_CLOEXEC);
		faults = fd < 0 ? MAP_FAILED
				: mmap(NULL, sizeof(*faults), PROT_READ | PROT_WRITE, MAP_SHARED,
				       fd, 0);
		if (faults == MAP_FAILED) {
			perror(path);
			_exit(126);
		}
		close(fd);
		faults->armed = !later;
	}
	r = __real_main(argc, argv, envp);
	if (faults)
		faults->armed = 0;
	return r;
}
