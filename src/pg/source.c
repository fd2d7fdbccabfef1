/*
 * source.c
 *	  Versions of datasets as sources of rows.
 *
 * Kept rows are canonical bytes.  Whatever can be a feature comes back as a
 * value of its own base type, by code of the server and never by a type's
 * input function that a user could have written; of every other type a text
 * comes back whose canonical bytes are those of the value.  So identities,
 * digest and model are those of a training on the query itself, and reading a
 * copy runs nobody's code.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "pg/catalog.h"
#include "pg/compat.h"
#include "pg/host.h"
#include "pg/policy.h"
#include "pg/reader.h"
#include "pg/report.h"
#include "pg/source.h"

/* A type with text inside and nothing special outside: its tag is that of other types. */
#define OPAQUE_TYPE REFCURSOROID

/* Base types by the names that format_type() gives them. */
static const struct
{
	const char *name;
	Oid			type;
} base_types[] = {
	{"boolean", BOOLOID},
	{"smallint", INT2OID},
	{"integer", INT4OID},
	{"bigint", INT8OID},
	{"real", FLOAT4OID},
	{"double precision", FLOAT8OID},
	{"numeric", NUMERICOID},
	{"pg_catalog.date", DATEOID},
	{"timestamp without time zone", TIMESTAMPOID},
	{"timestamp with time zone", TIMESTAMPTZOID},
	{"interval", INTERVALOID},
	{"pg_catalog.bytea", BYTEAOID},
};

bool
source_is_reference(const char *text)
{
	while (isspace((unsigned char) *text))
		text++;
	return strncmp(text, SOURCE_PREFIX, strlen(SOURCE_PREFIX)) == 0;
}

char *
source_name(const Source *source)
{
	return psprintf("%s/%d", source->dataset, source->version);
}

/* The type in which values of a column are read back. */
static Oid
read_type(const SourceColumn *column, bool is_feature)
{
	Oid			type;

	if (column->tag == TAG_TEXT)
		return TEXTOID;
	for (size_t i = 0; i < lengthof(base_types); i++)
	{
		if (strcmp(column->base_name, base_types[i].name) == 0)
			return base_types[i].type;
	}
	if (!is_feature)
		return OPAQUE_TYPE;
	/* an enum: its labels have an order that only the type knows */
	type = compat_find_type(column->base_name);
	if (!OidIsValid(type) || !type_is_enum(type))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("type %s of column \"%s\" does not exist any more", column->base_name,
						column->name),
				 errhint("Create it again with the labels it had.")));
	return type;
}

/* A member of an object as a text, NULL if it is not there or null. */
static char *
member_text(JsonbContainer *object, const char *key)
{
	JsonbValue *value = getKeyJsonValueFromContainer(object, key, strlen(key), NULL);

	if (value == NULL || value->type == jbvNull)
		return NULL;
	if (value->type == jbvNumeric)
		return DatumGetCString(DirectFunctionCall1(numeric_out,
												   NumericGetDatum(value->val.numeric)));
	if (value->type == jbvBool)
		return pstrdup(value->val.boolean ? "true" : "false");
	if (value->type != jbvString)
		return NULL;
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/* Is a column one of the key? */
static bool
in_key(const char *name, ArrayType *key)
{
	Datum	   *elements;
	int			n;

	if (key == NULL)
		return false;
	deconstruct_array(key, TEXTOID, -1, false, TYPALIGN_INT, &elements, NULL, &n);
	for (int i = 0; i < n; i++)
	{
		if (strcmp(TextDatumGetCString(elements[i]), name) == 0)
			return true;
	}
	return false;
}

SourceColumn *
source_columns(Jsonb *columns, ArrayType *key, int *n_columns)
{
	SourceColumn *result;

	*n_columns = (int) JsonContainerSize(&columns->root);
	result = palloc0(Max(*n_columns, 1) * sizeof(SourceColumn));
	for (int i = 0; i < *n_columns; i++)
	{
		JsonbValue *element = getIthJsonbValueFromContainer(&columns->root, i);
		SourceColumn *column = &result[i];
		JsonbContainer *object;
		char	   *tag;

		if (element == NULL || element->type != jbvBinary)
			elog(ERROR, "column %d of a dataset is no object", i + 1);
		object = element->val.binary.data;
		column->name = member_text(object, "name");
		column->type_name = member_text(object, "type");
		column->base_name = member_text(object, "base");
		tag = member_text(object, "tag");
		if (column->name == NULL || column->base_name == NULL || tag == NULL)
			elog(ERROR, "column %d of a dataset is incomplete", i + 1);
		column->tag = atoi(tag);
		column->is_key = in_key(column->name, key);
		column->type = read_type(column, member_text(object, "kind") != NULL);
		datum_type_init(&column->datum_type, column->type, CurrentMemoryContext);
		/* lengths of payloads are known by the tag: see datum_of() */
		if (datum_canonical_tag(&column->datum_type) != column->tag)
			elog(ERROR, "column \"%s\" of a dataset has type %s and tag %d", column->name,
				 column->base_name, column->tag);
	}
	return result;
}

/* Columns of the statement below. */
enum
{
	FIELD_DATASET = 1,
	FIELD_VERSION,
	FIELD_QUERY,
	FIELD_FINGERPRINT,
	FIELD_RELATIONS,
	FIELD_COLUMNS,
	FIELD_KEY,
	FIELD_N_ROWS,
	FIELD_DIGEST,
	FIELD_PROFILE,
	FIELD_SEARCH_PATH,
	FIELD_SNAPSHOT,
	FIELD_LSN,
	FIELD_CREATED_BY,
	FIELD_KEPT,
	FIELD_SALT,
};

static const char find_statement[] =
	"SELECT dataset, version, query, fingerprint, relations, columns, key, n_rows, digest, "
	"profile, search_path, snapshot, lsn, created_by, kept, salt "
	"FROM churnops.find_dataset_version($1, $2)";

/* A field of the row found. */
static Datum
field(int number, bool *is_null)
{
	return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, number, is_null);
}

