// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
#include <linux/crypto.h>
_Static_assert(__builtin_types_compatible_p(crypto_completion_t, void (*)(void *, int)), "");
