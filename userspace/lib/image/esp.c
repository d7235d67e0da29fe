// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* esp.c - see esp.h */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "esp.h"
#include "program.h"

#define MIB	1048576ULL
/* FAT32 has at least 65525 clusters, of 512 bytes here, and two tables with 4 bytes for each */
#define MIN_MIB 34

static int ccdm_esp_programs(struct ccdm_program_found found[3], struct ccdm_err *err)
{
	static const char *const names[3] = { "mkfs.vfat", "mmd", "mcopy" };
	unsigned int i;
	int r = 0;

	for (i = 0; !r && i < 3; i++)
		r = ccdm_program_find(names[i], &found[i], err);
	return r;
}

int ccdm_esp_make(const char *uki, uint32_t id, int64_t date, const char *file, uint64_t *size,
		  struct ccdm_err *err)
{
	char serial[16], kib[32], epoch[48];
	struct ccdm_program_found found[3];
	struct stat st;
	int r = ccdm_esp_programs(found, err);

	if (r)
		return r;
	if (stat(uki, &st))
		return ccdm_err_set(err, -errno, "%s: %s", uki, strerror(errno));
	/* the tables have 8 bytes for each 512, and there is a MiB for folders and what is reserved */
	*size = ((uint64_t)st.st_size / MIB + (uint64_t)st.st_size / MIB / 60 + 2) * MIB;
	if (*size < MIN_MIB * MIB)
		*size = MIN_MIB * MIB;
	snprintf(serial, sizeof(serial), "%08" PRIx32, id);
	snprintf(kib, sizeof(kib), "%" PRIu64, *size / 1024);
	snprintf(epoch, sizeof(epoch), "SOURCE_DATE_EPOCH=%" PRId64, date);
	const char *const env[] = { epoch, "MTOOLSRC=/dev/null", NULL };
	const char *const mkfs[] = { found[0].path, "--invariant", "-F", "32",	 "-s", "1",
				     "-S",	    "512",	   "-n", "CCDM", "-i", serial,
				     "-C",	    file,	   kib,	 NULL };
	const char *const mmd[] = { found[1].path, "-i", file, "::/EFI", "::/EFI/BOOT", NULL };
	const char *const mcopy[] = { found[2].path, "-i", file, uki, "::/EFI/BOOT/BOOTX64.EFI",
				      NULL };
	const char *const *const steps[] = { mkfs, mmd, mcopy };
	unsigned int i;

	if (unlink(file) && errno != ENOENT)
		return ccdm_err_set(err, -errno, "%s: %s", file, strerror(errno));
	for (i = 0; !r && i < 3; i++)
		r = ccdm_program_run(steps[i], env, -1, NULL, err);
	return r;
}
