// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * The HTTPS server without a broker behind it: a connection that receives its answer makes no room for others,
 * and one that has it does; each that made room is counted.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "cli/issue.h"
#include "daemon/server.h"

#define BIG (16U << 20) /* bytes of an answer: more than the buffers of a socket hold */

static char dir[] = "/tmp/ccdm-server-XXXXXX";
static struct ccdm_err err;
static struct ccdm_refusals *refusals; /* of the server's process */
static SSL_CTX *client;

static const char *file(const char *name)
{
	static char path[4][256];
	static unsigned int n;
	char *p = path[n++ % 4];

	snprintf(p, 256, "%s/%s", dir, name);
	return p;
}

static int setup(void **state)
{
	char *names[] = { (char *)"localhost" };

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_non_null(mkdtemp(dir));
	refusals = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_int_equal(ccdm_issue_key(file("ca.key"), "P-384", &err), 0);
	assert_int_equal(ccdm_issue_cert(&(struct ccdm_issue){ .file = file("ca.pem"),
							       .key = file("ca.key"),
							       .cn = "CA",
							       .days = 10 },
					 &err),
			 0);
	assert_int_equal(ccdm_issue_key(file("server.key"), "P-256", &err), 0);
	assert_int_equal(ccdm_issue_cert(&(struct ccdm_issue){ .file = file("server.pem"),
							       .key = file("server.key"),
							       .cn = "localhost",
							       .names = names,
							       .nr_names = 1,
							       .ca = file("ca.pem"),
							       .ca_key = file("ca.key"),
							       .days = 5 },
					 &err),
			 0);
	client = SSL_CTX_new(TLS_client_method());
	return !client;
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	SSL_CTX_free(client);
	munmap(refusals, 4096);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

/* Answer with the peer's address, or with many bytes. */
static void answer(const struct ccdm_request *q, struct ccdm_reply *a, void *arg)
{
	(void)arg;
	a->status = 200;
	if (strcmp(q->path, "/big")) {
		a->body = strdup(q->peer);
		return;
	}
	a->body = malloc(BIG + 1);
	memset(a->body, 'x', BIG);
	a->body[BIG] = '\0';
}

static pid_t serve(unsigned int most, unsigned int *port)
{
	struct ccdm_conf conf = { .listen = "127.0.0.1",
				  .max_body = 1 << 20,
				  .max_connections = most,
				  .timeout = 60,
				  .handshake = 20 };
	struct ccdm_server *server;
	struct event_base *base;
	int ends[2];
	uint16_t n;
	pid_t pid;

	memset(refusals, 0, sizeof(*refusals));
	snprintf(conf.certificate, sizeof(conf.certificate), "%s", file("server.pem"));
	snprintf(conf.key, sizeof(conf.key), "%s", file("server.key"));
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		base = event_base_new();
		if (ccdm_server_new(base, &conf, answer, NULL, &server, &err))
			_exit(1);
		ccdm_server_count(server, refusals);
		n = ccdm_server_port(server);
		if (write(ends[1], &n, 2) != 2)
			_exit(1);
		event_base_dispatch(base);
		_exit(1);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &n, 2), 2);
	close(ends[0]);
	*port = n;
	return pid;
}

/* A connection from 127.0.0.@host with TLS. @room: bytes of the receive buffer; 0: as it is */
static SSL *connect_from(unsigned int host, unsigned int port, int room)
{
	const struct timeval patience = { .tv_sec = 15 };
	struct sockaddr_in a = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	SSL *ssl = SSL_new(client);

	assert_true(fd >= 0 && ssl);
	/* a test that waits in vain fails */
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (room)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + host);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	a.sin_port = htons(port);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	SSL_set_fd(ssl, fd);
	assert_int_equal(SSL_connect(ssl), 1);
	return ssl;
}

static void end(SSL *ssl)
{
	close(SSL_get_fd(ssl));
	SSL_free(ssl);
}

static void ask(SSL *ssl, const char *path)
{
	char text[128];
	int n = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);

	assert_int_equal(SSL_write(ssl, text, n), n);
}

/* Receive @size bytes or more. Return: how many there were before the end */
static size_t receive(SSL *ssl, size_t size)
{
	static char bytes[1 << 16];
	size_t all = 0;
	int n;

	while (all < size && (n = SSL_read(ssl, bytes, sizeof(bytes))) > 0)
		all += (size_t)n;
	return all;
}

/* True if the server has closed the connection. */
static bool gone(SSL *ssl)
{
	char byte;
	int n;

	errno = 0;
	n = SSL_read(ssl, &byte, 1);
	return n <= 0 && errno != EAGAIN;
}

/* Ask for the small answer, and receive all of it. */
static void served(SSL *ssl)
{
	char all[1024];
	int n, size = 0;

	ask(ssl, "/");
	do {
		n = SSL_read(ssl, all + size, (int)sizeof(all) - 1 - size);
		assert_true(n > 0);
		size += n;
		all[size] = '\0';
	} while (!strstr(all, "127.0.0."));
}

static void room(void **state)
{
	SSL *slow, *others[6];
	unsigned int port, i;
	pid_t pid = serve(4, &port);

	(void)state;
	slow = connect_from(2, port, 4096);
	ask(slow, "/big");
	/* the answer has begun, and its receiver stops reading */
	assert_true(receive(slow, 1) > 0);
	for (i = 0; i < 6; i++) {
		others[i] = connect_from(3 + i, port, 0);
		served(others[i]);
	}
	/* three of the others are there; the older three made room */
	assert_int_equal(refusals->evicted, 3);
	assert_true(gone(others[0]));
	assert_true(gone(others[2]));
	/* one answer after another, on the same connection */
	served(others[5]);
	/* the slow one gets the rest: there are headers, too */
	assert_true(receive(slow, BIG) >= BIG);
	/* and then it is idle: it is not the oldest one, since its answer ended last */
	for (i = 0; i < 3; i++) {
		end(others[i]);
		others[i] = connect_from(20 + i, port, 0);
		served(others[i]);
	}
	assert_int_equal(refusals->evicted, 6);
	end(others[3]);
	others[3] = connect_from(30, port, 0);
	served(others[3]);
	assert_int_equal(refusals->evicted, 7);
	assert_true(gone(slow));
	end(slow);
	for (i = 0; i < 6; i++)
		end(others[i]);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* A peer that does not read its answers loses its place to one that has fewer connections. */
static void stuck(void **state)
{
	SSL *many[3], *slow, *one;
	unsigned int port, i;
	pid_t pid = serve(4, &port);

	(void)state;
	slow = connect_from(3, port, 4096);
	ask(slow, "/big");
	assert_true(receive(slow, 1) > 0);
	for (i = 0; i < 3; i++) {
		many[i] = connect_from(2, port, 4096);
		ask(many[i], "/big");
		assert_true(receive(many[i], 1) > 0);
	}
	one = connect_from(4, port, 0);
	served(one);
	assert_int_equal(refusals->evicted, 1);
	/* the one whose answer began first, and not the one of the address with fewer */
	assert_true(receive(many[0], BIG) < BIG);
	assert_true(receive(slow, BIG) >= BIG);
	assert_true(receive(many[1], BIG) >= BIG);
	end(slow);
	end(one);
	for (i = 0; i < 3; i++)
		end(many[i]);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(room),
		cmocka_unit_test(stuck),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
