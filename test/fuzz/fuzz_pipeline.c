/*
 * fuzz_pipeline.c
 *	  libFuzzer: any bytes as a pipeline.
 *
 * Reading and checking may neither crash, leak nor take much more memory than
 * the text has bytes.  What is refused has a reason with its place; what is
 * accepted is, read as YAML again, accepted and the same.
 */
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/memory.h"
#include "spec_fixture.h"

#define BYTES_PER_BYTE 256

/* A host that counts. */
typedef struct Meter
{
	size_t		live;
	size_t		limit;
} Meter;

static void *
meter_realloc(void *ctx, void *p, size_t old_size, size_t new_size)
{
	Meter	   *meter = ctx;
	void	   *block;

	meter->live = meter->live - old_size + new_size;
	if (meter->live > meter->limit)
		abort();
	if (new_size == 0)
	{
		free(p);
		return NULL;
	}
	block = realloc(p, new_size);
	if (block == NULL)
		abort();
	return block;
}

static bool
meter_cancelled(void *ctx)
{
	(void) ctx;
	return false;
}

/* JSON that YAML reads as it stands: short and of plain letters. */
static bool
is_plain(const char *json)
{
	for (const char *c = json; *c != '\0'; c++)
		if (*c < 0x20 || *c > 0x7E || *c == '\\')
			return false;
	return true;
}

static void
check_again(const Host *host, const char *json)
{
	SpecProblems problems;
	Failure		why;
	char	   *again = spec_fixture_json(host, json, &problems, &why);

	if (again == NULL || strcmp(again, json) != 0)
		abort();
	free(again);
}

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Meter		meter = {0, BYTES_PER_BYTE * size + 1048576};
	Host		host = {.realloc = meter_realloc, .cancelled = meter_cancelled, .ctx = &meter};
	char	   *yaml = malloc(size + 1);
	SpecProblems problems;
	Failure		why = {.text = ""};
	Status		status;

	memcpy(yaml, data, size);
	yaml[size] = '\0';
	status = spec_fixture_check(&host, yaml, size, &problems, &why);
	if (status != STATUS_OK && strncmp(why.text, "line ", 5) != 0)
		abort();
	for (size_t i = 0; i < problems.n; i++)
		if (strncmp(problems.list[i].why.text, "line ", 5) != 0 ||
			!bytes_is_utf8(problems.list[i].why.text, strlen(problems.list[i].why.text)))
			abort();
	if (status == STATUS_OK && problems.n == 0)
	{
		char	   *json = spec_fixture_json(&host, yaml, &problems, &why);

		if (json == NULL || !bytes_is_utf8(json, strlen(json)))
			abort();
		if (size <= 1000 && is_plain(json))
			check_again(&host, json);
		free(json);
	}
	if (meter.live != 0)
		abort();
	free(yaml);
	return 0;
}
