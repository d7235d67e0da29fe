// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* bench_report.c - see bench_device.h: table, JSON and plot */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "base/json.h"
#include "base/ui.h"
#include "base/ui_report.h"
#include "bench_device.h"

/* How much of the raw device's I/O a target does; 0: not measured */
static double bench_part(const struct ccdm_bench *b, unsigned int target, unsigned int job)
{
	const double raw = b->target[0].result[job].iops;

	return raw > 0 ? b->target[target].result[job].iops / raw : 0;
}

static json_t *bench_json(const struct ccdm_bench *b)
{
	json_t *targets = json_array(), *jobs, *target;
	const struct ccdm_bench_result *r;
	unsigned int i, j;

	for (i = 0; i < CCDM_BENCH_TARGETS; i++) {
		jobs = json_array();
		for (j = 0; j < CCDM_BENCH_JOBS && !b->target[i].why[0]; j++) {
			r = &b->target[i].result[j];
			ccdm_json_add(&jobs,
				      json_pack("{s:s, s:f, s:f, s:f, s:f, s:f}", "job",
						ccdm_bench_jobs[j].key, "iops", r->iops, "mib_s",
						r->mib_s, "mean_us", r->mean_us, "p99_us",
						r->p99_us, "of_raw", bench_part(b, i, j)));
		}
		target = json_pack("{s:s, s:o}", "target", b->target[i].name, "jobs", jobs);
		if (b->target[i].why[0])
			ccdm_json_put(&target, "why", json_string(b->target[i].why));
		ccdm_json_add(&targets, target);
	}
	return json_pack("{s:s, s:I, s:I, s:i, s:o}", "device", b->device, "bytes",
			 (json_int_t)b->bytes, "area", (json_int_t)b->area, "seconds",
			 (int)b->seconds, "targets", targets);
}

int ccdm_bench_print(const struct ccdm_bench *b, bool json, struct ccdm_err *err)
{
	const struct ccdm_bench_result *r;
	unsigned int i, j;
	char area[32];

	if (json)
		return ccdm_ui_json(bench_json(b), err);
	ccdm_ui_line("# %s, its first %s; %u s for each line but the first write", b->device,
		     ccdm_ui_human(b->area, area), b->seconds);
	printf("%-28s %-16s %10s %9s %9s %9s %7s\n", "", "", "IOPS", "MiB/s", "mean us", "p99 us",
	       "of raw");
	for (j = 0; j < CCDM_BENCH_JOBS; j++)
		for (i = 0; i < CCDM_BENCH_TARGETS; i++) {
			r = &b->target[i].result[j];
			if (b->target[i].why[0])
				continue;
			printf("%-28s %-16s %10.0f %9.1f %9.1f %9.1f %7.2f\n",
			       i ? "" : ccdm_bench_jobs[j].name, b->target[i].name, r->iops,
			       r->mib_s, r->mean_us, r->p99_us, bench_part(b, i, j));
		}
	for (i = 0; i < CCDM_BENCH_TARGETS; i++)
		if (b->target[i].why[0])
			ccdm_ui_line("# %s could not be measured: %s", b->target[i].name,
				     b->target[i].why);
	return 0;
}

#define PLOT_LEFT   60
#define PLOT_TOP    50
#define PLOT_HEIGHT 240
#define PLOT_GROUP  150
#define PLOT_BAR    28
#define PLOT_WIDTH  (PLOT_LEFT + CCDM_BENCH_JOBS * PLOT_GROUP + 20)

static void plot_bars(FILE *out, const struct ccdm_bench *b, double most)
{
	static const char *const colours[CCDM_BENCH_TARGETS] = { "#888888", "#d08700", "#b04040",
								 "#2060c0" };
	unsigned int i, j, x, h;

	for (j = 0; j < CCDM_BENCH_JOBS; j++) {
		for (i = 0; i < CCDM_BENCH_TARGETS; i++) {
			if (b->target[i].why[0])
				continue;
			h = (unsigned int)(bench_part(b, i, j) / most * PLOT_HEIGHT);
			x = PLOT_LEFT + j * PLOT_GROUP + 15 + i * (PLOT_BAR + 2);
			fprintf(out,
				"<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" fill=\"%s\">"
				"<title>%s, %s: %.2f</title></rect>\n",
				x, PLOT_TOP + PLOT_HEIGHT - h, PLOT_BAR, h, colours[i],
				b->target[i].name, ccdm_bench_jobs[j].name, bench_part(b, i, j));
		}
		fprintf(out, "<text x=\"%u\" y=\"%u\" font-size=\"11\">%s</text>\n",
			PLOT_LEFT + j * PLOT_GROUP + 5, PLOT_TOP + PLOT_HEIGHT + 18,
			ccdm_bench_jobs[j].name);
	}
	for (i = 0; i < CCDM_BENCH_TARGETS; i++)
		fprintf(out,
			"<rect x=\"%u\" y=\"%u\" width=\"12\" height=\"12\" fill=\"%s\"/>"
			"<text x=\"%u\" y=\"%u\" font-size=\"12\">%s%s</text>\n",
			PLOT_LEFT + i * 190, PLOT_TOP + PLOT_HEIGHT + 36, colours[i],
			PLOT_LEFT + i * 190 + 18, PLOT_TOP + PLOT_HEIGHT + 46, b->target[i].name,
			b->target[i].why[0] ? " (not measured)" : "");
}

static void plot(FILE *out, const struct ccdm_bench *b)
{
	unsigned int i, j, quarter;
	double most = 1;

	for (i = 0; i < CCDM_BENCH_TARGETS; i++)
		for (j = 0; j < CCDM_BENCH_JOBS; j++)
			if (bench_part(b, i, j) > most)
				most = bench_part(b, i, j);
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" "
		"font-family=\"sans-serif\">\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
		"<text x=\"%u\" y=\"24\" font-size=\"15\">I/Os per second, as a part of those of "
		"the raw device</text>\n",
		PLOT_WIDTH, PLOT_TOP + PLOT_HEIGHT + 60, PLOT_LEFT);
	for (quarter = 0; quarter <= most * 4; quarter++) {
		const double line = quarter / 4.0;
		const double y = PLOT_TOP + PLOT_HEIGHT - line / most * PLOT_HEIGHT;

		fprintf(out,
			"<line x1=\"%u\" y1=\"%.1f\" x2=\"%u\" y2=\"%.1f\" stroke=\"#cccccc\"/>"
			"<text x=\"%u\" y=\"%.1f\" font-size=\"11\">%.2f</text>\n",
			PLOT_LEFT, y, PLOT_WIDTH - 20, y, PLOT_LEFT - 35, y + 4, line);
	}
	plot_bars(out, b, most);
	fputs("</svg>\n", out);
}

int ccdm_bench_plot(const struct ccdm_bench *b, const char *file, struct ccdm_err *err)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int r = 0;

	if (out) {
		plot(out, b);
		r = ferror(out);
		r |= fclose(out);
	}
	if (!out || r)
		r = ccdm_err_memory(err);
	else
		r = ccdm_file_write(file, text, size, 0644, err);
	free(text);
	return r;
}
