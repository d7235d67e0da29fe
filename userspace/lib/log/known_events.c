// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* known_events.c - see known_events.h */
#include <string.h>
#include "base/compiler.h"
#include "known_events.h"

#define TEXT(s) s, sizeof(s) - 1

/*
 * Firmware: TCG PC Client Platform Firmware Profile 1.06, sections 3.3.4 and 10.4.
 * systemd: systemd-pcrphase.service(8). The words are of versions 252 to 258; "os-separator" exists
 * since 261.
 */
static const struct ccdm_known_event ccdm_known_table[] = {
	{ CCDM_EVENT_OF_FIRMWARE, "separator", TEXT("\0\0\0\0") },
	{ CCDM_EVENT_OF_FIRMWARE, "calling-efi-application",
	  TEXT("Calling EFI Application from Boot Option") },
	{ CCDM_EVENT_OF_FIRMWARE, "returning-from-efi-application",
	  TEXT("Returning from EFI Application from Boot Option") },
	{ CCDM_EVENT_OF_FIRMWARE, "exit-boot-services", TEXT("Exit Boot Services Invocation") },
	{ CCDM_EVENT_OF_FIRMWARE, "exit-boot-services-returned",
	  TEXT("Exit Boot Services Returned with Success") },
	{ CCDM_EVENT_OF_SYSTEMD, "enter-initrd", TEXT("enter-initrd") },
	{ CCDM_EVENT_OF_SYSTEMD, "leave-initrd", TEXT("leave-initrd") },
	{ CCDM_EVENT_OF_SYSTEMD, "sysinit", TEXT("sysinit") },
	{ CCDM_EVENT_OF_SYSTEMD, "ready", TEXT("ready") },
	{ CCDM_EVENT_OF_SYSTEMD, "shutdown", TEXT("shutdown") },
	{ CCDM_EVENT_OF_SYSTEMD, "final", TEXT("final") },
	{ CCDM_EVENT_OF_SYSTEMD, "os-separator", TEXT("os-separator") },
	{ CCDM_EVENT_OF_CCDM, CCDM_EVENT_READY, TEXT(CCDM_EVENT_READY ":1") },
	{ CCDM_EVENT_OF_CCDM, CCDM_EVENT_READY, TEXT(CCDM_EVENT_READY ":not-strict") },
	{ CCDM_EVENT_OF_CCDM, CCDM_EVENT_CAP, TEXT(CCDM_EVENT_CAP ":1") },
};

_Static_assert(ARRAY_SIZE(ccdm_known_table) == CCDM_KNOWN_EVENTS, "a digest for each event");

int ccdm_known_events_init(uint16_t bank, struct ccdm_known_events *known)
{
	struct ccdm_digest d;
	unsigned int i;
	int r = 0;

	memset(known, 0, sizeof(*known));
	known->size = ccdm_digest_size(bank);
	for (i = 0; !r && i < CCDM_KNOWN_EVENTS; i++) {
		r = ccdm_digest_of(bank, ccdm_known_table[i].text, ccdm_known_table[i].size, NULL,
				   0, &d);
		if (!r)
			memcpy(known->digest[i], d.bytes, d.size);
	}
	return r;
}

const struct ccdm_known_event *ccdm_known_event(const struct ccdm_known_events *known,
						const uint8_t *digest)
{
	unsigned int i;

	for (i = 0; i < CCDM_KNOWN_EVENTS; i++)
		if (!memcmp(known->digest[i], digest, known->size))
			return &ccdm_known_table[i];
	return NULL;
}
