/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* database.h - change a broker's database behind its back */
#ifndef CCDM_TEST_DATABASE_H
#define CCDM_TEST_DATABASE_H

#include <sqlite3.h>

static inline void sql(const char *path, const char *text)
{
	sqlite3 *db;
	char *why = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", text, why);
	sqlite3_close(db);
}

#endif
