/*
 * guc.c
 *	  The settings of the extension, in order of their names.
 */
#include "postgres.h"

#include <limits.h>

#include "utils/guc.h"

#include "core/cpu.h"
#include "pg/guc.h"

#define ALERT_COOLDOWN_DEFAULT_SECONDS 3600
#define CACHE_SIZE_DEFAULT_KB (256 * 1024)
#define CACHE_SIZE_MIN_KB 1024
#define EXACT_COUNT_DEFAULT_KB (8 * 1024)
#define LOG_RETENTION_DEFAULT_MINUTES (90 * 24 * 60)
#define TRAINING_MEMORY_DEFAULT_KB (1024 * 1024)
#define TRAINING_MEMORY_MIN_KB (16 * 1024)

int			guc_alert_cooldown = ALERT_COOLDOWN_DEFAULT_SECONDS;
int			guc_cache_size = CACHE_SIZE_DEFAULT_KB;
char	   *guc_code_version = NULL;
int			guc_exact_count_size = EXACT_COUNT_DEFAULT_KB;
int			guc_instruction_set = CPU_BEST;
bool		guc_log_features = true;
int			guc_log_retention = LOG_RETENTION_DEFAULT_MINUTES;
bool		guc_progress = true;
bool		guc_require_approval = false;
int			guc_training_memory = TRAINING_MEMORY_DEFAULT_KB;

static const struct config_enum_entry instruction_sets[] = {
	{"auto", CPU_BEST, false},
	{"portable", CPU_PORTABLE, false},
	{"avx2", CPU_AVX2, false},
	{"avx512", CPU_AVX512, false},
	{NULL, 0, false},
};

void
guc_init(void)
{
	DefineCustomIntVariable("churnops.alert_cooldown",
							"Sets how long nobody is notified of the same alert again.",
							"An alert that becomes critical is told at once.",
							&guc_alert_cooldown, ALERT_COOLDOWN_DEFAULT_SECONDS, 0, INT_MAX,
							PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("churnops.cache_size",
							"Sets the memory for decoded models in one backend.",
							"Models that a running query uses are kept in any case.",
							&guc_cache_size, CACHE_SIZE_DEFAULT_KB, CACHE_SIZE_MIN_KB,
							MAX_KILOBYTES, PGC_USERSET, GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomStringVariable("churnops.code_version",
							   "Sets the version of the caller's code that a training records.",
							   "Usually the commit of the repository that has the query; empty "
							   "records none.",
							   &guc_code_version, "", PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("churnops.exact_count_size",
							"Sets the size up to which tables that a query reads are counted.",
							"The lineage has the exact number of rows of tables up to this size, "
							"and the planner's estimate of larger ones; 0 counts empty ones only, "
							"-1 counts all.",
							&guc_exact_count_size, EXACT_COUNT_DEFAULT_KB, -1, MAX_KILOBYTES,
							PGC_USERSET, GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomEnumVariable("churnops.instruction_set",
							 "Sets the widest instruction set that training and scoring use.",
							 "It changes no result, only the speed; what the processor lacks is "
							 "not used in any case.",
							 &guc_instruction_set, CPU_BEST, instruction_sets, PGC_USERSET, 0,
							 NULL, NULL, NULL);
	DefineCustomBoolVariable("churnops.log_features",
							 "Keeps the scored row itself with each logged prediction.",
							 "Needed to replay logged rows with another version.",
							 &guc_log_features, true, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("churnops.log_retention",
							"Sets how long logged predictions are kept.",
							"churnops_tick() removes older ones; -1 keeps them for ever.",
							&guc_log_retention, LOG_RETENTION_DEFAULT_MINUTES, -1, INT_MAX,
							PGC_SUSET, GUC_UNIT_MIN, NULL, NULL, NULL);
	DefineCustomBoolVariable("churnops.progress",
							 "Sends a notice every five seconds of a training.",
							 NULL, &guc_progress, true, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("churnops.require_approval",
							 "Demands of new models that another than the trainer approves versions.",
							 "It is taken over when a model is first trained; "
							 "churnops_alter_model() changes it afterwards.",
							 &guc_require_approval, false, PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("churnops.training_memory",
							"Sets the memory that one training or evaluation may take.",
							"Parallel workers are included; what needs more is refused with both "
							"figures.",
							&guc_training_memory, TRAINING_MEMORY_DEFAULT_KB,
							TRAINING_MEMORY_MIN_KB, MAX_KILOBYTES, PGC_USERSET, GUC_UNIT_KB,
							NULL, NULL, NULL);
	MarkGUCPrefixReserved("churnops");
}
