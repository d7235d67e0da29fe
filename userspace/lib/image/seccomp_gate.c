// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* seccomp_gate.c - see seccomp_gate.h */
#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include "base/compiler.h"
#include "base/json.h"
#include "seccomp_gate.h"

#define CAP(name) (1ULL << CAP_##name)

/* CLONE_NEWTIME is no flag of clone(): its bit is one of the signal's number. */
#define GATE_NAMESPACES                                                                \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
	 CLONE_NEWPID | CLONE_NEWNET)

/*
 * System calls that need one of some capabilities; 0: no container gets them. A user namespace would
 * give a process all capabilities towards the kernel, so what makes one is among them.
 */
static const struct {
	uint64_t caps;
	const char *names[32];
} gate_calls[] = {
	{ CAP(SYS_ADMIN),
	  { "fanotify_init",  "fsconfig",   "fsmount",	     "fsopen",	    "fspick",
	    "lookup_dcookie", "mount",	    "mount_setattr", "move_mount",  "open_tree",
	    "open_tree_attr", "pivot_root", "quotactl",	     "quotactl_fd", "setdomainname",
	    "sethostname",    "setns",	    "umount",	     "umount2",	    "unshare" } },
	{ CAP(SYS_ADMIN) | CAP(BPF), { "bpf" } },
	{ CAP(SYS_ADMIN) | CAP(PERFMON), { "perf_event_open" } },
	{ CAP(SYS_ADMIN) | CAP(SYSLOG), { "syslog" } },
	{ CAP(DAC_READ_SEARCH), { "open_by_handle_at" } },
	{ CAP(SYS_BOOT), { "reboot" } },
	{ CAP(SYS_CHROOT), { "chroot" } },
	{ CAP(SYS_MODULE), { "create_module", "delete_module", "finit_module", "init_module" } },
	{ CAP(SYS_NICE),
	  { "get_mempolicy", "mbind", "migrate_pages", "move_pages", "set_mempolicy",
	    "set_mempolicy_home_node" } },
	{ CAP(SYS_PACCT), { "acct" } },
	{ CAP(SYS_PTRACE), { "kcmp", "pidfd_getfd", "process_madvise" } },
	{ CAP(SYS_RAWIO), { "ioperm", "iopl" } },
	{ CAP(SYS_TIME), { "clock_settime", "clock_settime64", "settimeofday", "stime" } },
	{ CAP(SYS_TTY_CONFIG), { "vhangup" } },
	/*
	 * Keys are the kernel's, not the container's. A call through socketcall(), which is for programs of
	 * 32 bits, has its family in memory, where no filter sees it; socket() itself is there since
	 * Linux 4.3.
	 */
	{ 0,
	  { "add_key", "io_uring_enter", "io_uring_register", "io_uring_setup", "kexec_file_load",
	    "kexec_load", "keyctl", "nfsservctl", "request_key", "socketcall", "swapoff", "swapon",
	    "uselib", "userfaultfd", "vm86", "vm86old" } },
};

/*
 * The families of sockets, which nft filters or which stay in the VM. Among the others are
 * AF_VSOCK, which leads to the host, and AF_ALG.
 */
static const int gate_families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET };

bool ccdm_seccomp_refuses(const char *action)
{
	static const char *const words[] = { "SCMP_ACT_ERRNO", "SCMP_ACT_KILL",
					     "SCMP_ACT_KILL_THREAD", "SCMP_ACT_KILL_PROCESS",
					     "SCMP_ACT_TRAP" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (action && !strcmp(action, words[i]))
			return true;
	return false;
}

/* ---- parts of a rule ------------------------------------------------------------------- */

/* Is a call closed to a container with these capabilities? */
static bool ccdm_gate_closed(const char *name, uint64_t caps)
{
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(gate_calls); i++)
		for (k = 0; k < ARRAY_SIZE(gate_calls[i].names) && gate_calls[i].names[k]; k++)
			if (!strcmp(name, gate_calls[i].names[k]))
				return !(caps & gate_calls[i].caps);
	return !strcmp(name, "clone3") && !(caps & CAP(SYS_ADMIN));
}

static uint64_t ccdm_gate_number(const json_t *condition, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(condition, key));
}

/* Does a condition on the family accept this one? An unknown operator accepts none. */
static bool ccdm_gate_accepts(const json_t *condition, uint64_t family)
{
	const char *op = json_string_value(json_object_get(condition, "op"));
	uint64_t value = ccdm_gate_number(condition, "value");

	if (!strcmp(op, "SCMP_CMP_EQ"))
		return family == value;
	if (!strcmp(op, "SCMP_CMP_NE"))
		return family != value;
	if (!strcmp(op, "SCMP_CMP_LT"))
		return family < value;
	if (!strcmp(op, "SCMP_CMP_LE"))
		return family <= value;
	if (!strcmp(op, "SCMP_CMP_GT"))
		return family > value;
	if (!strcmp(op, "SCMP_CMP_GE"))
		return family >= value;
	return !strcmp(op, "SCMP_CMP_MASKED_EQ") &&
	       (family & value) == ccdm_gate_number(condition, "valueTwo");
}

/* Does a condition on the flags of clone() forbid each new namespace? */
static bool ccdm_gate_same(const json_t *condition)
{
	const char *op = json_string_value(json_object_get(condition, "op"));

	return !strcmp(op, "SCMP_CMP_MASKED_EQ") &&
	       (ccdm_gate_number(condition, "value") & GATE_NAMESPACES) == GATE_NAMESPACES &&
	       !(ccdm_gate_number(condition, "valueTwo") & GATE_NAMESPACES);
}

