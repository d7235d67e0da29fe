// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* base_root.c - see base_root.h */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include "base_root.h"
#include "program.h"

/* Mounts end with the processes that see them; these end with the first one. */
static const char root_script[] =
	"mount -t proc proc \"$1/proc\" && mount -t sysfs -o ro sysfs \"$1/sys\" && "
	"mount --rbind /dev \"$1/dev\" && mount --bind \"$2\" \"$1/mnt\" && "
	"exec chroot \"$1\" /build/ccdm/userspace/image/base/steps \"$3\"";

int ccdm_base_step(const char *root, const char *work, int64_t date, const char *step,
		   struct ccdm_err *err)
{
	struct ccdm_program_found found;
	char text[sizeof(err->text)], epoch[48];
	const char *const env[] = { epoch, "DEBIAN_FRONTEND=noninteractive", NULL };
	const char *const argv[] = { found.path, "--mount",	 "--pid", "--ipc", "--net",
				     "--fork",	 "--kill-child", "sh",	  "-c",	   root_script,
				     "sh",	 root,		 work,	  step,	   NULL };
	int r = ccdm_program_find("unshare", &found, err);

	if (r)
		return r;
	snprintf(epoch, sizeof(epoch), "SOURCE_DATE_EPOCH=%" PRId64, date);
	r = ccdm_program_run(argv, env, -1, NULL, err);
	if (r == -EIO) {
		memcpy(text, err->text, sizeof(text));
		return ccdm_err_set(err, r, "step '%s' of the base: %s", step, text);
	}
	return r;
}
