// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * fuzzes: broker/policy/policy.c broker/policy/policy_fields.c broker/policy/policy_yaml.c broker/policy/judge.c -
 * policies, judged with some facts
 */
#include "policy/policy.h"
#include "fuzz.h"

static const char facts_text[] =
	"{\"tee\":\"snp\",\"debug\":false,\"vmpl\":0,\"binding\":\"provider\",\"phase\":\"initrd\","
	"\"tcb\":{\"status\":\"UpToDate\",\"reported\":{\"fmc\":0,\"bootloader\":4,\"tee\":1,\"snp\":24,\"microcode\":219},"
	"\"committed\":{\"fmc\":0,\"bootloader\":4,\"tee\":1,\"snp\":24,\"microcode\":219},"
	"\"launch\":{\"fmc\":0,\"bootloader\":4,\"tee\":1,\"snp\":24,\"microcode\":219}},"
	"\"measurement\":\"a1\",\"enclave-id\":\"a1\",\"signer\":{\"key\":\"c3\",\"product\":\"web\",\"svn\":7},"
	"\"pcr\":{\"sha256\":{\"4\":\"00\",\"15\":\"a1\"}},"
	"\"events\":[{\"register\":\"pcr15\",\"name\":\"ccdm-base\",\"digest\":\"a1\"}]}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ccdm_policy *all = NULL, *p;
	struct ccdm_err err;
	json_t *facts, *trace;
	char *text = fuzz_text(data, size);

	if (!ccdm_policy_parse("test", text, size, &all, &err)) {
		facts = fuzz_own(json_loads(facts_text, 0, NULL));
		for (p = all; p; p = p->next) {
			trace = fuzz_own(json_array());
			fuzz_said("holds",
				  fuzz_yes(ccdm_policy_judge(p, facts, &trace) == CCDM_YES));
			fuzz_said("opens", fuzz_yes(ccdm_policy_opens(p, "default/web/tls-key")));
			json_decref(trace);
		}
		json_decref(facts);
		ccdm_policy_free(all);
	}
	free(text);
	return 0;
}
