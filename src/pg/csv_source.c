/*
 * csv_source.c
 *	  The bytes of a file in the server's encoding.
 *
 * They are converted before anything is looked for in them: encodings that
 * only files have use ASCII bytes inside of characters.  Without a conversion
 * they are checked.  Either way what is wrong is found together with the good
 * bytes before it; these are handed out first, so that the reader knows the
 * line when the error is raised by the next call.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "mb/pg_wchar.h"

#include "csv/csv.h"
#include "pg/compat.h"
#include "pg/csv_source.h"

#define BLOCK_BYTES CSV_SAMPLE_BYTES
#define BOM "\xEF\xBB\xBF"
#define SHOWN_BYTES 8

struct CsvSource
{
	LocationReader *reader;
	int			encoding;		/* of the file */
	Oid			conversion;		/* InvalidOid: bytes are checked only */
	char	   *raw;			/* BLOCK_BYTES and a character's rest */
	size_t		n_raw;
	size_t		raw_start;		/* bytes before it are done */
	char	   *converted;
	bool		begun;
	bool		ended;			/* the file has no more bytes */
};

/* Does the database, or the file, take bytes for what they are? */
static bool
needs_conversion(int encoding)
{
	int			server = GetDatabaseEncoding();

	return encoding != server && encoding != PG_SQL_ASCII && server != PG_SQL_ASCII;
}

CsvSource *
csv_source_open(const Location *location, int encoding)
{
	CsvSource  *source = palloc0(sizeof(CsvSource));

	source->encoding = encoding;
	if (needs_conversion(encoding))
	{
		source->conversion = FindDefaultConversionProc(encoding, GetDatabaseEncoding());
		if (!OidIsValid(source->conversion))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_FUNCTION),
					 errmsg("encoding \"%s\" cannot be converted to that of the database, \"%s\"",
							pg_encoding_to_char(encoding), GetDatabaseEncodingName())));
		source->converted = palloc(BLOCK_BYTES * MAX_CONVERSION_GROWTH + 1);
	}
	source->raw = palloc(BLOCK_BYTES);
	source->reader = location_open(location);
	return source;
}

void
csv_source_close(CsvSource *source)
{
	location_close(source->reader);
	pfree(source->raw);
	if (source->converted != NULL)
		pfree(source->converted);
	pfree(source);
}

void
csv_source_rewind(CsvSource *source)
{
	location_rewind(source->reader);
	source->n_raw = source->raw_start = 0;
	source->begun = source->ended = false;
}

/* Look at the first bytes: what is no text is refused, a byte order mark skipped. */
static void
begin(CsvSource *source)
{
	const char *format = csv_foreign_format(source->raw, source->n_raw);

	source->begun = true;
	if (format != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
				 errmsg("file \"%s\" is not CSV: it seems to be %s",
						source->reader->location->path, format),
				 errhint("Unpack it, or convert it to text in UTF-8, first.")));
	if (source->encoding == PG_UTF8 && source->n_raw >= strlen(BOM) &&
		memcmp(source->raw, BOM, strlen(BOM)) == 0)
		source->raw_start = strlen(BOM);
}

/* Fill the block behind what is left of it. */
static void
read_block(CsvSource *source)
{
	size_t		left = source->n_raw - source->raw_start;
	size_t		space = BLOCK_BYTES - left;
	size_t		n;

	memmove(source->raw, source->raw + source->raw_start, left);
	source->raw_start = 0;
	n = location_read(source->reader, source->raw + left, space);
	source->n_raw = left + n;
	source->ended = n < space;
	if (!source->begun)
		begin(source);
}

/* Raise what is wrong with the first of the bytes that are left. */
pg_noreturn static void
refuse_bytes(const CsvSource *source, uint64 line)
{
	const unsigned char *bytes = (const unsigned char *) source->raw + source->raw_start;
	size_t		n_left = source->n_raw - source->raw_start;
	int			length = pg_encoding_mblen(source->encoding, (const char *) bytes);
	int			n_shown = (int) Min(n_left, (size_t) Min(length, SHOWN_BYTES));
	bool		valid = pg_encoding_verifymbchar(source->encoding, (const char *) bytes,
												 (int) Min(n_left, PG_INT32_MAX)) > 0;
	const char *path = source->reader->location->path;
	char		shown[SHOWN_BYTES * 5 + 1] = "";

	if (*bytes == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
				 errmsg("line " UINT64_FORMAT " of file \"%s\" holds a NUL byte", line, path),
				 errhint("The file is damaged, or no text in an encoding of the server.")));
	for (int i = 0; i < n_shown; i++)
		snprintf(shown + 5 * i, 6, " 0x%02x", bytes[i]);
	if (valid && OidIsValid(source->conversion))
		ereport(ERROR,
				(errcode(ERRCODE_UNTRANSLATABLE_CHARACTER),
				 errmsg("line " UINT64_FORMAT " of file \"%s\" holds a character that the database "
						"has no place for:%s in encoding \"%s\"", line, path, shown,
						pg_encoding_to_char(source->encoding))));
	ereport(ERROR,
			(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
			 errmsg("line " UINT64_FORMAT " of file \"%s\" is not valid in encoding \"%s\":%s",
					line, path, pg_encoding_to_char(source->encoding), shown),
			 errhint("Give the file's encoding, for example the option "
					 "\"encoding\": \"WIN1252\".")));
}

/* Convert or check what there is; returns how many raw bytes are good. */
static size_t
take_bytes(CsvSource *source, const char **bytes, size_t *n_bytes)
{
	char	   *raw = source->raw + source->raw_start;
	size_t		n_raw = source->n_raw - source->raw_start;
	int			n_good;

	if (!OidIsValid(source->conversion))
	{
		n_good = pg_encoding_verifymbstr(GetDatabaseEncoding(), raw, (int) n_raw);
		*bytes = raw;
		*n_bytes = (size_t) n_good;
		return (size_t) n_good;
	}
	source->converted[0] = '\0';
	n_good = pg_do_encoding_conversion_buf(source->conversion, source->encoding,
										   GetDatabaseEncoding(), (unsigned char *) raw,
										   (int) n_raw, (unsigned char *) source->converted,
										   BLOCK_BYTES * MAX_CONVERSION_GROWTH + 1, true);
	*bytes = source->converted;
	*n_bytes = strlen(source->converted);
	return (size_t) n_good;
}

const char *
csv_source_next(CsvSource *source, uint64 line, size_t *n_bytes)
{
	const char *bytes;

	for (;;)
	{
		size_t		n_left = source->n_raw - source->raw_start;
		size_t		n_good;

		/* a character may be cut at the end of a block */
		if (!source->ended && n_left < MAX_CONVERSION_INPUT_LENGTH)
		{
			read_block(source);
			n_left = source->n_raw - source->raw_start;
		}
		if (n_left == 0)
			return NULL;
		n_good = take_bytes(source, &bytes, n_bytes);
		source->raw_start += n_good;
		if (n_good > 0)
			return bytes;
		if (source->ended || n_left >= MAX_CONVERSION_INPUT_LENGTH)
			refuse_bytes(source, line);
	}
}
