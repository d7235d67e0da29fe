/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* tpm_socket.h - ccdm_tpm_open() of a TPM at the socket of "swtpm socket --server type=unixio" */
#ifndef CCDM_TEST_TPM_SOCKET_H
#define CCDM_TEST_TPM_SOCKET_H

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "chip_tcti.h"

static int tpm_fd = -1;

static int socket_open(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	if (fd < 0 || !connect(fd, (struct sockaddr *)&at, sizeof(at)))
		return fd;
	close(fd);
	return -1;
}

static bool socket_read(int fd, void *to, size_t size)
{
	uint8_t *p = to;
	ssize_t n;

	for (; size; p += n, size -= n) {
		n = read(fd, p, size);
		if (n <= 0)
			return false;
	}
	return true;
}

static TSS2_RC chip_ask(const uint8_t *command, size_t size)
{
	const uint8_t *head = chip_answer;

	if (write(tpm_fd, command, size) != (ssize_t)size ||
	    !socket_read(tpm_fd, chip_answer, CHIP_HEADER))
		return TSS2_TCTI_RC_IO_ERROR;
	chip_size = (size_t)head[2] << 24 | head[3] << 16 | head[4] << 8 | head[5];
	if (chip_size < CHIP_HEADER || chip_size > sizeof(chip_answer) ||
	    !socket_read(tpm_fd, chip_answer + CHIP_HEADER, chip_size - CHIP_HEADER))
		return TSS2_TCTI_RC_IO_ERROR;
	return TSS2_RC_SUCCESS;
}

#endif
