// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* primitive.c - see primitive.h */
#include <errno.h>
#include <linux/if_alg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>
#include "primitive.h"

int ccdm_primitive_open(const struct ccdm_primitive *p, int *fd)
{
	struct sockaddr_alg sa = { .salg_family = AF_ALG };
	unsigned char key[64];
	int tfm, r = 0;

	*fd = -1;
	snprintf((char *)sa.salg_type, sizeof(sa.salg_type), "%s", p->type);
	snprintf((char *)sa.salg_name, sizeof(sa.salg_name), "%s", p->alg);
	if (getrandom(key, sizeof(key), 0) != sizeof(key))
		return -EIO;
	tfm = socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (tfm < 0)
		return -errno;
	if (bind(tfm, (struct sockaddr *)&sa, sizeof(sa)) ||
	    setsockopt(tfm, SOL_ALG, ALG_SET_KEY, key, p->key_bytes) ||
	    (!strcmp(p->type, "aead") &&
	     setsockopt(tfm, SOL_ALG, ALG_SET_AEAD_AUTHSIZE, NULL, 16)) ||
	    (*fd = accept4(tfm, NULL, NULL, SOCK_CLOEXEC)) < 0)
		r = -errno;
	close(tfm);
	return r;
}

int ccdm_primitive_run(int fd, const struct ccdm_primitive *p, unsigned char *buf)
{
	unsigned char control[CMSG_SPACE(4) + CMSG_SPACE(sizeof(struct af_alg_iv) + 16) +
			      CMSG_SPACE(4)] = { 0 };
	struct iovec iov = { buf, CCDM_PRIMITIVE_BYTES };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;
	struct af_alg_iv *iv;

	if (p->iv_bytes) {
		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(4) +
				     CMSG_SPACE(sizeof(struct af_alg_iv) + p->iv_bytes) +
				     (!strcmp(p->type, "aead") ? CMSG_SPACE(4) : 0);
		c = CMSG_FIRSTHDR(&msg);
		if (!c)
			return -EINVAL;
		c->cmsg_level = SOL_ALG;
		c->cmsg_type = ALG_SET_OP;
		c->cmsg_len = CMSG_LEN(4);
		*(uint32_t *)CMSG_DATA(c) = ALG_OP_ENCRYPT;
		c = CMSG_NXTHDR(&msg, c);
		if (!c)
			return -EINVAL;
		c->cmsg_level = SOL_ALG;
		c->cmsg_type = ALG_SET_IV;
		c->cmsg_len = CMSG_LEN(sizeof(struct af_alg_iv) + p->iv_bytes);
		iv = (struct af_alg_iv *)CMSG_DATA(c);
		iv->ivlen = p->iv_bytes;
		if (!strcmp(p->type, "aead")) {
			c = CMSG_NXTHDR(&msg, c);
			if (!c)
				return -EINVAL;
			c->cmsg_level = SOL_ALG;
			c->cmsg_type = ALG_SET_AEAD_ASSOCLEN;
			c->cmsg_len = CMSG_LEN(4);
			*(uint32_t *)CMSG_DATA(c) = p->aad ? CCDM_PRIMITIVE_BYTES : 0;
		}
	}
	if (sendmsg(fd, &msg, 0) < 0)
		return -errno;
	/* Read exactly the size of the result; AF_ALG would wait for more. */
	if (read(fd, buf,
		 !p->iv_bytes ? 32 : CCDM_PRIMITIVE_BYTES + (strcmp(p->type, "aead") ? 0 : 16)) < 0)
		return -errno;
	return 0;
}
