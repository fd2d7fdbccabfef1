/*
 * train_fixture.c
 *	  Frames, parameters and trainings from arrays.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train_fixture.h"

#include "core/memory.h"
#include "core/rng.h"

#define MAX_ITEMS 16
#define WORD_BYTES 128
#define MAX_COLUMNS 200

static void
must(Status status, const char *what)
{
	if (status == STATUS_OK)
		return;
	printf("Bail out! train fixture: %s: status %d\n", what, (int) status);
	fflush(stdout);
	abort();
}

double
train_unit(uint64_t *state)
{
	*state += RNG_GOLDEN;
	return rng_unit(rng_mix64(*state));
}

uint32_t
train_below(uint64_t *state, uint32_t bound)
{
	return (uint32_t) (train_unit(state) * bound);
}

/* --------------------------------------------------------------- frames -- */

static char
kind_of(const TrainData *data, uint32_t column)
{
	return data->kinds == NULL ? 'n' : data->kinds[column];
}

/* A double's place in a row's bytes: equal numbers, equal bytes. */
static void
put_number(double *bytes, size_t *n, double value)
{
	bytes[(*n)++] = isnan(value) ? -1e300 : value == 0 ? 0 : value;
}

Hash128
train_identity(const TrainData *data, uint32_t row)
{
	double		bytes[MAX_COLUMNS + 4];
	size_t		n = 0;

	for (uint32_t c = 0; c < data->p; c++)
		put_number(bytes, &n, data->x[(size_t) row * data->p + c]);
	put_number(bytes, &n, data->y[row]);
	put_number(bytes, &n, data->weight != NULL ? data->weight[row] : 0);
	put_number(bytes, &n, data->group != NULL ? data->group[row] : 0);
	put_number(bytes, &n, data->time != NULL ? data->time[row] : 0);
	return hash_bytes(bytes, n * sizeof(double));
}

Status
train_append(ForestFrame *frame, const TrainData *data, uint32_t row, Failure *why)
{
	ForestCell	cells[MAX_COLUMNS];
	char		texts[MAX_COLUMNS][12];
	char		label[12];
	ForestRow	r = {.cells = cells,.identity = train_identity(data, row),
		.target_missing = isnan(data->y[row]),.target_number = data->y[row],
		.target_label = label,.weight = 1};

	memset(cells, 0, sizeof(cells));
	for (uint32_t c = 0; c < data->p; c++)
	{
		double		x = data->x[(size_t) row * data->p + c];

		if (kind_of(data, c) != 'c')
		{
			/* both ways to be missing */
			cells[c].missing = isnan(x) && row % 2 == 0;
			cells[c].number = x;
			continue;
		}
		cells[c].missing = isnan(x);
		cells[c].n_bytes = (size_t) snprintf(texts[c], sizeof(texts[c]), "c%.0f", x);
		cells[c].text = texts[c];
	}
	r.target_label_bytes = (size_t) snprintf(label, sizeof(label), "k%03.0f", data->y[row]);
	if (data->weight != NULL)
		r.weight = data->weight[row];
	if (data->group != NULL)
		r.group = hash_bytes(&data->group[row], sizeof(double));
	if (data->time != NULL)
		r.time = data->time[row];
	return forest_frame_append(frame, &r, why);
}

/* ------------------------------------------------------ temporary files -- */

static bool
file_write(void *ctx, const void *bytes, size_t n_bytes)
{
	TrainFile  *file = ctx;

	if (++file->n_writes == file->fail_write)
		return false;
	file->bytes = realloc(file->bytes, file->n_bytes + n_bytes);
	memcpy(file->bytes + file->n_bytes, bytes, n_bytes);
	file->n_bytes += n_bytes;
	return true;
}

static bool
file_read(void *ctx, uint64_t offset, void *bytes, size_t n_bytes)
{
	TrainFile  *file = ctx;

	if (++file->n_reads == file->fail_read || offset + n_bytes > file->n_bytes)
		return false;
	memcpy(bytes, file->bytes + offset, n_bytes);
	return true;
}

void
train_file_begin(TrainFile *file)
{
	memset(file, 0, sizeof(*file));
	file->spill.write = file_write;
	file->spill.read = file_read;
	file->spill.ctx = file;
}

void
train_file_end(TrainFile *file)
{
	free(file->bytes);
	file->bytes = NULL;
}

