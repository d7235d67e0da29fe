/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* resource.h - a session and a path come in, a secret for the session's key comes out */
#ifndef CCDM_BROKER_RESOURCE_H
#define CCDM_BROKER_RESOURCE_H

#include "broker.h"
#include "request.h"

/* @path: REPO/TYPE/TAG, one that is good */
void ccdm_resource_answer(struct ccdm_broker *broker, const struct ccdm_request *request,
			  const char *path, struct ccdm_reply *reply);

#endif
