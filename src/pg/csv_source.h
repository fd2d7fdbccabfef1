/*
 * csv_source.h
 *	  The bytes of a file in the server's encoding, block by block.
 */
#ifndef CHURNOPS_PG_CSV_SOURCE_H
#define CHURNOPS_PG_CSV_SOURCE_H

#include "pg/location.h"

typedef struct CsvSource CsvSource;

/*
 * Open a file whose bytes are in an encoding (its number).  Refused: a pair of
 * encodings without a conversion.
 */
extern CsvSource *csv_source_open(const Location *location, int encoding);
extern void csv_source_close(CsvSource *source);
/* Back to the first byte. */
extern void csv_source_rewind(CsvSource *source);

/*
 * The next bytes, valid until the next call; NULL at the end.  What is wrong
 * with them is raised with the line, which is that of the bytes before them.
 */
extern const char *csv_source_next(CsvSource *source, uint64 line, size_t *n_bytes);

#endif
