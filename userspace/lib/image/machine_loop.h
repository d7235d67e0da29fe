/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* machine_loop.h - the event loop of a running VM, for machine.c */
#ifndef CCDM_MACHINE_LOOP_H
#define CCDM_MACHINE_LOOP_H

#include "base/file.h"
#include "machine.h"

#define MACHINE_QMP  65536 /* bytes of a message of QEMU's monitor */
#define MACHINE_SAID 512   /* bytes of the programs' messages that are kept */

/**
 * struct machine_io - a VM's programs, and the descriptors that connect them
 * @qemu, @swtpm: the programs
 * @tpm: sockets between swtpm and QEMU
 * @qmp: sockets of the monitor; this program uses the first
 * @input, @output: pipes of the console; the first is the end for reading
 * @messages: pipe of both programs' messages
 * @text, @text_size: what the monitor said, up to the next newline
 * @said, @said_size: the last messages
 * @off, @panicked: what the monitor said of the guest
 */
struct machine_io {
	struct ccdm_child qemu, swtpm;
	int tpm[2], qmp[2], input[2], output[2], messages[2];
	char text[MACHINE_QMP];
	size_t text_size;
	char said[MACHINE_SAID + 1];
	size_t said_size;
	bool off, panicked;
};

#define MACHINE_IO_NONE                                                                    \
	{                                                                                  \
		.qemu.pidfd = -1, .swtpm.pidfd = -1, .tpm = { -1, -1 }, .qmp = { -1, -1 }, \
		.input = { -1, -1 }, .output = { -1, -1 }, .messages = {                   \
			-1,                                                                \
			-1                                                                 \
		}                                                                          \
	}

/* Run until QEMU has ended. Return: as ccdm_machine_run() */
int __must_check ccdm_machine_loop(struct ccdm_machine *m, struct machine_io *io,
				   struct ccdm_err *err);

#endif
