/*
 * test_chunk.c
 *	  Rows into chunks and back.
 */
#include "tap.h"
#include "test_host.h"

#include "dataset/dataset.h"

#define ROWS 300
#define COLUMNS 5

/* Append a value in canonical form. */
static size_t
put_value(uint8_t *to, uint8_t tag, const void *payload, uint32_t n_bytes)
{
	to[0] = tag;
	to[1] = (uint8_t) (n_bytes >> 24);
	to[2] = (uint8_t) (n_bytes >> 16);
	to[3] = (uint8_t) (n_bytes >> 8);
	to[4] = (uint8_t) n_bytes;
	if (n_bytes > 0)
		memcpy(to + 5, payload, n_bytes);
	return 5 + n_bytes;
}

/* Row i: an integer, a boolean, a text of varying length, NULL, and a number that is NULL at times. */
static size_t
make_row(uint32_t i, uint8_t *row)
{
	uint8_t		word[8] = {0, 0, 0, 0, 0, 0, (uint8_t) (i >> 8), (uint8_t) i};
	uint8_t		truth = i % 3 == 0;
	char		text[64];
	size_t		n = 0;

	memset(text, 'a' + (int) (i % 26), sizeof(text));
	n += put_value(row + n, DATASET_TAG_INTEGER, word, 8);
	n += put_value(row + n, DATASET_TAG_BOOL, &truth, 1);
	n += put_value(row + n, 5, text, i % 64);
	n += put_value(row + n, DATASET_TAG_NULL, NULL, 0);
	if (i % 7 == 0)
		n += put_value(row + n, DATASET_TAG_NULL, NULL, 0);
	else
		n += put_value(row + n, DATASET_TAG_FLOAT, word, 8);
	return n;
}

/* Fill a chunk. */
static Status
fill(DatasetChunk *chunk, Failure *why)
{
	uint8_t		row[256];
	Status		status = STATUS_OK;

	for (uint32_t i = 0; i < ROWS && status == STATUS_OK; i++)
		status = dataset_chunk_add(chunk, row, make_row(i, row), why);
	return status;
}

/* How many rows of an encoded chunk are not what they were. */
static int
count_wrong(const Host *host, const uint8_t *bytes, size_t n_bytes)
{
	DatasetReader *reader;
	const DatasetValue *values;
	uint8_t		expected[256];
	uint8_t		got[256];
	int			n_wrong = 0;
	uint32_t	n = 0;
	Failure		why;

	if (dataset_reader_new(host, bytes, n_bytes, COLUMNS, &reader, &why) != STATUS_OK)
		return ROWS;
	while ((values = dataset_reader_next(reader)) != NULL)
	{
		size_t		n_got = 0;
		size_t		n_expected = make_row(n++, expected);

		for (int i = 0; i < COLUMNS; i++)
			n_got += put_value(got + n_got, values[i].tag, values[i].bytes, values[i].n_bytes);
		n_wrong += n_got != n_expected || memcmp(got, expected, n_got) != 0;
	}
	n_wrong += n != ROWS || dataset_reader_rows(reader) != ROWS;
	dataset_reader_free(reader);
	return n_wrong;
}

static void
test_round_trip(void)
{
	TestHost	t;
	DatasetChunk *chunk;
	const uint8_t *bytes;
	size_t		n_bytes;
	Failure		why;

	test_host_begin(&t);
	tap_is_int(dataset_chunk_new(&t.host, COLUMNS, &chunk, &why), STATUS_OK, "a chunk");
	for (int i = 0; i < 2; i++)
	{
		tap_is_int(fill(chunk, &why), STATUS_OK, "takes rows");
		tap_is_int(dataset_chunk_rows(chunk), ROWS, "counts them");
		tap_is_int(dataset_chunk_encode(chunk, &bytes, &n_bytes, &why), STATUS_OK, "is encoded");
		tap_is_int(count_wrong(&t.host, bytes, n_bytes), 0, "and gives the rows back");
		tap_is_int(dataset_chunk_bytes(chunk), 0, "and is empty");
	}
	tap_is_int(dataset_chunk_encode(chunk, &bytes, &n_bytes, &why), STATUS_OK, "no rows");
	dataset_chunk_free(chunk);
	tap_ok(test_host_end(&t), "no leak");
}