/* A field of the row found as a text in the current memory context. */
static char *
field_text(int number)
{
	char	   *value = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, number);

	return value == NULL ? NULL : pstrdup(value);
}

/* Read the row found. */
static Source *
read_source(void)
{
	Source	   *source = palloc0(sizeof(Source));
	bool		is_null;
	Datum		key = field(FIELD_KEY, &is_null);
	bytea	   *salt;

	source->has_key = !is_null;
	source->columns = source_columns(DatumGetJsonbP(field(FIELD_COLUMNS, &is_null)),
									 source->has_key ? DatumGetArrayTypeP(key) : NULL,
									 &source->n_columns);
	source->dataset = field_text(FIELD_DATASET);
	source->version = DatumGetInt32(field(FIELD_VERSION, &is_null));
	source->query = field_text(FIELD_QUERY);
	source->fingerprint = field_text(FIELD_FINGERPRINT);
	source->relations = field_text(FIELD_RELATIONS);
	source->n_rows = DatumGetInt64(field(FIELD_N_ROWS, &is_null));
	source->digest = field_text(FIELD_DIGEST);
	source->profile = field_text(FIELD_PROFILE);
	source->search_path = field_text(FIELD_SEARCH_PATH);
	source->snapshot = field_text(FIELD_SNAPSHOT);
	source->lsn = field_text(FIELD_LSN);
	source->created_by = field_text(FIELD_CREATED_BY);
	source->kept = DatumGetBool(field(FIELD_KEPT, &is_null));
	salt = DatumGetByteaPP(field(FIELD_SALT, &is_null));
	if (VARSIZE_ANY_EXHDR(salt) != SOURCE_SALT_BYTES)
		elog(ERROR, "salt of dataset \"%s\" has another length", source->dataset);
	memcpy(source->salt, VARDATA_ANY(salt), SOURCE_SALT_BYTES);
	return source;
}

Source *
source_resolve(const char *role, const char *reference)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			types[] = {NAMEOID, TEXTOID};
	NameData	caller;
	Datum		values[2];
	Source	   *source;

	namestrcpy(&caller, role != NULL ? role : GetUserNameFromId(GetUserId(), false));
	values[0] = NameGetDatum(&caller);
	values[1] = CStringGetTextDatum(reference);
	if (catalog_execute(find_statement, 2, types, values, NULL) != SPI_OK_SELECT ||
		SPI_processed != 1)
		elog(ERROR, "churnops.find_dataset_version() returned no row");
	MemoryContextSwitchTo(context);
	source = read_source();
	SPI_freetuptable(SPI_tuptable);
	return source;
}

TupleDesc
source_row_type(const Source *source)
{
	TupleDesc	columns = CreateTemplateTupleDesc(source->n_columns);

	for (int i = 0; i < source->n_columns; i++)
		TupleDescInitEntry(columns, (AttrNumber) (i + 1), source->columns[i].name,
						   source->columns[i].type, -1, 0);
	return columns;
}

/* ---------------------------------------------------------- kept values -- */

static void
refuse_damaged(const Source *source)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("kept copy of dataset version %s is damaged", source_name(source)),
			 errhint("Restore it from a backup, or give it up with "
					 "SELECT churnops_forget('" SOURCE_PREFIX "%s');", source_name(source))));
}

/* Eight bytes, big-endian. */
static uint64
word_of(const DatasetValue *value)
{
	uint64		word;

	memcpy(&word, value->bytes, sizeof(word));
	return pg_ntoh64(word);
}

