// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* options.c - see options.h */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include "options.h"
#include "trace.h"

#define OPTIONS_MAX 64
#define WORD_MAX    32 /* bytes of the longest word that gets a suggestion */
#define LONG_ONLY   256

enum { OPT_DEBUG = 1 << 20, OPT_VERBOSE, OPT_HELP, OPT_VERSION };

static const struct ccdm_option ccdm_options_common[] = {
	{ "verbose", 'v', OPT_VERBOSE, NULL, "print each step to standard error", NULL, NULL },
	{ "debug", 0, OPT_DEBUG, NULL, "print each step and the libraries' messages", NULL, NULL },
	{ "help", 'h', OPT_HELP, NULL, "this", NULL, NULL },
	{ "version", 'V', OPT_VERSION, NULL, "version", NULL, NULL },
	{ 0 },
};

/* ---- the tables ------------------------------------------------------------------ */

static bool options_applies(const struct ccdm_option *o, const struct ccdm_verb *verb)
{
	char name[WORD_MAX + 3];

	if (!o->verbs)
		return true;
	snprintf(name, sizeof(name), ",%s,", verb ? verb->name : "");
	return verb && strstr(o->verbs, name);
}

/* The verb has an option of this name that means something else. */
static bool options_own(const struct ccdm_option *o, const struct ccdm_verb *verb)
{
	const struct ccdm_option *own;

	for (own = verb ? verb->options : NULL; own && own->name; own++)
		if (!strcmp(own->name, o->name))
			return true;
	return false;
}

const struct ccdm_option *ccdm_option_nth(const struct ccdm_program *program,
					  const struct ccdm_verb *verb, unsigned int number)
{
	const struct ccdm_option *const tables[] = { verb ? verb->options : NULL, program->options,
						     ccdm_options_common };
	const struct ccdm_option *o;
	unsigned int t;

	for (t = 0; t < 3; t++)
		for (o = tables[t]; o && o->name; o++)
			if (options_applies(o, verb) && !(t && options_own(o, verb)) && !number--)
				return o;
	return NULL;
}

static const struct ccdm_option *options_named(const struct ccdm_program *program,
					       const struct ccdm_verb *verb, const char *word)
{
	const struct ccdm_option *o;
	unsigned int i;

	for (i = 0; (o = ccdm_option_nth(program, verb, i)); i++)
		if (word[1] == '-' ? !strcmp(o->name, word + 2)
				   : word[1] && word[1] == o->letter && !word[2])
			return o;
	return NULL;
}

const struct ccdm_option *ccdm_option_find(const struct ccdm_program *program,
					   const struct ccdm_verb *verb, const char *word)
{
	const struct ccdm_option *o = options_named(program, verb, word);
	const struct ccdm_verb *v;
	unsigned int i;

	for (i = 0; !o && !verb && (v = program->verb(i)); i++)
		o = options_named(program, v, word);
	return o;
}

const struct ccdm_verb *ccdm_verb_named(const struct ccdm_program *program, const char *first,
					const char *second)
{
	size_t length = strlen(first);
	const struct ccdm_verb *v;
	unsigned int i;

	for (i = 0; (v = program->verb(i)); i++)
		if (!strncmp(v->name, first, length) &&
		    (second ? v->name[length] == ' ' && !strcmp(v->name + length + 1, second)
			    : !v->name[length]))
			return v;
	return NULL;
}

bool ccdm_verb_group(const struct ccdm_program *program, const char *first)
{
	size_t length = strlen(first);
	const struct ccdm_verb *v;
	unsigned int i;

	for (i = 0; (v = program->verb(i)); i++)
		if (!strncmp(v->name, first, length) && v->name[length] == ' ')
			return true;
	return false;
}

static const struct ccdm_verb *options_only(const struct ccdm_program *program)
{
	return ccdm_verb_named(program, "", NULL);
}

/* ---- typing mistakes --------------------------------------------------------------- */

