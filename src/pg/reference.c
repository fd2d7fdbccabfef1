/*
 * reference.c
 *	  What a model reference means, and for whom.
 *
 * A statement must see one version of a model from its first row to its last,
 * and the next statement after a committed promotion the new one, in every
 * backend and on every standby.  The usual means, a backend cache of alias →
 * version that a relcache callback empties, cannot promise that:
 *
 *	1. Invalidations are sent after a commit has become visible: another
 *	   backend can already see the new row and still use the old entry.
 *	2. Invalidations are read when a lock is taken; a statement that takes no
 *	   new lock reads none.
 *	3. An entry refilled under an older snapshot (a cursor, REPEATABLE READ)
 *	   is stale for the next statement, and nobody will ever say so.
 *	4. A plain UPDATE of a row sends no relcache invalidation, and a trigger
 *	   that sends one is skipped in the role of a replica.
 *	5. fn_extra outlives a statement in PL/pgSQL's simple expressions, so a
 *	   memo kept there has the same holes again.
 *
 * So nothing is invalidated.  A reference is resolved by an index lookup under
 * GetActiveSnapshot(), the snapshot by which the statement sees everything
 * else (about a microsecond a table), and the answer is remembered as long as
 * that cannot change: for this user and snapshot, the latter known by xmin,
 * xmax and the counts of its running transactions.  With equal xmin and xmax
 * the set of running transactions can only shrink, on a standby too, so equal
 * counts mean equal sets.  What the transaction itself has done is known by
 * its id, which it has from its first change on, and the snapshot's command.
 * Transactions that change nothing have no id: where nobody writes, one answer
 * serves them all.  The user is in the key because rights are checked at the
 * same time; a SET ROLE or a SECURITY DEFINER function in the middle asks
 * again.  Rights and roles are changed by transactions with ids, too.  A
 * serializable transaction probes for itself, since the server has to see what
 * it reads.
 *
 * One thing the key does not show: after ROLLBACK TO a savepoint the same
 * command number can mean fewer rows.  Therefore everything is forgotten when
 * a transaction or a subtransaction aborts.
 *
 * What follows from it: 200,000 calls in a PL/pgSQL loop are one probe; own
 * uncommitted promotions are seen by the next command; a cursor keeps the
 * version of its snapshot; each parallel worker probes for itself under the
 * leader's snapshot; a standby needs nothing.  Versions by number are probed
 * too: they can be dropped.
 *
 * The model's owner and those who were granted a right are roles by name,
 * which need not exist any more; then nobody has the right.  The owner is asked
 * first: one who has nothing granted to look up pays nothing for it.  A model
 * on which one has no right and a model that does not exist give the same
 * error, so that names cannot be found out.
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "pg/catalog.h"
#include "pg/compat.h"
#include "pg/reference.h"

PG_FUNCTION_INFO_V1(churnops_has_right);
PG_FUNCTION_INFO_V1(churnops_role_has_right);

#define URI_PREFIX "models:/"
#define MAX_NAME_BYTES (NAMEDATALEN - 1)
#define MAX_VERSION_DIGITS 10
/* A prefix, two names and the sign between them. */
#define MAX_TEXT_BYTES (sizeof(URI_PREFIX) + 2 * NAMEDATALEN)
#define MEMO_ENTRIES 16
/* The grantee of a privilege that every role has. */
#define GRANTEE_PUBLIC "public"

/* What must be equal for an answer to hold still. */
typedef struct MemoKey
{
	TransactionId transaction;	/* the own one, if it has an id */
	Oid			user;
	TransactionId xmin;
	TransactionId xmax;
	uint32		n_running;
	int32		n_running_sub;
	CommandId	command;
	int32		isolation;
} MemoKey;

typedef struct MemoEntry
{
	int			n_bytes;
	char		text[MAX_TEXT_BYTES];
	Resolved	resolved;
} MemoEntry;

/* The answers under one key: entries [0, n_entries), replaced in turn. */
static struct
{
	MemoKey		key;
	uint64		epoch;			/* of the key; 0: none yet */
	int			n_entries;
	int			next;			/* to be replaced when all are taken */
	int			last;			/* found last time */
	MemoEntry	entries[MEMO_ENTRIES];
} memo;

/* Number the probes and the epochs of this backend. */
static uint64 last_serial = 0;
static uint64 last_epoch = 0;

static void
forget(void)
{
	memo.n_entries = 0;
	memo.epoch = ++last_epoch;
}

