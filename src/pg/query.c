/*
 * query.c
 *	  Running a user's query as the user and looking at every row.
 *
 * The text is prepared by SPI, so that names, privileges and row-level
 * security are the caller's, and CURSOR_OPT_PARALLEL_OK lets the planner use
 * workers.  SPI's own read-only mode is not enough: it streams the results of
 * several statements into one receiver, refuses writes with a text about
 * non-volatile functions, and lets a volatile function write.  So the plan
 * source is looked at first: one statement, one Query, a SELECT at every
 * level, no row locks.  What hides in functions is refused by the server
 * itself, since the transaction is read-only while the query runs.  That is
 * the variable behind transaction_read_only and not the setting, which cannot
 * be set locally from PostgreSQL 16 on; after an error the abort of the
 * (sub)transaction restores it.
 *
 * SPI's read-only mode does keep the active snapshot, which we push: a new
 * one after CommandCounterIncrement(), so that the query sees whatever the
 * caller has written so far in its transaction, even in the same statement,
 * and the snapshot that goes into the lineage is the one that was used.
 *
 * Rows go from the executor straight into a callback: no cursor (which would
 * forbid parallel plans) and no tuple store.
 *
 * A version of a dataset is read from its kept copy (source.c).  Without one
 * the query that is stored with it may still give the same rows; it is
 * somebody's code, so it runs only for the role that registered it.
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/scanner.h"
#include "storage/lockdefs.h"
#include "tcop/cmdtag.h"
#include "tcop/dest.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/snapmgr.h"

#include "pg/digest.h"
#include "pg/query.h"
#include "pg/source.h"

#define QUERY_FORMS_HINT \
	"Give one SELECT, VALUES or TABLE statement, or the name of a table, view or materialized view."

struct UserQuery
{
	List	   *tokens;			/* of QueryToken, without the last semicolons */
	SPIPlanPtr	plan;			/* NULL: the kept copy of source is read */
	Source	   *source;			/* NULL: a query */
	TupleDesc	columns;
	List	   *relations;
	MemoryContext context;		/* holds the UserQuery */
	char	   *snapshot;		/* NULL until run */
	char	   *lsn;
};

/* One token of a query text. */
typedef struct QueryToken
{
	char	   *text;			/* normalised spelling */
	char	   *name;			/* what a word or quoted identifier names, else NULL */
} QueryToken;

/* The receiver of the rows. */
typedef struct RowReceiver
{
	DestReceiver pub;
	QueryRow	row;
	void	   *ctx;
	MemoryContext per_row;
	uint64		n_rows;
} RowReceiver;

/*
 * The token that the scanner has just read, normalised: words in lower case,
 * identifiers without needless quotes, everything else as it is written.
 */
