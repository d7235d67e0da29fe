// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* host.c - see host.h */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/compiler.h"
#include "crypto/digest.h"
#include "base/file.h"
#include "system.h"

#define CCDM_SYSTEM_FILE_MAX (1 << 20)
#define CCDM_SYSTEM_FIELDS   4
#define CCDM_SYSTEM_RULES    "99-zz-ccdm.rules"
#define CCDM_SYSTEM_SPACE    " \t\r"
#define CCDM_SYSTEM_OURS     "/dev/mapper/ccdm-"

/* ---- devices that the running system would mount ------------------------- */

/* Is it a device of ccdm, or no device at all? The host can imitate any other name. */
static bool ccdm_system_source(const char *what)
{
	/* UUID=, LABEL=, PARTUUID=, PARTLABEL=, ID=: any disk can carry them */
	if (what[strspn(what, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] == '=')
		return false;
	/* another spelling of a path */
	if (strchr(what, '\\') || strstr(what, "/../") || strstr(what, "/./") || strstr(what, "//"))
		return false;
	return strncmp(what, "/dev/", 5) ||
	       !strncmp(what, CCDM_SYSTEM_OURS, strlen(CCDM_SYSTEM_OURS));
}

static bool ccdm_system_option(const char *options, const char *want)
{
	size_t n;

	for (; options && *options; options += n + (options[n] == ','))
		if ((n = strcspn(options, ",")) == strlen(want) && !strncmp(options, want, n))
			return true;
	return false;
}

static bool ccdm_system_esp(char *const *fields)
{
	return fields[2] && !strcmp(fields[2], "vfat") &&
	       ccdm_system_option(fields[3], "x-ccdm.esp") &&
	       (!strcmp(fields[1], "/efi") || !strcmp(fields[1], "/boot") ||
		!strcmp(fields[1], "/boot/efi"));
}

static int ccdm_system_refuse(const char *file, unsigned int line, const char *what,
			      struct ccdm_err *err)
{
	ccdm_err_hint(err,
		      "the host controls the names of its disks; see \"Mounts\" in dracut.ccdm(7)");
	return ccdm_err_set(err, -ECANCELED,
			    "%s:%u: expected a device " CCDM_SYSTEM_OURS "* or none, found '%s'",
			    file, line, what);
}

/* A table of lines with fields; field @which of each line must name an allowed source. */
struct ccdm_system_table {
	const char *file;
	int which;
	bool esp;
};

static int ccdm_system_line(char *line, unsigned int number, void *arg, struct ccdm_err *err)
{
	const struct ccdm_system_table *table = arg;
	char *fields[CCDM_SYSTEM_FIELDS] = { 0 }, *save;
	int i;

	for (i = 0; i < CCDM_SYSTEM_FIELDS; i++) {
		fields[i] = strtok_r(i ? NULL : line, " \t", &save);
		if (!fields[i])
			break;
	}
	if (!fields[0] || fields[0][0] == '#' || !fields[table->which])
		return 0;
	if (ccdm_system_source(fields[table->which]) || (table->esp && ccdm_system_esp(fields)))
		return 0;
	return ccdm_system_refuse(table->file, number, fields[table->which], err);
}

int ccdm_system_fstab(const char *file, const char *text, struct ccdm_err *err)
{
	struct ccdm_system_table table = { file, 0, true };

	return ccdm_file_lines(file, text, strlen(text), CCDM_SYSTEM_FILE_MAX, ccdm_system_line,
			       &table, err);
}

int ccdm_system_crypttab(const char *file, const char *text, struct ccdm_err *err)
{
	struct ccdm_system_table table = { file, 1, false };

	return ccdm_file_lines(file, text, strlen(text), CCDM_SYSTEM_FILE_MAX, ccdm_system_line,
			       &table, err);
}

/* Follows systemd.syntax(7): spaces around a name, "=" and a value are ignored. */
int ccdm_system_unit(const char *file, const char *text, struct ccdm_err *err)
{
	const char *line, *at, *stop;
	unsigned int number = 1;
	char what[PATH_MAX];
	size_t n;

	for (line = text; *line; line += n + (line[n] == '\n'), number++) {
		n = strcspn(line, "\n");
		at = line + strspn(line, CCDM_SYSTEM_SPACE);
		if (strncmp(at, "What", 4))
			continue;
		at += 4;
		at += strspn(at, CCDM_SYSTEM_SPACE);
		/*
		 * A backslash before "=" continues the line; then the value has a backslash, which
		 * no allowed device has.
		 */
		if (*at != '=' && *at != '\\')
			continue;
		at += *at == '=';
		at += strspn(at, CCDM_SYSTEM_SPACE);
		for (stop = line + n; stop > at && strchr(CCDM_SYSTEM_SPACE, stop[-1]); stop--)
			;
		snprintf(what, sizeof(what), "%.*s", (int)(stop - at), at);
		if (!ccdm_system_source(what))
			return ccdm_system_refuse(file, number, what, err);
	}
	return 0;
}

/* Run @check on root/path; a missing file is accepted. */
static int ccdm_system_file(const char *root, const char *path,
			    int (*check)(const char *file, const char *text, struct ccdm_err *err),
			    struct ccdm_err *err)
{
	char file[PATH_MAX], *text;
	size_t size;
	int r;

	snprintf(file, sizeof(file), "%s%s", root, path);
	if (access(file, F_OK))
		return 0;
	r = ccdm_file_read(file, CCDM_SYSTEM_FILE_MAX, &text, &size, err);
	if (r)
		return r;
	r = check(path, text, err);
	free(text);
	return r;
}

static bool ccdm_system_ends(const char *name, const char *with)
{
	size_t n = strlen(name), m = strlen(with);

	return n >= m && !strcmp(name + n - m, with);
}

/* Check the mount and swap units in @folder. @besides: @folder holds the drop-ins of a unit. */
static int ccdm_system_units(const char *root, const char *folder, bool besides,
			     struct ccdm_err *err)
{
	char path[PATH_MAX];
	struct dirent *entry;
	const char *name;
	DIR *dir;
	int r = 0;

	snprintf(path, sizeof(path), "%s%s", root, folder);
	dir = opendir(path);
	while (!r && dir && (entry = readdir(dir))) {
		name = entry->d_name;
		snprintf(path, sizeof(path), "%s/%s", folder, name);
		if (besides ? ccdm_system_ends(name, ".conf")
			    : ccdm_system_ends(name, ".mount") || ccdm_system_ends(name, ".swap"))
			r = ccdm_system_file(root, path, ccdm_system_unit, err);
		/* NAME.mount.d; NAME-.mount.d for all names that begin so; mount.d for all units */
		else if (!besides &&
			 (ccdm_system_ends(name, "mount.d") || ccdm_system_ends(name, "swap.d")))
			r = ccdm_system_units(root, path, true, err);
	}
	if (dir)
		closedir(dir);
	return r;
}

int ccdm_system_mounts(const char *root, struct ccdm_err *err)
{
	static const char *const folders[] = {
		"/etc/systemd/system.control", "/etc/systemd/system.attached",
		"/etc/systemd/system",	       "/usr/local/lib/systemd/system",
		"/usr/lib/systemd/system",
	};
	size_t i;
	int r = ccdm_system_file(root, "/etc/fstab", ccdm_system_fstab, err);

	if (!r)
		r = ccdm_system_file(root, "/etc/crypttab", ccdm_system_crypttab, err);
	for (i = 0; !r && i < ARRAY_SIZE(folders); i++)
		r = ccdm_system_units(root, folders[i], false, err);
	return r;
}

/* ---- restrictions of the running system ---------------------------------- */

/* Make @run/@folder/@name a link to /dev/null, which hides a file of that name elsewhere. */
static int ccdm_system_link(const char *run, const char *folder, const char *name,
			    struct ccdm_err *err)
{
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/%s", run, folder);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/%s/%s", run, folder, name);
	if (!symlink("/dev/null", path) || errno == EEXIST)
		return 0;
	r = -errno;
	return ccdm_err_set(err, r, "%s: %s", path, strerror(-r));
}