static unsigned int options_min(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* The edit distance: letters that are wrong, missing, added, or swapped with a neighbour. */
static unsigned int options_distance(const char *a, const char *b)
{
	unsigned int d[WORD_MAX + 1][WORD_MAX + 1];
	size_t n = strlen(a), m = strlen(b), i, j;

	if (n > WORD_MAX || m > WORD_MAX)
		return WORD_MAX;
	for (i = 0; i <= n; i++)
		d[i][0] = i;
	for (j = 0; j <= m; j++)
		d[0][j] = j;
	for (i = 1; i <= n; i++) {
		for (j = 1; j <= m; j++) {
			d[i][j] = options_min(d[i - 1][j - 1] + (a[i - 1] != b[j - 1]),
					      options_min(d[i - 1][j], d[i][j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = options_min(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[n][m];
}

const char *ccdm_nearest(const char *word, const char *candidate, const char *best,
			 unsigned int *distance)
{
	unsigned int d = options_distance(word, candidate);

	if (d > 1 + strlen(word) / 4 || d >= strlen(word) || (best && d >= *distance))
		return best;
	*distance = d;
	return candidate;
}

static const char *options_near_option(const struct ccdm_program *program,
				       const struct ccdm_verb *verb, const char *word)
{
	const struct ccdm_option *o;
	const char *best = NULL;
	unsigned int i, distance = 0;
	char name[WORD_MAX + 1];

	if (strncmp(word, "--", 2))
		return NULL;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="), word + 2);
	for (i = 0; (o = ccdm_option_nth(program, verb, i)); i++)
		best = ccdm_nearest(name, o->name, best, &distance);
	return best;
}

/* ---- help --------------------------------------------------------------------------- */

static void options_usage_line(const struct ccdm_program *program, FILE *to)
{
	fprintf(to, "usage: %s [--verbose|--debug] VERB [OPTION...] [ARGUMENT...]\n",
		program->name);
}

/* Print all verbs or, if @group is given, only verbs whose first word is @group. */
static void options_verbs(const struct ccdm_program *program, const char *group)
{
	size_t names = 0, usages = 0, length = group ? strlen(group) : 0;
	const struct ccdm_verb *v;
	unsigned int i;

	for (i = 0; (v = program->verb(i)); i++) {
		if (strlen(v->name) > names)
			names = strlen(v->name);
		if (strlen(v->usage) > usages)
			usages = strlen(v->usage);
	}
	for (i = 0; (v = program->verb(i)); i++)
		if (!group || (!strncmp(v->name, group, length) &&
			       (v->name[length] == ' ' || !v->name[length])))
			printf("  %-*s %-*s %s\n", (int)names, v->name, (int)usages, v->usage,
			       v->summary);
}

static void options_print(const struct ccdm_program *program, const struct ccdm_verb *verb)
{
	const struct ccdm_option *o;
	const char *line, *end;
	unsigned int i;
	char left[64], letter[8];

	for (i = 0; (o = ccdm_option_nth(program, verb, i)); i++) {
		snprintf(letter, sizeof(letter), o->letter ? "-%c," : "   ", o->letter);
		snprintf(left, sizeof(left), "  %s --%s%s%s", letter, o->name, o->arg ? " " : "",
			 o->arg ? o->arg : "");
		for (line = o->help; line; line = *end ? end + 1 : NULL) {
			end = line + strcspn(line, "\n");
			printf("%-24s%s%.*s\n", line == o->help ? left : "", *line ? " " : "",
			       (int)(end - line), line);
		}
	}
}

static void options_general(const struct ccdm_program *program, const char *group)
{
	options_usage_line(program, stdout);
	putchar('\n');
	options_verbs(program, group);
	putchar('\n');
	options_print(program, NULL);
	printf("\n--help after a verb explains it; %s\n", program->manual);
}

static void options_help(const struct ccdm_program *program, const struct ccdm_verb *verb)
{
	printf("usage: %s%s%s [OPTION...]%s%s\n%s\n\n%s%s", program->name, verb->name[0] ? " " : "",
	       verb->name, verb->usage[0] ? " " : "", verb->usage, verb->summary,
	       verb->intro ? verb->intro : "", verb->intro ? "\n" : "");
	options_print(program, verb);
	if (verb->text)
		printf("\n%s", verb->text);
}

enum ccdm_exit ccdm_verb_usage(const struct ccdm_program *program, const struct ccdm_verb *verb,
			       const char *what)
{
	const char *space = verb->name[0] ? " " : "";

	fprintf(stderr, "%s%s%s: %s\nusage: %s%s%s [OPTION...]%s%s\n", program->name, space,
		verb->name, what, program->name, space, verb->name, verb->usage[0] ? " " : "",
		verb->usage);
	return CCDM_EXIT_USAGE;
}

/* ---- the options of a verb ----------------------------------------------------------- */

struct options_set {
	struct option all[OPTIONS_MAX + 1];
	const struct ccdm_option *of[OPTIONS_MAX];
	char letters[2 * OPTIONS_MAX + 2];
};

static void options_set(const struct ccdm_program *program, const struct ccdm_verb *verb,
			struct options_set *set)
{
	const struct ccdm_option *o;
	char *letter = set->letters;
	unsigned int i;

	*letter++ = ':';
	for (i = 0; i < OPTIONS_MAX && (o = ccdm_option_nth(program, verb, i)); i++) {
		set->of[i] = o;
		set->all[i] = (struct option){ o->name, o->arg ? required_argument : no_argument,
					       NULL, LONG_ONLY + (int)i };
		if (o->letter)
			*letter++ = o->letter;
		if (o->letter && o->arg)
			*letter++ = ':';
	}
	*letter = '\0';
	set->all[i] = (struct option){ 0 };
}

static const struct ccdm_option *options_of(const struct options_set *set, int o)
{
	unsigned int i;

	if (o >= LONG_ONLY)
		return set->of[o - LONG_ONLY];
	for (i = 0; set->all[i].name; i++)
		if (set->of[i]->letter == o)
			return set->of[i];
	return NULL;
}

/* Write into @what which option getopt_long() did not accept. */
static void options_wrong(const struct ccdm_program *program, const struct ccdm_verb *verb,
			  const char *word, char *what, size_t size)
{
	const char *near = options_near_option(program, verb, word);
	char letter[] = { '-', (char)optopt, '\0' };

	if (optopt >= LONG_ONLY) {
		snprintf(what, size, "%.80s: the option takes no value", word);
		return;
	}
	snprintf(what, size, "%.80s is not an option%s%s%s%s%s", optopt ? letter : word,
		 verb && verb->name[0] ? " of " : "", verb ? verb->name : "",
		 near ? "; did you mean '--" : "", near ? near : "", near ? "'?" : "");
}

/* Handle an option that all verbs have. Return: whether @o is one; *over: it ends the verb. */
static bool options_common(const struct ccdm_program *program, const struct ccdm_verb *verb,
			   const struct ccdm_option *o, bool *over)
{
	switch (o->id) {
	case OPT_DEBUG:
		ccdm_trace_level = CCDM_TRACE_DEBUG;
		return true;
	case OPT_VERBOSE:
		if (ccdm_trace_level < CCDM_TRACE_VERBOSE)
			ccdm_trace_level = CCDM_TRACE_VERBOSE;
		return true;
	case OPT_HELP:
		if (verb)
			options_help(program, verb);
		else
			options_general(program, NULL);
		*over = true;
		return true;
	case OPT_VERSION:
		printf("%s %s\n", program->name, CCDM_VERSION);
		*over = true;
		return true;
	default:
		return false;
	}
}

bool ccdm_options(const struct ccdm_program *program, const struct ccdm_verb *verb, int argc,
		  char **argv, enum ccdm_exit (*take)(int id, void *arg), void *arg,
		  enum ccdm_exit *code)
{
	const struct ccdm_option *option;
	struct options_set set;
	char what[256] = "";
	bool over = false;
	int o;

	options_set(program, verb, &set);
	optind = 1;
	opterr = 0;
	*code = CCDM_EXIT_OK;
	while (!what[0] && (o = getopt_long(argc, argv, set.letters, set.all, NULL)) != -1) {
		option = o == ':' || o == '?' ? NULL : options_of(&set, o);
		if (option && options_common(program, verb, option, &over)) {
			if (over)
				return false;
		} else if (option) {
			/* without a verb, its options have no meaning yet */
			if (verb && (!take || take(option->id, arg)))
				snprintf(what, sizeof(what), "--%s: invalid value '%.80s'",
					 option->name, optarg ? optarg : option->name);
		} else if (o == ':') {
			snprintf(what, sizeof(what), "%.80s needs a value", argv[optind - 1]);
		} else {
			options_wrong(program, verb, argv[optind - 1], what, sizeof(what));
		}
	}
	if (!what[0] && verb && argc - optind < verb->min_args)
		snprintf(what, sizeof(what), "too few arguments");
	if (!what[0] && verb && argc - optind > verb->max_args)
		snprintf(what, sizeof(what), "too many arguments");
	if (!what[0])
		return true;
	ccdm_err_plain(what);
	if (verb) {
		*code = ccdm_verb_usage(program, verb, what);
		return false;
	}
	fprintf(stderr, "%s: %s\n", program->name, what);
	options_usage_line(program, stderr);
	*code = CCDM_EXIT_USAGE;
	return false;
}

/* ---- the verb of a command line --------------------------------------------------------- */

/* Is the next word the value of option @word? Accepts abbreviations, as getopt_long(3) does. */
static bool options_takes_value(const struct ccdm_program *program, const char *word)
{
	const struct ccdm_option *o = ccdm_option_find(program, NULL, word);
	const struct ccdm_verb *v = NULL;
	size_t length = strlen(word);
	unsigned int i, n = 0;

	if (o || length < 3 || word[1] != '-' || strchr(word, '='))
		return o && o->arg;
	do {
		for (i = 0; (o = ccdm_option_nth(program, v, i)); i++)
			if (o->arg && !strncmp(o->name, word + 2, length - 2))
				return true;
		v = program->verb(n++);
	} while (v);
	return false;
}

/* The index, from @at on, of the next word that is neither an option nor its value; or @argc. */
static int options_word(const struct ccdm_program *program, int at, int argc, char **argv)
{
	for (; at < argc && argv[at][0] == '-' && argv[at][1]; at++)
		if (options_takes_value(program, argv[at]))
			at++;
	return at < argc ? at : argc;
}

static void options_seconds(const struct ccdm_program *program, const char *first)
{
	size_t length = strlen(first);
	const struct ccdm_verb *v;
	const char *comma = "";
	unsigned int i;

	for (i = 0; (v = program->verb(i)); i++) {
		if (strncmp(v->name, first, length) || v->name[length] != ' ')
			continue;
		fprintf(stderr, "%s%s", comma, v->name + length + 1);
		comma = ", ";
	}
	fputc('\n', stderr);
}

static enum ccdm_exit options_unknown(const struct ccdm_program *program, const char *first,
				      const char *second)
{
	bool group = ccdm_verb_group(program, first);
	char word[2 * WORD_MAX], name[WORD_MAX], near[WORD_MAX] = "";
	const struct ccdm_verb *v;
	const char *best = NULL;
	unsigned int i, distance = 0;

	snprintf(word, sizeof(word), "%.30s%s%.30s", first, group && second ? " " : "",
		 group && second ? second : "");
	ccdm_err_plain(word);
	for (i = 0; (v = program->verb(i)); i++) {
		snprintf(name, sizeof(name), "%.*s",
			 (int)(group ? strlen(v->name) : strcspn(v->name, " ")), v->name);
		if (ccdm_nearest(word, name, best, &distance) == best)
			continue;
		best = v->name;
		snprintf(near, sizeof(near), "%s", name);
	}
	if (group && !second) {
		fprintf(stderr, "%s: the verb '%s' needs a second word: ", program->name, first);
		options_seconds(program, first);
	} else {
		fprintf(stderr, "%s: unknown verb '%s'%s%s%s\n", program->name, word,
			best ? "; did you mean '" : "", best ? near : "", best ? "'?" : "");
	}
	options_usage_line(program, stderr);
	fprintf(stderr, "%s: --help lists the verbs\n", program->name);
	return CCDM_EXIT_USAGE;
}

static bool options_asked(int argc, char **argv, const char *option)
{
	int i;

	for (i = 1; i < argc; i++)
		if (!strcmp(argv[i], option))
			return true;
	return false;
}

const struct ccdm_verb *ccdm_verb_find(const struct ccdm_program *program, int *argc, char **argv,
				       enum ccdm_exit *code)
{
	int first, second, i, to = 1;
	const struct ccdm_verb *verb, *longer = NULL;

	if (*argc > 1 && !strcmp(argv[1], "--complete")) {
		ccdm_complete(program, *argc - 2, argv + 2);
		*code = CCDM_EXIT_OK;
		return NULL;
	}
	if (*argc == 3 && !strcmp(argv[1], "--completion")) {
		*code = ccdm_completion(program, argv[2]);
		return NULL;
	}
	verb = options_only(program);
	if (verb)
		return verb;
	first = options_word(program, 1, *argc, argv);
	second = options_word(program, first + 1, *argc, argv);
	if (first == *argc) {
		if (ccdm_options(program, NULL, *argc, argv, NULL, NULL, code)) {
			options_usage_line(program, stderr);
			fprintf(stderr, "%s: --help lists the verbs\n", program->name);
			*code = CCDM_EXIT_USAGE;
		}
		return NULL;
	}
	if (second < *argc)
		longer = ccdm_verb_named(program, argv[first], argv[second]);
	verb = longer ? longer : ccdm_verb_named(program, argv[first], NULL);
	if (!verb && ccdm_verb_group(program, argv[first]) &&
	    (options_asked(*argc, argv, "--help") || options_asked(*argc, argv, "-h"))) {
		options_general(program, argv[first]);
		*code = CCDM_EXIT_OK;
		return NULL;
	}
	if (!verb) {
		*code = options_unknown(program, argv[first], second < *argc ? argv[second] : NULL);
		return NULL;
	}
	for (i = 1; i < *argc; i++)
		if (i != first && (i != second || !longer))
			argv[to++] = argv[i];
	argv[to] = NULL;
	*argc = to;
	return verb;
}
