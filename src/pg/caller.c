/*
 * caller.c
 *	  Going back to the user who called.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/guc.h"

#include "pg/caller.h"

void
caller_become(Name caller, const char *search_path, Owner *owner)
{
	GetUserIdAndSecContext(&owner->user, &owner->security);
	SetUserIdAndSecContext(get_role_oid(NameStr(*caller), false),
						   owner->security | SECURITY_LOCAL_USERID_CHANGE);
	owner->level = NewGUCNestLevel();
	(void) set_config_option("search_path", search_path, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

void
caller_leave(const Owner *owner)
{
	/* Were they committed, settings of the caller's functions would be the owner's. */
	AtEOXact_GUC(false, owner->level);
	SetUserIdAndSecContext(owner->user, owner->security);
}
