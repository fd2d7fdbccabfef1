/*
 * caller.h
 *	  Going back to the user who called, from code that runs as the extension's
 *	  owner.
 */
#ifndef CHURNOPS_PG_CALLER_H
#define CHURNOPS_PG_CALLER_H

/* What was there before. */
typedef struct Owner
{
	Oid			user;
	int			security;
	int			level;
} Owner;

/*
 * Become the caller, with the search_path that the caller had.  Nothing that
 * runs then can change the role, and settings that it changes are undone when
 * it ends: the owner's functions go on under their own.  After an error all is
 * restored by the abort of the (sub)transaction.
 */
extern void caller_become(Name caller, const char *search_path, Owner *owner);
extern void caller_leave(const Owner *owner);

#endif
