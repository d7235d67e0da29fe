// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* uki.c - see uki.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/bytes.h"
#include "uki.h"

#define CPIO_HEADER   110
#define CPIO_DIR      0040555
#define CPIO_FILE     0100444
#define CMDLINE_MAX   65536
#define EXTRA_DIR     ".extra"
#define EXTRA_RELEASE EXTRA_DIR "/os-release"

/* In the order in which the stub measures them. No stub measures .pcrsig. */
static const char *const ccdm_uki_names[] = { ".linux", ".osrel",   ".cmdline", ".initrd",
					      ".ucode", ".splash",  ".dtb",	".uname",
					      ".sbat",	".pcrpkey", ".profile", ".dtbauto",
					      ".hwids" };

/* The sections that systemd-stub 252 measures. */
static const char *const ccdm_uki_252[] = { ".linux",  ".osrel",  ".cmdline",
					    ".initrd", ".splash", ".dtb" };

/*
 * Each of these sections has further effects: on the choice of a profile or of a device tree, on
 * the initrd that the kernel gets, or, in stub 252, on a section that it does not know.
 */
static const char *const ccdm_uki_beyond[] = { ".profile", ".dtbauto", ".hwids",
					       ".ucode",   ".pcrsig",  ".pcrpkey" };

const char *ccdm_uki_name(unsigned int number)
{
	return number < ARRAY_SIZE(ccdm_uki_names) ? ccdm_uki_names[number] : NULL;
}

const char *ccdm_uki_measured(const struct ccdm_uki *uki, unsigned int number)
{
	if (uki->version == 252)
		return number < ARRAY_SIZE(ccdm_uki_252) ? ccdm_uki_252[number] : NULL;
	return ccdm_uki_name(number);
}

const uint8_t *ccdm_uki_content(const struct ccdm_uki *uki, const char *name, size_t *size)
{
	const struct ccdm_pe_section *s;

	*size = 0;
	if (!ccdm_pe_find(&uki->pe, name, &s) || !s->virtual_size)
		return NULL;
	*size = s->virtual_size;
	return uki->pe.bytes + s->raw_at;
}

/* "#### LoaderInfo: systemd-stub 257.13-1~deb13u1 ####" */
static void ccdm_uki_version(struct ccdm_uki *uki)
{
	static const char begin[] = "#### LoaderInfo: systemd-stub ";
	const struct ccdm_pe_section *s;
	char text[128];
	size_t size, n;

	if (ccdm_pe_find(&uki->pe, ".sdmagic", &s) != 1)
		return;
	size = s->virtual_size < s->raw_size ? s->virtual_size : s->raw_size;
	if (size >= sizeof(text))
		size = sizeof(text) - 1;
	memcpy(text, uki->pe.bytes + s->raw_at, size);
	text[size] = '\0';
	if (strncmp(text, begin, strlen(begin)))
		return;
	n = strcspn(text + strlen(begin), " ");
	snprintf(uki->stub, sizeof(uki->stub), "%.*s", (int)n, text + strlen(begin));
	ccdm_err_plain(uki->stub);
	if (!strncmp(uki->stub, "252", 3) && strchr("-.~ ", uki->stub[3]))
		uki->version = 252;
	else if (!strncmp(uki->stub, "257", 3) && strchr("-.~ ", uki->stub[3]))
		uki->version = 257;
}

int ccdm_uki_parse(const char *name, const uint8_t *bytes, size_t size, struct ccdm_uki *uki,
		   struct ccdm_err *err)
{
	const struct ccdm_pe_section *s;
	unsigned int i;
	size_t n;
	int r;

	memset(uki, 0, sizeof(*uki));
	r = ccdm_pe_parse(name, bytes, size, &uki->pe, err);
	if (r)
		return r;
	if (!ccdm_uki_content(uki, ".linux", &n)) {
		ccdm_err_hint(err, "a boot loader (GRUB, systemd-boot, shim) reads more files, "
				   "which are not measured here");
		return ccdm_err_set(err, -EINVAL,
				    "%s: expected a unified kernel image, found no section .linux",
				    name);
	}
	for (i = 0; i < ARRAY_SIZE(ccdm_uki_names); i++)
		if (ccdm_pe_find(&uki->pe, ccdm_uki_names[i], &s) && s->virtual_size > s->raw_size)
			return ccdm_err_set(
				err, -EINVAL,
				"%s: section %s: %u bytes in memory, but %u in the file", name,
				s->name, s->virtual_size, s->raw_size);
	ccdm_uki_version(uki);
	return ccdm_uki_memory(uki, err);
}

/* Stub 252 takes each section whose name begins with a known name for that one. NULL: none */
static const char *ccdm_uki_prefixed(const struct ccdm_uki *uki)
{
	const char *name, *section;
	unsigned int i, k;

	for (i = 0; (name = ccdm_uki_measured(uki, i)); i++)
		for (k = 0; k < uki->pe.count; k++) {
			section = uki->pe.section[k].name;
			if (!strncmp(section, name, strlen(name)) && strcmp(section, name))
				return section;
		}
	return NULL;
}

void ccdm_uki_unknown(const struct ccdm_uki *uki, char *why, size_t size)
{
	unsigned int i;

	why[0] = '\0';
	if (!uki->version) {
		snprintf(
			why, size,
			"what the stub '%s' measures is not known; expected systemd-stub 252 or 257",
			uki->stub[0] ? uki->stub : "without a version");
		return;
	}
	for (i = 0; i < ARRAY_SIZE(ccdm_uki_beyond); i++)
		if (ccdm_pe_find(&uki->pe, ccdm_uki_beyond[i], NULL)) {
			snprintf(why, size, "what the stub measures with a section %s is not known",
				 ccdm_uki_beyond[i]);
			return;
		}
	for (i = 0; i < ARRAY_SIZE(ccdm_uki_names); i++)
		if (ccdm_pe_find(&uki->pe, ccdm_uki_names[i], NULL) > 1) {
			snprintf(why, size, "it has more than one section %s", ccdm_uki_names[i]);
			return;
		}
	if (uki->version == 252 && ccdm_uki_prefixed(uki))
		snprintf(why, size, "what the stub measures with a section %s is not known",
			 ccdm_uki_prefixed(uki));
}