/*
 * udev rules that assemble disks by the disks' own metadata (LVM, md, btrfs, multipath, bcache,
 * ZFS). Files in /run override those in /usr/lib; an administrator's files in /etc override both.
 */
static const char *const ccdm_system_assembly[] = {
	"60-multipath.rules",
	"64-btrfs.rules",
	"64-btrfs-dm.rules",
	"64-btrfs-zoned.rules",
	"64-md-raid-arrays.rules",
	"64-md-raid-assembly.rules",
	"65-md-incremental.rules",
	"65-md-raid-assembly.rules",
	"69-bcache.rules",
	"69-dm-lvm.rules",
	"69-dm-lvm-metad.rules",
	"69-lvm.rules",
	"69-md-clustered-confirm-device.rules",
	"69-vdev.rules",
};

/*
 * The host owns the firmware's variables. So the kernel must not write messages or panic dumps to
 * them, and systemd-pstore must not turn such a variable into a file.
 */
static int ccdm_system_no_pstore(const char *run, struct ccdm_err *err)
{
	static const char text[] = "blacklist efi_pstore\ninstall efi_pstore /bin/false\n";
	char path[PATH_MAX];
	int r = ccdm_system_link(run, "systemd/system.control", "systemd-pstore.service", err);

	if (r)
		return r;
	snprintf(path, sizeof(path), "%s/modprobe.d", run);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/modprobe.d/99-zz-ccdm.conf", run);
	return ccdm_file_write(path, text, strlen(text), 0644, err);
}

