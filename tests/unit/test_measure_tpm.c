// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * Events measured into a TPM, and the check of the log against its registers.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "boot/measure.h"
#include "chip_test.h"

static struct ccdm_digests values;

/* GetCapability (more data, kind, a list): return an empty list. */
static void no_banks(uint8_t *answer, size_t *size)
{
	chip_put_u32(answer + CHIP_HEADER + 5, 0);
	*size = CHIP_HEADER + 9;
}

/* The log that ccdm writes replays to the registers, unless one of the two was changed. */
static void log_and_registers(void **state)
{
	char log[] = "/tmp/ccdm-chip-log-XXXXXX";
	int fd = mkstemp(log);
	struct ccdm_measure_to to = { .tpm = tpm, .log = log };
	struct ccdm_measure_values now;
	struct ccdm_digests signer;

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(ccdm_measure_event(&to, "ccdm-base:1", &err), 0);
	assert_int_equal(ccdm_tpm_read(tpm, CCDM_MEASURE_SIGNER_PCR, &signer, &err), 0);
	assert_int_equal(ccdm_measure_event(&to, "ccdm-signer:1", &err), 0);
	assert_int_equal(ccdm_tpm_read(tpm, CCDM_MEASURE_SIGNER_PCR, &values, &err), 0);
	assert_memory_not_equal(values.digest[0].bytes, signer.digest[0].bytes, 20);
	assert_int_equal(ccdm_measure_check(&to, &now, &err), 0);
	assert_int_equal(now.pcr.count, BANKS);
	assert_int_equal(now.rtmr.size, 0);
	/* a second log may be missing, or empty */
	to.after = "/nonexistent/ccdm.log";
	assert_int_equal(ccdm_measure_check(&to, &now, &err), 0);
	to.after = "/dev/null";
	assert_int_equal(ccdm_measure_check(&to, &now, &err), 0);
	to.after = NULL;
	lie(TPM2_CC_PCR_Read, 0, other_value);
	is(ccdm_measure_check(&to, &now, &err), -EBADMSG, "from the log, found");
	lie(TPM2_CC_GetCapability, 0, no_banks);
	is(ccdm_measure_check(&to, &now, &err), -EBADMSG, "the TPM has no bank with PCR 15");
	refuse(TPM2_CC_PCR_Event, 0);
	is(ccdm_measure_event(&to, "ccdm-ready:1", &err), -EIO, "cannot extend a PCR");
	assert_int_equal(ccdm_measure_check(&to, &now, &err), 0);
	/* an event that ccdm did not log */
	assert_int_equal(ccdm_tpm_extend(tpm, CCDM_EVENT_PCR, "other", &values, &err), 0);
	is(ccdm_measure_check(&to, &now, &err), -EBADMSG, "from the log, found");
	unlink(log);
	is(ccdm_measure_check(&to, &now, &err), -ENOENT, log);
	ccdm_measure_close(&to);
	tpm = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(log_and_registers, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
