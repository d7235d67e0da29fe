// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* fuzzes: lib/tpm/tpm.c lib/tpm/tpm_ak.c lib/tpm/tpm_ek.c lib/tpm/tpm_nv.c - answers of a TPM, which a host may control */
#include <dlfcn.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include "chip_questions.h"
#include "chip_tcti.h"
#include "fuzz.h"

static const uint8_t *next;
static size_t left;

/* Take the next answer from the input; its length of 16 bits precedes it. */
static TSS2_RC chip_ask(const uint8_t *command, size_t size)
{
	(void)command;
	(void)size;
	if (left < 2)
		return TSS2_TCTI_RC_IO_ERROR;
	chip_size = next[0] | next[1] << 8;
	next += 2;
	left -= 2;
	if (chip_size > left)
		chip_size = left;
	if (chip_size > sizeof(chip_answer))
		chip_size = sizeof(chip_answer);
	memcpy(chip_answer, next, chip_size);
	next += chip_size;
	left -= chip_size;
	return TSS2_RC_SUCCESS;
}

/*
 * tpm2-tss creates an OpenSSL context for each digest. If an allocation fails in the middle,
 * OpenSSL leaks parts of a context. So these functions run without failures.
 */
#define WHOLE(type, name, parameters, arguments)                       \
	type name parameters                                           \
	{                                                              \
		static type(*next_one) parameters;                     \
                                                                       \
		if (!next_one)                                         \
			*(void **)&next_one = dlsym(RTLD_NEXT, #name); \
		return fuzz_own(next_one arguments);                   \
	}

WHOLE(OSSL_LIB_CTX *, OSSL_LIB_CTX_new, (void), ())
WHOLE(EVP_MD *, EVP_MD_fetch, (OSSL_LIB_CTX * ctx, const char *name, const char *properties),
      (ctx, name, properties))
WHOLE(int, RAND_bytes_ex,
      (OSSL_LIB_CTX * ctx, unsigned char *bytes, size_t size, unsigned int strength),
      (ctx, bytes, size, strength))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *credential = fuzz_own(json_pack("{s:s, s:s}", "blob", "AAEC", "secret", "AwQF"));
	struct ccdm_tpm *tpm;
	struct ccdm_err err;

	if (size && !ccdm_tpm_open(CHIP_DEVICE, &tpm, &err)) {
		next = data + 1;
		left = size - 1;
		fuzz_said("it answers", fuzz_yes(!chip_question(tpm, data[0], credential, &err)));
		ccdm_tpm_close(tpm);
	}
	json_decref(credential);
	return 0;
}
