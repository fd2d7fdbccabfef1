/*
 * walk.c
 *	  The table, key by key.
 */
#include <stdio.h>
#include <string.h>

#include "spec/table.h"

/* Longest text of what is allowed. */
#define ALLOWED_BYTES 1024
#define PATH_BYTES 256

typedef struct Walk
{
	SpecVisit	visit;
	void	   *ctx;
	char		path[PATH_BYTES];
} Walk;

static Status walk_keys(Walk *w, const SpecKey *keys, size_t n_path);

/* A key, an item or any name, and what is below it. */
static Status
walk_key(Walk *w, const SpecKey *key, size_t n_path)
{
	bool		item = strcmp(key->name, "[]") == 0;
	char		allowed[ALLOWED_BYTES];
	SpecEntry	entry = {.path = w->path, .allowed = allowed, .fallback = key->fallback,
		.help = key->help, .required = (key->flags & KEY_REQUIRED) != 0,
		.short_form = (key->flags & KEY_SHORT) != 0};
	Status		status;

	n_path += (size_t) snprintf(w->path + n_path, PATH_BYTES - n_path, "%s%s",
								n_path == 0 || item ? "" : ".", key->name);
	spec_allowed(key, allowed, sizeof(allowed));
	status = w->visit(w->ctx, &entry);
	if (status == STATUS_OK && key->item != NULL && key->item->keys != NULL)
		status = walk_key(w, key->item, n_path);
	if (status == STATUS_OK && key->keys != NULL)
		status = walk_keys(w, key->keys, n_path);
	return status;
}

static Status
walk_keys(Walk *w, const SpecKey *keys, size_t n_path)
{
	for (; keys->name != NULL; keys++)
	{
		Status		status;

		w->path[n_path] = '\0';
		status = walk_key(w, keys, n_path);
		if (status != STATUS_OK)
			return status;
	}
	return STATUS_OK;
}

Status
spec_walk(SpecVisit visit, void *ctx)
{
	Walk		w = {.visit = visit, .ctx = ctx};

	return walk_keys(&w, spec_table()->keys, 0);
}
