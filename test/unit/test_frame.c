/*
 * test_frame.c
 *	  What a frame keeps of the rows it is given, and what it refuses.
 */
#include <stdlib.h>

#include "tap.h"
#include "train_fixture.h"

#include "core/memory.h"
#include "forest/frame.h"

/* A frame of a number, a category and everything else there can be. */
static ForestFrame *
full_frame(const Host *host, ForestTargetKind target)
{
	ForestColumn columns[] = {
		{"tenure", FOREST_NUMERIC, false}, {"plan", FOREST_CATEGORY, false}
	};
	ForestFrameOptions options = {.columns = columns,.n_columns = 2,.target = target,
		.has_weight = true,.has_group = true,.has_time = true};
	ForestFrame *frame = NULL;

	(void) forest_frame_new(host, &options, &frame, NULL);
	return frame;
}

/* Row i of the frames here: every 5th number and every 7th category is missing. */
static Status
put_row(ForestFrame *frame, uint32_t i, Failure *why)
{
	char		text[16];
	char		label[16];
	ForestCell	cells[2] = {{.missing = i % 5 == 0,.number = i / 2.0}, {.missing = i % 7 == 0}};
	ForestRow	row = {.cells = cells,.identity = {i, i * 3},.group = {i / 10, 1},
		.target_number = i * 0.25,.target_label = label,.weight = i % 4,.time = 1000.0 - i};

	cells[1].text = text;
	cells[1].n_bytes = (size_t) snprintf(text, sizeof(text), "plan %u", i % 101);
	row.target_label_bytes = (size_t) snprintf(label, sizeof(label), "%u", i % 3);
	return forest_frame_append(frame, &row, why);
}

/* A column's cell, of a frame in memory. */
static const uint8_t *
cell_at(const ForestFrame *frame, uint32_t column, uint32_t row, size_t size)
{
	const uint8_t *cells;

	(void) frame_cells(frame, row / FRAME_CHUNK_ROWS, column, 1, NULL, &cells, NULL);
	return cells + row % FRAME_CHUNK_ROWS * size;
}

static double
number_at(const ForestFrame *frame, uint32_t column, uint32_t row)
{
	return *(const double *) (const void *) cell_at(frame, column, row, sizeof(double));
}

static uint32_t
id_at(const ForestFrame *frame, uint32_t column, uint32_t row)
{
	return *(const uint32_t *) (const void *) cell_at(frame, column, row, sizeof(uint32_t));
}

static bool
row_is(ForestFrame *frame, uint32_t i)
{
	double		number = number_at(frame, 0, i);
	uint32_t	id = id_at(frame, 1, i);
	Hash128		identity = FRAME_AT(frame, Hash128, frame->identity_offset, i);
	Hash128		group = FRAME_AT(frame, Hash128, frame->group_offset, i);
	char		text[16];

	snprintf(text, sizeof(text), "plan %u", i % 101);
	if (i % 5 == 0 ? !isnan(number) : number != i / 2.0)
		return false;
	if ((i % 7 == 0) != (id == FRAME_MISSING_ID))
		return false;
	if (id != FRAME_MISSING_ID && (id >= frame->columns[1].dictionary.n_texts ||
		frame->columns[1].dictionary.texts[id].n_bytes != strlen(text) ||
		memcmp(frame->columns[1].dictionary.texts[id].bytes, text, strlen(text)) != 0))
		return false;
	return identity.lo == i && identity.hi == i * 3 && group.lo == i / 10 && group.hi == 1 &&
		FRAME_AT(frame, double, frame->weight_offset, i) == i % 4 &&
		FRAME_AT(frame, double, frame->time_offset, i) == 1000.0 - i;
}

/* Three chunks and a bit. */
#define N_ROWS 3333

static void
test_rows(void)
{
	TestHost	t;
	ForestFrame *frame;
	size_t		n_wrong = 0;

	test_host_begin(&t);
	frame = full_frame(&t.host, FOREST_TARGET_NUMBER);
	for (uint32_t i = 0; i < N_ROWS; i++)
		n_wrong += put_row(frame, i, NULL) != STATUS_OK;
	tap_is_int(n_wrong, 0, "rows are taken");
	tap_is_int(forest_frame_n_rows(frame), N_ROWS, "and counted");
	for (uint32_t i = 0; i < N_ROWS; i++)
		n_wrong += !row_is(frame, i) ||
			FRAME_AT(frame, double, frame->target_offset, i) != i * 0.25;
	tap_is_int(n_wrong, 0, "every field of every row is kept");
	tap_is_int(frame->columns[1].dictionary.n_texts, 101, "a text is kept once");
	tap_is_int(forest_frame_bytes(frame), t.live_bytes, "the frame knows what it holds");
	forest_frame_free(frame);
	tap_ok(test_host_end(&t), "no leak");
}

