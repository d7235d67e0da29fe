/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* row.h - rows of the database with a MAC over the table's name and all columns */
#ifndef CCDM_BROKER_ROW_H
#define CCDM_BROKER_ROW_H

#include <sqlite3.h>
#include "base/compiler.h"
#include "keys.h"

#define CCDM_ROW_COLUMNS 5 /* of a row that is read, its MAC included */

/**
 * struct ccdm_column - a column of a row, with its type
 * @type: t(ext), b(lob), i(nteger)
 * @bytes, @size: the content of a text or a blob; borrowed
 * @number: the value of an integer
 */
struct ccdm_column {
	char type;
	const void *bytes;
	size_t size;
	int64_t number;
};

/**
 * struct ccdm_row - what a MAC covers: each column with its type and its length
 * @table: its name
 * @count, @column: all columns but the MAC; borrowed
 */
struct ccdm_row {
	const char *table;
	unsigned int count;
	const struct ccdm_column *column;
};

#define CCDM_ROW(table, columns)                    \
	{                                           \
		table, ARRAY_SIZE(columns), columns \
	}

struct ccdm_column ccdm_column_blob(const void *bytes, size_t size);
struct ccdm_column ccdm_column_text(const char *text);
struct ccdm_column ccdm_column_number(int64_t number);
/* The bytes of column @i of a result, whatever its type is. */
struct ccdm_column ccdm_column_stored(sqlite3_stmt *st, int i);

/* What the MAC covers, in one piece that the caller frees; NULL without memory. */
uint8_t *ccdm_row_bytes(const struct ccdm_row *row, size_t *size);

/* The MAC of a row under the first key. Return: 0, -ENOMEM, -EIO */
int __must_check ccdm_row_mac(const struct ccdm_keys *keys, const struct ccdm_row *row,
			      uint8_t mac[CCDM_MAC_SIZE], struct ccdm_err *err);

/**
 * ccdm_row_read() - verify the row that a statement returned
 * @st: the result, whose columns are those of the MAC in their order, and then the MAC
 * @table: the name that the MAC covers
 * @types: of the columns, the MAC's included; a string constant
 *
 * Who can write to the database may have made the table anew, without STRICT: each column must have
 * its type. The MAC may be under any key of the key file.
 *
 * Return: 1: valid, 0: not ours, -ENOMEM, -EIO.
 */
#define ccdm_row_read(keys, st, table, types)                          \
	({                                                             \
		_Static_assert(sizeof(types) - 1 <= CCDM_ROW_COLUMNS,  \
			       "CCDM_ROW_COLUMNS is less than these"); \
		ccdm_row_read_types(keys, st, table, types);           \
	})

int __must_check ccdm_row_read_types(const struct ccdm_keys *keys, sqlite3_stmt *st,
				     const char *table, const char *types);

#endif