/* Keep the initrd's udev rules about the host's devices in force. */
static int ccdm_system_rules(const char *run, struct ccdm_err *err)
{
	char path[PATH_MAX], *text;
	size_t size;
	int r = ccdm_file_read("/etc/udev/rules.d/" CCDM_SYSTEM_RULES, CCDM_SYSTEM_FILE_MAX, &text,
			       &size, err);

	if (r)
		return r;
	snprintf(path, sizeof(path), "%s/udev/rules.d", run);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/udev/rules.d/" CCDM_SYSTEM_RULES, run);
	r = ccdm_file_write(path, text, size, 0644, err);
	free(text);
	return r;
}

/* Replace a unit that would start a shell; system.control takes precedence over /etc. */
static int ccdm_system_no_shell(const struct ccdm_config *config, const char *run, const char *name,
				struct ccdm_err *err)
{
	bool reboots = config->on_failure == CCDM_FAILURE_REBOOT;
	const char *action = reboots ? "reboot-force" : "poweroff-force";
	char path[PATH_MAX], text[1024];

	snprintf(
		text, sizeof(text),
		"[Unit]\nDescription=End a system that asks for a shell\n"
		"Documentation=man:dracut.ccdm(7)\nDefaultDependencies=no\n"
		"SuccessAction=%s\nFailureAction=%s\n\n"
		"[Service]\nType=oneshot\n"
		"ExecStart=/bin/sh -c 'echo \"<2>ccdm: CCDM-E-BOOT-02: the system failed, and there "
		"is no shell (%s); see dracut.ccdm(7)\" >/dev/kmsg; sleep %d'\n",
		action, action, name, reboots ? 60 : 5);
	snprintf(path, sizeof(path), "%s/systemd/system.control/%s", run, name);
	return ccdm_file_write(path, text, strlen(text), 0644, err);
}

/* Units that must not start: logins on the host's consoles, and agents that obey the host. */
static const char *const ccdm_system_masked[] = {
	"getty@.service", "serial-getty@.service", "console-getty.service",
	"container-getty@.service", "debug-shell.service",
	/* commands and files, over a port, a socket or shared memory */
	"qemu-guest-agent.service", "incus-agent.service", "lxd-agent.service",
	"spice-vdagentd.service", "spice-vdagentd.socket", "open-vm-tools.service",
	"vmtoolsd.service", "vgauth.service", "hv-fcopy-daemon.service", "hv-kvp-daemon.service",
	"hypervfcopyd.service", "hypervkvpd.service",
	/* accounts, keys and scripts, from a disk of the host, SMBIOS or a metadata service */
	"cloud-init-main.service", "cloud-init-local.service", "cloud-init-network.service",
	"cloud-init.service", "cloud-config.service", "cloud-final.service",
	"cloud-init-hotplugd.service", "cloud-init-hotplugd.socket", "walinuxagent.service",
	"waagent.service", "google-guest-agent.service", "google-guest-agent-manager.service",
	"google-startup-scripts.service", "google-shutdown-scripts.service",
	"google-osconfig-agent.service", "amazon-ssm-agent.service",
	"snap.amazon-ssm-agent.amazon-ssm-agent.service", "afterburn-sshkeys@.service"
};