/* A refused allocation in the middle of a row spoils nothing. */
static void
test_retry(void)
{
	TestHost	t;
	ForestFrame *frame;
	size_t		n_wrong = 0;
	size_t		n_refused = 0;

	test_host_begin(&t);
	frame = full_frame(&t.host, FOREST_TARGET_LABEL);
	for (uint32_t i = 0; i < N_ROWS; i++)
		for (t.fail_at = t.n_allocations + 1;; t.fail_at = 0)
		{
			Status		status = put_row(frame, i, NULL);

			if (status == STATUS_OK)
				break;
			n_refused++;
			n_wrong += status != STATUS_NO_MEMORY || frame->n_rows != i || t.fail_at == 0;
		}
	for (uint32_t i = 0; i < N_ROWS; i++)
		n_wrong += !row_is(frame, i);
	tap_is_int(n_wrong, 0, "rows refused and given again are as if given once");
	tap_ok(n_refused > 10, "refusals were met");
	tap_is_int(forest_frame_n_rows(frame), N_ROWS, "no row is counted twice");
	forest_frame_free(frame);
	tap_ok(test_host_end(&t), "no leak");
}

/* ---------------------------------------------------------------- values -- */

/* Append a row of one number and a number target. */
static Status
put_number(ForestFrame *frame, double number, double target, double weight, Failure *why)
{
	ForestCell	cells[2] = {{.number = number}, {.missing = true}};
	ForestRow	row = {.cells = cells,.target_number = target,.weight = weight};

	return forest_frame_append(frame, &row, why);
}

static void
test_numbers(void)
{
	TestHost	t;
	Failure		why;
	ForestFrame *frame;
	double		zero;

	test_host_begin(&t);
	frame = full_frame(&t.host, FOREST_TARGET_NUMBER);
	tap_is_int(put_number(frame, INFINITY, 0, 1, &why), STATUS_OUT_OF_RANGE, "infinity");
	tap_is_text(why.text, "column \"tenure\" has an infinite value", "names the column");
	tap_ok(why.hint[0] != '\0', "and what to do");
	tap_is_int(put_number(frame, -INFINITY, 0, 1, &why), STATUS_OUT_OF_RANGE, "and less");
	tap_is_int(put_number(frame, 0, INFINITY, 1, &why), STATUS_OUT_OF_RANGE, "as a target");
	tap_is_int(put_number(frame, 0, 0, -1, &why), STATUS_INVALID_DATA, "a negative weight");
	tap_is_text(why.text, "weight -1 is not a finite number of at least 0", "is shown");
	tap_is_int(put_number(frame, 0, 0, NAN, &why), STATUS_INVALID_DATA, "a weight of NaN");
	tap_is_int(put_number(frame, 0, 0, INFINITY, &why), STATUS_INVALID_DATA,
			   "an infinite weight");
	tap_is_int(forest_frame_n_rows(frame), 0, "none of these is kept");

	tap_is_int(put_number(frame, -0.0, 0, 0, &why), STATUS_OK, "negative zero, weight zero");
	zero = number_at(frame, 0, 0);
	tap_ok(zero == 0 && !signbit(zero), "is zero");
	tap_is_int(put_number(frame, NAN, 1, 1, &why), STATUS_OK, "NaN");
	tap_ok(isnan(number_at(frame, 0, 1)), "is missing");
	tap_is_int(put_number(frame, 5, NAN, 1, &why), STATUS_OK, "a target of NaN");
	tap_is_int(put_number(frame, INFINITY, NAN, -1, &why), STATUS_OK,
			   "of a row without a target nothing is asked");
	tap_ok(forest_frame_n_rows(frame) == 2 && forest_frame_n_unknown(frame) == 2,
		   "rows without a target are counted apart");
	forest_frame_free(frame);
	tap_ok(test_host_end(&t), "no leak");
}

