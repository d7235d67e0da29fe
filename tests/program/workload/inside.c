// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * inside.c - a static program that says, as lines KEY VALUE, what a container lets it see and do
 *
 *	inside [calls]
 *
 * calls: only what the filter of system calls lets through
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
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

/* ---- calls that a seccomp filter lets through or not ------------------------------------ */

/* socket() as a program of 32 bits calls it; its arguments are in memory */
static long socketcall(int family)
{
	uint32_t *args = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	int r = 102; /* its number */

	args[0] = (uint32_t)family;
	args[1] = SOCK_STREAM;
	args[2] = 0;
	__asm__ volatile("int $0x80"
			 : "+a"(r)
			 : "b"(1), "c"(args)
			 : "memory", "r8", "r9", "r10", "r11");
	errno = r < 0 ? -r : 0;
	return r < 0 ? -1 : r;
}

static long clone_with(unsigned long flags)
{
	long pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);

	if (!pid)
		_exit(0);
	if (pid > 0)
		waitpid((pid_t)pid, NULL, 0);
	return pid;
}

static long clone3(uint64_t flags)
{
	uint64_t args[8] = { flags, 0, 0, 0, SIGCHLD };
	long pid = syscall(SYS_clone3, args, sizeof(args));

	if (!pid)
		_exit(0);
	if (pid > 0)
		waitpid((pid_t)pid, NULL, 0);
	return pid;
}

/* A call of a child, because it may change or end the process. */
static void apart(const char *key, long (*call)(unsigned long a), unsigned long a)
{
	pid_t pid;
	int how;

	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(call(a) < 0 ? errno : 0);
	waitpid(pid, &how, 0);
	if (WIFSIGNALED(how))
		printf("%s signal %d\n", key, WTERMSIG(how));
	else
		printf("%s %s\n", key, WEXITSTATUS(how) ? strerror(WEXITSTATUS(how)) : "done");
}

static long do_unshare(unsigned long flags)
{
	return syscall(SYS_unshare, flags);
}

static long do_setns(unsigned long flags)
{
	return syscall(SYS_setns, open("/proc/self/ns/user", O_RDONLY), flags);
}

static long do_socket(unsigned long family)
{
	return syscall(SYS_socket, family, SOCK_STREAM, 0);
}

static long do_socketcall(unsigned long family)
{
	return socketcall((int)family);
}

static long do_call(unsigned long number)
{
	return syscall((long)number, -1, 0, 0, 0, 0);
}

static void *thread(void *unused)
{
	(void)unused;
	return thread;
}

static void calls(void)
{
	static const struct {
		const char *name;
		long number;
	} all[] = { { "keyctl", SYS_keyctl },
		    { "bpf", SYS_bpf },
		    { "fsopen", SYS_fsopen },
		    { "open_tree", SYS_open_tree },
		    { "move_mount", SYS_move_mount },
		    { "mount_setattr", 442 },
		    { "pivot_root", SYS_pivot_root },
		    { "syslog", SYS_syslog },
		    { "perf_event_open", SYS_perf_event_open },
		    { "userfaultfd", SYS_userfaultfd },
		    { "io_uring_setup", SYS_io_uring_setup },
		    { "reboot", SYS_reboot },
		    { "pidfd_getfd", SYS_pidfd_getfd } };
	pthread_t other;
	void *end = NULL;
	size_t i;
	char key[64];

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		snprintf(key, sizeof(key), "call:%s", all[i].name);
		apart(key, do_call, all[i].number);
	}
	apart("unshare:user", do_unshare, CLONE_NEWUSER);
	apart("unshare:all", do_unshare, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET);
	apart("setns", do_setns, 0);
	result("clone:user", clone_with(CLONE_NEWUSER));
	result("clone:net", clone_with(CLONE_NEWUSER | CLONE_NEWNET));
	result("clone:fork", clone_with(0));
	result("clone3:user", clone3(CLONE_NEWUSER));
	result("clone3:fork", clone3(0));
	apart("socket:vsock", do_socket, 40);
	/* the kernel takes 32 of the 64 bits */
	apart("socket:vsock+high", do_socket, 40 | 1UL << 32);
	apart("socket:alg", do_socket, 38);
	apart("socket:unix", do_socket, AF_UNIX);
	apart("socket:inet", do_socket, AF_INET);
	apart("socket:inet6", do_socket, AF_INET6);
	apart("socketcall:vsock", do_socketcall, 40);
	apart("socketcall:unix", do_socketcall, AF_UNIX);
	printf("thread %s\n", !pthread_create(&other, NULL, thread, NULL) &&
					      !pthread_join(other, &end) && end == (void *)thread
				      ? "done"
				      : "failed");
	printf("netlink %s\n", socket(AF_NETLINK, SOCK_RAW, 0) < 0 ? strerror(errno) : "done");
}

int main(int argc, char **argv)
{
	static const char *const masked[] = { "/proc/kcore", "/proc/keys", "/proc/timer_list" };
	char cwd[4096] = "";
	gid_t groups[64];
	struct stat st;
	int i, n;

	if (argc > 1 && !strcmp(argv[1], "calls")) {
		calls();
		return 0;
	}
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
	folder("/proc/self/fd");
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
	calls();
	result("keyctl", syscall(SYS_add_key, "user", "x", "y", 1, -3));
	printf("seeded %d\n", stat("/data/seed", &st));
	printf("end 1\n");
	return 3;
}