/* A payload as a text in the server's encoding. */
static char *
text_of(const DatasetValue *value)
{
	size_t		n_bytes;
	const char *text = datum_from_utf8((const char *) value->bytes, value->n_bytes, &n_bytes);

	return pnstrdup(text, n_bytes);
}

static double
double_of(const DatasetValue *value)
{
	uint64		bits = word_of(value);
	double		number;

	memcpy(&number, &bits, sizeof(number));
	return number;
}

/* A kept value as a datum of the column's type. */
static Datum
datum_of(const SourceColumn *column, const DatasetValue *value)
{
	size_t		n_bytes;
	const char *text;

	switch (column->datum_type.policy->reader)
	{
		case READ_BOOL:
			return BoolGetDatum(value->bytes[0] != 0);
		case READ_INT2:
			return Int16GetDatum((int16) word_of(value));
		case READ_INT4:
			return Int32GetDatum((int32) word_of(value));
		case READ_INT8:
		case READ_TIMESTAMP:
			return Int64GetDatum((int64) word_of(value));
		case READ_FLOAT4:
			return Float4GetDatum((float4) double_of(value));
		case READ_FLOAT8:
			return Float8GetDatum(double_of(value));
		case READ_DATE:
			return DateADTGetDatum((DateADT) word_of(value));
		case READ_NUMERIC:
			return DirectFunctionCall3(numeric_in, CStringGetDatum(text_of(value)),
									   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
		case READ_INTERVAL:
			return DirectFunctionCall3(interval_in, CStringGetDatum(text_of(value)),
									   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
		case READ_ENUM:
			return DirectFunctionCall2(enum_in, CStringGetDatum(text_of(value)),
									   ObjectIdGetDatum(column->type));
		case READ_BYTEA:
			return PointerGetDatum(cstring_to_text_with_len((const char *) value->bytes,
															(int) value->n_bytes));
		default:
			text = datum_from_utf8((const char *) value->bytes, value->n_bytes, &n_bytes);
			return PointerGetDatum(cstring_to_text_with_len(text, (int) n_bytes));
	}
}

/* Fill the slot with a kept row. */
static void
fill_slot(const Source *source, const DatasetValue *values, TupleTableSlot *slot)
{
	ExecClearTuple(slot);
	for (int i = 0; i < source->n_columns; i++)
	{
		slot->tts_isnull[i] = values[i].tag == DATASET_TAG_NULL;
		if (slot->tts_isnull[i])
			slot->tts_values[i] = (Datum) 0;
		else if (values[i].tag != source->columns[i].tag)
			refuse_damaged(source);
		else
			slot->tts_values[i] = datum_of(&source->columns[i], &values[i]);
	}
	ExecStoreVirtualTuple(slot);
}

/* A chunk's bytes, in the current memory context; NULL if there is no such chunk. */
static bytea *
fetch_chunk(const Source *source, int32 chunk)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			types[] = {TEXTOID, INT4OID, INT4OID};
	Datum		values[3];
	bytea	   *bytes = NULL;
	bool		is_null;

	values[0] = CStringGetTextDatum(source->dataset);
	values[1] = Int32GetDatum(source->version);
	values[2] = Int32GetDatum(chunk);
	if (catalog_execute("SELECT bytes FROM churnops.dataset_rows "
						"WHERE dataset = $1 AND version = $2 AND chunk = $3", 3, types, values,
						NULL) != SPI_OK_SELECT)
		elog(ERROR, "could not read the kept rows of a dataset");
	MemoryContextSwitchTo(context);
	if (SPI_processed > 0)
		bytes = DatumGetByteaPCopy(field(1, &is_null));
	SPI_freetuptable(SPI_tuptable);
	return bytes;
}

/* Hand the rows of a chunk on. */
static uint64
run_chunk(const Source *source, bytea *bytes, TupleTableSlot *slot, MemoryContext per_row,
		  SourceRow row, void *ctx)
{
	PgHost		host;
	DatasetReader *reader;
	const DatasetValue *values;
	MemoryContext old;
	uint64		n_rows = 0;
	Failure		why;

	pg_host_init(&host, CurrentMemoryContext, 0);
	report_status(dataset_reader_new(&host.host, VARDATA(bytes), VARSIZE(bytes) - VARHDRSZ,
									 (uint32) source->n_columns, &reader, &why), &why);
	while ((values = dataset_reader_next(reader)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		old = MemoryContextSwitchTo(per_row);
		fill_slot(source, values, slot);
		row(ctx, slot, values);
		MemoryContextSwitchTo(old);
		MemoryContextReset(per_row);
		n_rows++;
	}
	dataset_reader_free(reader);
	return n_rows;
}

uint64
source_run(const Source *source, SourceRow row, void *ctx)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext per_chunk = AllocSetContextCreate(caller, "churnops kept rows",
													ALLOCSET_DEFAULT_SIZES);
	MemoryContext per_row = AllocSetContextCreate(caller, "churnops row", ALLOCSET_DEFAULT_SIZES);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(source_row_type(source), &TTSOpsVirtual);
	uint64		n_rows = 0;
	bytea	   *bytes;

	for (int32 chunk = 0; n_rows < (uint64) source->n_rows; chunk++)
	{
		MemoryContextSwitchTo(per_chunk);
		bytes = fetch_chunk(source, chunk);
		if (bytes == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("dataset version %s has no kept copy", source_name(source)),
					 errhint("Register it again with keep => true while its rows are the same.")));
		n_rows += run_chunk(source, bytes, slot, per_row, row, ctx);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(per_chunk);
	}
	MemoryContextSwitchTo(caller);
	ExecDropSingleTupleTableSlot(slot);
	MemoryContextDelete(per_row);
	MemoryContextDelete(per_chunk);
	if (n_rows != (uint64) source->n_rows)
		refuse_damaged(source);
	return n_rows;
}

