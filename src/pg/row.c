/*
 * row.c
 *	  Columns and arrays as bins of a model.
 *
 * A map is made once per row type and model; a row then costs one reading and
 * one encoding per feature.  Names are compared exactly.  A column may have
 * another type than in training if its type class is the same: any number for
 * a number, any text for a category, a date for a timestamp.  Other casts
 * could turn a mistake into a wrong answer, so they are left to the query.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "pg/compat.h"
#include "pg/row.h"
#include "pg/row_memo.h"

/* Categories of a map that have a memo: it is for their sake that maps stay small. */
#define MAX_MEMOS 64

/* What a kind is called in messages, and the type to cast to. */
static const char *
kind_noun(ForestKind kind)
{
	switch (kind)
	{
		case FOREST_NUMERIC:
			return "a number";
		case FOREST_BOOLEAN:
			return "a boolean";
		case FOREST_CATEGORY:
			return "a text";
		case FOREST_TIMESTAMP:
		case FOREST_TIMESTAMPTZ:
			return "a date or timestamp";
		case FOREST_INTERVAL:
			return "an interval";
	}
	return "another type";
}

static const char *
kind_type(ForestKind kind)
{
	switch (kind)
	{
		case FOREST_NUMERIC:
			return "double precision";
		case FOREST_BOOLEAN:
			return "boolean";
		case FOREST_CATEGORY:
			return "text";
		case FOREST_TIMESTAMP:
			return "timestamp";
		case FOREST_TIMESTAMPTZ:
			return "timestamptz";
		case FOREST_INTERVAL:
			return "interval";
	}
	return "text";
}

static bool
is_same_class(ForestKind a, ForestKind b)
{
	bool		a_is_time = a == FOREST_TIMESTAMP || a == FOREST_TIMESTAMPTZ;
	bool		b_is_time = b == FOREST_TIMESTAMP || b == FOREST_TIMESTAMPTZ;

	return a == b || (a_is_time && b_is_time);
}

const char *
row_feature_name(const ForestModel *forest, int feature)
{
	const char *name = forest_model_feature_name(forest, feature);
	size_t		n_bytes;

	return datum_from_utf8(name, strlen(name), &n_bytes);
}

void
row_missing_feature(const Resolved *version, const char *feature, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("the %s has no column \"%s\", which model \"%s\" needs", what, feature,
					version->model),
			 errdetail("It is a feature of version %d.", version->version),
			 errhint("List all features with SELECT feature FROM churnops_importance('%s/%d');",
					 version->model, version->version)));
}

void
row_wrong_type(const Resolved *version, const char *feature, const char *what, ForestKind kind,
			   const char *given)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column \"%s\" of the %s is %s, but model \"%s\" needs %s", feature, what,
					given, version->model, kind_noun(kind)),
			 errdetail("Version %d was trained with a column of kind %s.", version->version,
					   forest_kind_name(kind)),
			 errhint("Cast it where the %s is made, as in SELECT %s::%s AS %s.", what,
					 quote_identifier(feature), kind_type(kind), quote_identifier(feature))));
}

/* Can a column of this type be the feature?  A literal of ROW(…) can be anything. */
static bool
accepts(const ForestModel *forest, int feature, const DatumType *type)
{
	if (type->base == UNKNOWNOID)
		return true;
	return type->supported &&
		is_same_class(forest_model_feature_kind(forest, feature), type->kind);
}

/* The column of a name, from 0; -1 if there is none. */
static int
find_column(TupleDesc columns, const char *name, const char *what)
{
	int			found = -1;

	for (int i = 0; i < columns->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(columns, i);

		if (column->attisdropped || strcmp(NameStr(column->attname), name) != 0)
			continue;
		if (found >= 0)
			ereport(ERROR,
					(errcode(ERRCODE_AMBIGUOUS_COLUMN),
					 errmsg("the %s has two columns \"%s\"", what, name),
					 errhint("Give one of them another name with AS, or leave it out.")));
		found = i;
	}
	return found;
}

/* Are these the columns of ROW(…): f1, f2, … and nothing else? */
static bool
is_nameless(TupleDesc columns)
{
	char		name[NAMEDATALEN];

	for (int i = 0; i < columns->natts; i++)
	{
		snprintf(name, sizeof(name), "f%d", i + 1);
		if (strcmp(NameStr(TupleDescAttr(columns, i)->attname), name) != 0)
			return false;
	}
	return columns->natts > 0;
}

/*
 * Use the columns in their order.  Returns what is wrong with that as a
 * sentence, or NULL if their number and type classes are the model's.
 */
