// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* machine.c - the command lines of QEMU and swtpm for machine.h */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "machine_loop.h"

#define MACHINE_WORDS 96

/* ---- what is there ---------------------------------------------------------------------- */

/* Format of the disk, by its content. QEMU must not guess it: the disk would choose. */
static int machine_format(struct ccdm_machine *m, struct ccdm_err *err)
{
	uint8_t begin[8] = { 0 }, end[8] = { 0 };
	int fd = open(m->disk, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	off_t size;

	if (fd < 0 || fstat(fd, &st)) {
		int r = ccdm_err_set(err, -errno, "%s: %s", m->disk, strerror(errno));

		if (fd >= 0)
			close(fd);
		return r;
	}
	size = lseek(fd, 0, SEEK_END);
	if (pread(fd, begin, sizeof(begin), 0) < 0 ||
	    (size >= 512 && pread(fd, end, sizeof(end), size - 512) < 0))
		memset(begin, 0, sizeof(begin));
	close(fd);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return ccdm_err_set(err, -EINVAL, "%s: expected a file or a block device", m->disk);
	m->format = "raw";
	if (!memcmp(begin, "KDMV", 4))
		m->format = "vmdk";
	else if (!memcmp(end, "conectix", 8))
		m->format = "vpc";
	if (!memcmp(begin, "\x1f\x8b", 2)) {
		ccdm_err_hint(err, "unpack it first: tar -xzf %s", m->disk);
		return ccdm_err_set(err, -EINVAL, "%s: expected a disk, found gzip data", m->disk);
	}
	if (!memcmp(begin, "MZ", 2)) {
		ccdm_err_hint(err, "give the disk that was built with it");
		return ccdm_err_set(err, -EINVAL, "%s: expected a disk, found a UKI alone",
				    m->disk);
	}
	return 0;
}

/* Start a VM with KVM that quits at once: /dev/kvm may be there, and still not work. */
static int machine_probe(struct ccdm_machine *m, struct ccdm_err *err)
{
	static const char quit[] = "{\"execute\":\"qmp_capabilities\"}\n{\"execute\":\"quit\"}\n";
	const char *const argv[] = { m->qemu.path, "-nodefaults", "-no-user-config",
				     "-display",   "none",	  "-machine",
				     "q35",	   "-accel",	  "kvm",
				     "-cpu",	   "max",	  "-m",
				     "64",	   "-S",	  "-qmp",
				     "stdio",	   NULL };
	struct ccdm_err why = { 0 };
	char *answers = NULL;
	int r, in[2];

	m->kvm = false;
	r = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (r < 0) {
		snprintf(m->no_kvm, sizeof(m->no_kvm), "/dev/kvm: %s", strerror(errno));
		return 0;
	}
	close(r);
	if (pipe2(in, O_CLOEXEC))
		return ccdm_err_set(err, -errno, "pipe: %s", strerror(errno));
	r = write(in[1], quit, sizeof(quit) - 1) == sizeof(quit) - 1 ? 0 : -EIO;
	close(in[1]);
	if (!r)
		r = ccdm_program_run(argv, NULL, in[0], &answers, &why);
	close(in[0]);
	free(answers);
	if (r == -EINTR || r == -ENOMEM)
		return ccdm_err_set(err, r, "%s", why.text);
	m->kvm = !r;
	snprintf(m->no_kvm, sizeof(m->no_kvm), "%.*s", (int)sizeof(m->no_kvm) - 1, why.text);
	return 0;
}

int ccdm_machine_prepare(struct ccdm_machine *m, const char *firmware, struct ccdm_err *err)
{
	int r = machine_format(m, err);

	if (!r)
		r = ccdm_program_find("qemu-system-x86_64", &m->qemu, err);
	if (!r)
		r = ccdm_program_find("swtpm", &m->swtpm, err);
	if (!r)
		r = ccdm_firmware_find(firmware, &m->firmware, err);
	if (!r)
		r = machine_probe(m, err);
	if (!r && !m->cpus)
		m->cpus = m->kvm ? 2 : 1;
	return r;
}

/* ---- command lines ------------------------------------------------------------------------ */

/**
 * struct machine_words - a command line that grows
 * @word, @count: its words; those of @made are freed
 * @failed: memory is short, or there are too many
 */
struct machine_words {
	const char *word[MACHINE_WORDS + 1];
	char *made[MACHINE_WORDS];
	unsigned int count, nr_made;
	bool failed;
};

static void words_add(struct machine_words *w, const char *word)
{
	if (w->count == MACHINE_WORDS || !word)
		w->failed = true;
	else
		w->word[w->count++] = word;
}

static void words_two(struct machine_words *w, const char *option, const char *value)
{
	words_add(w, option);
	words_add(w, value);
}

static void words_make(struct machine_words *w, const char *option, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void words_make(struct machine_words *w, const char *option, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	words_two(w, option, text);
	if (text && w->nr_made < MACHINE_WORDS)
		w->made[w->nr_made++] = text;
	else
		free(text);
}

static void words_drop(struct machine_words *w)
{
	while (w->nr_made)
		free(w->made[--w->nr_made]);
}

/* A file name in an option of QEMU: a comma is written twice. The caller frees it. */
static char *machine_escape(const char *file)
{
	char *text = malloc(2 * strlen(file) + 1), *to = text;

	for (; text && *file; file++) {
		*to++ = *file;
		if (*file == ',')
			*to++ = ',';
	}
	if (text)
		*to = '\0';
	return text;
}

static void words_firmware(struct machine_words *w, const struct ccdm_machine *m)
{
	char *code = machine_escape(m->firmware.code);

	if (!code) {
		w->failed = true;
	} else if (!m->firmware.vars[0]) {
		words_two(w, "-bios", m->firmware.code);
	} else {
		words_make(w, "-drive", "if=pflash,format=raw,unit=0,readonly=on,file=%s", code);
		words_make(w, "-drive", "if=pflash,format=raw,unit=1,file=%s/vars.fd", m->dir);
	}
	free(code);
}

static void words_network(struct machine_words *w, const struct ccdm_machine *m)
{
	char text[64 * CCDM_MACHINE_FORWARDS] = "";
	size_t n = 0;
	unsigned int i;

	for (i = 0; i < m->forwards; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, ",hostfwd=tcp:127.0.0.1:%u-:%u",
				      m->forward[i].host, m->forward[i].guest);
	words_make(w, "-netdev", "user,id=net0%s", text);
	words_two(w, "-device", "virtio-net-pci,netdev=net0,romfile=");
}

static void words_qemu(struct machine_words *w, const struct ccdm_machine *m,
		       const struct machine_io *io)
{
	char *disk = machine_escape(m->disk);

	words_add(w, m->qemu.path);
	words_two(w, "-nodefaults", "-no-user-config");
	words_two(w, "-display", "none");
	/* (a fault of QEMU must not give the guest access to this machine) */
	words_two(w, "-sandbox",
		  "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
	words_two(w, "-machine", strstr(m->firmware.code, "secboot") ? "q35,smm=on" : "q35");
	/* (under TCG with several threads OVMF sometimes stalls) */
	words_two(w, "-accel", m->kvm ? "kvm" : "tcg,thread=single");
	words_two(w, "-cpu", m->kvm ? "max" : "max,la57=off");
	words_make(w, "-smp", "%u", m->cpus);
	words_make(w, "-m", "%" PRIu64, m->memory);
	words_firmware(w, m);
	words_two(w, "-chardev", "stdio,id=serial,signal=off");
	words_two(w, "-serial", "chardev:serial");
	/* (it waits for the monitor's first words: no event is lost) */
	words_add(w, "-S");
	words_make(w, "-chardev", "socket,id=qmp,fd=%d", io->qmp[1]);
	words_two(w, "-mon", "chardev=qmp,mode=control");
	words_make(w, "-chardev", "socket,id=tpm,fd=%d", io->tpm[1]);
	words_two(w, "-tpmdev", "emulator,id=tpm0,chardev=tpm");
	words_two(w, "-device", "tpm-crb,tpmdev=tpm0");
	words_two(w, "-device", "virtio-rng-pci");
	words_two(w, "-device", "pvpanic");
	if (disk)
		words_make(w, "-drive",
			   "if=none,id=disk,format=%s,snapshot=%s,discard=unmap,file=%s", m->format,
			   m->keep ? "off" : "on", disk);
	else
		w->failed = true;
	words_two(w, "-device", "virtio-blk-pci,drive=disk,bootindex=0");
	words_network(w, m);
	free(disk);
}

static void words_swtpm(struct machine_words *w, const struct ccdm_machine *m,
			const struct machine_io *io)
{
	words_add(w, m->swtpm.path);
	words_two(w, "socket", "--tpm2");
	words_make(w, "--tpmstate", "dir=%s/tpm", m->dir);
	words_make(w, "--ctrl", "type=unixio,clientfd=%d", io->tpm[0]);
	words_add(w, "--terminate");
}

/* ---- the programs --------------------------------------------------------------------------- */

static int machine_files(const struct ccdm_machine *m, struct ccdm_err *err)
{
	char path[PATH_MAX], *vars;
	size_t size;
	int r;

	snprintf(path, sizeof(path), "%s/tpm", m->dir);
	if (mkdir(path, 0700) && errno != EEXIST)
		return ccdm_err_set(err, -errno, "%s: %s", path, strerror(errno));
	if (!m->firmware.vars[0])
		return 0;
	r = ccdm_file_read(m->firmware.vars, 64 << 20, &vars, &size, err);
	if (r)
		return r;
	snprintf(path, sizeof(path), "%s/vars.fd", m->dir);
	r = ccdm_file_write(path, vars, size, 0600, err);
	free(vars);
	return r;
}

static int machine_start(const struct ccdm_machine *m, struct machine_io *io, struct ccdm_err *err)
{
	struct machine_words qemu = { 0 }, swtpm = { 0 };
	const struct ccdm_child_fds for_swtpm = { -1, -1, io->messages[1], 1, { io->tpm[0] } };
	const struct ccdm_child_fds for_qemu = {
		io->input[0], io->output[1], io->messages[1], 2, { io->tpm[1], io->qmp[1] }
	};
	int r = 0;

	words_swtpm(&swtpm, m, io);
	words_qemu(&qemu, m, io);
	if (qemu.failed || swtpm.failed)
		r = ccdm_err_memory(err);
	if (!r)
		r = ccdm_child_start(&io->swtpm, swtpm.word, m->dir, &for_swtpm, err);
	if (!r)
		r = ccdm_child_start(&io->qemu, qemu.word, m->dir, &for_qemu, err);
	words_drop(&qemu);
	words_drop(&swtpm);
	return r;
}

static void machine_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

int ccdm_machine_run(struct ccdm_machine *m, struct ccdm_err *err)
{
	struct machine_io io = MACHINE_IO_NONE;
	int *const others[] = { &io.tpm[0],   &io.tpm[1],    &io.qmp[1],
				&io.input[0], &io.output[1], &io.messages[1] };
	int *const ours[] = { &io.qmp[0], &io.input[1], &io.output[0], &io.messages[0] };
	size_t i;
	int r = machine_files(m, err);

	if (r)
		return r;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, io.tpm) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, io.qmp) ||
	    pipe2(io.input, O_CLOEXEC) || pipe2(io.output, O_CLOEXEC) ||
	    pipe2(io.messages, O_CLOEXEC))
		r = ccdm_err_set(err, -errno, "socket: %s", strerror(errno));
	if (!r)
		r = machine_start(m, &io, err);
	for (i = 0; i < ARRAY_SIZE(others); i++)
		machine_close(others[i]);
	if (!r)
		r = ccdm_machine_loop(m, &io, err);
	ccdm_child_end(&io.qemu);
	ccdm_child_end(&io.swtpm);
	for (i = 0; i < ARRAY_SIZE(ours); i++)
		machine_close(ours[i]);
	return r;
}
