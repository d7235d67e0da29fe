// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* cmd_attach.c - ccdm-setup attach NAME: open a mapping as /etc/ccdmtab describes it */
#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/file.h"
#include "disk/find.h"
#include "disk/module.h"
#include "disk/tab.h"
#include "verb.h"

#define ATTACH_SECONDS 60

struct attach_args {
	const char *tab;
	const char *generate;
	const char *name;
	bool found;
	bool initrd;
};

enum { OPT_TAB = 256, OPT_GENERATE };

static const struct ccdm_option attach_options[] = {
	{ "tab", 0, OPT_TAB, "FILE", "read FILE in place of /etc/ccdmtab", "@file", NULL },
	{ "generate", 0, OPT_GENERATE, "DIR", "write systemd units for it (used by the generator)",
	  "@file", NULL },
	{ 0 },
};

static enum ccdm_exit attach_take(int option, void *arg)
{
	struct attach_args *a = arg;

	switch (option) {
	case OPT_TAB:
		a->tab = optarg;
		break;
	case OPT_GENERATE:
		a->generate = optarg;
		break;
	default:
		return CCDM_EXIT_USAGE;
	}
	return CCDM_EXIT_OK;
}

/* ---- open one mapping ---------------------------------------------------- */

static int attach_run(const char *const argv[], struct ccdm_err *err)
{
	int status, r;
	pid_t pid;

	r = -posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)argv, environ);
	if (r)
		return ccdm_err_set(err, r, "%s: %s", argv[0], strerror(-r));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return ccdm_err_set(err, -errno, "%s: %s", argv[0], strerror(errno));
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	return ccdm_err_set(err, -EIO, "%s failed (status %#x)", argv[0], status);
}

static int attach_content(const struct ccdm_tab_entry *e, struct ccdm_err *err)
{
	char path[PATH_MAX], mkfs[16];
	const char *const make_swap[] = { "mkswap", path, NULL };
	const char *const make_fs[] = { mkfs, "-q", path, NULL };

	snprintf(path, sizeof(path), "/dev/mapper/%s", e->open.name);
	if (e->swap)
		return attach_run(make_swap, err);
	if (!e->mkfs)
		return 0;
	snprintf(mkfs, sizeof(mkfs), "mkfs.%s", e->mkfs);
	return attach_run(make_fs, err);
}

static int attach_open(const struct ccdm_tab_entry *e, struct ccdm_err *err)
{
	struct ccdm_open open = e->open;
	struct ccdm_open_facts facts;
	char path[PATH_MAX];
	int r;

	r = ccdm_find_device(e->open.device, ATTACH_SECONDS, path, sizeof(path), err);
	open.device = path;
	if (!r)
		r = ccdm_open_look(&open, &facts, err);
	if (!r && facts.device.signature[0] && !e->wipe) {
		ccdm_err_hint(err, "to destroy it, add the option yes to its line");
		r = ccdm_err_set(err, -ECANCELED, "%s holds: %s", path, facts.device.signature);
	}
	if (!r)
		r = ccdm_module_need(err);
	if (!r)
		r = ccdm_open_map(&open, &facts, err);
	if (r)
		return r;
	r = attach_content(e, err);
	if (r)
		ccdm_dm_undo(e->open.name, err);
	return r;
}

static int attach_one(const struct ccdm_tab_entry *e, void *arg, struct ccdm_err *err)
{
	struct attach_args *a = arg;

	if (strcmp(e->open.name, a->name))
		return 0;
	a->found = true;
	return attach_open(e, err);
}

/* ---- units for all mappings ---------------------------------------------- */

/* Escape a name as systemd-escape does. Of the characters that ccdmtab allows, only "-" differs. */
static void attach_escape(const char *name, char *to, size_t size)
{
	size_t at = 0;

	/* coverage: the parser of ccdmtab refuses longer names */
	for (; *name && at + 5 < size; name++)
		at += snprintf(to + at, size - at, *name == '-' ? "\\x2d" : "%c", *name);
	to[at] = '\0';
}

static int attach_link(const struct attach_args *a, const char *target, bool required,
		       const char *unit, const char *from, struct ccdm_err *err)
{
	char path[PATH_MAX], to[2 * PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/%s.%s", a->generate, target,
		 required ? "requires" : "wants");
	mkdir(path, 0755);
	snprintf(to, sizeof(to), "%s/%s", path, unit);
	if (!symlink(from, to) || errno == EEXIST)
		return 0;
	r = -errno;
	return ccdm_err_set(err, r, "%s: %s", to, strerror(-r));
}

