// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* row.c - see row.h */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include "row.h"

#define LONGEST (1 << 24) /* bytes of a column */

struct ccdm_column ccdm_column_blob(const void *bytes, size_t size)
{
	return (struct ccdm_column){ 'b', bytes, size, 0 };
}

struct ccdm_column ccdm_column_text(const char *text)
{
	return (struct ccdm_column){ 't', text, strlen(text), 0 };
}

struct ccdm_column ccdm_column_number(int64_t number)
{
	return (struct ccdm_column){ 'i', NULL, sizeof(number), number };
}

static uint8_t *ccdm_row_length(uint8_t *to, uint64_t n)
{
	int i;

	for (i = 7; i >= 0; i--)
		*to++ = n >> (8 * i);
	return to;
}

/*
 * The bytes of a column of any type. SQLite requires the bytes to be requested before their count.
 */
struct ccdm_column ccdm_column_stored(sqlite3_stmt *st, int i)
{
	const void *bytes = sqlite3_column_blob(st, i);

	return ccdm_column_blob(bytes, bytes ? sqlite3_column_bytes(st, i) : 0);
}

uint8_t *ccdm_row_bytes(const struct ccdm_row *row, size_t *size)
{
	size_t table = strlen(row->table);
	uint8_t *all, *at;
	unsigned int i;

	*size = 8 + table;
	for (i = 0; i < row->count; i++)
		*size += 1 + 8 + row->column[i].size;
	all = malloc(*size);
	if (!all)
		return NULL;
	at = ccdm_row_length(all, table);
	memcpy(at, row->table, table);
	at += table;
	for (i = 0; i < row->count; i++) {
		*at++ = row->column[i].type;
		at = ccdm_row_length(at, row->column[i].size);
		if (row->column[i].type == 'i')
			at = ccdm_row_length(at, row->column[i].number);
		else if (row->column[i].size)
			at = (uint8_t *)memcpy(at, row->column[i].bytes, row->column[i].size) +
			     row->column[i].size;
	}
	return all;
}

int ccdm_row_mac(const struct ccdm_keys *keys, const struct ccdm_row *row,
		 uint8_t mac[CCDM_MAC_SIZE], struct ccdm_err *err)
{
	size_t size;
	uint8_t *all = ccdm_row_bytes(row, &size);
	int r = all ? ccdm_keys_mac_row(keys, 0, all, size, mac) : -ENOMEM;

	free(all);
	return r ? ccdm_err_set(err, r, "a row of table %s: cannot create a MAC", row->table) : 0;
}

/* Does a key of the key file verify the row's MAC? Return: 1, 0, -ENOMEM, -EIO */
static int ccdm_row_good(const struct ccdm_keys *keys, const struct ccdm_row *row, const void *said)
{
	size_t size;
	uint8_t mac[CCDM_MAC_SIZE], *all = ccdm_row_bytes(row, &size);
	unsigned int i;
	int r = all ? 0 : -ENOMEM;

	for (i = 0; !r && i < ccdm_keys_count(keys); i++) {
		r = ccdm_keys_mac_row(keys, i, all, size, mac);
		if (!r)
			r = !CRYPTO_memcmp(mac, said, sizeof(mac));
	}
	free(all);
	return r;
}

int ccdm_row_read_types(const struct ccdm_keys *keys, sqlite3_stmt *st, const char *table,
			const char *types)
{
	struct ccdm_column column[CCDM_ROW_COLUMNS] = { 0 };
	struct ccdm_row row = { .table = table, .column = column };
	int i, n = (int)strlen(types), size;

	for (i = 0; i < n; i++) {
		int type = sqlite3_column_type(st, i);
		const void *bytes;

		if (type != (types[i] == 't'   ? SQLITE_TEXT
			     : types[i] == 'b' ? SQLITE_BLOB
					       : SQLITE_INTEGER))
			return 0;
		if (types[i] == 'i') {
			column[i] = ccdm_column_number(sqlite3_column_int64(st, i));
			continue;
		}
		bytes = types[i] == 't' ? sqlite3_column_text(st, i) : sqlite3_column_blob(st, i);
		size = sqlite3_column_bytes(st, i);
		if (size && !bytes)
			return -ENOMEM;
		if (size > LONGEST || (types[i] == 't' && memchr(bytes, 0, size)))
			return 0;
		column[i] = (struct ccdm_column){ types[i], bytes, size, 0 };
	}
	row.count = n - 1;
	if (column[n - 1].size != CCDM_MAC_SIZE)
		return 0;
	return ccdm_row_good(keys, &row, column[n - 1].bytes);
}
