/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * image_config.h - the configuration of a container image: what it runs, as whom, where
 *
 * OCI image-spec config.md; Docker's format is the same, and has a health check and a shell. Fields
 * that do not concern a run (labels, history) are not read.
 */
#ifndef CCDM_IMAGE_CONFIG_H
#define CCDM_IMAGE_CONFIG_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"
#include "signal_name.h"

#define CCDM_IMAGE_CONFIG_MAX	  (4 << 20) /* bytes of the JSON */
#define CCDM_IMAGE_CONFIG_VOLUMES 64

/**
 * struct ccdm_image_health - a health check
 * @test: command, an array of texts; NULL: there is none
 * @interval: seconds between two tests
 * @timeout: seconds that a test may take
 * @start_period: seconds after the start in which failures do not count
 * @retries: failures in a row that make the workload unhealthy
 */
struct ccdm_image_health {
	json_t *test;
	uint64_t interval;
	uint64_t timeout;
	uint64_t start_period;
	uint64_t retries;
};

/**
 * struct ccdm_image_config - validated
 * @json: owns what the other fields point to
 * @entrypoint, @cmd: arrays of texts, may be empty
 * @env: array of "NAME=VALUE"; each name appears once, the last value counts
 * @workdir: "" or a path
 * @user: "", or USER[:GROUP] by name or number; not resolved
 * @volumes: array of absolute paths, sorted
 * @exposed: array of "PORT/PROTOCOL", sorted
 * @stop_signal: "SIGTERM"; "": not given
 * @health: HEALTHCHECK of Docker, with Docker's defaults; its shell form has the image's SHELL in it
 */
struct ccdm_image_config {
	json_t *json;
	json_t *entrypoint;
	json_t *cmd;
	json_t *env;
	const char *workdir;
	const char *user;
	json_t *volumes;
	json_t *exposed;
	char stop_signal[CCDM_SIGNAL_NAME];
	struct ccdm_image_health health;
};

/**
 * ccdm_image_config_parse() - read a configuration
 * @name: of the image, for messages
 * @text: untrusted
 * @size: its bytes
 * @config: filled; ccdm_image_config_drop() frees what it holds, after an error, too
 *
 * Return: 0; -EINVAL with the field, what was expected and what was found, also for an image of
 * another platform than linux/amd64; -ENOMEM.
 */
int __must_check ccdm_image_config_parse(const char *name, const char *text, size_t size,
					 struct ccdm_image_config *config, struct ccdm_err *err);

void ccdm_image_config_drop(struct ccdm_image_config *config); /* accepts zeros */

#endif