static void
forget_at_end(XactEvent event, void *arg)
{
	(void) arg;
	if (event == XACT_EVENT_ABORT || event == XACT_EVENT_PARALLEL_ABORT ||
		XactIsoLevel == XACT_SERIALIZABLE)
		forget();
}

static void
forget_at_subabort(SubXactEvent event, SubTransactionId subtransaction,
				   SubTransactionId parent, void *arg)
{
	(void) subtransaction;
	(void) parent;
	(void) arg;
	if (event == SUBXACT_EVENT_ABORT_SUB)
		forget();
}

void
reference_init(void)
{
	RegisterXactCallback(forget_at_end, NULL);
	RegisterSubXactCallback(forget_at_subabort, NULL);
}

/* --------------------------------------------------------------- syntax -- */

/* The length of the name [a-z][a-z0-9_.-]{0,62} at the start of text; 0 if there is none. */
static int
name_length(const char *text)
{
	int			n = 0;

	if (text[0] < 'a' || text[0] > 'z')
		return 0;
	while ((text[n] >= 'a' && text[n] <= 'z') || (text[n] >= '0' && text[n] <= '9') ||
		   text[n] == '_' || text[n] == '.' || text[n] == '-')
		n++;
	return n <= MAX_NAME_BYTES ? n : 0;
}

/* A version number that is the whole text; 0 if it is none. */
static int32
parse_version(const char *text)
{
	int64		version = 0;
	int			n = 0;

	if (text[0] == '0')
		return 0;
	for (; text[n] >= '0' && text[n] <= '9' && n < MAX_VERSION_DIGITS; n++)
		version = version * 10 + (text[n] - '0');
	return text[n] == '\0' && version <= PG_INT32_MAX ? (int32) version : 0;
}

static bool
try_parse(const char *text, Reference *out)
{
	int			n;

	memset(out, 0, sizeof(*out));
	if (strncmp(text, URI_PREFIX, strlen(URI_PREFIX)) == 0)
		text += strlen(URI_PREFIX);
	n = name_length(text);
	if (n == 0)
		return false;
	memcpy(out->model, text, n);
	text += n;
	if (text[0] == '/')
	{
		out->version = parse_version(text + 1);
		return out->version > 0;
	}
	strlcpy(out->alias, REFERENCE_DEFAULT_ALIAS, sizeof(out->alias));
	if (text[0] == '\0')
		return true;
	n = text[0] == '@' ? name_length(text + 1) : 0;
	if (n == 0 || text[n + 1] != '\0')
		return false;
	strlcpy(out->alias, text + 1, sizeof(out->alias));
	return true;
}

void
reference_parse(const char *text, Reference *out)
{
	if (!try_parse(text, out))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("invalid model reference \"%s\"", text),
				 errdetail("A reference is churn, churn/3 or churn@alias, with or without the "
						   "prefix %s; names match [a-z][a-z0-9_.-]{0,62}.", URI_PREFIX),
				 errhint("Models you may use are listed in the view churnops.models.")));
}

void
reference_check_name(const char *name, const char *what)
{
	int			n = name_length(name);

	if (n == 0 || name[n] != '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("invalid %s name \"%s\"", what, name),
				 errdetail("A name is a lower-case letter followed by up to 62 lower-case letters, "
						   "digits, underscores, dots or hyphens."),
				 errhint("Choose a name like churn_2026.")));
}

/* --------------------------------------------------------------- probes -- */

static const char *const right_names[] = {
	[RIGHT_ANY] = "any",
	[RIGHT_OWNER] = "owner",
	[RIGHT_PREDICT] = "predict",
	[RIGHT_TRAIN] = "train",
	[RIGHT_DEPLOY] = "deploy",
	[RIGHT_APPROVE] = "approve",
	[RIGHT_READ] = "read",
};

/* What is asked for, and for whom. */
typedef struct RightCheck
{
	Oid			role;
	ModelRight	right;
	const char *alias;			/* to deploy for; NULL: for all */
} RightCheck;

/* Has a role the privileges of another one, given by its name? */
static bool
has_privileges_of(Oid role, const char *name)
{
	Oid			other = get_role_oid(name, true);

	return OidIsValid(other) && has_privs_of_role(role, other);
}

/* Does a right that was granted, for an alias unless that is empty, include the wanted one? */
static bool
includes(const char *right, const char *alias, const RightCheck *wanted)
{
	switch (wanted->right)
	{
		case RIGHT_ANY:
			return true;
		case RIGHT_OWNER:
			return false;
		case RIGHT_READ:
			return strcmp(right, right_names[RIGHT_PREDICT]) != 0;
		default:
			return strcmp(right, right_names[wanted->right]) == 0 &&
				(alias[0] == '\0' ||
				 (wanted->alias != NULL && strcmp(alias, wanted->alias) == 0));
	}
}

