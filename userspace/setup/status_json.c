// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* status_json.c - a mapping as a JSON object, for status and list */
#include <stdio.h>
#include <string.h>
#include "verb.h"

static void status_member(const char *key, unsigned int indent, const char *before)
{
	printf("%s\n%*s  ", before, (int)indent, "");
	ccdm_ui_json_text(key);
	fputs(": ", stdout);
}

/* Print a value of the status line: a number, "used/limit" as an array, or text. */
static void status_value(const char *text, unsigned int indent)
{
	uint64_t v[2];

	switch (ccdm_dm_values(text, v)) {
	case 2:
		printf("[\n%*s    %llu,\n%*s    %llu\n%*s  ]", (int)indent, "",
		       (unsigned long long)v[0], (int)indent, "", (unsigned long long)v[1],
		       (int)indent, "");
		break;
	case 1:
		printf("%llu", (unsigned long long)v[0]);
		break;
	default:
		ccdm_ui_json_text(text);
	}
}

/* JSON uses the names of the status line, so words that the module adds appear by themselves. */
void ccdm_setup_json(const struct ccdm_dm_info *info, unsigned int indent)
{
	char status[CCDM_DM_TEXT], *word, *save = NULL, *colon;

	status_member("name", indent, "{");
	ccdm_ui_json_text(info->name);
	status_member("uuid", indent, ",");
	ccdm_ui_json_text(info->uuid);
	status_member("dev", indent, ",");
	ccdm_ui_json_text(info->dev);
	status_member("bytes", indent, ",");
	printf("%llu", (unsigned long long)info->length * 512);
	status_member("in_use", indent, ",");
	fputs(info->open_count > 0 ? "true" : "false", stdout);
	status_member("suspended", indent, ",");
	fputs(info->suspended ? "true" : "false", stdout);
	status_member("table", indent, ",");
	ccdm_ui_json_text(info->table);
	snprintf(status, sizeof(status), "%s", info->status);
	for (word = strtok_r(status, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		colon = strchr(word, ':');
		if (!colon)
			continue;
		*colon = '\0';
		status_member(word, indent, ",");
		status_value(colon + 1, indent);
	}
	printf("\n%*s}", (int)indent, "");
}
