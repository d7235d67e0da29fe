// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * What image/seccomp_gate.c leaves of a profile: of Debian's where it is installed, and of one that
 * is as wide as Debian's.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/socket.h>
#include "base/file.h"
#include "image/capabilities.h"
#include "image/seccomp.h"
#include "image/seccomp_gate.h"
#include "seed.h"

#define CAP(name) (1ULL << CAP_##name)

/* As wide as Debian's, with each form of a rule. */
static const char wide[] =
	"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,\"syscalls\":["
	"{\"names\":[\"read\",\"clone\",\"fork\",\"clone3\",\"unshare\",\"mount\",\"keyctl\","
	"\"socketcall\",\"setns\",\"fsopen\",\"umount\",\"open_tree_attr\"],\"action\":\"SCMP_ACT_ALLOW\","
	"\"args\":[]},"
	"{\"names\":[\"io_uring_setup\"],\"action\":\"SCMP_ACT_LOG\"},"
	"{\"names\":[\"setns\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":1,"
	"\"excludes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}},"
	"{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":null,"
	"\"includes\":{\"caps\":[\"CAP_AUDIT_WRITE\"]}},"
	"{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
	"{\"index\":2,\"value\":9,\"valueTwo\":0,\"op\":\"SCMP_CMP_NE\"}],"
	"\"excludes\":{\"caps\":[\"CAP_AUDIT_WRITE\"]}}]}";

struct call {
	const char *name;
	uint64_t arg[6];
};

static struct ccdm_err err;
static json_t *filter;

static void resolve(const char *text, uint64_t caps)
{
	if (strlen(text) < 4096)
		seed_texts("workload_image", 0, 0xff, "{\"config\":{\"Cmd\":[\"c\"]}}",
			   caps & CAP(SYS_ADMIN)
				   ? "version: 1\nrun: {capabilities: {add: [SYS_ADMIN]}}\n"
				   : "version: 1\n",
			   text, NULL);
	json_decref(filter);
	filter = NULL;
	if (ccdm_seccomp_resolve("seccomp", text, strlen(text), caps, &filter, &err))
		fail_msg("%s", err.text);
}

static bool matches(const json_t *condition, const struct call *c)
{
	const char *op = json_string_value(json_object_get(condition, "op"));
	uint64_t a = c->arg[json_integer_value(json_object_get(condition, "index"))];
	uint64_t v = (uint64_t)json_integer_value(json_object_get(condition, "value"));

	if (!strcmp(op, "SCMP_CMP_MASKED_EQ"))
		return (a & v) ==
		       (uint64_t)json_integer_value(json_object_get(condition, "valueTwo"));
	return !strcmp(op, "SCMP_CMP_EQ")   ? a == v
	       : !strcmp(op, "SCMP_CMP_NE") ? a != v
	       : !strcmp(op, "SCMP_CMP_GT") ? a > v
					    : false;
}

/*
 * What the runtime's filter does with a call: 0: allowed; an error number. A rule without conditions
 * is stronger than those with, and the first one of them counts, as in libseccomp.
 */
static int verdict(struct call c)
{
	const json_t *rule, *name, *one;
	int ret = (int)json_integer_value(json_object_get(filter, "defaultErrnoRet")), found = -1;
	bool plain = false;
	size_t i, k;

	json_array_foreach(json_object_get(filter, "syscalls"), i, rule)
	{
		bool named = false, holds = true;
		const json_t *args = json_object_get(rule, "args");

		json_array_foreach(json_object_get(rule, "names"), k, name) named =
			named || !strcmp(json_string_value(name), c.name);
		json_array_foreach(args, k, one) holds = holds && matches(one, &c);
		if (!named || !holds || (found >= 0 && (plain || json_array_size(args))))
			continue;
		plain = !json_array_size(args);
		found = ccdm_seccomp_refuses(json_string_value(json_object_get(rule, "action")))
				? (int)json_integer_value(json_object_get(rule, "errnoRet"))
				: 0;
	}
	return found < 0 ? ret : found;
}

