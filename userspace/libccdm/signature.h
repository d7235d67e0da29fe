/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* signature.h - recognise content that would be destroyed, without libblkid */
#ifndef CCDM_SIGNATURE_H
#define CCDM_SIGNATURE_H

#include <stddef.h>
#include <stdint.h>
#include "base/compiler.h"

/*
 * Bytes that are looked at: at the beginning of a device (the last second header of LUKS2 is at 4 MiB),
 * and at its end (promise_fasttrack is up to 1.5 MiB before it).
 */
#define CCDM_SIGNATURE_HEAD ((4u << 20) + 4096)
#define CCDM_SIGNATURE_TAIL (2u << 20)

/**
 * struct ccdm_content - what was read of a device; untrusted
 * @head: its first bytes
 * @head_size: CCDM_SIGNATURE_HEAD, or the whole device if it is smaller
 * @tail: its last bytes
 * @tail_size: CCDM_SIGNATURE_TAIL, or the whole device if it is smaller
 * @bytes: size of the device
 */
struct ccdm_content {
	const uint8_t *head;
	size_t head_size;
	const uint8_t *tail;
	size_t tail_size;
	uint64_t bytes;
};

/**
 * ccdm_content_at() - bytes of a device
 * @content: what was read
 * @at: where
 * @size: how many
 *
 * Return: NULL if they were not read, or are not on the device
 */
const uint8_t *__must_check ccdm_content_at(const struct ccdm_content *content, uint64_t at,
					    size_t size);

/**
 * ccdm_signature_magic() - a format that is known by a few bytes at one place
 *
 * Return: its name, or NULL
 */
const char *__must_check ccdm_signature_magic(const struct ccdm_content *content);

/**
 * ccdm_signature_raid() - a member of a RAID, whose superblock is at the end of the device
 *
 * Return: its name, or NULL
 */
const char *__must_check ccdm_signature_raid(const struct ccdm_content *content);

/**
 * ccdm_signature_find() - name the content of a device
 * @content: what was read
 * @block: set to the block size of its file system, 0 if unknown
 *
 * Return: "ext4 file system", "gpt partition table", ...; NULL if nothing is known there
 */
const char *__must_check ccdm_signature_find(const struct ccdm_content *content,
					     unsigned int *block);

#endif
