/*
 * location.c
 *	  From a text to a place, and to the functions of its scheme.
 */
#include "postgres.h"

#include <ctype.h>

#include "pg/location.h"

struct LocationFolder
{
	const LocationScheme *scheme;
	void	   *state;
};

static const LocationScheme *const schemes[] = {&location_file_scheme};

/*
 * The length of a URL's scheme at the beginning of a text, 0 if it has none.
 * One letter is none: it would be a drive.
 */
static size_t
scheme_length(const char *text)
{
	size_t		n = 0;

	if (!isalpha((unsigned char) text[0]))
		return 0;
	while (isalnum((unsigned char) text[n]) || text[n] == '+' || text[n] == '-' || text[n] == '.')
		n++;
	return text[n] == ':' && n > 1 ? n : 0;
}

static const LocationScheme *
find_scheme(const char *text, size_t n)
{
	for (size_t i = 0; i < lengthof(schemes); i++)
	{
		if (strlen(schemes[i]->name) == n && pg_strncasecmp(schemes[i]->name, text, n) == 0)
			return schemes[i];
	}
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("locations of scheme \"%s\" are not supported", pnstrdup(text, n)),
			 errdetail("The location is \"%s\".", text),
			 errhint("Give the path of a file on the server, as \"/data/file.csv\" or "
					 "\"file:///data/file.csv\".")));
}

Location *
location_resolve(const char *text, LocationUse use)
{
	Location   *location = palloc0(sizeof(Location));
	size_t		n = scheme_length(text);

	location->text = text;
	location->scheme = n > 0 ? find_scheme(text, n) : &location_file_scheme;
	location->path = location->scheme->path_of_url(text, n > 0 ? text + n + 1 : NULL);
	location->scheme->check_use(use);
	return location;
}

void
location_refuse_existing(const Location *location)
{
	location->scheme->refuse_existing(location);
}

Location *
location_inside(const Location *folder, const char *name)
{
	Location   *location = palloc0(sizeof(Location));

	location->scheme = folder->scheme;
	location->path = folder->scheme->path_inside(folder->path, name);
	location->text = location->path;
	return location;
}

LocationReader *
location_open(const Location *location)
{
	LocationReader *reader = palloc0(sizeof(LocationReader));

	reader->location = location;
	reader->state = location->scheme->open(location);
	return reader;
}

size_t
location_read(LocationReader *reader, void *bytes, size_t n_bytes)
{
	return reader->location->scheme->read(reader->state, reader->location, bytes, n_bytes);
}

void
location_rewind(LocationReader *reader)
{
	reader->location->scheme->rewind(reader->state, reader->location);
}

void
location_close(LocationReader *reader)
{
	reader->location->scheme->close(reader->state);
	pfree(reader);
}

LocationFolder *
location_folder_new(const Location *location)
{
	LocationFolder *folder = palloc0(sizeof(LocationFolder));

	folder->scheme = location->scheme;
	folder->state = location->scheme->folder_new(location);
	return folder;
}

void
location_folder_write(LocationFolder *folder, const char *name, const void *bytes, size_t n_bytes)
{
	folder->scheme->folder_write(folder->state, name, bytes, n_bytes);
}

void
location_folder_finish(LocationFolder *folder)
{
	folder->scheme->folder_finish(folder->state);
	pfree(folder);
}
