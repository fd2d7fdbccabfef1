/*
 * test_spec_cases.c
 *	  test/pipelines/cases.txt: what is said of each pipeline, and that refused
 *	  memory and a cancel at any point leave nothing behind.
 */
#include <stdlib.h>

#include "core/memory.h"
#include "spec_fixture.h"
#include "tap.h"
#include "test_host.h"

#define CASES "../pipelines/cases.txt"
#define MAX_CASES 512

typedef struct Case
{
	const char *answer;			/* "ok", or SQLSTATE and message */
	char	   *yaml;
	size_t		n_bytes;
} Case;

static char *
read_file(const char *path)
{
	FILE	   *file = fopen(path, "rb");
	char	   *text = calloc(1, 1 << 20);

	if (file == NULL || fread(text, 1, (1 << 20) - 1, file) == 0)
	{
		perror(path);
		exit(1);
	}
	fclose(file);
	return text;
}

/* Cut the file into cases, in place. */
static size_t
cut_cases(char *text, Case *cases)
{
	size_t		n = 0;
	char	   *next = strstr(text, "\n### ");

	while (next != NULL && n < MAX_CASES)
	{
		char	   *answer = next + 5;
		char	   *yaml = strchr(answer, '\n') + 1;

		next = strstr(yaml - 1, "\n### ");
		yaml[-1] = '\0';
		cases[n].answer = *answer == '~' ? answer + 1 : answer;
		cases[n].yaml = yaml;
		cases[n].n_bytes = next == NULL ? strlen(yaml) : (size_t) (next + 1 - yaml);
		n++;
	}
	return n;
}

/* What is said of a pipeline, as in the file. */
static void
answer_to(const Case *c, const Host *host, char *out, size_t size)
{
	SpecProblems problems;
	Failure		why;
	Status		status = spec_fixture_check(host, c->yaml, c->n_bytes, &problems, &why);
	const char *state = status == STATUS_SYNTAX ? "42601" : status == STATUS_LIMIT ? "54000" :
		"22023";

	if (status != STATUS_OK)
		snprintf(out, size, "%s %s", state, why.text);
	else if (problems.n > 0)
		snprintf(out, size, "22023 %s", problems.list[0].why.text);
	else
		snprintf(out, size, "ok");
}

static Status
swept(const Host *host, void *arg, Failure *why)
{
	const Case *c = arg;
	SpecProblems problems;
	Status		status = spec_fixture_check(host, c->yaml, c->n_bytes, &problems, why);

	/* a document that is refused is not a failure of the sweep */
	return status == STATUS_NO_MEMORY || status == STATUS_CANCELLED ? status : STATUS_OK;
}

int
main(void)
{
	char	   *text = read_file(CASES);
	Case	   *cases = calloc(MAX_CASES, sizeof(Case));
	size_t		n = cut_cases(text, cases);
	size_t		n_swept = 0;

	tap_ok(n > 80 && n < MAX_CASES, "cases");
	for (size_t i = 0; i < n; i++)
	{
		TestHost	t;
		char		answer[FAILURE_TEXT_BYTES + 16];

		/* values of hyper-parameters are checked by the binding */
		if (strstr(cases[i].answer, ": parameter \"") != NULL)
			continue;
		test_host_begin(&t);
		answer_to(&cases[i], &t.host, answer, sizeof(answer));
		tap_is_text(answer, cases[i].answer, "case %zu", i + 1);
		if (!test_host_end(&t))
			tap_ok(false, "case %zu leaks", i + 1);
		if (i % test_amount(1, 4) == 0)
			n_swept += test_sweep(swept, &cases[i], 1, 1);
		else
			n_swept++;
	}
	tap_is_int(n_swept, tap_n_run - 1, "all survive refusal and cancel");
	free(cases);
	free(text);
	return tap_done();
}