/* ----------------------------------------------------------------- keys -- */

/* A JSON scalar as a text. */
static char *
scalar_text(const SourceColumn *column, const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvString:
			return pnstrdup(value->val.string.val, value->val.string.len);
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out,
													   NumericGetDatum(value->val.numeric)));
		case jbvBool:
			return pstrdup(value->val.boolean ? "true" : "false");
		default:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("value of key column \"%s\" must be a JSON string, number, boolean or "
							"null", column->name)));
			return NULL;
	}
}

/* A text as a datum of the type in which a key column is read back. */
static Datum
key_datum(const SourceColumn *column, char *text)
{
	Oid			input;
	Oid			parameter;
	size_t		n_bytes = strlen(text);

	if (column->type == TEXTOID)
	{
		/* of char(n) the blanks at the end are no part of the value */
		while (strcmp(column->base_name, "character") == 0 && n_bytes > 0 &&
			   text[n_bytes - 1] == ' ')
			n_bytes--;
		return PointerGetDatum(cstring_to_text_with_len(text, (int) n_bytes));
	}
	if (column->type == OPAQUE_TYPE)
	{
		if (strcmp(column->base_name, "pg_catalog.uuid") == 0)
			text = DatumGetCString(DirectFunctionCall1(uuid_out,
													   DirectFunctionCall1(uuid_in,
																		   CStringGetDatum(text))));
		return CStringGetTextDatum(text);
	}
	getTypeInputInfo(column->type, &input, &parameter);
	return OidInputFunctionCall(input, text, parameter, -1);
}

/* Refuse members that are no key columns. */
static void
check_key(const SourceColumn *columns, int n_columns, Jsonb *key)
{
	StringInfoData names;
	int			n_keys = 0;
	int			n_given = 0;

	initStringInfo(&names);
	for (int i = 0; i < n_columns; i++)
	{
		if (!columns[i].is_key)
			continue;
		appendStringInfo(&names, "%s\"%s\"", n_keys++ > 0 ? ", " : "", columns[i].name);
		if (JB_ROOT_IS_OBJECT(key) &&
			getKeyJsonValueFromContainer(&key->root, columns[i].name, strlen(columns[i].name),
										 NULL) != NULL)
			n_given++;
	}
	if (!JB_ROOT_IS_OBJECT(key) || n_given != n_keys || (int) JB_ROOT_COUNT(key) != n_keys)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"key\" must be a JSON object with the key columns and no more"),
				 errdetail("The key columns are %s.", names.data)));
}

void
source_key_bytes(SourceColumn *columns, int n_columns, Jsonb *key, StringInfo out)
{
	ReaderColumn *readers = palloc0(n_columns * sizeof(ReaderColumn));
	ForestCell *cells = palloc0(n_columns * sizeof(ForestCell));
	Datum	   *values = palloc0(n_columns * sizeof(Datum));
	bool	   *nulls = palloc0(n_columns * sizeof(bool));
	int			n = 0;
	Reader		reader;

	check_key(columns, n_columns, key);
	for (int i = 0; i < n_columns; i++)
	{
		JsonbValue *value;

		if (!columns[i].is_key)
			continue;
		value = getKeyJsonValueFromContainer(&key->root, columns[i].name,
											 strlen(columns[i].name), NULL);
		readers[n].type = &columns[i].datum_type;
		readers[n].cell = &cells[n];
		nulls[n] = value->type == jbvNull;
		if (!nulls[n])
			values[n] = key_datum(&columns[i], scalar_text(&columns[i], value));
		n++;
	}
	reader_begin(&reader, readers, n);
	reader_row(&reader, values, nulls);
	appendBinaryStringInfo(out, reader.all.data, (int) (reader.all.next - reader.all.data));
}
