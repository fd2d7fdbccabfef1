/*
 * test_keys.c
 *	  Versions compared by the fingerprints of their keys.
 */
#include "tap.h"
#include "test_host.h"

#include "dataset/dataset.h"

/* Entries written as "k1r1 k2r1": a letter for the key, one for the row. */
typedef struct Entries
{
	const char *text;
	uint8_t		entry[DATASET_ENTRY_BYTES];
} Entries;

static const uint8_t *
next_entry(void *ctx)
{
	Entries    *entries = ctx;

	if (*entries->text == '\0')
		return NULL;
	memset(entries->entry, 0, sizeof(entries->entry));
	entries->entry[DATASET_KEY_BYTES - 1] = (uint8_t) *entries->text++;
	entries->entry[DATASET_ENTRY_BYTES - 1] = (uint8_t) *entries->text++;
	return entries->entry;
}

/* What was told of changes: a letter for each. */
static void
write_change(void *ctx, DatasetChange change, const uint8_t *key)
{
	char	   *out = ctx;
	size_t		n = strlen(out);

	out[n] = "-+~"[change];
	out[n + 1] = (char) key[DATASET_KEY_BYTES - 1];
	out[n + 2] = '\0';
}

static void
check(const char *before, const char *after, const char *expected, int n_unchanged)
{
	Entries		a = {.text = before};
	Entries		b = {.text = after};
	DatasetKeys a_keys = {next_entry, &a};
	DatasetKeys b_keys = {next_entry, &b};
	DatasetCounts counts;
	char		changes[64] = "";
	TestHost	t;
	Failure		why;

	test_host_begin(&t);
	tap_is_int(dataset_compare(&t.host, &a_keys, &b_keys, write_change, changes, &counts, &why),
			   STATUS_OK, "\"%s\" and \"%s\"", before, after);
	tap_is_text(changes, expected, "changes");
	tap_is_int(counts.unchanged, n_unchanged, "unchanged");
	tap_is_int(counts.changes[0] + counts.changes[1] + counts.changes[2], strlen(expected) / 2,
			   "counts");
	tap_ok(test_host_end(&t), "no leak");
}

int
main(void)
{
	check("", "", "", 0);
	check("a1b1", "a1b1", "", 2);
	check("a1b1", "a1b2", "~b", 1);
	check("a1", "a1c1", "+c", 1);
	check("a1c1", "c1", "-a", 1);
	check("", "a1b1", "+a+b", 0);
	check("a1b1", "", "-a-b", 0);
	/* several rows of a key */
	check("a1a1a2", "a1a2a2", "~a", 2);
	check("a1a1", "a1", "-a", 1);
	check("a1", "a1a1a1", "+a+a", 1);
	check("a1a2", "a3a4a5", "~a~a+a", 0);
	check("a1b1c1", "b2d1", "-a~b-c+d", 0);
	return tap_done();
}
