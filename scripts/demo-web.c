// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * demo-web.c - the application of the demo: a static program that answers words on TCP port 8080
 *
 *	who	user, process number, hostname
 *	secret	the beginning of its secret
 *	store	writes its secret to /data/notes, 10,000 times
 *	replace	writes something else there
 *	read	the first line of /data/notes, from the disk
 *	end	it ends with exit status 0
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECRET "/run/secrets/web.key"
#define NOTES  "/data/notes"
#define PORT   8080
#define BLOCK  4096

static char text[256];

static void first_line(const char *bytes, char *answer, size_t size)
{
	snprintf(answer, size, "%.*s", (int)strcspn(bytes, "\n"), bytes);
}

/* Process 1 of a container ignores signals that it does not handle. */
static void stop(int sig)
{
	(void)sig;
	_exit(0);
}

static void load_secret(void)
{
	FILE *f = fopen(SECRET, "r");

	if (!f || !fgets(text, sizeof(text), f)) {
		perror(SECRET);
		exit(1);
	}
	fclose(f);
	text[strcspn(text, "\n")] = '\0';
}

static const char *store(const char *line)
{
	FILE *f = fopen(NOTES, "w");
	int i, bad;

	if (!f)
		return "cannot open " NOTES;
	for (i = 0; i < 10000; i++)
		fprintf(f, "%s\n", line);
	bad = fflush(f) || fsync(fileno(f));
	return fclose(f) || bad ? "cannot write " NOTES : "done";
}

/* Not from the page cache. */
static void read_back(char *answer, size_t size)
{
	int fd = open(NOTES, O_RDONLY | O_DIRECT);
	char *block = aligned_alloc(BLOCK, BLOCK);

	if (fd < 0 || !block || read(fd, block, BLOCK) != BLOCK) {
		snprintf(answer, size, "cannot read " NOTES);
	} else {
		block[BLOCK - 1] = '\0';
		first_line(block, answer, size);
	}
	free(block);
	if (fd >= 0)
		close(fd);
}

static void reply(const char *word, char *answer, size_t size)
{
	char host[64] = "";

	gethostname(host, sizeof(host) - 1);
	if (!strcmp(word, "who"))
		snprintf(answer, size, "uid %u, process %d, host %s", getuid(), getpid(), host);
	else if (!strcmp(word, "secret"))
		snprintf(answer, size, "%.18s...", text);
	else if (!strcmp(word, "store"))
		snprintf(answer, size, "%s", store(text));
	else if (!strcmp(word, "replace"))
		snprintf(answer, size, "%s", store("the launch code is 1234"));
	else if (!strcmp(word, "read"))
		read_back(answer, size);
	else
		snprintf(answer, size, "%s", !strcmp(word, "end") ? "goodbye" : "unknown word");
}

int main(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1, client;
	char word[64], answer[512];
	ssize_t n;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, stop);
	load_secret();
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 8)) {
		perror("port 8080");
		return 1;
	}
	printf("web: it listens, and its secret is '%s'\n", text);
	fflush(stdout);
	for (;;) {
		client = accept(fd, NULL, NULL);
		n = client < 0 ? -1 : read(client, word, sizeof(word) - 1);
		if (n > 0) {
			word[n] = '\0';
			word[strcspn(word, "\r\n")] = '\0';
			printf("web: asked for '%s'\n", word);
			fflush(stdout);
			reply(word, answer, sizeof(answer) - 1);
			strcat(answer, "\n");
			if (write(client, answer, strlen(answer)) < 0)
				perror("web: answer");
			if (!strcmp(word, "end"))
				return 0;
		}
		if (client >= 0)
			close(client);
	}
}
