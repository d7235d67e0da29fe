// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * complete.c - completion for shells
 *
 * The files for bash, zsh and fish pass the words of a command line to "PROGRAM --complete". The
 * program prints one candidate a line, then a tab and a description. The line ":file" asks the
 * shell to complete file names.
 */
#include <stdio.h>
#include <string.h>
#include "compiler.h"
#include "options.h"

/**
 * struct complete_state - what the words before the last one mean
 * @first: the verb's first word, or NULL
 * @verb: the verb, or NULL while it is unknown
 * @pending: an option whose value comes next
 * @args: arguments of the verb so far
 */
struct complete_state {
	const char *first;
	const struct ccdm_verb *verb;
	const struct ccdm_option *pending;
	unsigned int args;
};

static void complete_word(const struct ccdm_program *program, struct complete_state *s,
			  const char *word)
{
	const struct ccdm_verb *longer;

	if (s->pending) {
		/* bash splits --option=value into three words */
		if (strcmp(word, "="))
			s->pending = NULL;
		return;
	}
	if (word[0] == '-' && word[1]) {
		const struct ccdm_option *o = ccdm_option_find(program, s->verb, word);

		s->pending = o && o->arg ? o : NULL;
		return;
	}
	if (!s->first) {
		s->first = word;
		s->verb = ccdm_verb_named(program, word, NULL);
		return;
	}
	longer = s->args ? NULL : ccdm_verb_named(program, s->first, word);
	if (longer && longer != s->verb)
		s->verb = longer;
	else
		s->args++;
}

static void complete_line(const char *prefix, size_t length, const char *what)
{
	printf("%.*s\t%.*s\n", (int)length, prefix, (int)strcspn(what, "\n"), what);
}

/*
 * Offer the words of @offer up to a '|'. @before is the part of the last word in front of its
 * value.
 */
static void complete_offer(const struct ccdm_program *program, const char *offer,
			   const char *before, size_t before_size, const char *begun)
{
	char kind[32];
	size_t n;

	for (; offer && *offer && *offer != '|'; offer += n + (offer[n] == ' ')) {
		n = strcspn(offer, " |");
		snprintf(kind, sizeof(kind), "%.*s", (int)n, offer);
		if (!strcmp(kind, "@file"))
			puts(":file");
		else if (kind[0] == '@')
			program->offer(kind + 1);
		else if (!strncmp(offer, begun, strlen(begun)))
			printf("%.*s%.*s\n", (int)before_size, before, (int)n, offer);
	}
}

static void complete_options(const struct ccdm_program *program, const struct ccdm_verb *verb,
			     const char *begun)
{
	const struct ccdm_option *o;
	char name[64];
	unsigned int i;

	for (i = 0; (o = ccdm_option_nth(program, verb, i)); i++) {
		snprintf(name, sizeof(name), "--%s", o->name);
		if (!strncmp(name, begun, strlen(begun)))
			complete_line(name, strlen(name), o->help);
	}
}

/* Offer the first words of the verbs or, if @first is given, the words that may follow it. */
static void complete_verbs(const struct ccdm_program *program, const char *first, const char *begun)
{
	size_t length = first ? strlen(first) : 0, n;
	const struct ccdm_verb *v, *before = NULL;
	const char *word;
	unsigned int i;

	for (i = 0; (v = program->verb(i)); before = v, i++) {
		word = v->name;
		if (first) {
			if (strncmp(word, first, length) || word[length] != ' ')
				continue;
			word += length + 1;
		}
		n = strcspn(word, " ");
		/* The verbs of one group stand together in the table. */
		if (!first && before && strcspn(before->name, " ") == n &&
		    !strncmp(before->name, word, n))
			continue;
		if (!strncmp(word, begun, strlen(begun)))
			complete_line(word, n, word[n] ? "" : v->summary);
	}
}

void ccdm_complete(const struct ccdm_program *program, int count, char **words)
{
	struct complete_state s = { .verb = ccdm_verb_named(program, "", NULL) };
	const struct ccdm_option *o;
	const char *last, *offer;
	char name[64];
	size_t n;
	int i;

	if (count < 1)
		return;
	s.first = s.verb ? "" : NULL; /* a program without verbs expects no verb */
	for (i = 0; i < count - 1; i++)
		complete_word(program, &s, words[i]);
	last = words[count - 1];
	n = strcspn(last, "=");
	if (s.pending) {
		complete_offer(program, s.pending->offer, "", 0, strcmp(last, "=") ? last : "");
	} else if (last[0] == '-' && last[n]) {
		snprintf(name, sizeof(name), "%.*s", (int)n, last);
		o = ccdm_option_find(program, s.verb, name);
		if (o && o->arg)
			complete_offer(program, o->offer, last, n + 1, last + n + 1);
	} else if (last[0] == '-') {
		complete_options(program, s.verb, last);
	} else {
		if (!s.first || (!s.args && !(s.verb && strchr(s.verb->name, ' '))))
			complete_verbs(program, s.first, last);
		offer = s.verb ? s.verb->offer : NULL;
		for (; offer && s.args && strchr(offer, '|'); s.args--)
			offer = strchr(offer, '|') + 1;
		complete_offer(program, offer, "", 0, last);
	}
}

