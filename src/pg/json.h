/*
 * json.h
 *	  Writing JSON objects into a StringInfo, member by member.
 *
 * An object is opened and closed by its writer with '{' and '}'; commas come
 * by themselves.
 */
#ifndef CHURNOPS_PG_JSON_H
#define CHURNOPS_PG_JSON_H

#include "lib/stringinfo.h"
#include "nodes/pg_list.h"
#include "utils/jsonb.h"

/* A comma unless the object or array has just been opened. */
extern void json_separate(StringInfo out);
/* The key of a member whose value follows. */
extern void json_key(StringInfo out, const char *key);

/* Members; NULL and NAN become null. */
extern void json_text(StringInfo out, const char *key, const char *value);
extern void json_utf8(StringInfo out, const char *key, const char *utf8);
extern void json_integer(StringInfo out, const char *key, int64 value);
extern void json_number(StringInfo out, const char *key, double value);
/* A value that is JSON already. */
extern void json_value(StringInfo out, const char *key, const char *json);
/* A list of char *; NIL becomes null. */
extern void json_list(StringInfo out, const char *key, List *texts);

/* A text in UTF-8 in the server's encoding, NUL-terminated. */
extern char *json_from_utf8(const char *utf8);

extern Jsonb *json_to_jsonb(const char *json);

#endif