static QueryToken *
query_token(const char *written, const core_YYSTYPE *value)
{
	QueryToken *token = palloc0(sizeof(QueryToken));
	unsigned char first = written[0];
	bool		word = (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') ||
		first == '_' || IS_HIGHBIT_SET(first);

	/* a quote after a letter is a literal with a prefix: E'…', U&"…" */
	if (first == '"' || (word && strpbrk(written, "'\"") == NULL))
	{
		/* a keyword shares the union's place with str */
		token->name = pstrdup(value->str);
		token->text = first == '"' ? pstrdup(quote_identifier(token->name)) : token->name;
	}
	else
		token->text = pstrdup(written);
	return token;
}

/* All tokens of a text but the semicolons at its end. */
static List *
query_tokens(const char *text)
{
	core_yy_extra_type extra;
	core_yyscan_t scanner;
	core_YYSTYPE value;
	YYLTYPE		location = 0;
	List	   *tokens = NIL;

	scanner = scanner_init(text, &extra, &ScanKeywords, ScanKeywordTokens);
	extra.escape_string_warning = false;
	/* the scanner keeps a NUL after the token it has just given */
	while (core_yylex(&value, &location, scanner) != 0)
		tokens = lappend(tokens, query_token(extra.scanbuf + location, &value));
	scanner_finish(scanner);

	while (tokens != NIL && strcmp(((QueryToken *) llast(tokens))->text, ";") == 0)
		tokens = list_delete_last(tokens);
	return tokens;
}

/* The parts of a name, if the tokens are nothing but a name, maybe qualified. */
static List *
query_bare_name(List *tokens)
{
	List	   *names = NIL;
	ListCell   *cell;

	if (list_length(tokens) % 2 == 0 || list_length(tokens) > 5)
		return NIL;
	foreach(cell, tokens)
	{
		QueryToken *token = lfirst(cell);

		if (foreach_current_index(cell) % 2 == 1)
		{
			if (strcmp(token->text, ".") != 0)
				return NIL;
		}
		else if (token->name == NULL)
			return NIL;
		else
			names = lappend(names, makeString(token->name));
	}
	return names;
}

/* `TABLE x` for the name of a relation. */
static char *
query_of_relation(List *names)
{
	StringInfoData buf;
	ListCell   *cell;
	RangeVar   *relation = makeRangeVarFromNameList(names);

	if (!OidIsValid(RangeVarGetRelid(relation, NoLock, true)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"%s\" does not exist", NameListToString(names)),
				 errhint(QUERY_FORMS_HINT)));

	initStringInfo(&buf);
	appendStringInfoString(&buf, "TABLE ");
	foreach(cell, names)
		appendStringInfo(&buf, "%s%s", foreach_current_index(cell) > 0 ? "." : "",
						 quote_identifier(strVal(lfirst(cell))));
	return buf.data;
}

/* Refuse whatever writes or locks rows, at any level. */
static bool
query_refuse_writes(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		Query	   *query = (Query *) node;

		if (query->commandType != CMD_SELECT)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the query must not change data"),
					 errdetail("Its WITH clause holds an INSERT, UPDATE, DELETE or MERGE.")));
		if (query->rowMarks != NIL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the query must not lock rows"),
					 errhint("Leave FOR UPDATE or FOR SHARE out.")));
		return query_tree_walker(query, query_refuse_writes, context, 0);
	}
	return expression_tree_walker(node, query_refuse_writes, context);
}

/* Require one statement that is a SELECT and only reads. */
static CachedPlanSource *
query_check(List *sources)
{
	CachedPlanSource *source;
	Query	   *query;

	if (sources == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query is empty"),
				 errhint(QUERY_FORMS_HINT)));
	if (list_length(sources) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query holds %d statements, only one is allowed",
						list_length(sources)),
				 errhint(QUERY_FORMS_HINT)));

	source = linitial(sources);
	query = source->query_list == NIL ? NULL : linitial(source->query_list);
	if (query != NULL && query->commandType == CMD_UTILITY &&
		IsA(query->utilityStmt, CreateTableAsStmt))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query must not create a table"),
				 errhint(QUERY_FORMS_HINT)));
	if (source->commandTag != CMDTAG_SELECT || list_length(source->query_list) != 1 ||
		source->resultDesc == NULL || query->commandType != CMD_SELECT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query must be a SELECT, not %s",
						GetCommandTagName(source->commandTag)),
				 errhint(QUERY_FORMS_HINT)));
	query_refuse_writes((Node *) query, NULL);
	return source;
}

/* Prepare a text that is no reference to a dataset. */
static UserQuery *
prepare_text(const char *text)
{
	UserQuery  *q = palloc0(sizeof(UserQuery));
	SPIPrepareOptions options = {.cursorOptions = CURSOR_OPT_PARALLEL_OK};
	CachedPlanSource *source;
	List	   *names;
	ListCell   *cell;

	q->context = CurrentMemoryContext;
	q->tokens = query_tokens(text);
	names = query_bare_name(q->tokens);
	if (names != NIL)
	{
		text = query_of_relation(names);
		q->tokens = query_tokens(text);
	}

	q->plan = SPI_prepare_extended(text, &options);
	/* SPI leaves us in its own context */
	MemoryContextSwitchTo(q->context);
	if (q->plan == NULL)
		elog(ERROR, "could not prepare the query: %s", SPI_result_code_string(SPI_result));
	source = query_check(SPI_plan_get_plan_sources(q->plan));

	q->columns = CreateTupleDescCopy(source->resultDesc);
	foreach(cell, source->relationOids)
		q->relations = list_append_unique_oid(q->relations, lfirst_oid(cell));
	return q;
}