/* What was granted, on a model that exists and is another's. */
static ModelAccess
probe_privileges(const char *model, const RightCheck *wanted)
{
	ProbeKey	key = {.column = "model", .text = model};
	Probe		probe;
	bool		found;
	ModelAccess access = MODEL_FORBIDDEN;

	if (!catalog_has("privilege"))	/* 0.1.0, not yet updated */
		return access;
	for (found = probe_begin(&probe, "privilege", "privilege_pkey", &key, 1);
		 found && access != MODEL_ALLOWED; found = probe_next(&probe))
	{
		const char *grantee = probe_text(&probe, "grantee");

		if (strcmp(grantee, GRANTEE_PUBLIC) != 0 && !has_privileges_of(wanted->role, grantee))
			continue;
		access = includes(probe_text(&probe, "right"), probe_text(&probe, "alias"), wanted) ?
			MODEL_ALLOWED : MODEL_LACKING;
	}
	probe_end(&probe);
	return access;
}

/* The owner of a model; NULL when there is no such model. */
static char *
probe_owner(const char *model)
{
	ProbeKey	key = {.column = "name", .text = model};
	Probe		probe;
	char	   *owner = NULL;

	if (probe_begin(&probe, "model", "model_pkey", &key, 1))
		owner = probe_text(&probe, "owner");
	probe_end(&probe);
	return owner;
}

/* An unknown name takes the steps of a forbidden one: neither answer comes sooner. */
static ModelAccess
check_right(const char *model, const RightCheck *wanted)
{
	const char *owner = probe_owner(model);
	ModelAccess granted;

	if (owner != NULL && has_privileges_of(wanted->role, owner))
		return MODEL_ALLOWED;
	granted = probe_privileges(model, wanted);
	return owner == NULL ? MODEL_UNKNOWN : granted;
}

ModelAccess
reference_access(const char *model, ModelRight right)
{
	RightCheck	wanted = {.role = GetUserId(), .right = right};

	return check_right(model, &wanted);
}

void
reference_deny(const char *model, ModelRight right)
{
	const char *caller = GetUserNameFromId(GetUserId(), false);

	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for model \"%s\"", model),
			 errdetail("Role \"%s\" lacks the right to %s.", caller, right_names[right]),
			 errhint("A member of role \"%s\" can give it: SELECT churnops_grant('%s', %s, '%s');",
					 probe_owner(model), model, quote_literal_cstr(caller), right_names[right])));
}

/* The version that an alias of an existing, permitted model points to. */
static int32
probe_alias(const Reference *reference)
{
	ProbeKey	keys[] = {
		{.column = "model", .text = reference->model},
		{.column = "alias", .text = reference->alias},
	};
	Probe		probe;
	bool		is_null = true;
	int32		version = 0;

	if (probe_begin(&probe, "alias", "alias_pkey", keys, lengthof(keys)))
		version = DatumGetInt32(probe_value(&probe, "version", &is_null));
	probe_end(&probe);
	if (is_null)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("model \"%s\" has no alias \"%s\"", reference->model, reference->alias),
				 errhint("Name a version, or give the alias to one with "
						 "SELECT churnops_promote('%s/1', '%s');", reference->model,
						 reference->alias)));
	return version;
}

/* Fill what the version's row says; an error when there is none. */
static void
probe_version(Resolved *resolved)
{
	ProbeKey	keys[] = {
		{.column = "model", .text = resolved->model},
		{.column = "version", .number = resolved->version},
	};
	Probe		probe;
	char	   *digest = NULL;
	Datum		positive;
	bool		is_null;

	if (probe_begin(&probe, "version", "version_pkey", keys, lengthof(keys)))
	{
		digest = probe_text(&probe, "artifact_digest");
		positive = probe_value(&probe, "positive_class_index", &is_null);
		resolved->positive = is_null ? -1 : DatumGetInt32(positive);
	}
	probe_end(&probe);
	if (digest == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("version %d of model \"%s\" does not exist", resolved->version,
						resolved->model),
				 errhint("List its versions with SELECT version, status FROM churnops.versions "
						 "WHERE model = '%s';", resolved->model)));
	strlcpy(resolved->digest, digest, sizeof(resolved->digest));
}

