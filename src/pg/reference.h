/*
 * reference.h
 *	  Model references, `churn`, `churn/3`, `churn@alias`, with or without
 *	  `models:/`, and what they mean under the statement's snapshot.
 */
#ifndef CHURNOPS_PG_REFERENCE_H
#define CHURNOPS_PG_REFERENCE_H

#define REFERENCE_DEFAULT_ALIAS "champion"

typedef struct Reference
{
	char		model[NAMEDATALEN];
	char		alias[NAMEDATALEN]; /* empty when a version was named */
	int32		version;		/* 0 when an alias was named */
} Reference;

/* Set up the callbacks that forget what was resolved; once, when the module is loaded. */
extern void reference_init(void);

/* Raises 42602 with the rule for names. */
extern void reference_parse(const char *text, Reference *out);
/* Check a bare model or alias name; `what` is "model" or "alias". */
extern void reference_check_name(const char *name, const char *what);

typedef struct Resolved
{
	char		model[NAMEDATALEN];
	char		alias[NAMEDATALEN]; /* by which it was found; empty for a version by number */
	int32		version;
	int32		positive;		/* index of the positive class; -1 when there is none */
	char		digest[65];		/* artifact digest, hex */
	uint64		serial;			/* different for every probe: a key for callers' own memos */
} Resolved;

/* What may be done with a model. */
typedef enum ModelRight
{
	RIGHT_ANY,
	RIGHT_OWNER,
	RIGHT_PREDICT,
	RIGHT_TRAIN,
	RIGHT_DEPLOY,				/* for all aliases, or for one */
	RIGHT_APPROVE,
	RIGHT_READ,					/* which train, deploy and approve include */
} ModelRight;

typedef enum ModelAccess
{
	MODEL_UNKNOWN,				/* there is no model of this name */
	MODEL_FORBIDDEN,			/* the caller has no right on it, so shall not know of it */
	MODEL_LACKING,				/* the caller has another right on it */
	MODEL_ALLOWED,
} ModelAccess;

/*
 * What the current user may do with a model: all by membership of its owner,
 * else what churnops.privilege gives it, its roles or public.
 */
extern ModelAccess reference_access(const char *model, ModelRight right);

/* Raise 42501 for a right that is lacking, with the texts of churnops.require_right(). */
extern void reference_deny(const char *model, ModelRight right) pg_attribute_noreturn();

/*
 * Resolve a reference under GetActiveSnapshot(), with the caller's right to
 * predict checked.  Remembered per text for as long as it cannot change; see
 * the essay in reference.c.  Unknown and forbidden models raise the same 42704,
 * a right that is lacking 42501, an unknown version or alias 42704.
 * The result is valid until the next call.
 */
extern const Resolved *reference_resolve(const char *text, int n_bytes);

/* The same for another right, and not remembered. */
extern void reference_find(const char *text, int n_bytes, ModelRight right, Resolved *out);

/*
 * A number that changes when an answer of reference_resolve() may no longer
 * hold: with an equal one and an equal text, the answer is still the same.
 */
extern uint64 reference_epoch(void);

#endif