static char *
match_by_position(RowMap *map, TupleDesc columns, const Resolved *version)
{
	if (columns->natts != map->n_features)
		return psprintf("Columns of the row: %d; features of version %d: %d.", columns->natts,
						version->version, map->n_features);
	for (int i = 0; i < map->n_features; i++)
	{
		Oid			type = TupleDescAttr(columns, i)->atttypid;

		datum_type_init(&map->types[i], type, CurrentMemoryContext);
		if (!accepts(map->forest, i, &map->types[i]))
			return psprintf("Column %d of the row is of type %s, but feature %d, \"%s\", needs %s.",
							i + 1, format_type_be(type), i + 1, row_feature_name(map->forest, i),
							kind_noun(forest_model_feature_kind(map->forest, i)));
		map->columns[i] = i;
	}
	map->n_columns = map->n_features;
	return NULL;
}

/* Match the columns of ROW(...), or refuse them. */
static void
match_nameless(RowMap *map, TupleDesc columns, const Resolved *version)
{
	char	   *trouble = match_by_position(map, columns, version);

	if (trouble != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("columns of ROW(...) have no names, and by position they are not the "
						"features of model \"%s\"", version->model),
				 errdetail("%s", trouble),
				 errhint("Give a row whose columns have names, as in "
						 "SELECT churnops_predict('%s', t) FROM t; or a JSON object.",
						 version->model)));
}

static void
match_columns(RowMap *map, TupleDesc columns, const Resolved *version, const char *what,
			  bool by_position)
{
	for (int i = 0; i < map->n_features; i++)
	{
		const char *name = row_feature_name(map->forest, i);
		int			found = find_column(columns, name, what);

		if (found < 0)
		{
			if (!by_position || !is_nameless(columns))
				row_missing_feature(version, name, what);
			match_nameless(map, columns, version);
			return;
		}
		datum_type_init(&map->types[i], TupleDescAttr(columns, found)->atttypid,
						CurrentMemoryContext);
		if (!accepts(map->forest, i, &map->types[i]))
			row_wrong_type(version, name, what, forest_model_feature_kind(map->forest, i),
						   psprintf("of type %s",
									format_type_be(TupleDescAttr(columns, found)->atttypid)));
		map->columns[i] = found;
		map->n_columns = Max(map->n_columns, found + 1);
	}
}

/* Put a feature behind those that are in order. */
static void
put_in_order(RowMap *map, int position, int feature, RowLayout layout)
{
	int			column = map->columns[feature];
	DatumPlace *place = &map->places[position];

	map->features[position] = feature;
	place->value = column * (layout == ROW_ARRAYS ? sizeof(Datum) : sizeof(NullableDatum));
	place->null = column * (layout == ROW_ARRAYS ? sizeof(bool) : sizeof(NullableDatum));
}

/* Order the features for encoding. */
static void
order_features(RowMap *map, RowLayout layout)
{
	bool	   *done = palloc0(sizeof(bool) * map->n_features);
	int			n = 0;

	map->features = palloc(sizeof(uint16) * map->n_features);
	map->places = palloc(sizeof(DatumPlace) * map->n_features);
	map->runs = palloc(sizeof(RowRun) * map->n_features);
	map->n_runs = 0;
	for (int i = 0; i < map->n_features; i++)
	{
		RowRun	   *run = &map->runs[map->n_runs];

		if (done[i] || map->types[i].kind == FOREST_CATEGORY)
			continue;
		*run = (RowRun) {.type = &map->types[i], .first = n};
		for (int j = i; j < map->n_features; j++)
		{
			if (done[j] || !datum_same_reader(&map->types[j], run->type))
				continue;
			put_in_order(map, n++, j, layout);
			done[j] = true;
		}
		run->n = n - run->first;
		map->n_runs++;
	}
	map->n_numbers = n;
	for (int i = 0; i < map->n_features; i++)
	{
		if (!done[i])
			put_in_order(map, n++, i, layout);
	}
	pfree(done);
	map->n_memos = Min(map->n_features - map->n_numbers, MAX_MEMOS);
	map->memos = palloc0(sizeof(RowMemo) * Max(map->n_memos, 1));
}

void
row_map_init(RowMap *map, TupleDesc columns, RowLayout layout, const CachedModel *model,
			 const Resolved *version, const char *what, bool by_position)
{
	map->forest = model->forest;
	map->n_features = (int) forest_model_n_features(model->forest);
	map->n_columns = 0;
	map->columns = palloc(sizeof(int) * map->n_features);
	map->types = palloc(sizeof(DatumType) * map->n_features);
	match_columns(map, columns, version, what, by_position);
	order_features(map, layout);
}

char *
row_map_trouble(TupleDesc columns, const ForestModel *forest)
{
	for (uint32 i = 0; i < forest_model_n_features(forest); i++)
	{
		const char *name = row_feature_name(forest, i);
		int			found = SPI_fnumber(columns, name) - 1;
		DatumType	type;

		if (found < 0)
			return psprintf("Column \"%s\" is missing.", name);
		datum_type_init(&type, TupleDescAttr(columns, found)->atttypid, CurrentMemoryContext);
		if (!accepts(forest, i, &type))
			return psprintf("Column \"%s\" is of type %s, not %s.", name,
							format_type_be(type.type),
							kind_noun(forest_model_feature_kind(forest, i)));
	}
	return NULL;
}

