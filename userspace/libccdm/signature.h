/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* signature.h - recognise content that would be destroyed, without libblkid */
#ifndef CCDM_SIGNATURE_H
#define CCDM_SIGNATURE_H

#include <stddef.h>
#include <stdint.h>
#include "base/compiler.h"

/* Bytes that are looked at: at the beginning of a device, and at its end. */
#define CCDM_SIGNATURE_HEAD (256u << 10)
#define CCDM_SIGNATURE_TAIL (128u << 10)

/**
 * ccdm_signature_find() - name the content of a device
 * @head: its first bytes; untrusted
 * @head_size: CCDM_SIGNATURE_HEAD, or the whole device if it is smaller
 * @tail: its last bytes; untrusted
 * @tail_size: CCDM_SIGNATURE_TAIL, or the whole device if it is smaller
 * @block: set to the block size of its file system, 0 if unknown
 *
 * Return: "ext4 file system", "gpt partition table", ...; NULL if nothing is known there
 */
const char *__must_check ccdm_signature_find(const uint8_t *head, size_t head_size,
					     const uint8_t *tail, size_t tail_size,
					     unsigned int *block);

#endif
