/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * chip.h - a TPM (swtpm) for ccdm_tpm_open() whose answers a test can change; start it with
 * chip_begin()
 */
#ifndef CCDM_TEST_CHIP_H
#define CCDM_TEST_CHIP_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "chip_tcti.h"
#include "seed.h"

#define CHIP_ASKED_MAX 2000 /* more commands than any test sends */

/**
 * struct chip - the TPM, and changes of its answers
 * @of: the command whose answer @lie changes or that @refuse refuses; 0: none
 * @skip: number of answers to @of that pass unchanged first
 * @refuse: response code in place of the TPM's answer
 * @break_off: writing the command fails
 * @lie: changes an answer
 * @asked: number of commands
 * @said, @said_size: a letter, then each answer after its length of 16 bits
 */
static struct chip {
	pid_t pid;
	int fd;
	char dir[32];
	uint32_t of;
	unsigned int skip;
	uint32_t refuse;
	bool break_off;
	void (*lie)(uint8_t *answer, size_t *size);
	unsigned int asked;
	uint8_t said[1 << 15];
	size_t said_size;
} chip;

static inline uint32_t chip_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static inline void chip_put_u32(uint8_t *p, uint32_t v)
{
	p[0] = v >> 24;
	p[1] = v >> 16;
	p[2] = v >> 8;
	p[3] = v;
}

static void chip_get(uint8_t *p, size_t n)
{
	ssize_t got;

	for (; n; p += got, n -= got) {
		got = read(chip.fd, p, n);
		if (got <= 0)
			abort();
	}
}

static void chip_record(void)
{
	if (chip.said_size + 2 + chip_size > sizeof(chip.said))
		return;
	chip.said[chip.said_size++] = chip_size & 0xff;
	chip.said[chip.said_size++] = chip_size >> 8;
	memcpy(chip.said + chip.said_size, chip_answer, chip_size);
	chip.said_size += chip_size;
}

static TSS2_RC chip_ask(const uint8_t *command, size_t size)
{
	bool now = chip_u32(command + 6) == chip.of;

	if (++chip.asked > CHIP_ASKED_MAX)
		fail_msg("a TPM is asked for ever");
	if (now && chip.skip) {
		chip.skip--;
		now = false;
	}
	if (now && chip.break_off)
		return TSS2_TCTI_RC_IO_ERROR;
	if (now && chip.refuse) {
		static const uint8_t none[CHIP_HEADER] = { 0x80, 0x01, 0, 0, 0, CHIP_HEADER };

		memcpy(chip_answer, none, sizeof(none));
		chip_put_u32(chip_answer + 6, chip.refuse);
		chip_size = CHIP_HEADER;
	} else {
		if (write(chip.fd, command, size) != (ssize_t)size)
			abort();
		chip_get(chip_answer, CHIP_HEADER);
		chip_size = chip_u32(chip_answer + 2);
		chip_get(chip_answer + CHIP_HEADER, chip_size - CHIP_HEADER);
		if (now && chip.lie) {
			chip.lie(chip_answer, &chip_size);
			chip_put_u32(chip_answer + 2, chip_size);
		}
	}
	chip_record();
	return TSS2_RC_SUCCESS;
}

/* Write all answers since the last call as a seed of tests/fuzz/chip.c. */
static inline void chip_seed(char question)
{
	chip.said[0] = question;
	seed("chip", chip.said, chip.said_size);
	chip.said_size = 1;
}

static void chip_begin(void)
{
	char state[48], fd[16];
	int pair[2];

	chip = (struct chip){ .dir = "/tmp/ccdm-chip-XXXXXX", .said_size = 1 };
	if (!mkdtemp(chip.dir) || socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		abort();
	snprintf(state, sizeof(state), "dir=%s", chip.dir);
	snprintf(fd, sizeof(fd), "%d", pair[1]);
	chip.fd = pair[0];
	chip.pid = fork();
	if (!chip.pid) {
		close(pair[0]);
		execlp("swtpm", "swtpm", "socket", "--tpm2", "--tpmstate", state, "--fd", fd,
		       "--flags", "not-need-init,startup-clear", "--log", "file=-", (char *)NULL);
		perror("swtpm");
		_exit(127);
	}
	close(pair[1]);
}

static void chip_end(void)
{
	char command[64];

	close(chip.fd);
	kill(chip.pid, SIGTERM);
	waitpid(chip.pid, NULL, 0);
	snprintf(command, sizeof(command), "rm -r %s", chip.dir);
	if (system(command))
		abort();
}

/* Pass all answers unchanged again. */
static inline void chip_honest(void)
{
	chip.of = 0;
	chip.skip = 0;
	chip.refuse = 0;
	chip.break_off = false;
	chip.lie = NULL;
}

#endif
