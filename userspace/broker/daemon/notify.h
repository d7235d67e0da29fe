/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* notify.h - tell systemd the state of the daemon (sd_notify(3)) */
#ifndef CCDM_BROKER_NOTIFY_H
#define CCDM_BROKER_NOTIFY_H

#include <stdint.h>

/**
 * ccdm_notify() - send a state to the socket that NOTIFY_SOCKET names
 * @state: "READY=1", "STOPPING=1", "WATCHDOG=1"
 *
 * It does nothing if there is no such variable. A failure has no effect here: systemd then takes the
 * daemon for one that hangs, and starts it again.
 */
void ccdm_notify(const char *state);

/* Microseconds between two "WATCHDOG=1": half of what systemd expects; 0: systemd expects none. */
uint64_t ccdm_notify_watchdog(void);

#endif