/* Refuse to run the query of a version that another role registered. */
static void
check_registrar(const Source *source)
{
	const char *caller = GetUserNameFromId(GetUserId(), false);

	if (strcmp(caller, source->created_by) == 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("dataset version %s has no kept copy and was registered by role \"%s\"",
					source_name(source), source->created_by),
			 errdetail("Its query would run with the rights of role \"%s\".", caller),
			 errhint("Act as the role that registered it, with SET ROLE %s;, or keep a copy.",
					 quote_identifier(source->created_by))));
}

/* Prepare a version of a dataset. */
static UserQuery *
prepare_source(const char *reference, bool take_unkept)
{
	Source	   *source = source_resolve(NULL, reference);
	UserQuery  *q;
	int			nest;

	if (source->kept)
	{
		q = palloc0(sizeof(UserQuery));
		q->context = CurrentMemoryContext;
		q->columns = source_row_type(source);
		q->snapshot = source->snapshot;
		q->lsn = source->lsn;
	}
	else if (take_unkept)
	{
		check_registrar(source);
		/* names in the query shall mean what they meant then */
		nest = NewGUCNestLevel();
		(void) set_config_option("search_path", source->search_path, PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
		q = prepare_text(source->query);
		AtEOXact_GUC(true, nest);
	}
	else
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("dataset version %s has no kept copy", source_name(source)),
				 errhint("Register it again with keep => true while its rows are the same, or "
						 "give its query itself.")));
	q->source = source;
	return q;
}

UserQuery *
query_prepare(const char *text)
{
	return source_is_reference(text) ? prepare_source(text, false) : prepare_text(text);
}

UserQuery *
query_prepare_unkept(const char *text)
{
	return source_is_reference(text) ? prepare_source(text, true) : prepare_text(text);
}

const Source *
query_source(const UserQuery *q)
{
	return q->source;
}

void
query_refuse_other_rows(const UserQuery *q, const char *digest)
{
	const Source *source = q->source;

	if (source == NULL || strcmp(source->digest, digest) == 0)
		return;
	if (q->plan == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("kept copy of dataset version %s does not have the digest %s",
						source_name(source), source->digest)));
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the rows of dataset version %s are not there any more", source_name(source)),
			 errdetail("It has no kept copy, and its query returns other rows now: the digest was "
					   "%s and is %s.", source->digest, digest),
			 errhint("Register what there is now as a new version with "
					 "SELECT churnops_dataset('%s', ...); keep => true keeps its rows.",
					 source->dataset)));
}

TupleDesc
query_columns(const UserQuery *q)
{
	return q->columns;
}

List *
query_relations(const UserQuery *q)
{
	return q->relations;
}

double
query_estimated_rows(UserQuery *q)
{
	CachedPlan *plan;
	double		rows = 0;

	if (q->plan == NULL)
		return (double) q->source->n_rows;
	PushActiveSnapshot(GetTransactionSnapshot());
	plan = SPI_plan_get_cached_plan(q->plan);
	if (plan != NULL)
	{
		rows = linitial_node(PlannedStmt, plan->stmt_list)->planTree->plan_rows;
		ReleaseCachedPlan(plan, NULL);
	}
	PopActiveSnapshot();
	return rows;
}