static void
test_zero_one(void)
{
	static const double targets[] = {1, 0, -0.0, 1, 0};
	TestHost	t;
	Failure		why;
	ForestFrame *frame;
	uint32_t	n_classes;
	size_t		n_bytes;
	size_t		n_wrong = 0;

	test_host_begin(&t);
	frame = full_frame(&t.host, FOREST_TARGET_NUMBER);
	tap_ok(!forest_frame_is_zero_one(frame), "no rows are not zeros and ones");
	for (int i = 0; i < 5; i++)
		n_wrong += put_number(frame, i, targets[i], 1, NULL) != STATUS_OK;
	tap_ok(n_wrong == 0 && forest_frame_is_zero_one(frame), "zeros and ones are seen");
	tap_is_int(forest_frame_classes(frame, &n_classes, &why), STATUS_OK, "as numbers");
	tap_is_int(n_classes, 0, "they are no classes");
	t.fail_at = t.n_allocations + 1;
	tap_is_int(forest_frame_number_classes(frame, &why), STATUS_NO_MEMORY, "without memory");
	tap_ok(forest_frame_is_zero_one(frame), "they stay numbers");
	tap_is_int(forest_frame_number_classes(frame, &why), STATUS_OK, "they can become classes");
	tap_is_int(forest_frame_classes(frame, &n_classes, &why), STATUS_OK, "as classes");
	tap_is_int(n_classes, 2, "there are two");
	tap_ok(forest_frame_class_label(frame, 0, &n_bytes)[0] == '0' && n_bytes == 1 &&
		   forest_frame_class_label(frame, 1, &n_bytes)[0] == '1' && n_bytes == 1,
		   "0 and 1, in this order although 1 came first");
	for (int i = 0; i < 5; i++)
		n_wrong += frame->class_of_label[FRAME_AT(frame, uint64_t, frame->target_offset, i)] !=
			(targets[i] == 1);
	tap_is_int(n_wrong, 0, "and every row has its own");
	forest_frame_free(frame);

	frame = full_frame(&t.host, FOREST_TARGET_NUMBER);
	(void) put_number(frame, 0, 0, 1, NULL);
	(void) put_number(frame, 0, 0.5, 1, NULL);
	(void) put_number(frame, 0, 1, 1, NULL);
	tap_ok(!forest_frame_is_zero_one(frame), "one half is neither");
	forest_frame_free(frame);
	tap_ok(test_host_end(&t), "no leak");
}

/* --------------------------------------------------------------- classes -- */

static Status
put_label(ForestFrame *frame, const char *label, size_t n_bytes, double order, Failure *why)
{
	ForestRow	row = {.target_label = label,.target_label_bytes = n_bytes,
		.target_order = order};

	return forest_frame_append(frame, &row, why);
}

static ForestFrame *
label_frame(const Host *host, bool integer_labels)
{
	ForestFrameOptions options = {.target = FOREST_TARGET_LABEL,
		.integer_labels = integer_labels};
	ForestFrame *frame = NULL;

	(void) forest_frame_new(host, &options, &frame, NULL);
	return frame;
}

static void
test_class_order(void)
{
	static const char *const expected[] = {"b", "\xC3\xA9", "", "B", "a", "aa", "ab", "10"};
	TestHost	t;
	Failure		why;
	ForestFrame *frame;
	uint32_t	n_classes;
	size_t		n_wrong = 0;

	test_host_begin(&t);
	frame = label_frame(&t.host, false);
	(void) put_label(frame, "ab", 2, 0, NULL);
	(void) put_label(frame, "a", 1, 0, NULL);
	(void) put_label(frame, "10", 2, 7, NULL);
	(void) put_label(frame, "B", 1, 0, NULL);
	(void) put_label(frame, "\xC3\xA9", 2, -1, NULL);
	(void) put_label(frame, "", 0, 0, NULL);
	tap_is_int(forest_frame_classes(frame, &n_classes, &why), STATUS_OK, "classes");
	(void) put_label(frame, "a", 1, 0, NULL);
	(void) put_label(frame, "aa", 2, 0, NULL);
	(void) put_label(frame, "b", 1, -2, NULL);
	tap_is_int(forest_frame_classes(frame, &n_classes, &why), STATUS_OK, "with later ones");
	tap_is_int(n_classes, 8, "are those of all rows");
	for (uint32_t k = 0; k < 8 && n_classes == 8; k++)
	{
		size_t		n_bytes;
		const char *label = forest_frame_class_label(frame, k, &n_bytes);

		n_wrong += n_bytes != strlen(expected[k]) || memcmp(label, expected[k], n_bytes) != 0;
	}
	tap_is_int(n_wrong, 0, "sorted by their order, then by bytes, the shorter first");
	tap_is_int(forest_frame_bytes(frame), t.live_bytes, "the frame knows what it holds");
	n_wrong = 0;
	for (uint32_t row = 0; row < 9; row++)
	{
		uint64_t	id = FRAME_AT(frame, uint64_t, frame->target_offset, row);

		n_wrong += frame->label_of_class[frame->class_of_label[id]] != id;
	}
	tap_is_int(n_wrong, 0, "classes and labels point at each other");
	forest_frame_free(frame);
	tap_ok(test_host_end(&t), "no leak");
}