/* Add a rule for one call. @first: its condition on the first argument; taken */
static void ccdm_gate_add(json_t **rules, const json_t *rule, const char *name, json_t *first)
{
	json_t *made = json_copy((json_t *)rule), *args = json_array(), *one;
	size_t i;

	ccdm_json_add(&args, first);
	json_array_foreach(json_object_get(rule, "args"), i, one)
	{
		if (ccdm_gate_number(one, "index"))
			ccdm_json_add(&args, json_incref(one));
	}
	ccdm_json_put(&made, "names", json_pack("[s]", name));
	ccdm_json_put(&made, "args", args);
	ccdm_json_add(rules, made);
}

static json_t *ccdm_gate_condition(const char *op, uint64_t value)
{
	return json_pack("{s:i,s:I,s:I,s:s}", "index", 0, "value", (json_int_t)value, "valueTwo",
			 (json_int_t)0, "op", op);
}

/* ---- rules that allow ------------------------------------------------------------------- */

/* A rule for each family of sockets that this rule allows. A comparison of the full 64 bits, of
 * which the kernel takes 32, thus lets no other family through. */
static void ccdm_gate_socket(json_t **rules, const json_t *rule)
{
	const json_t *one;
	bool accepts;
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(gate_families); i++) {
		accepts = true;
		json_array_foreach(json_object_get(rule, "args"), k, one)
		{
			if (!ccdm_gate_number(one, "index"))
				accepts = accepts && ccdm_gate_accepts(one, gate_families[i]);
		}
		if (accepts)
			ccdm_gate_add(rules, rule, "socket",
				      ccdm_gate_condition("SCMP_CMP_EQ", gate_families[i]));
	}
}

/* clone() without a new namespace. A rule with another condition on the flags allows nothing. */
static void ccdm_gate_clone(json_t **rules, const json_t *rule)
{
	json_t *first = NULL, *one;
	size_t i;

	json_array_foreach(json_object_get(rule, "args"), i, one)
	{
		if (ccdm_gate_number(one, "index"))
			continue;
		if (first || !ccdm_gate_same(one)) {
			json_decref(first);
			return;
		}
		first = json_incref(one);
	}
	ccdm_gate_add(rules, rule, "clone",
		      first ? first : ccdm_gate_condition("SCMP_CMP_MASKED_EQ", GATE_NAMESPACES));
}

static void ccdm_gate_rule(uint64_t caps, const json_t *rule, json_t **rules, json_t **closed)
{
	json_t *kept = json_array(), *made, *name;
	size_t i;

	json_array_foreach(json_object_get(rule, "names"), i, name)
	{
		const char *text = json_string_value(name);

		if (ccdm_gate_closed(text, caps))
			ccdm_json_put(closed, text, json_true());
		else if (!strcmp(text, "socket"))
			ccdm_gate_socket(rules, rule);
		else if (!strcmp(text, "clone") && !(caps & CAP(SYS_ADMIN)))
			ccdm_gate_clone(rules, rule);
		else
			ccdm_json_add(&kept, json_incref(name));
	}
	if (kept && !json_array_size(kept)) {
		json_decref(kept);
		return;
	}
	made = json_copy((json_t *)rule);
	ccdm_json_put(&made, "names", kept);
	ccdm_json_add(rules, made);
}

/* ---- rules that refuse ------------------------------------------------------------------- */

static void ccdm_gate_refuse(json_t **rules, json_t *names, int ret, json_t *args)
{
	json_t *made = json_object();

	ccdm_json_put(&made, "names", names);
	ccdm_json_put(&made, "action", json_string("SCMP_ACT_ERRNO"));
	ccdm_json_put(&made, "errnoRet", json_integer(ret));
	if (args)
		ccdm_json_put(&made, "args", args);
	ccdm_json_add(rules, made);
}

/*
 * Programs expect EPERM of a call without the right, and ENOSYS of clone3(), for which they then
 * take clone(). The runtime skips a rule whose action is the default one. It must not skip that of
 * socketcall(): libseccomp allows it along with socket().
 */
static void ccdm_gate_closing(json_t *closed, int ret, json_t **rules)
{
	json_t *names = json_array(), *value;
	const char *name;

	json_object_foreach(closed, name, value)
	{
		if (strcmp(name, "clone3") && strcmp(name, "socketcall"))
			ccdm_json_add(&names, json_string(name));
	}
	if (names && !json_array_size(names))
		json_decref(names);
	else
		ccdm_gate_refuse(rules, names, EPERM, NULL);
	if (json_object_get(closed, "clone3"))
		ccdm_gate_refuse(rules, json_pack("[s]", "clone3"), ENOSYS, NULL);
	ccdm_gate_refuse(rules, json_pack("[s]", "socketcall"), ret == EPERM ? ENOSYS : EPERM,
			 NULL);
	ccdm_gate_refuse(rules, json_pack("[s]", "socket"), EAFNOSUPPORT,
			 json_pack("[o]", ccdm_gate_condition("SCMP_CMP_GT", AF_PACKET)));
}

int ccdm_seccomp_gate(uint64_t caps, int ret, json_t **rules)
{
	json_t *open = json_array(), *closed = json_object(), *made = json_array(), *rule;
	size_t i;

	json_array_foreach(*rules, i, rule)
	{
		if (ccdm_seccomp_refuses(json_string_value(json_object_get(rule, "action"))))
			ccdm_json_add(&open, json_incref(rule));
		else
			ccdm_gate_rule(caps, rule, &open, &closed);
	}
	if (closed)
		ccdm_gate_closing(closed, ret, &made);
	if (!closed || !open || !made || json_array_extend(made, open)) {
		json_decref(made);
		made = NULL;
	}
	json_decref(closed);
	json_decref(open);
	json_decref(*rules);
	*rules = made;
	return made ? 0 : -ENOMEM;
}
