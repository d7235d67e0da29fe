/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* resource.h - release a secret, encrypted for the session's key */
#ifndef CCDM_BROKER_RESOURCE_H
#define CCDM_BROKER_RESOURCE_H

#include "broker.h"
#include "request.h"

/* @path: a valid REPO/TYPE/TAG */
void ccdm_resource_answer(struct ccdm_broker *broker, const struct ccdm_request *request,
			  const char *path, struct ccdm_reply *reply);

#endif
