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
 * The model's owner is a role by name, which need not exist any more; then
 * nobody has the right.  A model that one may not use and a model that does
 * not exist give the same error, so that names cannot be found out.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/snapmgr.h"

#include "pg/catalog.h"
#include "pg/compat.h"
#include "pg/reference.h"

#define URI_PREFIX "models:/"
#define MAX_NAME_BYTES (NAMEDATALEN - 1)
#define MAX_VERSION_DIGITS 10
/* A prefix, two names and the sign between them. */
#define MAX_TEXT_BYTES (sizeof(URI_PREFIX) + 2 * NAMEDATALEN)
#define MEMO_ENTRIES 16

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
	out->bare = text[0] == '\0';
	if (out->bare)
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

static bool
is_member_of(const char *owner)
{
	Oid			role = owner != NULL ? get_role_oid(owner, true) : InvalidOid;

	return OidIsValid(role) && has_privs_of_role(GetUserId(), role);
}

int
reference_model_access(const char *model)
{
	ProbeKey	key = {.column = "name", .text = model};
	Probe		probe;
	int			access = 0;

	if (probe_begin(&probe, "model", "model_pkey", &key, 1))
		access = is_member_of(probe_text(&probe, "owner")) ? 1 : -1;
	probe_end(&probe);
	return access;
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

/* The deployment that routes rows of a model; 0 if nothing is being rolled out. */
static int64
probe_deployment(const char *model)
{
	ProbeKey	key = {.column = "model", .text = model};
	Probe		probe;
	bool		is_null;
	int64		deployment = 0;

	if (probe_begin(&probe, "deployment", "deployment_routing_idx", &key, 1))
		deployment = DatumGetInt64(probe_value(&probe, "deployment", &is_null));
	probe_end(&probe);
	return deployment;
}

void
reference_version(const char *model, int32 version, Resolved *out)
{
	memset(out, 0, sizeof(*out));
	strlcpy(out->model, model, sizeof(out->model));
	out->version = version;
	probe_version(out);
	out->serial = ++last_serial;
}

static void
resolve(const char *text, Resolved *out)
{
	Reference	reference;

	reference_parse(text, &reference);
	if (reference_model_access(reference.model) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("model \"%s\" does not exist", reference.model),
				 errhint("Models you may use are listed in the view churnops.models.")));
	memset(out, 0, sizeof(*out));
	strlcpy(out->model, reference.model, sizeof(out->model));
	strlcpy(out->alias, reference.alias, sizeof(out->alias));
	out->version = reference.version > 0 ? reference.version : probe_alias(&reference);
	probe_version(out);
	out->bare = reference.bare;
	if (out->bare)
		out->deployment = probe_deployment(out->model);
	out->serial = ++last_serial;
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
	resolve(pnstrdup(text, n_bytes), &resolved);

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