/* ---- the files for the shells ------------------------------------------------------- */

/* Placeholders: @P@ is the program's name; @F@ is the same name as shell functions need it. */
static const char complete_bash[] =
	"# SPDX-License-Identifier: Apache-2.0\n"
	"# bash completion for @P@\n"
	"# shellcheck shell=bash\n"
	"\n"
	"_@F@() {\n"
	"\tlocal line cur=${COMP_WORDS[COMP_CWORD]}\n"
	"\t[[ $cur == = ]] && cur=\n"
	"\tCOMPREPLY=()\n"
	"\twhile IFS= read -r line; do\n"
	"\t\tcase $line in\n"
	"\t\t:file)\n"
	"\t\t\tcompopt -o filenames 2>/dev/null\n"
	"\t\t\tmapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- \"$cur\") ;;\n"
	"\t\t*) [[ $line == \"$cur\"* ]] && COMPREPLY+=(\"${line%%$'\\t'*}\") ;;\n"
	"\t\tesac\n"
	"\tdone < <(PATH=$PATH:/usr/local/sbin:/usr/sbin @P@ --complete \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null)\n"
	"}\n"
	"\n"
	"complete -F _@F@ @P@\n";

static const char complete_zsh[] =
	"#compdef @P@\n"
	"# SPDX-License-Identifier: Apache-2.0\n"
	"# zsh completion for @P@\n"
	"\n"
	"_@F@() {\n"
	"\tlocal line file\n"
	"\tlocal -a described\n"
	"\tfor line in \"${(@f)$(PATH=$PATH:/usr/local/sbin:/usr/sbin @P@ --complete \"${(@Q)words[2,CURRENT]}\" 2>/dev/null)}\"; do\n"
	"\t\tcase $line in\n"
	"\t\t'') ;;\n"
	"\t\t:file) file=1 ;;\n"
	"\t\t*$'\\t'?*) described+=(\"${${line%%$'\\t'*}//:/\\\\:}:${line#*$'\\t'}\") ;;\n"
	"\t\t*) described+=(\"${${line%%$'\\t'*}//:/\\\\:}\") ;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"\t(( $#described )) && _describe -t words @P@ described\n"
	"\t[[ -n $file ]] && compset -P '--*=' ; [[ -n $file ]] && _files\n"
	"}\n"
	"\n"
	"_@F@ \"$@\"\n";

static const char complete_fish[] =
	"# SPDX-License-Identifier: Apache-2.0\n"
	"# fish completion for @P@\n"
	"\n"
	"function __@F@_complete\n"
	"\tset -l words (commandline -opc)\n"
	"\tset -l current (commandline -ct)\n"
	"\tset -lx PATH $PATH /usr/local/sbin /usr/sbin\n"
	"\tfor line in (@P@ --complete $words[2..-1] \"$current\" 2>/dev/null)\n"
	"\t\tif test \"$line\" = ':file'\n"
	"\t\t\t__fish_complete_path \"$current\"\n"
	"\t\telse\n"
	"\t\t\techo $line\n"
	"\t\tend\n"
	"\tend\n"
	"end\n"
	"\n"
	"complete -c @P@ -f -a '(__@F@_complete)'\n";

static void complete_template(const struct ccdm_program *program, const char *text)
{
	const char *p;

	for (; *text; text++) {
		if (!strncmp(text, "@P@", 3)) {
			fputs(program->name, stdout);
			text += 2;
		} else if (!strncmp(text, "@F@", 3)) {
			for (p = program->name; *p; p++)
				putchar(*p == '-' ? '_' : *p);
			text += 2;
		} else {
			putchar(*text);
		}
	}
}

enum ccdm_exit ccdm_completion(const struct ccdm_program *program, const char *shell)
{
	static const struct {
		const char *shell;
		const char *text;
	} shells[] = { { "bash", complete_bash },
		       { "zsh", complete_zsh },
		       { "fish", complete_fish } };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(shells); i++) {
		if (!strcmp(shell, shells[i].shell)) {
			complete_template(program, shells[i].text);
			return CCDM_EXIT_OK;
		}
	}
	fprintf(stderr, "%s: unknown shell '%s'; expected bash, zsh or fish\n", program->name,
		shell);
	return CCDM_EXIT_USAGE;
}
