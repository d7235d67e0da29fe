// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* inside.c - a static program that says, as lines KEY VALUE, what a container lets it see and do */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Each line of a file that begins with a word. */
static void lines(const char *path, const char *word)
{
	char line[4096];
	FILE *f = fopen(path, "r");

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, word, strlen(word)))
			fputs(line, stdout);
	if (f)
		fclose(f);
}

static void result(const char *key, long r)
{
	printf("%s %s\n", key, r < 0 ? strerror(errno) : "done");
}

static void folder(const char *path)
{
	struct dirent *e;
	DIR *dir = opendir(path);

	while (dir && (e = readdir(dir)))
		printf("in:%s %s\n", path, e->d_name);
	if (dir)
		closedir(dir);
}

static void file(const char *path)
{
	char text[256];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n < 0)
		printf("file:%s %s\n", path, strerror(errno));
	else
		printf("file:%s %zd %.*s\n", path, n, (int)strcspn((text[n] = 0, text), "\n"),
		       text);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	static const char *const masked[] = { "/proc/kcore", "/proc/keys", "/proc/timer_list" };
	char cwd[4096] = "";
	gid_t groups[64];
	struct stat st;
	int i, n;

	for (i = 0; i < argc; i++)
		printf("arg%d %s\n", i, argv[i]);
	printf("pid %d\nuid %d\ngid %d\n", getpid(), getuid(), getgid());
	n = getgroups(64, groups);
	for (i = 0; i < n; i++)
		printf("group %d\n", groups[i]);
	printf("cwd %s\n", getcwd(cwd, sizeof(cwd)) ? cwd : "");
	printf("env:A %s\nenv:HOME %s\n", getenv("A") ? getenv("A") : "",
	       getenv("HOME") ? getenv("HOME") : "");
	lines("/proc/self/status", "Cap");
	lines("/proc/self/status", "NoNewPrivs");
	lines("/proc/self/status", "Seccomp:");
	folder("/dev");
	folder("/sys/firmware");
	folder("/sys/kernel/security");
	for (i = 0; i < 3; i++)
		file(masked[i]);
	file("/run/secrets/key");
	file("/etc/hosts");
	result("write:root", open("/new", O_CREAT | O_WRONLY, 0600));
	result("write:volume", open("/data/new", O_CREAT | O_WRONLY, 0600));
	result("write:tmpfs", open("/tmp/new", O_CREAT | O_WRONLY, 0600));
	result("write:secret", open("/run/secrets/key", O_WRONLY));
	result("write:sysctl", open("/proc/sys/kernel/hostname", O_WRONLY));
	result("write:sysrq", open("/proc/sysrq-trigger", O_WRONLY));
	result("umount", umount("/proc"));
	result("mount", mount("tmpfs", "/tmp", "tmpfs", 0, NULL));
	result("mknod", mknod("/tmp/mem", S_IFCHR | 0600, 1 << 8 | 1));
	result("open:mem", open("/tmp/mem", O_RDONLY));
	result("module", syscall(SYS_init_module, "", 0, ""));
	result("keyctl", syscall(SYS_add_key, "user", "x", "y", 1, -3));
	printf("seeded %d\n", stat("/data/seed", &st));
	printf("end 1\n");
	return 3;
}
