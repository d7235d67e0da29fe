/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* attest.h - verify evidence, create a session and its token */
#ifndef CCDM_BROKER_ATTEST_H
#define CCDM_BROKER_ATTEST_H

#include "broker.h"
#include "request.h"

void ccdm_attest_answer(struct ccdm_broker *broker, const struct ccdm_request *request,
			struct ccdm_reply *reply);

#endif