static void
test_refusals(void)
{
	TestHost	t;
	DatasetChunk *chunk;
	DatasetReader *reader;
	const uint8_t *bytes;
	size_t		n_bytes;
	uint8_t		copy[65536];
	uint8_t		row[256];
	int			n_taken = 0;
	int			n_crashed = 0;
	Failure		why;

	test_host_begin(&t);
	(void) dataset_chunk_new(&t.host, COLUMNS, &chunk, &why);
	(void) dataset_chunk_add(chunk, row, put_value(row, DATASET_TAG_INTEGER, "12345678", 8), &why);
	tap_is_int(dataset_chunk_encode(chunk, &bytes, &n_bytes, &why), STATUS_CORRUPT,
			   "a row that is too short");
	dataset_chunk_free(chunk);

	(void) dataset_chunk_new(&t.host, 1, &chunk, &why);
	(void) dataset_chunk_add(chunk, row, put_value(row, DATASET_TAG_INTEGER, "12345678", 8), &why);
	(void) dataset_chunk_add(chunk, row, put_value(row, 5, "x", 1), &why);
	tap_is_int(dataset_chunk_encode(chunk, &bytes, &n_bytes, &why), STATUS_CORRUPT,
			   "two types in a column");
	dataset_chunk_free(chunk);

	(void) dataset_chunk_new(&t.host, COLUMNS, &chunk, &why);
	(void) fill(chunk, &why);
	(void) dataset_chunk_encode(chunk, &bytes, &n_bytes, &why);
	tap_is_int(dataset_reader_new(&t.host, bytes, n_bytes, COLUMNS + 1, &reader, &why),
			   STATUS_CORRUPT, "another number of columns");
	for (size_t n = 0; n < n_bytes; n++)
		n_taken += dataset_reader_new(&t.host, bytes, n, COLUMNS, &reader, &why) == STATUS_OK;
	tap_is_int(n_taken, 0, "no chunk that is cut is taken");

	/* whatever a byte becomes, reading stays inside the chunk: the sanitizer sees */
	memcpy(copy, bytes, n_bytes);
	for (size_t i = 0; i < n_bytes; i++)
	{
		copy[i] ^= (uint8_t) (1 << i % 8);
		if (dataset_reader_new(&t.host, copy, n_bytes, COLUMNS, &reader, &why) == STATUS_OK)
		{
			const DatasetValue *values;

			while ((values = dataset_reader_next(reader)) != NULL)
			{
				for (int c = 0; c < COLUMNS; c++)
					n_crashed += values[c].n_bytes > n_bytes;
			}
			dataset_reader_free(reader);
		}
		copy[i] = bytes[i];
	}
	tap_is_int(n_crashed, 0, "a damaged byte is refused or gives another value");
	dataset_chunk_free(chunk);
	tap_ok(test_host_end(&t), "no leak");
}

static void
test_values(void)
{
	uint8_t		row[16] = {0};
	size_t		n = put_value(row, 5, "abc", 3);
	DatasetValue value;

	tap_ok(dataset_value(row, row + n, &value) == row + n && value.n_bytes == 3, "a value");
	tap_ok(dataset_value(row, row + n - 1, &value) == NULL, "cut in its payload");
	tap_ok(dataset_value(row, row + 4, &value) == NULL, "cut in its header");
}

/* A chunk there and back. */
static Status
there_and_back(const Host *host, void *arg, Failure *why)
{
	DatasetChunk *chunk;
	DatasetReader *reader;
	const uint8_t *bytes;
	size_t		n_bytes;
	Status		status = dataset_chunk_new(host, COLUMNS, &chunk, why);

	(void) arg;
	if (status != STATUS_OK)
		return status;
	status = fill(chunk, why);
	if (status == STATUS_OK)
		status = dataset_chunk_encode(chunk, &bytes, &n_bytes, why);
	if (status == STATUS_OK)
		status = dataset_reader_new(host, bytes, n_bytes, COLUMNS, &reader, why);
	if (status == STATUS_OK)
		dataset_reader_free(reader);
	dataset_chunk_free(chunk);
	return status;
}

int
main(void)
{
	test_values();
	test_round_trip();
	test_refusals();
	tap_ok(test_sweep(there_and_back, NULL, 10, 5), "survives refusal and cancel");
	return tap_done();
}
