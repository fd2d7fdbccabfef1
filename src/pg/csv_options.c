/*
 * csv_options.c
 *	  The options of churnops_load_csv, from one JSON object: every member is
 *	  known and of the right type, or refused.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "parser/parse_type.h"
#include "utils/builtins.h"
#include "utils/varlena.h"

#include "pg/compat.h"
#include "pg/csv_options.h"

#define MAX_EDITS 255			/* bytes that the server compares */

static const char *const default_nulls[] = {
	"", "NA", "N/A", "#N/A", "<NA>", "NULL", "null", "NaN", "nan",
};

/* A member that is not what it should be. */
pg_noreturn static void
refuse_option(const char *name, const char *allowed)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" must be %s", name, allowed)));
}

static char *
string_of(const JsonbValue *value)
{
	return pnstrdup(value->val.string.val, value->val.string.len);
}

static bool
is_string(const JsonbValue *value, const char *text)
{
	return value->type == jbvString && (size_t) value->val.string.len == strlen(text) &&
		memcmp(value->val.string.val, text, strlen(text)) == 0;
}

static bool
read_boolean(const char *name, const JsonbValue *value)
{
	if (value->type != jbvBool)
		refuse_option(name, "true or false");
	return value->val.boolean;
}

/* One ASCII character; '\0' for an empty text where that is allowed. */
static char
read_character(const char *name, const JsonbValue *value, bool may_be_empty)
{
	unsigned char byte;

	if (value->type == jbvString && value->val.string.len == 0 && may_be_empty)
		return '\0';
	if (value->type != jbvString || value->val.string.len != 1)
		refuse_option(name, "one ASCII character");
	byte = (unsigned char) value->val.string.val[0];
	if (IS_HIGHBIT_SET(byte) || byte == '\n' || byte == '\r' || byte == '\0')
		refuse_option(name, "one ASCII character, and no line end");
	return (char) byte;
}

/* An array of texts; one text is an array of it where that is allowed. */
static List *
read_texts(const char *name, const JsonbValue *value, bool may_be_one)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	element;
	List	   *texts = NIL;

	if (value->type == jbvString && may_be_one)
		return list_make1(string_of(value));
	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data))
		refuse_option(name, may_be_one ? "a text or an array of texts" : "an array of texts");
	iterator = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &element, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		if (element.type != jbvString)
			refuse_option(name, "an array of texts");
		texts = lappend(texts, string_of(&element));
	}
	return texts;
}

/* An object of types by column. */
static List *
read_types(const char *name, const JsonbValue *value)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	part;
	List	   *types = NIL;
	CsvGivenType *given = NULL;

	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		refuse_option(name, "an object of types by column, as {\"zip\": \"text\"}");
	iterator = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &part, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			given = palloc0(sizeof(CsvGivenType));
			given->column = string_of(&part);
			types = lappend(types, given);
		}
		else if (token == WJB_VALUE)
		{
			if (part.type != jbvString)
				refuse_option(name, "an object of types by column, as {\"zip\": \"text\"}");
			compat_parse_type(string_of(&part), &given->type, &given->typmod);
		}
	}
	return types;
}

static int
read_encoding(const char *name, const JsonbValue *value)
{
	int			encoding;

	if (value->type != jbvString)
		refuse_option(name, "the name of an encoding");
	encoding = pg_char_to_encoding(string_of(value));
	if (encoding < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\": encoding \"%s\" does not exist", name, string_of(value)),
				 errhint("Encodings are named as in the server's documentation: UTF8, LATIN1, "
						 "WIN1252, SJIS, …")));
	return encoding;
}

static CsvHeader
read_header(const char *name, const JsonbValue *value)
{
	if (is_string(value, "auto"))
		return CSV_HEADER_AUTO;
	if (value->type != jbvBool)
		refuse_option(name, "true, false or \"auto\"");
	return value->val.boolean ? CSV_HEADER_PRESENT : CSV_HEADER_ABSENT;
}

static CsvIfExists
read_if_exists(const char *name, const JsonbValue *value)
{
	if (is_string(value, "error"))
		return CSV_IF_EXISTS_ERROR;
	if (is_string(value, "append"))
		return CSV_IF_EXISTS_APPEND;
	if (!is_string(value, "replace"))
		refuse_option(name, "\"error\", \"append\" or \"replace\"");
	return CSV_IF_EXISTS_REPLACE;
}

const char *
csv_options_nearest(const char *name, const List *known)
{
	int			length = (int) strlen(name);
	int			least = Max(length / 2, 2);
	const char *nearest = NULL;
	ListCell   *cell;

	foreach(cell, known)
	{
		const char *other = lfirst(cell);
		int			edits;

		if (length > MAX_EDITS || strlen(other) > MAX_EDITS)
			continue;
		if (pg_strcasecmp(name, other) == 0)
			return other;
		edits = varstr_levenshtein(name, length, other, (int) strlen(other), 1, 1, 1, true);
		if (edits < least || (edits == least && nearest == NULL))
		{
			least = edits;
			nearest = other;
		}
	}
	return nearest;
}

