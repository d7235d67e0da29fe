// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * Which policies pin the image of a guest, which do not, and which can never hold.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "policy_facts.h"

/* PINS: every way to satisfy the policy pins the image. NEVER: nothing satisfies it. */
static void pins_image(void **state)
{
	enum { PINS, OPEN, NEVER };
#define M  " {value: " A96 ", covers: image}"
#define ID "enclave-id: " E64 "\n"
	static const struct {
		const char *require;
		int says;
	} cases[] = {
		{ "  tee: snp\n", OPEN },
		{ "  tee: snp\n  identity: any\n", PINS },
		/* a launch measurement covers the firmware only, unless "covers" says image */
		{ "  tee: snp\n  measurement: " A96 "\n", OPEN },
		{ "  tee: snp\n  measurement: {value: " A96 ", covers: firmware}\n", OPEN },
		{ "  tee: snp\n  measurement:" M "\n", PINS },
		{ "  measurement:" M "\n", PINS },
		{ "  tee: tdx\n  measurement: " A96 "\n", OPEN },
		{ "  tee: tdx\n  measurement:" M "\n", NEVER },
		{ "  tee: [snp, tdx]\n  measurement:" M "\n", PINS },
		/* enclave IDs */
		{ "  tee: [snp, tpm]\n  " ID, PINS },
		{ "  tee: tdx\n  measurement: " A96 "\n  " ID, PINS },
		/* without a measurement, any firmware could have filled the registers */
		{ "  " ID, OPEN },
		{ "  tee: tdx\n  " ID, OPEN },
		{ "  tee: tdx\n  binding: provider\n  " ID, OPEN },
		{ "  tee: tdx\n  binding: paravisor\n  " ID, PINS },
		{ "  tee: tdx\n  binding: [paravisor, none]\n  " ID, OPEN },
		{ "  tee: tdx\n  signer: {key: " E64 ", product: web, svn: 1}\n", OPEN },
		{ "  tee: tdx\n  measurement: " A96 "\n  signer: {key: " E64
		  ", product: web, svn: 1}\n",
		  PINS },
		/* with a paravisor, the launch measurement is the paravisor's */
		{ "  tee: snp\n  binding: paravisor\n  measurement:" M "\n", NEVER },
		{ "  tee: snp\n  binding: [svsm, paravisor]\n  enclave-id:" M "\n", NEVER },
		{ "  tee: snp\n  binding: [none, paravisor]\n  measurement:" M "\n", PINS },
		{ "  tee: tdx\n  enclave-id: " A96 "\n", NEVER },
		{ "  tee: snp\n  enclave-id: " A96 "\n", OPEN },
		{ "  tee: snp\n  enclave-id: [" E64 ", " A96 "]\n", OPEN },
		{ "  tee: snp\n  enclave-id:" M "\n", PINS },
		{ "  tee: tpm\n  binding: tpm-only\n  " ID, PINS },
		{ "  tee: tpm\n  " ID, NEVER },
		/* registers by value */
		{ "  tee: tdx\n  measurement: " A96 "\n  all:\n    - rtmr: {index: 1, value: " A96
		  "}\n    - rtmr: {index: 2, value: " A96 "}\n",
		  PINS },
		{ "  tee: tdx\n  all:\n    - rtmr: {index: 1, value: " A96 "}\n"
		  "    - rtmr: {index: 2, value: " A96 "}\n",
		  OPEN },
		{ "  tee: tdx\n  rtmr: {index: 2, value: " A96 "}\n", OPEN },
		{ "  tee: tdx\n  all:\n    - rtmr: {index: 3, value: " A96 "}\n"
		  "    - rtmr: {index: 2, value: " A96 "}\n",
		  OPEN },
		{ "  tee: snp\n  rtmr: {index: 1, value: " A96 "}\n", NEVER },
		{ "  binding: paravisor\n  all:\n    - pcr: {index: 4, value: " E64 "}\n"
		  "    - pcr: {index: 2, value: " E64 "}\n"
		  "    - pcr: {index: 9, value: " E64 "}\n    - pcr: {index: 12, value: " D64 "}\n"
		  "    - pcr: {index: 13, value: " D64 "}\n",
		  PINS },
		/* without PCR 2 a driver could run before what PCR 4 measures */
		{ "  binding: paravisor\n  all:\n    - pcr: {index: 4, value: " E64 "}\n"
		  "    - pcr: {index: 9, value: " E64 "}\n    - pcr: {index: 12, value: " D64 "}\n"
		  "    - pcr: {index: 13, value: " D64 "}\n",
		  OPEN },
		{ "  binding: paravisor\n  all:\n    - pcr: {index: 4, value: " E64 "}\n"
		  "    - pcr: {index: 9, value: " E64 "}\n    - pcr: {index: 12, value: " E64 "}\n"
		  "    - pcr: {index: 13, value: " D64 "}\n",
		  OPEN },
		{ "  binding: paravisor\n  all:\n    - pcr: {index: 4, value: " E64 "}\n"
		  "    - pcr: {index: 9, value: " E64 "}\n",
		  OPEN },
		{ "  binding: paravisor\n  pcr: {index: 15, value: " E64 "}\n", OPEN },
		{ "  binding: paravisor\n  identity: any\n  pcr: {bank: sha384, index: 4, value: " A96
		  "}\n",
		  NEVER },
		{ "  binding: paravisor\n  identity: any\n  bank: sha384\n  pcr: {bank: sha384, "
		  "index: 4, value: " A96 "}\n",
		  PINS },
		/* an event in the log */
		{ "  tee: tdx\n  event: {register: rtmr2, digest: " A96 "}\n", OPEN },
		{ "  tee: snp\n  identity: any\n  event: {register: rtmr2, digest: " A96 "}\n",
		  NEVER },
		/* conditions that only some TEEs and bindings have */
		{ "  binding: svsm\n  " ID, PINS },
		{ "  tee: tdx\n  binding: svsm\n  " ID, NEVER },
		{ "  binding: [svsm, paravisor]\n  " ID, PINS },
		{ "  tee: tdx\n  vmpl: 0\n  " ID, NEVER },
		{ "  tee: tdx\n  host-data: " E64 "\n  " ID, NEVER },
		{ "  tee: snp\n  id-key: " A96 "\n  generation: Milan\n", OPEN },
		{ "  tee: tdx\n  tcb: {snp: 3}\n  " ID, NEVER },
		{ "  tee: snp\n  tcb: {status: SWHardeningNeeded}\n  measurement:" M "\n", NEVER },
		{ "  tee: snp\n  tcb: {status: [SWHardeningNeeded, OutOfDate]}\n  measurement:" M
		  "\n",
		  PINS },
		{ "  tee: tpm\n  tcb: {status: UpToDate}\n  " ID, NEVER },
		/* any, all, not */
		{ "  any:\n    - measurement:" M "\n    - tee: tdx\n", OPEN },
		{ "  any:\n    - tee: tdx\n    - measurement:" M "\n", OPEN },
		{ "  any:\n    - measurement:" M "\n    - tee: tdx\n      measurement: " A96
		  "\n      " ID,
		  PINS },
		{ "  any:\n    - tee: tdx\n      measurement: " A96 "\n    - tee: snp\n  " ID,
		  PINS },
		{ "  any:\n    - tee: tdx\n    - tee: snp\n      measurement:" M "\n  tee: snp\n",
		  PINS },
		{ "  all:\n    - tee: snp\n    - measurement:" M "\n", PINS },
		{ "  all:\n    - tee: snp\n    - vmpl: 0\n", OPEN },
		{ "  tee: snp\n  not:\n    measurement:" M "\n", OPEN },
		{ "  not: {identity: any}\n", OPEN },
		{ "  all:\n    - not:\n        measurement:" M "\n    - measurement:" M "\n",
		  PINS },
	};
	struct ccdm_policy *p;
	json_t *trace, *last;
	char text[2048];
	const char *refused;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), HEAD "%s", cases[i].require);
		if (ccdm_policy_parse("x", text, strlen(text), &p, &err))
			fail_msg("case %zu: %s", i, err.text);
		refused =
			p->outcome == CCDM_POLICY_MAY_OPEN ? NULL : ccdm_policy_reason(p->outcome);
		if (!refused != (cases[i].says == PINS) ||
		    (refused &&
		     !strstr(refused, cases[i].says == OPEN ? "pins the image" : "never hold")))
			fail_msg("%s: %s", cases[i].require, refused ? refused : "good");
		/* if it was stored before, it opens nothing, and the trace has the reason */
		if (refused) {
			json_t *facts = with(snp(), "enclave-id", json_pack("[s]", e));

			trace = json_array();
			assert_int_equal(ccdm_policy_judge(p, facts, &trace), CCDM_NO);
			assert_int_equal(ccdm_policy_judge(p, facts, NULL), CCDM_NO);
			last = json_array_get(trace, json_array_size(trace) - 1);
			assert_string_equal(json_string_value(json_object_get(last, "condition")),
					    "identity");
			assert_string_equal(json_string_value(json_object_get(last, "found")),
					    refused);
			json_decref(trace);
			json_decref(facts);
		}
		ccdm_policy_free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pins_image),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
