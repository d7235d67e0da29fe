/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * protocol.h - the broker's side of the KBS protocol: a request in, an answer out
 *
 * It knows nothing of sockets and TLS; server.h carries requests here. What a guest is
 * told is little: the reason stands in the audit log.
 */
#ifndef CCDM_BROKER_PROTOCOL_H
#define CCDM_BROKER_PROTOCOL_H

#include "broker.h"
#include "request.h"

/* Always an answer; without memory one without a body. */
void ccdm_protocol_answer(struct ccdm_broker *broker, const struct ccdm_request *request,
			  struct ccdm_reply *reply);

#endif