/* A literal without a type where a number is needed: ROW('12', …). */
static void
refuse_literal(const RowMap *map, int feature)
{
	ForestKind	kind = forest_model_feature_kind(map->forest, feature);

	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("the value of feature \"%s\" is a literal of unknown type, but %s is needed",
					row_feature_name(map->forest, feature), kind_noun(kind)),
			 errhint("Give it a type, as in '...'::%s.", kind_type(kind))));
}

/* A category, or a literal of any kind. */
static uint8
encode_text(const RowMap *map, int feature, Datum value, bool is_null)
{
	const DatumType *type = &map->types[feature];
	ForestCell	cell;

	datum_cell(type, value, is_null, &cell);
	if (unlikely(type->base == UNKNOWNOID) && !cell.missing &&
		forest_model_feature_kind(map->forest, feature) != FOREST_CATEGORY)
		refuse_literal(map, feature);
	return forest_model_encode(map->forest, feature, &cell);
}

/* The same, of a column with a memo. */
static uint8
encode_text_again(const RowMap *map, int feature, Datum value, bool is_null, RowMemo *memo)
{
	const DatumType *type = &map->types[feature];
	size_t		n_bytes;
	const char *text = is_null ? NULL : datum_stored_text(type, value, &n_bytes);
	RowMemoText key;
	int			known;
	uint8		bin;

	if (text == NULL || n_bytes > ROW_MEMO_BYTES)
		return encode_text(map, feature, value, is_null);
	key = row_memo_text(text, n_bytes);
	known = row_memo_find(memo, key);
	if (likely(known >= 0))
		return (uint8) known;
	bin = encode_text(map, feature, value, false);
	row_memo_put(memo, key, bin);
	return bin;
}

void
row_encode(const RowMap *map, const Datum *values, const bool *nulls, uint8 *bins)
{
	double		numbers[FOREST_MAX_FEATURES];

	for (int i = 0; i < map->n_runs; i++)
	{
		const RowRun *run = &map->runs[i];

		datum_numbers(run->type, (const char *) values, (const char *) nulls,
					  map->places + run->first, run->n, numbers + run->first);
	}
	forest_model_encode_numbers(map->forest, map->features, numbers, map->n_numbers, bins);
	for (int i = map->n_numbers; i < map->n_features; i++)
	{
		DatumPlace	place = map->places[i];
		int			feature = map->features[i];
		int			memo = i - map->n_numbers;
		Datum		value = *(const Datum *) ((const char *) values + place.value);
		bool		is_null = *(const bool *) ((const char *) nulls + place.null);

		bins[feature] = memo < map->n_memos ?
			encode_text_again(map, feature, value, is_null, &map->memos[memo]) :
			encode_text(map, feature, value, is_null);
	}
}

/* An array can only hold numbers: find a feature that is none. */
static void
check_all_numeric(const ForestModel *forest, const Resolved *version)
{
	for (uint32 i = 0; i < forest_model_n_features(forest); i++)
	{
		if (forest_model_feature_kind(forest, i) == FOREST_NUMERIC)
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("model \"%s\" cannot score an array of numbers: its feature \"%s\" is %s",
						version->model, row_feature_name(forest, i),
						kind_noun(forest_model_feature_kind(forest, i))),
				 errhint("Give a row, as in SELECT churnops_predict('%s', t) FROM t; "
						 "or a JSON object.", version->model)));
	}
}

static void
check_length(ArrayType *array, int n_features, const Resolved *version)
{
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the row is an array of %d dimensions, but one is needed",
						ARR_NDIM(array))));
	if (n != n_features)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the array has length %d, but model \"%s\" has %d features", n,
						version->model, n_features),
				 errhint("Give the features in the order of SELECT f->>'name' FROM "
						 "churnops.lineage, jsonb_array_elements(columns) AS f "
						 "WHERE model = '%s' AND version = %d AND f->>'role' = 'feature';",
						 version->model, version->version)));
}

void
row_encode_array(const CachedModel *model, const Resolved *version, Datum array, uint8 *bins)
{
	ArrayType  *numbers = DatumGetArrayTypeP(array);
	int			n = (int) forest_model_n_features(model->forest);
	const bits8 *present;
	const char *next;

	check_all_numeric(model->forest, version);
	check_length(numbers, n, version);
	present = ARR_NULLBITMAP(numbers);
	next = ARR_DATA_PTR(numbers);
	for (int i = 0; i < n; i++)
	{
		ForestCell	cell = {.missing = true};

		if (present == NULL || (present[i / 8] & (1 << (i % 8))) != 0)
		{
			memcpy(&cell.number, next, sizeof(float8));
			next += sizeof(float8);
			cell.missing = isnan(cell.number);
		}
		bins[i] = forest_model_encode(model->forest, i, &cell);
	}
}
