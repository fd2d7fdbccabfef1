/*
 * location.h
 *	  Places outside the database that a text names: a path on the server, or a
 *	  URL.  The only code that reads and writes them.
 *
 * What can be done at a place is a table of functions, LocationScheme, one for
 * each scheme of URLs; there is that of files.  Another scheme is another
 * table.
 */
#ifndef CHURNOPS_PG_LOCATION_H
#define CHURNOPS_PG_LOCATION_H

#include "lib/stringinfo.h"

typedef struct LocationScheme LocationScheme;

/* A place, and whether it may be used. */
typedef struct Location
{
	const LocationScheme *scheme;
	const char *text;			/* as it was given, for messages */
	char	   *path;			/* as the scheme understands it */
} Location;

typedef enum LocationUse
{
	LOCATION_READ,				/* needs membership in pg_read_server_files */
	LOCATION_WRITE				/* needs membership in pg_write_server_files */
} LocationUse;

/*
 * The place that a text names.  Refused: schemes there are none for (0A000),
 * what is no absolute path or no sound URL (42602), and callers who may not
 * use it so (42501).
 */
extern Location *location_resolve(const char *text, LocationUse use);

/* Raises 58P02 if there is something already where a folder is to be made. */
extern void location_refuse_existing(const Location *location);

/* The place of a name inside a place that is a folder. */
extern Location *location_inside(const Location *folder, const char *name);

/* Bytes being read, from the first to the last, as often as wanted. */
typedef struct LocationReader
{
	const Location *location;
	void	   *state;			/* the scheme's */
} LocationReader;

/* Open for reading; what is still open when the transaction ends is closed. */
extern LocationReader *location_open(const Location *location);
/* Up to n_bytes of the next bytes; fewer only at the end. */
extern size_t location_read(LocationReader *reader, void *bytes, size_t n_bytes);
/* Back to the first byte. */
extern void location_rewind(LocationReader *reader);
extern void location_close(LocationReader *reader);

/*
 * A folder being written.  It is there when location_folder_finish() returns,
 * with all of its files and safe on disk, or not at all; and it is gone again
 * if the (sub)transaction is rolled back.  Folders above it are made as needed.
 */
typedef struct LocationFolder LocationFolder;

/* Raises 58P02 if there is something of this name already. */
extern LocationFolder *location_folder_new(const Location *location);
extern void location_folder_write(LocationFolder *folder, const char *name, const void *bytes,
								  size_t n_bytes);
extern void location_folder_finish(LocationFolder *folder);

/* What a scheme has to offer.  All functions raise. */
struct LocationScheme
{
	const char *name;			/* before the colon */

	/* The path of a URL's part behind the colon, or of a text that is no URL. */
	char	   *(*path_of_url) (const char *text, const char *rest);
	char	   *(*path_inside) (const char *path, const char *name);
	void		(*check_use) (LocationUse use);

	void	   *(*open) (const Location *location);
	size_t		(*read) (void *state, const Location *location, void *bytes, size_t n_bytes);
	void		(*rewind) (void *state, const Location *location);
	void		(*close) (void *state);

	void		(*refuse_existing) (const Location *location);
	void	   *(*folder_new) (const Location *location);
	void		(*folder_write) (void *state, const char *name, const void *bytes, size_t n_bytes);
	void		(*folder_finish) (void *state);
};

/* Of file: and plain paths (location_file.c). */
extern const LocationScheme location_file_scheme;

#endif