#define IS(result, ...) assert_int_equal(verdict((struct call){ .name = __VA_ARGS__ }), result)

/* No container of Docker's capabilities makes a namespace, a mount or a key, or reaches the host. */
static void narrow(void)
{
	static const char *const never[] = {
		"unshare",	  "setns",
		"mount",	  "umount",
		"umount2",	  "pivot_root",
		"fsopen",	  "fsconfig",
		"fsmount",	  "fspick",
		"move_mount",	  "open_tree",
		"open_tree_attr", "mount_setattr",
		"keyctl",	  "add_key",
		"request_key",	  "bpf",
		"userfaultfd",	  "perf_event_open",
		"reboot",	  "syslog",
		"io_uring_setup", "pidfd_getfd",
		"socketcall",	  "quotactl",
		"kexec_load",	  "init_module",
		"iopl",		  "open_by_handle_at",
		"clone3",
	};
	static const unsigned int flags[] = { CLONE_NEWNS,   CLONE_NEWCGROUP,
					      CLONE_NEWUTS,  CLONE_NEWIPC,
					      CLONE_NEWUSER, CLONE_NEWPID,
					      CLONE_NEWNET,  CLONE_NEWUSER | CLONE_NEWNS | 17 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(never); i++)
		if (!verdict((struct call){ .name = never[i] }))
			fail_msg("allowed: %s", never[i]);
	IS(1, "unshare", { CLONE_NEWUSER });
	IS(1, "keyctl");
	IS(1, "mount");
	/* the C library takes clone() instead */
	IS(38, "clone3");
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		if (!verdict((struct call){ "clone", { flags[i] } }))
			fail_msg("clone: 0x%x", flags[i]);
	IS(0, "clone", { 17 });
	IS(0, "clone", { CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD });
	/* (the bit of CLONE_NEWTIME is no flag here) */
	IS(0, "clone", { 0x80 });
	IS(97, "socket", { AF_VSOCK, SOCK_STREAM });
	IS(97, "socket", { AF_ALG, SOCK_SEQPACKET });
	for (i = 0; i < 64; i++)
		assert_int_equal(!verdict((struct call){ "socket", { i, SOCK_STREAM } }),
				 i == AF_UNIX || i == AF_INET || i == AF_INET6 || i == AF_NETLINK ||
					 i == AF_PACKET);
	/* the kernel takes 32 of the 64 bits */
	IS(97, "socket", { AF_VSOCK | 1ULL << 32, SOCK_STREAM });
	IS(97, "socket", { AF_VSOCK | 1ULL << 63, SOCK_STREAM });
	IS(0, "read");
	IS(0, "fork");
}

static void filters(void **state)
{
	static const char *const files[] = { "/usr/share/containers/seccomp.json",
					     "/var/cache/ccdm/base/trixie/seccomp.json" };
	size_t i, size;
	char *text;

	(void)state;
	resolve(wide, CCDM_CAPABILITIES_DOCKER);
	narrow();
	/* (without CAP_AUDIT_WRITE, no socket of audit) */
	resolve(wide, 0);
	narrow();
	IS(38, "socket", { AF_NETLINK, SOCK_RAW, 9 });
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		if (ccdm_file_read(files[i], CCDM_SECCOMP_MAX, &text, &size, &err))
			continue;
		resolve(text, CCDM_CAPABILITIES_DOCKER);
		narrow();
		IS(0, "chroot");
		IS(0, "ptrace");
		resolve(text, 0);
		narrow();
		IS(1, "chroot");
		resolve(text, CCDM_CAPABILITIES_DOCKER | CAP(SYS_ADMIN));
		IS(0, "mount");
		IS(0, "clone", { CLONE_NEWUSER });
		IS(0, "unshare");
		free(text);
	}
}

