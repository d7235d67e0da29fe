/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * pe.h - sections of a program for UEFI, and the hash under which firmware measures it
 *
 * (Microsoft PE Format; Windows Authenticode Portable Executable Signature Format 1.0, "Calculating
 * the PE Image Hash"; after the sections EDK II hashes the rest of the file from the sum of their
 * sizes on)
 */
#ifndef CCDM_PE_H
#define CCDM_PE_H

#include "base/compiler.h"
#include "base/err.h"
#include "crypto/digest.h"

#define CCDM_PE_SECTIONS_MAX 96

/**
 * struct ccdm_pe_section - a section
 * @name: without the zeros at its end
 * @virtual_at, @virtual_size: bytes in memory, from the program's beginning
 * @raw_at, @raw_size: bytes in the file
 * @flags: Characteristics
 */
struct ccdm_pe_section {
	char name[9];
	uint32_t virtual_at, virtual_size;
	uint32_t raw_at, raw_size;
	uint32_t flags;
};

/**
 * struct ccdm_pe - a program
 * @name: of the file, for messages
 * @bytes, @size: the file, which stays the caller's
 * @optional, @table: where the optional header and the table of sections are
 * @checksum: where the checksum of four bytes is
 * @certificates: place of the entry (eight bytes) that points to the signatures, or 0
 * @certificates_size: bytes of signatures, at the end of the file
 * @headers_size: bytes before the sections, in the file and in memory
 * @directory, @directories: where the entries of eight bytes are, and how many
 * @count, @section: in the order of the table
 */
struct ccdm_pe {
	const char *name;
	const uint8_t *bytes;
	size_t size;
	size_t optional, table;
	size_t checksum;
	size_t certificates;
	uint32_t certificates_size;
	uint32_t headers_size;
	size_t directory;
	unsigned int directories;
	unsigned int count;
	struct ccdm_pe_section section[CCDM_PE_SECTIONS_MAX];
};

/* Return: 0, -EINVAL with the field in @err. */
int __must_check ccdm_pe_parse(const char *name, const uint8_t *bytes, size_t size,
			       struct ccdm_pe *pe, struct ccdm_err *err);

/* The Authenticode hash. Return: 0, -ENOTSUP for an algorithm that is not known, -EIO. */
int __must_check ccdm_pe_digest(const struct ccdm_pe *pe, uint16_t alg, struct ccdm_digest *digest);

/*
 * SHA-256 of the bytes outside of the sections, without the fields that depend on the sizes and
 * places of the sections, without checksum and signatures. Return: 0, -EIO.
 */
int __must_check ccdm_pe_digest_rest(const struct ccdm_pe *pe, struct ccdm_digest *digest);

/* How often there is a section of this name; @section: set to the first, unless it is NULL. */
unsigned int ccdm_pe_find(const struct ccdm_pe *pe, const char *name,
			  const struct ccdm_pe_section **section);

#endif