/* How many different labels a frame takes; *status of the first refused. */
static uint32_t
count_labels(bool integer_labels, Status *status, Failure *why)
{
	TestHost	t;
	ForestFrame *frame;
	uint32_t	n = 0;
	char		label[16];

	test_host_begin(&t);
	frame = label_frame(&t.host, integer_labels);
	for (*status = STATUS_OK; *status == STATUS_OK; n++)
	{
		int			n_bytes = snprintf(label, sizeof(label), "%u", n);

		*status = put_label(frame, label, (size_t) n_bytes, n, why);
	}
	tap_is_int(forest_frame_n_rows(frame), n - 1, "the row with one class too many is not kept");
	forest_frame_free(frame);
	tap_ok(test_host_end(&t), "no leak");
	return n - 1;
}

static void
test_class_limits(void)
{
	Status		status;
	Failure		why;

	tap_is_int(count_labels(false, &status, &why), 1000, "1000 classes");
	tap_is_int(status, STATUS_LIMIT, "one more is beyond the limit");
	tap_is_text(why.text, "the target has more than 1000 classes", "which the message names");
	tap_is_int(count_labels(true, &status, &why), 100, "100 classes of integers");
	tap_is_int(status, STATUS_INVALID_DATA, "one more is a wrong task");
	tap_ok(strstr(why.hint, "task => 'regression'") != NULL, "which the hint says");
}

/* ---------------------------------------------------------------- texts -- */

static Status
put_text(ForestFrame *frame, const char *text, size_t n_bytes)
{
	ForestCell	cells[2] = {{.number = 0}, {.text = text,.n_bytes = n_bytes}};
	ForestRow	row = {.cells = cells,.target_number = 1,.weight = 1};

	return forest_frame_append(frame, &row, NULL);
}

static void
test_texts(void)
{
	TestHost	t;
	ForestFrame *frame;
	const FrameDictionary *d;
	char		text[100000];
	char		key[FOREST_CATEGORY_BYTES];
	size_t		key_bytes;
	size_t		n_wrong = 0;

	test_host_begin(&t);
	frame = full_frame(&t.host, FOREST_TARGET_NUMBER);
	d = &frame->columns[1].dictionary;
	memset(text, 'x', sizeof(text));
	n_wrong += put_text(frame, text, 256) != STATUS_OK;
	n_wrong += put_text(frame, text, 257) != STATUS_OK;
	n_wrong += put_text(frame, text, sizeof(text)) != STATUS_OK;
	n_wrong += put_text(frame, "", 0) != STATUS_OK;
	n_wrong += put_text(frame, text, sizeof(text)) != STATUS_OK;
	tap_is_int(n_wrong, 0, "texts of any length");
	tap_is_int(d->n_texts, 4, "long texts that begin alike are not the same");
	tap_ok(d->texts[0].n_bytes == 256 && memcmp(d->texts[0].bytes, text, 256) == 0,
		   "256 bytes are kept as they are");
	(void) forest_category_key(text, sizeof(text), key, &key_bytes);
	tap_ok(d->texts[2].n_bytes == key_bytes && memcmp(d->texts[2].bytes, key, key_bytes) == 0,
		   "a longer one by its key");
	tap_is_int(d->texts[3].n_bytes, 0, "an empty text is a category");
	memset(text, 'y', sizeof(text));
	tap_ok(d->texts[0].bytes[0] == 'x', "texts are copied");
	tap_is_int(id_at(frame, 1, 4), 2,
			   "an equal text has the same id");
	forest_frame_free(frame);
	tap_ok(test_host_end(&t), "no leak");
}

/* An artifact has no room for more features. */
/* Texts of every length around those of words, each byte of each changed once. */
#define LONGEST_TEXT 40

