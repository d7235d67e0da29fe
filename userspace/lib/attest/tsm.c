// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* tsm.c - see tsm.h */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/file.h"
#include "tsm.h"

#define TSM_PATH 128
#define TSM_WORD 64

/* ---- our directory ------------------------------------------------------------ */

static int ccdm_tsm_make(char path[TSM_PATH])
{
	uint64_t name;

	if (getrandom(&name, sizeof(name), 0) != sizeof(name))
		return -EIO;
	snprintf(path, TSM_PATH, CCDM_TSM_DIR "/ccdm-%016jx", (uintmax_t)name);
	return mkdir(path, 0700) ? -errno : 0;
}

static void ccdm_tsm_path(char at[TSM_PATH], const char *dir, const char *name)
{
	snprintf(at, TSM_PATH, "%.100s/%s", dir, name);
}

static int ccdm_tsm_word(const char *dir, const char *name, char word[TSM_WORD],
			 struct ccdm_err *err)
{
	char path[TSM_PATH], *text;
	size_t size;
	int r;

	ccdm_tsm_path(path, dir, name);
	r = ccdm_file_read(path, TSM_WORD - 1, &text, &size, err);
	if (r)
		return r;
	snprintf(word, TSM_WORD, "%.*s", (int)strcspn(text, "\n"), text);
	free(text);
	return 0;
}

/* Use a single write(): the kernel counts the writes, and the caller compares the count. */
static int ccdm_tsm_tell(const char *dir, const char *name, const void *bytes, size_t size,
			 struct ccdm_err *err)
{
	char path[TSM_PATH];
	ssize_t n;
	int fd, r = 0;

	ccdm_tsm_path(path, dir, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return ccdm_err_set(err, -errno, "%s: %s", path, strerror(errno));
	n = write(fd, bytes, size);
	if (n != (ssize_t)size)
		r = n < 0 ? -errno : -EIO;
	/* configfs processes a binary attribute in close(), so check its result. */
	if (close(fd) && !r)
		r = -errno;
	return r ? ccdm_err_set(err, r, "%s: %s", path, strerror(-r)) : 0;
}

static int ccdm_tsm_blob(const char *dir, const char *name, char **bytes, size_t *size,
			 struct ccdm_err *err)
{
	char path[TSM_PATH];

	ccdm_tsm_path(path, dir, name);
	return ccdm_file_read(path, CCDM_TSM_BLOB_MAX, bytes, size, err);
}

static bool ccdm_tsm_has(const char *dir, const char *name)
{
	char path[TSM_PATH];

	ccdm_tsm_path(path, dir, name);
	return !access(path, F_OK);
}

/* ---- a report -------------------------------------------------------------------- */

void ccdm_tsm_pad(uint8_t padded[CCDM_TSM_DATA], const uint8_t *data, size_t size)
{
	memset(padded, 0, CCDM_TSM_DATA);
	memcpy(padded, data, size < CCDM_TSM_DATA ? size : CCDM_TSM_DATA);
}

bool ccdm_tsm_provides(const char *provider)
{
	char dir[TSM_PATH], word[TSM_WORD];
	struct ccdm_err ignored;
	bool good;

	if (ccdm_tsm_make(dir))
		return false;
	good = !ccdm_tsm_word(dir, "provider", word, &ignored) && !strcmp(word, provider);
	rmdir(dir);
	return good;
}

bool ccdm_tsm_svsm(void)
{
	char dir[TSM_PATH];
	bool has;

	if (ccdm_tsm_make(dir))
		return false;
	has = ccdm_tsm_has(dir, "service_provider");
	rmdir(dir);
	return has;
}

/* Select a service of the SVSM. Adds to *@writes the writes that the kernel counts. */
static int ccdm_tsm_service(const char *dir, const char *guid, unsigned int *writes,
			    struct ccdm_err *err)
{
	int r = ccdm_tsm_tell(dir, "service_provider", "svsm", 4, err);

	if (!r)
		r = ccdm_tsm_tell(dir, "service_guid", guid, strlen(guid), err);
	if (!r)
		r = ccdm_tsm_tell(dir, "service_manifest_version", "0", 1, err);
	*writes += 3;
	return r;
}

/* @guid: a service of the SVSM; NULL: none */
static int ccdm_tsm_fill(const char *dir, const char *provider, const char *guid,
			 const uint8_t *data, struct ccdm_tsm_report *report, struct ccdm_err *err)
{
	unsigned int writes = 1;
	char word[TSM_WORD];
	int r = ccdm_tsm_word(dir, "provider", word, err);

	if (!r && strcmp(word, provider))
		r = ccdm_err_set(err, -ENODEV, "configfs-tsm: expected provider %s, found %s",
				 provider, word);
	if (!r && guid) {
		r = ccdm_tsm_service(dir, guid, &writes, err);
	} else if (!r && ccdm_tsm_has(dir, "privlevel_floor")) {
		r = ccdm_tsm_word(dir, "privlevel_floor", word, err);
		if (!r)
			r = ccdm_tsm_tell(dir, "privlevel", word, strlen(word), err);
		writes++;
	}
	if (!r)
		r = ccdm_tsm_tell(dir, "inblob", data, CCDM_TSM_DATA, err);
	if (!r)
		r = ccdm_tsm_blob(dir, "outblob", &report->out, &report->out_size, err);
	if (!r && ccdm_tsm_has(dir, "auxblob"))
		r = ccdm_tsm_blob(dir, "auxblob", &report->aux, &report->aux_size, err);
	if (!r && guid)
		r = ccdm_tsm_blob(dir, "manifestblob", &report->manifest, &report->manifest_size,
				  err);
	if (!r)
		r = ccdm_tsm_word(dir, "generation", word, err);
	if (!r && strtoul(word, NULL, 10) != writes)
		r = ccdm_err_set(err, -EIO,
				 "%s: expected generation %u, found %s: another process wrote", dir,
				 writes, word);
	if (!r && !report->out_size) {
		ccdm_err_hint(err, "the host's quoting service is missing or too old");
		r = ccdm_err_set(err, -EIO, "%s: expected a report, found nothing", provider);
	}
	return r;
}

int ccdm_tsm_report_service(const char *provider, const char *guid,
			    const uint8_t data[CCDM_TSM_DATA], struct ccdm_tsm_report *report,
			    struct ccdm_err *err)
{
	char dir[TSM_PATH];
	int r;

	memset(report, 0, sizeof(*report));
	r = ccdm_tsm_make(dir);
	if (r)
		return ccdm_err_set(err, r, "%s: %s", CCDM_TSM_DIR, strerror(-r));
	r = ccdm_tsm_fill(dir, provider, guid, data, report, err);
	rmdir(dir);
	if (r)
		ccdm_tsm_drop(report);
	return r;
}

int ccdm_tsm_report(const char *provider, const uint8_t data[CCDM_TSM_DATA],
		    struct ccdm_tsm_report *report, struct ccdm_err *err)
{
	return ccdm_tsm_report_service(provider, NULL, data, report, err);
}

void ccdm_tsm_drop(struct ccdm_tsm_report *report)
{
	free(report->out);
	free(report->aux);
	free(report->manifest);
	memset(report, 0, sizeof(*report));
}
