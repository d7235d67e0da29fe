/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * chip_tcti.h - a TCTI for tests that supply the TPM's answers
 *
 * Link with --wrap=Tss2_Tcti_Device_Init. Then ccdm_tpm_open() of any existing file opens this
 * TCTI.
 */
#ifndef CCDM_TEST_CHIP_TCTI_H
#define CCDM_TEST_CHIP_TCTI_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <tss2/tss2_tcti.h>
#include <tss2/tss2_tpm2_types.h>

#define CHIP_DEVICE "/dev/null"
#define CHIP_HEADER \
	10 /* bytes before the parameters of a command without sessions, or of an answer */

/* The answer to the last command. */
static uint8_t chip_answer[4096];
static size_t chip_size;

/* Pretend that the file exists but has no TPM. */
static bool chip_gone;

/* The including file defines this function, which fills chip_answer and chip_size. */
static TSS2_RC chip_ask(const uint8_t *command, size_t size);

static TSS2_RC chip_transmit(TSS2_TCTI_CONTEXT *c, size_t size, const uint8_t *command)
{
	(void)c;
	return chip_ask(command, size);
}

static TSS2_RC chip_receive(TSS2_TCTI_CONTEXT *c, size_t *size, uint8_t *answer, int32_t timeout)
{
	(void)c;
	(void)timeout;
	if (answer && *size < chip_size)
		return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
	*size = chip_size;
	if (answer)
		memcpy(answer, chip_answer, chip_size);
	return TSS2_RC_SUCCESS;
}

static void chip_finalize(TSS2_TCTI_CONTEXT *c)
{
	(void)c;
}

TSS2_RC __wrap_Tss2_Tcti_Device_Init(TSS2_TCTI_CONTEXT *c, size_t *size, const char *conf);
TSS2_RC __wrap_Tss2_Tcti_Device_Init(TSS2_TCTI_CONTEXT *c, size_t *size, const char *conf)
{
	static const TSS2_TCTI_CONTEXT_COMMON_V1 tcti = {
		.magic = 0x63686970,
		.version = 1,
		.transmit = chip_transmit,
		.receive = chip_receive,
		.finalize = chip_finalize,
	};

	(void)conf;
	if (c && chip_gone)
		return TSS2_TCTI_RC_IO_ERROR;
	*size = sizeof(tcti);
	if (c)
		memcpy(c, &tcti, sizeof(tcti));
	return TSS2_RC_SUCCESS;
}

#endif
