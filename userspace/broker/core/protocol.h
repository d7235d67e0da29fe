/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * protocol.h - the broker's side of the KBS protocol: answers to requests
 *
 * This file knows nothing of sockets and TLS; server.h passes requests to it. A guest learns
 * little about a refusal: the reason is in the audit log.
 */
#ifndef CCDM_BROKER_PROTOCOL_H
#define CCDM_BROKER_PROTOCOL_H

#include "broker.h"
#include "request.h"

/* Always sets an answer; one without a body if memory is short. */
void ccdm_protocol_answer(struct ccdm_broker *broker, const struct ccdm_request *request,
			  struct ccdm_reply *reply);

#endif