/* (Linux, Documentation/arch/x86/boot.rst: kernel_version is at 0x20e, and points from 0x200 on) */
void ccdm_uki_kernel(const struct ccdm_uki *uki, char *why, size_t size)
{
	unsigned long major, minor = 0;
	size_t n, at;
	const uint8_t *linux_image = ccdm_uki_content(uki, ".linux", &n);
	char text[64], *end;

	why[0] = '\0';
	if (!ccdm_uki_content(uki, ".initrd", &at)) {
		snprintf(why, size, "it has no section .initrd; what the kernel gets is not known");
		return;
	}
	if (n < 0x210 || memcmp(linux_image + 0x202, "HdrS", 4))
		return;
	at = 0x200 + (size_t)ccdm_le16(linux_image + 0x20e);
	if (at > n - 1)
		at = n - 1;
	snprintf(text, sizeof(text), "%.*s",
		 (int)(n - at < sizeof(text) ? n - at : sizeof(text) - 1),
		 (const char *)linux_image + at);
	major = strtoul(text, &end, 10);
	if (*end == '.')
		minor = strtoul(end + 1, NULL, 10);
	if (major > 6 || (major == 6 && minor >= 1))
		return;
	text[strcspn(text, " ")] = '\0';
	ccdm_err_plain(text);
	snprintf(why, size,
		 "what the kernel '%s' measures is not known; expected Linux 6.1 or later", text);
}

/* ---- PCR 9 ------------------------------------------------------------------------ */

/* The stub cuts off blanks and replaces control characters, which differ by the stub's version. */
static const char *ccdm_uki_plain(const uint8_t *text, size_t size)
{
	size_t i;

	if (size > CMDLINE_MAX)
		return "the command line has more than 65536 bytes";
	if (!size)
		return "the UKI has no command line, so the host chooses it";
	for (i = 0; i < size; i++)
		if (text[i] < ' ' || text[i] >= 0x7f)
			return "the command line has a character that is not printable ASCII; "
			       "what the stub makes of it is not known";
	if (text[0] == ' ' || text[size - 1] == ' ')
		return "the command line begins or ends with a blank; what the stub makes of it "
		       "is not known";
	return NULL;
}

int ccdm_uki_options(const struct ccdm_uki *uki, uint8_t **options, size_t *size, const char **why)
{
	size_t n, i;
	const uint8_t *text = ccdm_uki_content(uki, ".cmdline", &n);

	*options = NULL;
	*size = 0;
	while (n && !text[n - 1])
		n--;
	*why = ccdm_uki_plain(text, n);
	if (*why)
		return 0;
	*options = calloc(n + 1, 2);
	if (!*options)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		(*options)[2 * i] = text[i];
	*size = 2 * (n + 1);
	return 0;
}

static size_t ccdm_uki_padded(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

/* An entry as the stub writes it: all other words are zero; hexadecimal digits in lower case. */
static size_t ccdm_uki_entry(uint8_t *to, unsigned int inode, unsigned int mode, const char *name,
			     const uint8_t *data, size_t size)
{
	size_t n = strlen(name) + 1, at = ccdm_uki_padded(CPIO_HEADER + n);
	char header[CPIO_HEADER + 1];

	snprintf(header, sizeof(header),
		 "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", inode, mode, 0, 0, 1,
		 0, (unsigned int)size, 0, 0, 0, 0, (unsigned int)n, 0);
	memcpy(to, header, CPIO_HEADER);
	memcpy(to + CPIO_HEADER, name, n);
	if (size)
		memcpy(to + at, data, size);
	return at + ccdm_uki_padded(size);
}

/* The stub has the trailer as a constant, with one hexadecimal digit in upper case. */
static const char ccdm_uki_trailer[] = "070701"
				       "00000000000000000000000000000000"
				       "00000001"
				       "000000000000000000000000000000000000000000000000"
				       "0000000B"
				       "00000000"
				       "TRAILER!!!\0\0\0";

int ccdm_uki_initrd(const struct ccdm_uki *uki, struct ccdm_piece piece[3], uint8_t **extra,
		    size_t *count)
{
	static const uint8_t zeros[4];
	const uint8_t *release;
	size_t size, n;

	*extra = NULL;
	*count = 1;
	piece[0].bytes = ccdm_uki_content(uki, ".initrd", &size);
	piece[0].size = size;
	if (uki->version == 252)
		return 0;
	piece[1].bytes = zeros;
	piece[1].size = ccdm_uki_padded(size) - size;
	release = ccdm_uki_content(uki, ".osrel", &size);
	if (!release)
		return 0;
	*extra = calloc(1, (size_t)2 * (CPIO_HEADER + 32) + size + 4 + sizeof(ccdm_uki_trailer));
	if (!*extra)
		return -ENOMEM;
	n = ccdm_uki_entry(*extra, 1, CPIO_DIR, EXTRA_DIR, NULL, 0);
	n += ccdm_uki_entry(*extra + n, 2, CPIO_FILE, EXTRA_RELEASE, release, size);
	memcpy(*extra + n, ccdm_uki_trailer, sizeof(ccdm_uki_trailer));
	piece[2].bytes = *extra;
	piece[2].size = n + sizeof(ccdm_uki_trailer);
	*count = 3;
	return 0;
}
