/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * folder.h - a folder for the files of a unit test
 *
 * folder_begin() and folder_end() are the setup and the teardown of a group of tests.
 */
#ifndef CCDM_TEST_FOLDER_H
#define CCDM_TEST_FOLDER_H

#include <stdio.h>
#include <stdlib.h>

static char dir[] = "/tmp/ccdm-unit.XXXXXX";

static inline int folder_begin(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static inline int folder_end(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

#endif