static void
test_every_byte_counts(void)
{
	ForestColumn column = {"plan", FOREST_CATEGORY, false};
	ForestFrameOptions options = {.columns = &column,.n_columns = 1,.target = FOREST_TARGET_NUMBER};
	ForestFrame *frame = NULL;
	TestHost	t;
	uint32_t	n_texts = 0;
	uint32_t	n_rows = 0;
	bool		right = true;

	test_host_begin(&t);
	(void) forest_frame_new(&t.host, &options, &frame, NULL);
	for (int round = 0; round < 2; round++)
	{
		uint32_t	expected = 0;

		for (size_t n = 0; n <= LONGEST_TEXT; n++)
			for (size_t changed = 0; changed <= n; changed++)
			{
				/* no longer than the text, so that a sanitizer sees what is read */
				char	   *text = malloc(n > 0 ? n : 1);
				ForestCell	cell = {.text = text,.n_bytes = n};
				ForestRow	row = {.cells = &cell,.identity = {n_rows, 0}};

				memset(text, 'a', n);
				if (changed < n)
					text[changed] = 'b';
				if (forest_frame_append(frame, &row, NULL) != STATUS_OK ||
					id_at(frame, 0, n_rows++) != expected++)
					right = false;
				free(text);
			}
		n_texts = (uint32_t) frame->columns[0].dictionary.n_texts;
		right = right && n_texts == expected;
	}
	tap_ok(right, "%u texts, alike but for one byte or their length, are told apart and found again",
		   n_texts);
	forest_frame_free(frame);
	tap_ok(test_host_end(&t), "no leak");
}

static void
test_columns(void)
{
	static ForestColumn columns[FOREST_MAX_FEATURES + 1];
	ForestFrameOptions options = {.columns = columns,.n_columns = FOREST_MAX_FEATURES};
	ForestFrame *frame;
	TestHost	t;
	Failure		why;

	for (int c = 0; c <= FOREST_MAX_FEATURES; c++)
		columns[c].name = "c";
	test_host_begin(&t);
	tap_is_int(forest_frame_new(&t.host, &options, &frame, &why), STATUS_OK, "1600 columns");
	forest_frame_free(frame);
	options.n_columns++;
	tap_is_int(forest_frame_new(&t.host, &options, &frame, &why), STATUS_LIMIT, "no more");
	tap_ok(frame == NULL, "and no frame then");
	tap_ok(test_host_end(&t), "no leak");
}

/* -------------------------------------------------------------- failures -- */

static Status
fill_frame(const Host *host, void *arg, Failure *why)
{
	ForestColumn columns[] = {
		{"a", FOREST_NUMERIC, false}, {"b", FOREST_CATEGORY, false}
	};
	ForestFrameOptions options = {.columns = columns,.n_columns = 2,.has_weight = true,
		.target = *(ForestTargetKind *) arg,.has_group = true,.has_time = true};
	ForestFrame *frame;
	uint32_t	n_classes;
	Status		status = forest_frame_new(host, &options, &frame, why);

	if (status != STATUS_OK)
		return status;
	for (uint32_t i = 0; i < 2200 && status == STATUS_OK; i++)
	{
		ForestCell	cells[2] = {{.number = i}, {.text = "some plan"}};
		ForestRow	row = {.cells = cells,.target_label = i % 2 == 0 ? "x" : "y",
			.target_label_bytes = 1,.target_number = i % 2,.weight = 1};

		cells[1].n_bytes = 1 + i % 9;
		status = forest_frame_append(frame, &row, why);
	}
	if (status == STATUS_OK && options.target == FOREST_TARGET_NUMBER)
		status = forest_frame_number_classes(frame, why);
	if (status == STATUS_OK)
		status = forest_frame_classes(frame, &n_classes, why);
	forest_frame_free(frame);
	return status;
}

static void
test_failures(void)
{
	ForestTargetKind labels = FOREST_TARGET_LABEL;
	ForestTargetKind numbers = FOREST_TARGET_NUMBER;

	tap_ok(test_sweep_memory(fill_frame, &labels, 12), "survives refusal: labels");
	tap_ok(test_sweep_memory(fill_frame, &numbers, 12), "survives refusal: numbers");
}

int
main(void)
{
	test_rows();
	test_retry();
	test_numbers();
	test_zero_one();
	test_class_order();
	test_class_limits();
	test_texts();
	test_every_byte_counts();
	test_columns();
	test_failures();
	return tap_done();
}