static int attach_swap(const struct attach_args *a, const struct ccdm_tab_entry *e,
		       const char *device, struct ccdm_err *err)
{
	char path[PATH_MAX], unit[2 * NAME_MAX], from[PATH_MAX], text[1024];
	int r;

	snprintf(unit, sizeof(unit), "dev-mapper-%s.swap", device);
	snprintf(path, sizeof(path), "%s/%s", a->generate, unit);
	snprintf(text, sizeof(text),
		 "# made from /etc/ccdmtab\n[Unit]\nDocumentation=man:ccdmtab(5)\n"
		 "Requires=ccdm-attach@%s.service\nAfter=ccdm-attach@%s.service\n\n"
		 "[Swap]\nWhat=/dev/mapper/%s\n",
		 e->open.name, e->open.name, e->open.name);
	r = ccdm_file_write(path, text, strlen(text), 0644, err);
	/* coverage: /run is full */
	if (r || e->noauto)
		return r;
	snprintf(from, sizeof(from), "../%s", unit);
	return attach_link(a, "swap.target", !e->nofail, unit, from, err);
}

/*
 * Order the unit before blockdev@.target. Each mount waits for that target, so the device is
 * unmounted before the mapping is closed.
 */
static int attach_order(const struct attach_args *a, const char *unit, const char *device,
			struct ccdm_err *err)
{
	char path[PATH_MAX], text[1024];

	snprintf(path, sizeof(path), "%s/%s.d", a->generate, unit);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/%s.d/order.conf", a->generate, unit);
	snprintf(text, sizeof(text),
		 "# made from /etc/ccdmtab\n[Unit]\nBefore=blockdev@dev-mapper-%s.target\n"
		 "Wants=blockdev@dev-mapper-%s.target\n",
		 device, device);
	return ccdm_file_write(path, text, strlen(text), 0644, err);
}

static int attach_generate(const struct ccdm_tab_entry *e, void *arg, struct ccdm_err *err)
{
	const struct attach_args *a = arg;
	char device[NAME_MAX], unit[2 * NAME_MAX], target[2 * NAME_MAX];
	static const char from[] = "/usr/lib/systemd/system/ccdm-attach@.service";
	int r;

	if (a->initrd && !e->initrd)
		return 0;
	attach_escape(e->open.name, device, sizeof(device));
	snprintf(unit, sizeof(unit), "ccdm-attach@%s.service", e->open.name);
	/* a unit that needs the device starts the unit that opens it */
	snprintf(target, sizeof(target), "dev-mapper-%s.device", device);
	r = attach_link(a, target, !e->nofail, unit, from, err);
	if (!r)
		r = attach_order(a, unit, device, err);
	if (!r && e->swap)
		r = attach_swap(a, e, device, err);
	if (r || e->noauto || e->swap)
		return r;
	return attach_link(a, a->initrd ? "initrd.target" : "local-fs.target", !e->nofail, unit,
			   from, err);
}

static enum ccdm_exit cmd_attach(const struct ccdm_verb *verb, int argc, char **argv)
{
	struct attach_args a = { .tab = CCDM_TAB_FILE };
	struct ccdm_err err = { 0 };
	char *text = NULL;
	enum ccdm_exit e;
	size_t size;
	bool over;
	int r;

	e = ccdm_setup_options(verb, argc, argv, attach_take, &a, &over);
	if (over)
		return e;
	a.name = argv[optind];
	if (!a.name == !a.generate)
		return ccdm_setup_usage(verb, "expected one NAME, or --generate");
	/* a missing ccdmtab is not an error */
	if (a.generate && access(a.tab, F_OK))
		return CCDM_EXIT_OK;
	a.initrd = !access("/etc/initrd-release", F_OK);
	r = a.name ? ccdm_setup_dm(&err) : 0;
	if (!r)
		r = ccdm_file_read(a.tab, CCDM_TAB_MAX, &text, &size, &err);
	if (!r)
		r = ccdm_tab_parse(a.tab, text, size, a.name ? attach_one : attach_generate, &a,
				   &err);
	if (!r && a.name && !a.found)
		r = ccdm_err_set(&err, -ENOENT, "%s: no line for %s", a.tab, a.name);
	free(text);
	return r ? ccdm_ui_fail(CCDM_PROGRAM, &err, r) : CCDM_EXIT_OK;
}

const struct ccdm_setup_verb ccdm_verb_attach = {
	.verb = { .name = "attach",
		  .usage = "NAME",
		  .summary = "open the mapping NAME of /etc/ccdmtab",
		  .options = attach_options,
		  .offer = "@tab|",
		  .min_args = 0,
		  .max_args = 1 },
	.run = cmd_attach,
};