/* A capability opens its own calls. */
static void rights(void **state)
{
	(void)state;
	resolve(wide, CCDM_CAPABILITIES_DOCKER | CAP(SYS_ADMIN));
	IS(0, "unshare", { CLONE_NEWUSER });
	IS(0, "clone", { CLONE_NEWUSER });
	IS(0, "clone3");
	IS(0, "mount");
	/* but no container has these */
	IS(1, "keyctl");
	IS(1, "io_uring_setup");
	IS(1, "socketcall");
	IS(97, "socket", { AF_VSOCK });
	resolve(wide, CAP(SYS_PTRACE) | CAP(NET_ADMIN));
	IS(1, "unshare");
	IS(1, "mount");
}

#define RULES(rule) \
	"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":1,\"syscalls\":[" rule "]}"
#define ONE(name, args) \
	RULES("{\"names\":[\"" name "\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[" args "]}")
#define ARG(index, op, value, two)                                                                 \
	"{\"index\":" #index ",\"op\":\"SCMP_CMP_" op "\",\"value\":" #value ",\"valueTwo\":" #two \
	"}"

/* Conditions of the profile itself stay, or become narrower. */
static void conditions(void **state)
{
	static const struct {
		const char *text;
		int from, until; /* the families that it allows, of 1, 2, 10, 16, 17 */
	} all[] = {
		{ ONE("socket", ARG(0, "EQ", 2, 0)), 2, 2 },
		{ ONE("socket", ARG(0, "LT", 10, 0)), 1, 2 },
		{ ONE("socket", ARG(0, "LE", 10, 0)), 1, 10 },
		{ ONE("socket", ARG(0, "GT", 10, 0)), 16, 17 },
		{ ONE("socket", ARG(0, "GE", 10, 0)), 10, 17 },
		{ ONE("socket", ARG(0, "GE", 10, 0) "," ARG(0, "NE", 10, 0)), 16, 17 },
		{ ONE("socket", ARG(0, "MASKED_EQ", 16, 16)), 16, 17 },
		{ ONE("socket", ARG(0, "EQ", 40, 0)), 18, 0 },
		{ ONE("read", ""), 18, 0 },
	};
	static const int families[] = { 1, 2, 10, 16, 17 };
	size_t i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		resolve(all[i].text, 0);
		for (k = 0; k < ARRAY_SIZE(families); k++)
			assert_int_equal(!verdict((struct call){ "socket", { families[k] } }),
					 families[k] >= all[i].from && families[k] <= all[i].until);
		/* the default's errno is EPERM: the runtime would skip a rule with the same */
		IS(38, "socketcall");
	}
	/* Docker's own rule of clone() */
	resolve(ONE("clone", ARG(0, "MASKED_EQ", 2114060288, 0)), 0);
	IS(0, "clone", { 17 });
	IS(1, "clone", { CLONE_NEWUSER });
	/* a condition on another argument stays */
	resolve(ONE("clone", ARG(1, "EQ", 0, 0)), 0);
	IS(0, "clone", { 17, 0 });
	IS(1, "clone", { 17, 1 });
	IS(1, "clone", { CLONE_NEWUSER, 0 });
	/* other conditions on the flags: a wider one, two */
	resolve(ONE("clone", ARG(0, "NE", 0, 0)), 0);
	IS(1, "clone", { 17 });
	resolve(ONE("clone", ARG(0, "MASKED_EQ", 2114060288, 268435456)), 0);
	IS(1, "clone", { CLONE_NEWUSER });
	resolve(ONE("clone", ARG(0, "MASKED_EQ", 268435456, 0)), 0);
	IS(1, "clone", { CLONE_NEWNET });
	resolve(ONE("clone", ARG(0, "MASKED_EQ", 2114060288, 0) "," ARG(0, "EQ", 1, 0)), 0);
	IS(1, "clone", { 17 });
	/* a name that is gated, with a condition */
	resolve(ONE("unshare", ARG(0, "EQ", 0, 0)), 0);
	IS(1, "unshare");
}

static int done(void **state)
{
	(void)state;
	json_decref(filter);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filters),
		cmocka_unit_test(rights),
		cmocka_unit_test(conditions),
	};

	return cmocka_run_group_tests(tests, NULL, done);
}