static int ccdm_system_lockdown(const struct ccdm_config *config, const char *run,
				struct ccdm_err *err)
{
	static const char *const shells[] = { "emergency.service", "rescue.service" };
	static const char sysctl[] = "kernel.sysrq = 0\n";
	char path[PATH_MAX];
	size_t i;
	int r = 0;

	for (i = 0; !r && i < ARRAY_SIZE(ccdm_system_masked); i++)
		r = ccdm_system_link(run, "systemd/system.control", ccdm_system_masked[i], err);
	for (i = 0; !r && i < ARRAY_SIZE(shells); i++)
		r = ccdm_system_no_shell(config, run, shells[i], err);
	if (r)
		return r;
	snprintf(path, sizeof(path), "%s/sysctl.d", run);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/sysctl.d/99-zz-ccdm.conf", run);
	return ccdm_file_write(path, sysctl, strlen(sysctl), 0644, err);
}

/*
 * systemd would keep options from firmware variables in this folder (see the fence). Link it to
 * /sys/firmware, in which nothing can be created. (A file would not do: systemd fails if the path
 * is not a folder.)
 */
static int ccdm_system_no_options(const char *run, struct ccdm_err *err)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/systemd/efivars", run);
	return symlink("/sys/firmware", path)
		       ? ccdm_err_set(err, -errno, "%s: %s", path, strerror(errno))
		       : 0;
}

int ccdm_system_close(const struct ccdm_config *config, const char *run, struct ccdm_err *err)
{
	/* they act on the command line, partition tables, firmware variables or vsock */
	static const char *const generators[] = { "debug",	  "factory-reset",
						  "gpt-auto",	  "hibernate-resume",
						  "run",	  "ssh",
						  "system-update" };
	char name[64];
	size_t i;
	int r = ccdm_system_rules(run, err);

	if (!r)
		r = ccdm_system_no_options(run, err);
	for (i = 0; !r && i < ARRAY_SIZE(ccdm_system_assembly); i++)
		r = ccdm_system_link(run, "udev/rules.d", ccdm_system_assembly[i], err);
	if (!r)
		r = ccdm_system_no_pstore(run, err);
	for (i = 0; !r && i < ARRAY_SIZE(generators); i++) {
		snprintf(name, sizeof(name), "systemd-%s-generator", generators[i]);
		r = ccdm_system_link(run, "systemd/system-generators", name, err);
	}
	/* systemd 258 and later starts it for a firmware variable, or on request */
	if (!r)
		r = ccdm_system_link(run, "systemd/system.control", "factory-reset-now.target",
				     err);
	return r || !config->lockdown ? r : ccdm_system_lockdown(config, run, err);
}

int ccdm_system_machine_id(const char *root, struct ccdm_err *err)
{
	unsigned char random[16];
	char path[PATH_MAX], hex[2 * sizeof(random) + 2];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return ccdm_err_set(err, -EIO, "cannot read random numbers for the machine-id");
	random[6] = (random[6] & 0x0f) | 0x40; /* a UUID of version 4, as machine-id(5) requires */
	random[8] = (random[8] & 0x3f) | 0x80;
	ccdm_hex(random, sizeof(random), hex);
	hex[2 * sizeof(random)] = '\n';
	hex[2 * sizeof(random) + 1] = '\0';
	snprintf(path, sizeof(path), "%s/etc/machine-id", root);
	return ccdm_file_write(path, hex, strlen(hex), 0444, err);
}
