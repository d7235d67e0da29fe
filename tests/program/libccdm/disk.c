// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* disk.c - a program that uses libccdm: disk DEVICE NAME, for tests/vm/86-open */
#include <ccdm.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static unsigned int tests, bad;

static void result(bool good, const char *what)
{
	printf("%sok %u %s\n", good ? "" : "not ", ++tests, what);
	bad += !good;
}

static int seen(const char *name, void *arg)
{
	return !strcmp(name, arg) ? 7 : 0;
}

static struct ccdm_disk_plan *plan_for(const char *device, const char *name)
{
	struct ccdm_disk_plan *plan;

	if (ccdm_disk_plan_new(&plan, device, name, NULL))
		exit(1);
	return plan;
}

static void options(const char *device, const char *name)
{
	static const struct {
		const char *option;
		const char *value;
		const char *says;
	} wrong[] = {
		{ "cipher", "rot13",
		  "option 'cipher': expected aes-xts-gmac, aes-xts-hmac-sha256 or aes-gcm, "
		  "found 'rot13'" },
		{ "on-tamper", "sing",
		  "option 'on-tamper': expected panic, poweroff or eio, found 'sing'" },
		{ "uuid", "1234",
		  "option 'uuid': expected 32 hex digits in lower case, found '1234'" },
		{ "cache-size", "lots",
		  "option 'cache-size': expected a size above 0, such as 64M, found 'lots'" },
		{ "size", "0", "option 'size': expected a size above 0, such as 64M, found '0'" },
		{ "colour", "red", "unknown option 'colour'" },
		{ "cipher", NULL,
		  "option 'cipher': expected aes-xts-gmac, aes-xts-hmac-sha256 or aes-gcm, "
		  "found none" },
		{ "allow-kdump", "1", "option 'allow-kdump': expected no value, found '1'" },
	};
	struct ccdm_disk_plan *plan = plan_for(device, name);
	struct ccdm_disk_error error;
	char what[160];
	size_t i;
	int r;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		r = ccdm_disk_plan_set(plan, wrong[i].option, wrong[i].value, &error);
		snprintf(what, sizeof(what), "refused: %s", wrong[i].says);
		result(r == -EINVAL && !strcmp(error.text, wrong[i].says), what);
	}
	ccdm_disk_plan_free(plan);
}

/* Wait for the event @want of @name, at most 10 s for each event. */
static bool hears(struct ccdm_disk_events *events, const char *want, const char *name)
{
	struct pollfd fd = { .fd = ccdm_disk_events_fd(events), .events = POLLIN };
	struct ccdm_disk_event e = { .size = sizeof(e) };
	int r;

	for (;;) {
		r = ccdm_disk_events_next(events, &e, NULL);
		if (!r && !strcmp(e.event, want) && !strcmp(e.name, name))
			return !strncmp(e.uuid, "CCDM-", 5) && strchr(e.dev, ':');
		if (r && (r != -EAGAIN || poll(&fd, 1, 10000) <= 0))
			return false;
	}
}

/* Send what looks like an event to the socket of @events, as another process. */
static bool forge(int from, const struct ccdm_disk_events *events, int type)
{
	struct {
		struct nlmsghdr head;
		struct genlmsghdr genl;
		struct nlattr attr;
		char event[8];
	} m = { .head = { .nlmsg_len = sizeof(m), .nlmsg_type = (uint16_t)type },
		.attr = { .nla_len = sizeof(m.attr) + 7, .nla_type = 1 },
		.event = "tamper" };
	struct sockaddr_nl to;
	socklen_t size = sizeof(to);

	return !getsockname(ccdm_disk_events_fd(events), (struct sockaddr *)&to, &size) &&
	       sendto(from, &m, sizeof(m), MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to)) ==
		       sizeof(m);
}

/* Only the kernel is heard. */
static void forged(struct ccdm_disk_events *events)
{
	struct ccdm_disk_event e = { .size = sizeof(e) };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC), type;
	bool sent = true;

	for (type = NLMSG_MIN_TYPE; type < 100; type++)
		sent = sent && forge(fd, events, type);
	close(fd);
	result(sent, "events: another process sends messages");
	result(ccdm_disk_events_next(events, &e, NULL) == -EAGAIN, "events: they are ignored");
}

/* Leave no room for events in the socket. */
static void fill(struct ccdm_disk_events *events)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC), bytes = 1;

	if (setsockopt(ccdm_disk_events_fd(events), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)))
		exit(1);
	while (forge(fd, events, NLMSG_MIN_TYPE))
		;
	close(fd);
}

static void lost(struct ccdm_disk_events *events)
{
	struct ccdm_disk_event e = { .size = sizeof(e) };

	result(!ccdm_disk_events_next(events, &e, NULL) && !strcmp(e.event, "lost") && !e.name[0],
	       "events: lost");
}