char *
query_fingerprint(const UserQuery *q)
{
	Digest	   *digest;
	ListCell   *cell;

	if (q->source != NULL)
		return pstrdup(q->source->fingerprint);
	digest = digest_begin();
	foreach(cell, q->tokens)
		digest_add_string(digest, ((QueryToken *) lfirst(cell))->text);
	return digest_finish(digest);
}

/* DestReceiver: nothing to prepare. */
static void
receiver_startup(DestReceiver *self, int operation, TupleDesc columns)
{
}

/* DestReceiver: hand one row to the callback. */
static bool
receiver_row(TupleTableSlot *slot, DestReceiver *self)
{
	RowReceiver *receiver = (RowReceiver *) self;
	MemoryContext old;

	slot_getallattrs(slot);
	old = MemoryContextSwitchTo(receiver->per_row);
	receiver->row(receiver->ctx, slot);
	MemoryContextSwitchTo(old);
	MemoryContextReset(receiver->per_row);
	receiver->n_rows++;
	return true;
}

/* DestReceiver: nothing to end or free. */
static void
receiver_end(DestReceiver *self)
{
}

/* Remember the active snapshot and the log position for the lineage. */
static void
query_remember_snapshot(UserQuery *q)
{
	MemoryContext old = MemoryContextSwitchTo(q->context);
	LOCAL_FCINFO(fcinfo, 0);
	Datum		snapshot;

	InitFunctionCallInfoData(*fcinfo, NULL, 0, InvalidOid, NULL, NULL);
	snapshot = pg_current_snapshot(fcinfo);
	q->snapshot = DatumGetCString(DirectFunctionCall1(pg_snapshot_out, snapshot));
	if (!RecoveryInProgress())
		q->lsn = psprintf("%X/%X", LSN_FORMAT_ARGS(GetXLogInsertRecPtr()));
	MemoryContextSwitchTo(old);
}

/* SourceRow: hand it to the callback of a query. */
static void
copied_row(void *ctx, TupleTableSlot *slot, const DatasetValue *values)
{
	RowReceiver *receiver = ctx;

	receiver->row(receiver->ctx, slot);
}

/* Run the plan. */
static uint64
run_plan(UserQuery *q, QueryRow row, void *ctx)
{
	RowReceiver receiver = {
		.pub = {
			.receiveSlot = receiver_row,
			.rStartup = receiver_startup,
			.rShutdown = receiver_end,
			.rDestroy = receiver_end,
			.mydest = DestNone,
		},
		.row = row,
		.ctx = ctx,
	};
	SPIExecuteOptions options = {.read_only = true, .dest = &receiver.pub};
	MemoryContext caller = CurrentMemoryContext;
	bool		was_read_only = XactReadOnly;
	int			result;

	receiver.per_row = AllocSetContextCreate(caller, "churnops row", ALLOCSET_DEFAULT_SIZES);
	XactReadOnly = true;
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	query_remember_snapshot(q);

	result = SPI_execute_plan_extended(q->plan, &options);
	/* SPI leaves us in its own context */
	MemoryContextSwitchTo(caller);
	if (result < 0)
		elog(ERROR, "could not run the query: %s", SPI_result_code_string(result));

	PopActiveSnapshot();
	XactReadOnly = was_read_only;
	MemoryContextDelete(receiver.per_row);
	return receiver.n_rows;
}

uint64
query_run(UserQuery *q, QueryRow row, void *ctx)
{
	RowReceiver receiver = {.row = row, .ctx = ctx};
	uint64		n_rows;
	int			nest;

	if (q->plan == NULL)
		return source_run(q->source, copied_row, &receiver);
	if (q->source == NULL)
		return run_plan(q, row, ctx);
	nest = NewGUCNestLevel();
	(void) set_config_option("search_path", q->source->search_path, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	n_rows = run_plan(q, row, ctx);
	AtEOXact_GUC(true, nest);
	return n_rows;
}

const char *
query_snapshot(const UserQuery *q)
{
	return q->snapshot;
}

const char *
query_lsn(const UserQuery *q)
{
	return q->lsn;
}