Status
train_frame(const Host *host, const TrainData *data, ForestFrame **out, Failure *why)
{
	ForestColumn columns[MAX_COLUMNS];
	char		names[MAX_COLUMNS][12];
	ForestFrameOptions options = {.columns = columns,.n_columns = data->p,
		.target = data->n_classes > 0 ? FOREST_TARGET_LABEL : FOREST_TARGET_NUMBER,
		.has_weight = data->weight != NULL,.has_group = data->group != NULL,
		.has_time = data->time != NULL,.spill = data->spill,.memory = data->memory,
		.wants_facts = data->wants_facts};
	Status		status;

	if (data->p > MAX_COLUMNS)
		must(STATUS_LIMIT, "too many columns");
	for (uint32_t c = 0; c < data->p; c++)
	{
		snprintf(names[c], sizeof(names[c]), "x%u", c);
		columns[c].name = names[c];
		columns[c].kind = kind_of(data, c) == 'c' ? FOREST_CATEGORY
			: kind_of(data, c) == 't' ? FOREST_TIMESTAMP : FOREST_NUMERIC;
		columns[c].integer = kind_of(data, c) == 'i';
	}
	status = forest_frame_new(host, &options, out, why);
	for (uint32_t i = 0; i < data->n && status == STATUS_OK; i++)
		status = train_append(*out, data, data->order != NULL ? data->order[i] : i, why);
	if (status != STATUS_OK)
	{
		forest_frame_free(*out);
		*out = NULL;
	}
	return status;
}

/* ----------------------------------------------------------- parameters -- */

/* A value as JSON would have it, and room for the parts of a list. */
typedef struct Value
{
	ForestValue value;
	ForestValue items[MAX_ITEMS];
	const char *names[MAX_ITEMS];
} Value;

static void
read_scalar(char *text, ForestValue *out)
{
	char	   *end;

	memset(out, 0, sizeof(*out));
	out->string = text;
	out->number = strtod(text, &end);
	if (*end == '\0')
	{
		out->type = FOREST_VALUE_NUMBER;
		out->is_integer = strpbrk(text, ".e") == NULL;
	}
	else if (strcmp(text, "null") == 0)
		out->type = FOREST_VALUE_NULL;
	else if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
	{
		out->type = FOREST_VALUE_BOOLEAN;
		out->boolean = text[0] == 't';
	}
	else
		out->type = FOREST_VALUE_STRING;
}

/* Text between brackets, whose end is cut off. */
static void
read_list(char *text, bool object, Value *out)
{
	char	   *save = NULL;
	size_t		n = 0;

	text[strlen(text) - 1] = '\0';
	for (char *item = strtok_r(text + 1, ",", &save); item != NULL && n < MAX_ITEMS;
		 item = strtok_r(NULL, ",", &save), n++)
	{
		char	   *colon = strchr(item, ':');

		if (object && colon != NULL)
		{
			*colon = '\0';
			out->names[n] = item;
			item = colon + 1;
		}
		read_scalar(item, &out->items[n]);
	}
	out->value = (ForestValue) {.type = object ? FOREST_VALUE_OBJECT : FOREST_VALUE_ARRAY,
		.items = out->items,.names = out->names,.n_items = n};
}

static Status
set_param(const Host *host, ForestParams *params, const char *begin, size_t n_bytes,
		  Failure *why)
{
	char		word[WORD_BYTES];
	char	   *text;
	Value		value;

	if (n_bytes >= sizeof(word))
		must(STATUS_LIMIT, "parameter is too long");
	memcpy(word, begin, n_bytes);
	word[n_bytes] = '\0';
	text = strchr(word, '=');
	if (text == NULL)
		must(STATUS_INVALID_PARAMETER, word);
	*text++ = '\0';
	if (text[0] == '[' || text[0] == '{')
		read_list(text, text[0] == '{', &value);
	else
		read_scalar(text, &value.value);
	return forest_params_set(host, params, word, &value.value, why);
}

Status
train_params(const Host *host, const TrainData *data, ForestParams **out, Failure *why)
{
	const char *text = data->params != NULL ? data->params : "";
	Status		status = forest_params_new(host, out, why);

	if (status == STATUS_OK)
		(*out)->n_estimators = 1;
	for (size_t n; status == STATUS_OK && *text != '\0'; text += n)
	{
		text += strspn(text, " ");
		n = strcspn(text, " ");
		if (n > 0)
			status = set_param(host, *out, text, n, why);
	}
	if (status == STATUS_OK)
		status = forest_params_finish(*out, data->n_classes > 0 ? FOREST_CLASSIFICATION
									  : FOREST_REGRESSION, data->n_classes, why);
	if (status != STATUS_OK)
	{
		forest_params_free(host, *out);
		*out = NULL;
	}
	return status;
}

/* ------------------------------------------------------------ trainings -- */

Status
train_new(const Host *host, const Host *storage, const TrainData *data, ForestTraining **out,
		  Failure *why)
{
	ForestFrame *frame = NULL;
	ForestParams *params = NULL;
	Status		status;

	*out = NULL;
	status = train_frame(host, data, &frame, why);
	if (status == STATUS_OK)
		status = train_params(host, data, &params, why);
	if (status == STATUS_OK)
		status = forest_training_new(host, storage, frame, params, &data->split, out, why);
	forest_frame_free(frame);
	forest_params_free(host, params);
	return status;
}