static void opens(const char *device, const char *name)
{
	struct ccdm_disk_facts facts = { .size = sizeof(facts) }, small = { .size = 64 };
	struct ccdm_disk_status status = { .size = sizeof(status) };
	struct ccdm_disk_plan *plan = plan_for(device, name);
	struct ccdm_disk_events *events, *small_room;
	struct ccdm_disk_error error = { 0 };
	char path[256], value[64], short_value[4];
	int fd, r;

	r = ccdm_disk_events_open(&events, &error);
	result(!r, "events: open");
	if (r) {
		printf("# %s\n", error.text);
		return;
	}
	result(ccdm_disk_events_next(
		       events, &(struct ccdm_disk_event){ .size = sizeof(struct ccdm_disk_event) },
		       NULL) == -EAGAIN,
	       "events: none yet");
	forged(events);
	if (ccdm_disk_events_open(&small_room, &error))
		exit(1);
	fill(small_room);
	r = ccdm_disk_plan_set(plan, "cipher", "aes-gcm", &error);
	result(!r && !ccdm_disk_plan_set(plan, "cache-size", "4M", &error), "options are taken");
	r = ccdm_disk_plan_look(plan, &facts, &error);
	result(!r && facts.bytes && facts.bytes < facts.device_bytes, "look: the sizes");
	result(!r && !strcmp(facts.content, "ext4 file system"), "look: what the device holds");
	snprintf(path, sizeof(path), " ccdm 1 %s 2 cipher:aes-gcm cache_mib:4", device);
	result(!r && strstr(facts.table, path), "look: the table");
	result(ccdm_disk_plan_look(plan, &small, &error) == -EINVAL,
	       "look: a structure that is too small");
	result(ccdm_disk_plan_open(plan, false, &error) == -ECANCELED &&
		       strstr(error.text, "holds: ext4"),
	       "open: content is not destroyed unasked");
	r = ccdm_disk_plan_open(plan, true, &error);
	result(!r, "open");
	if (r)
		printf("# %s\n", error.text);
	result(ccdm_disk_plan_open(plan, true, &error) == -EEXIST, "open: the name is in use");
	snprintf(path, sizeof(path), "/dev/mapper/%s", name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	result(fd >= 0, "open: the device is there at once");
	r = ccdm_disk_status(name, &status, &error);
	result(!r && status.bytes == facts.bytes && status.in_use && !status.suspended, "status");
	result(ccdm_disk_value(status.status, "suite", value, sizeof(value)) &&
		       !strcmp(value, "aes-gcm"),
	       "status: a word");
	result(!ccdm_disk_value(status.status, "suite", short_value, sizeof(short_value)) &&
		       !short_value[0],
	       "status: a word that does not fit");
	result(!ccdm_disk_value(status.status, "colour", value, sizeof(value)),
	       "status: no such word");
	result(ccdm_disk_list(seen, (void *)name, &error) == 7, "list: ended by the caller");
	result(ccdm_disk_list(seen, "nosuch", &error) == 0, "list: to its end");
	result(hears(events, "opened", name), "events: opened");
	result(ccdm_disk_close(name, false, &error) == -EBUSY && strstr(error.text, "in use"),
	       "close: in use");
	result(!ccdm_disk_close(name, true, &error), "close: later");
	close(fd);
	result(hears(events, "closed", name), "events: closed");
	lost(small_room);
	ccdm_disk_events_close(small_room);
	result(ccdm_disk_status(name, &status, &error) == -ENXIO, "status: not active");
	result(ccdm_disk_close(name, false, &error) == -ENXIO, "close: not active");
	ccdm_disk_events_close(events);
	ccdm_disk_plan_free(plan);
}

static void refuses(const char *device)
{
	static const struct {
		const char *device;
		const char *name;
		int r;
	} wrong[] = {
		{ "/dev/nosuch", "x", -ENOENT },
		{ "/etc/passwd", "x", -ENOTBLK },
		{ NULL, "a/b", -EINVAL },
		{ NULL, "", -EINVAL },
		{ "/dev/mapper/a b", "x", -EINVAL },
	};
	struct ccdm_disk_facts facts = { .size = sizeof(facts) };
	struct ccdm_disk_error error;
	struct ccdm_disk_plan *plan;
	char what[600];
	size_t i;
	int r;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		plan = plan_for(wrong[i].device ? wrong[i].device : device, wrong[i].name);
		r = ccdm_disk_plan_look(plan, &facts, &error);
		snprintf(what, sizeof(what), "refused: %s", error.text);
		result(r == wrong[i].r, what);
		ccdm_disk_plan_free(plan);
	}
	ccdm_disk_plan_free(NULL);
	ccdm_disk_events_close(NULL);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 1;
	options(argv[1], argv[2]);
	refuses(argv[1]);
	opens(argv[1], argv[2]);
	printf("1..%u\n", tests);
	return bad > 0;
}
