// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* cmd_secret.c - ccdm-broker secret put|list|remove|reseal */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/base64.h"
#include "base/file.h"
#include "base/ui.h"
#include "kbs/jwe.h"
#include "cli.h"

int cmd_secret_put(const struct ccdm_cli *cli, struct ccdm_err *err)
{
	const char *file = cli->argc > 1 ? cli->argv[1] : "/dev/stdin";
	char *bytes, *value;
	json_t *answer = NULL;
	size_t size;
	int r;

	if (cli->argc == 1 && isatty(STDIN_FILENO)) {
		ccdm_err_hint(err, "give a file, or write it into a pipe");
		return ccdm_err_set(err, -EINVAL,
				    "standard input is a terminal, which would show the secret");
	}
	r = ccdm_file_read(file, CCDM_JWE_MAX, &bytes, &size, err);
	if (r)
		return r;
	if (!size && !cli->allow_empty) {
		free(bytes);
		ccdm_err_hint(err, "if the secret has no bytes, say --allow-empty");
		return ccdm_err_set(err, -EINVAL, "%s: expected a secret, found no bytes",
				    cli->argc > 1 ? file : "standard input");
	}
	value = ccdm_base64(bytes, size);
	OPENSSL_cleanse(bytes, size);
	free(bytes);
	r = value ? ccdm_cli_ask(cli,
				 json_pack("{s:s, s:s, s:s}", "do", "secret-put", "path",
					   cli->argv[0], "value", value),
				 &answer, err)
		  : ccdm_err_memory(err);
	if (value)
		OPENSSL_cleanse(value, strlen(value));
	free(value);
	json_decref(answer);
	return r;
}

int cmd_secret_list(const struct ccdm_cli *cli, struct ccdm_err *err)
{
	json_t *answer, *one;
	size_t i;
	int r = ccdm_cli_ask(cli, json_pack("{s:s}", "do", "secret-list"), &answer, err);

	if (r)
		return r;
	if (cli->json)
		return ccdm_ui_json(answer, err);
	json_array_foreach(json_object_get(answer, "secrets"), i, one)
		printf("%-40s %s\n", json_string_value(json_object_get(one, "name")),
		       json_string_value(json_object_get(one, "text")));
	json_decref(answer);
	return 0;
}

int cmd_secret_remove(const struct ccdm_cli *cli, struct ccdm_err *err)
{
	json_t *answer = NULL;
	int r = ccdm_cli_ask(cli,
			     json_pack("{s:s, s:s}", "do", "secret-remove", "path", cli->argv[0]),
			     &answer, err);

	json_decref(answer);
	return r;
}

int cmd_secret_reseal(const struct ccdm_cli *cli, struct ccdm_err *err)
{
	json_t *answer;
	int r = ccdm_cli_ask(cli, json_pack("{s:s}", "do", "secrets-reseal"), &answer, err);

	if (r)
		return r;
	if (cli->json)
		return ccdm_ui_json(answer, err);
	printf("resealed %lld of %lld secrets\n",
	       (long long)json_integer_value(json_object_get(answer, "resealed")),
	       (long long)json_integer_value(json_object_get(answer, "secrets")));
	json_decref(answer);
	return 0;
}
