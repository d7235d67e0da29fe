// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
#include <crypto/utils.h>
