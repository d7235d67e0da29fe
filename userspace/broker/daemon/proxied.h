/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* proxied.h - take a load balancer's header from a connection before TLS reads from it */
#ifndef CCDM_BROKER_PROXIED_H
#define CCDM_BROKER_PROXIED_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <sys/socket.h>
#include "base/compiler.h"

/**
 * typedef ccdm_proxied_fn - called once, when the header is complete or not valid
 * @valid: it is a valid one
 * @address: in it; NULL: there is none
 *
 * Return: false: end the connection.
 */
typedef bool (*ccdm_proxied_fn)(void *arg, bool valid, const struct sockaddr *address);

/**
 * ccdm_proxied_start() - read a header before TLS
 * @ssl: has its socket, and has not read from it
 * @done, @arg: must live as long as @ssl
 *
 * Return: 0, -ENOMEM.
 */
int __must_check ccdm_proxied_start(SSL *ssl, ccdm_proxied_fn done, void *arg);

#endif