Status
train_refused(const TrainData *data, Failure *why)
{
	TestHost	host;
	ForestTraining *training;
	Status		status;

	test_host_begin(&host);
	memset(why, 0, sizeof(*why));
	status = train_new(&host.host, &host.host, data, &training, why);
	if (status == STATUS_OK)
		forest_training_free(training);
	if (!test_host_end(&host))
		must(STATUS_NO_MEMORY, "leak after a refusal");
	return status;
}

Status
train_grow(ForestGrower *grower, const Host *host, uint32_t tree, ForestBlob *out, Failure *why)
{
	bool		done = false;
	const uint8_t *bytes;
	uint8_t    *copy = NULL;
	size_t		n_bytes = 0;
	Status		status = forest_grower_begin(grower, tree, why);

	while (status == STATUS_OK && !done)
		status = forest_grower_step(grower, &done, why);
	if (status != STATUS_OK)
		return status;
	bytes = forest_grower_result(grower, &n_bytes);
	/* a copy of the very size, so that reading beyond it is seen */
	status = memory_new_raw(host, n_bytes, 1, &copy, why);
	if (status != STATUS_OK)
		return status;
	memcpy(copy, bytes, n_bytes);
	out->bytes = copy;
	out->n_bytes = n_bytes;
	return STATUS_OK;
}

void
train_blob_free(const Host *host, ForestBlob *blob)
{
	memory_free(host, (void *) (uintptr_t) blob->bytes, blob->n_bytes, 1);
	blob->bytes = NULL;
}

void
train_begin(Train *t, const TrainData *data)
{
	ForestGrower *grower;
	Failure		why = {0};
	uint32_t	n_trees;

	test_host_begin(&t->host);
	test_host_begin(&t->storage);
	t->host.host.cpu_limit = data->level;
	must(train_new(&t->host.host, &t->storage.host, data, &t->training, &why), why.text);
	n_trees = t->training->settings.n_estimators;
	must(memory_new(&t->host.host, n_trees, sizeof(ForestBlob), &t->trees, &why), "trees");
	must(forest_grower_new(&t->host.host, t->training, &grower, &why), "grower");
	for (uint32_t i = 0; i < n_trees; i++)
		must(train_grow(grower, &t->host.host, i, &t->trees[i], &why), why.text);
	forest_grower_free(grower);
}

bool
train_end(Train *t)
{
	uint32_t	n_trees = t->training->settings.n_estimators;
	bool		clean;

	for (uint32_t i = 0; i < n_trees; i++)
		train_blob_free(&t->host.host, &t->trees[i]);
	memory_free(&t->host.host, t->trees, n_trees, sizeof(ForestBlob));
	forest_training_free(t->training);
	clean = test_host_end(&t->host);
	return test_host_end(&t->storage) && clean;
}

bool
train_same_trees(const Train *a, const Train *b)
{
	uint32_t	n_trees = a->training->settings.n_estimators;

	if (b->training->settings.n_estimators != n_trees)
		return false;
	for (uint32_t i = 0; i < n_trees; i++)
		if (a->trees[i].n_bytes != b->trees[i].n_bytes ||
			memcmp(a->trees[i].bytes, b->trees[i].bytes, a->trees[i].n_bytes) != 0)
			return false;
	return true;
}

ForestModel *
train_model(Train *t)
{
	ForestArtifact artifact;
	ForestModel *model;
	Failure		why = {0};

	must(forest_assemble(&t->host.host, t->training, t->trees, &artifact, &why), why.text);
	must(forest_decode(&t->host.host, artifact.bytes, artifact.n_bytes, &model, &why),
		 why.text);
	memory_free(&t->host.host, artifact.bytes, artifact.capacity, 1);
	return model;
}

void
train_rows(const Train *t, const TrainData *data, uint32_t *rows)
{
	const ForestTraining *training = t->training;
	Hash128    *identities = malloc(data->n * sizeof(Hash128));
	uint64_t   *keys = malloc(data->n * sizeof(uint64_t));

	for (uint32_t row = 0; row < data->n; row++)
	{
		uint64_t	ordinal = 0;

		identities[row] = train_identity(data, row);
		for (uint32_t before = 0; before < row; before++)
			ordinal += hash_compare(identities[before], identities[row]) == 0;
		keys[row] = rng_row_key(identities[row], ordinal);
	}
	for (uint32_t i = 0; i < training->n_rows; i++)
	{
		uint64_t	key = training_chunk(training, i)->keys[training_in_chunk(training, i)];

		for (rows[i] = 0; rows[i] < data->n && keys[rows[i]] != key; rows[i]++)
			;
		if (rows[i] == data->n)
			must(STATUS_CORRUPT, "a row of the training is none of the data");
	}
	free(identities);
	free(keys);
}