pg_noreturn static void
refuse_unknown(const char *name)
{
	List	   *known = list_make5("header", "delimiter", "quote", "escape", "null");
	const char *nearest;

	known = list_concat(known, list_make5("encoding", "columns", "names", "trim", "if_exists"));
	known = list_concat(known, list_make2("temporary", "unlogged"));
	nearest = csv_options_nearest(name, known);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown option \"%s\"", name),
			 errdetail("The options are header, delimiter, quote, escape, null, encoding, columns, "
					   "names, trim, if_exists, temporary and unlogged."),
			 nearest != NULL ? errhint("Perhaps you meant \"%s\".", nearest) : 0));
}

/* Take in one member. */
static void
read_option(const char *name, const JsonbValue *value, CsvOptions *out, bool *escape_given)
{
	if (strcmp(name, "header") == 0)
		out->header = read_header(name, value);
	else if (strcmp(name, "delimiter") == 0)
		out->dialect.delimiter = is_string(value, "auto") ? '\0' :
			read_character(name, value, false);
	else if (strcmp(name, "quote") == 0)
		out->dialect.quote = read_character(name, value, true);
	else if (strcmp(name, "escape") == 0)
	{
		out->dialect.escape = read_character(name, value, false);
		*escape_given = true;
	}
	else if (strcmp(name, "null") == 0)
		out->nulls = read_texts(name, value, true);
	else if (strcmp(name, "encoding") == 0)
		out->encoding = read_encoding(name, value);
	else if (strcmp(name, "columns") == 0)
		out->types = read_types(name, value);
	else if (strcmp(name, "names") == 0)
		out->names = read_texts(name, value, false);
	else if (strcmp(name, "trim") == 0)
		out->dialect.trim = read_boolean(name, value);
	else if (strcmp(name, "if_exists") == 0)
		out->if_exists = read_if_exists(name, value);
	else if (strcmp(name, "temporary") == 0)
		out->temporary = read_boolean(name, value);
	else if (strcmp(name, "unlogged") == 0)
		out->unlogged = read_boolean(name, value);
	else
		refuse_unknown(name);
}

/* What the options say together. */
static void
finish_options(CsvOptions *out, bool escape_given)
{
	CsvDialect *dialect = &out->dialect;

	if (!escape_given)
		dialect->escape = dialect->quote;
	if (escape_given && dialect->quote == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"escape\" has no meaning without a quote")));
	if (dialect->delimiter != '\0' &&
		(dialect->delimiter == dialect->quote || dialect->delimiter == dialect->escape))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options \"delimiter\" and \"%s\" must differ",
						dialect->delimiter == dialect->quote ? "quote" : "escape")));
	if (out->temporary && out->unlogged)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options \"temporary\" and \"unlogged\" exclude each other"),
				 errhint("A temporary table is not logged either.")));
}

void
csv_options_read(Jsonb *json, CsvOptions *out)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	part;
	char	   *name = NULL;
	bool		escape_given = false;

	memset(out, 0, sizeof(*out));
	out->dialect.quote = '"';
	out->encoding = PG_UTF8;
	for (size_t i = 0; i < lengthof(default_nulls); i++)
		out->nulls = lappend(out->nulls, pstrdup(default_nulls[i]));
	if (json != NULL)
	{
		if (!JB_ROOT_IS_OBJECT(json))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("argument \"options\" must be a JSON object"),
					 errhint("For example options => '{\"delimiter\": \";\"}'.")));
		iterator = JsonbIteratorInit(&json->root);
		(void) JsonbIteratorNext(&iterator, &part, false);
		while ((token = JsonbIteratorNext(&iterator, &part, true)) != WJB_DONE)
		{
			if (token == WJB_KEY)
				name = string_of(&part);
			else if (token == WJB_VALUE)
				read_option(name, &part, out, &escape_given);
		}
	}
	finish_options(out, escape_given);
}

void
csv_options_nulls(const List *texts, CsvNulls *out)
{
	size_t		n = (size_t) list_length(texts);
	const char **pointers = palloc(n * sizeof(*pointers) + 1);
	size_t	   *lengths = palloc(n * sizeof(*lengths) + 1);
	size_t		i = 0;
	ListCell   *cell;

	foreach(cell, texts)
	{
		pointers[i] = lfirst(cell);
		lengths[i] = strlen(pointers[i]);
		i++;
	}
	csv_nulls_init(out, pointers, lengths, n);
}