static void
resolve(const char *text, ModelRight right, Resolved *out)
{
	Reference	reference;
	ModelAccess access;

	reference_parse(text, &reference);
	access = reference_access(reference.model, right);
	if (access == MODEL_LACKING)
		reference_deny(reference.model, right);
	if (access != MODEL_ALLOWED)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("model \"%s\" does not exist", reference.model),
				 errhint("Models you may use are listed in the view churnops.models.")));
	memset(out, 0, sizeof(*out));
	strlcpy(out->model, reference.model, sizeof(out->model));
	strlcpy(out->alias, reference.alias, sizeof(out->alias));
	out->version = reference.version > 0 ? reference.version : probe_alias(&reference);
	probe_version(out);
	out->serial = ++last_serial;
}

void
reference_find(const char *text, int n_bytes, ModelRight right, Resolved *out)
{
	resolve(pnstrdup(text, n_bytes), right, out);
}

/* ----------------------------------------------------------------- memo -- */

uint64
reference_epoch(void)
{
	Snapshot	snapshot;
	MemoKey		key;

	if (!ActiveSnapshotSet())
		elog(ERROR, "a model is referred to without a snapshot");
	snapshot = GetActiveSnapshot();
	key.transaction = GetTopTransactionIdIfAny();
	key.user = GetUserId();
	key.xmin = snapshot->xmin;
	key.xmax = snapshot->xmax;
	key.n_running = snapshot->xcnt;
	key.n_running_sub = snapshot->subxcnt;
	key.command = snapshot->curcid;
	key.isolation = XactIsoLevel;
	if (unlikely(memcmp(&key, &memo.key, sizeof(key)) != 0))
	{
		forget();
		memo.key = key;
	}
	return memo.epoch;
}

static MemoEntry *
find_entry(const char *text, int n_bytes)
{
	for (int k = 0; k < memo.n_entries; k++)
	{
		int			i = (memo.last + k) % memo.n_entries;
		MemoEntry  *entry = &memo.entries[i];

		if (entry->n_bytes == n_bytes && memcmp(entry->text, text, n_bytes) == 0)
		{
			memo.last = i;
			return entry;
		}
	}
	return NULL;
}

const Resolved *
reference_resolve(const char *text, int n_bytes)
{
	MemoEntry  *entry;
	Resolved	resolved;

	(void) reference_epoch();
	entry = find_entry(text, n_bytes);
	if (entry != NULL)
		return &entry->resolved;
	resolve(pnstrdup(text, n_bytes), RIGHT_PREDICT, &resolved);

	/* A probe can run code that resolves, or abort: the memo is touched only now. */
	(void) reference_epoch();
	if (memo.n_entries < MEMO_ENTRIES)
		memo.next = memo.n_entries++;
	else
		memo.next = (memo.next + 1) % MEMO_ENTRIES;
	entry = &memo.entries[memo.next];
	memo.last = memo.next;
	entry->n_bytes = n_bytes;
	memcpy(entry->text, text, n_bytes);
	entry->resolved = resolved;
	return &entry->resolved;
}

/* ------------------------------------------------------- SQL functions -- */

/* A right by its name. */
static ModelRight
parse_right(const char *name)
{
	for (int right = 0; right < (int) lengthof(right_names); right++)
	{
		if (strcmp(name, right_names[right]) == 0)
			return (ModelRight) right;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown right \"%s\"", name),
			 errhint("Rights are predict, train, deploy, approve, read and owner; any asks for one "
					 "of them.")));
}

/* The arguments model, right and alias, from the n-th on; false if one that is needed is NULL. */
static bool
check_arguments(FunctionCallInfo fcinfo, int n, Oid role)
{
	RightCheck	wanted = {.role = role};

	if (PG_ARGISNULL(n) || PG_ARGISNULL(n + 1))
		return false;
	wanted.right = parse_right(text_to_cstring(PG_GETARG_TEXT_PP(n + 1)));
	if (!PG_ARGISNULL(n + 2))
		wanted.alias = text_to_cstring(PG_GETARG_TEXT_PP(n + 2));
	return check_right(text_to_cstring(PG_GETARG_TEXT_PP(n)), &wanted) == MODEL_ALLOWED;
}

/* churnops_has_right(model, right, alias): of the current user. */
Datum
churnops_has_right(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(check_arguments(fcinfo, 0, GetUserId()));
}

/* churnops.has_right(caller, model, right, alias): of a role by its name. */
Datum
churnops_role_has_right(PG_FUNCTION_ARGS)
{
	Oid			role;

	if (PG_ARGISNULL(0))
		PG_RETURN_BOOL(false);
	role = get_role_oid(NameStr(*PG_GETARG_NAME(0)), true);
	PG_RETURN_BOOL(OidIsValid(role) && check_arguments(fcinfo, 1, role));
}
