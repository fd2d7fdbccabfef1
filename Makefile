# ChurnOps: an ordinary PGXS extension.
#
#	make && make install && make installcheck	with your own PostgreSQL
#	make demo, make test				with a private throw-away server
#
# `make help` lists the targets.  Without PostgreSQL's development files only
# those targets work that install them or need no server.

EXTENSION := churnops
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" churnops.control)
MODULE_big := churnops

CORE_OBJS := \
	src/core/bytes.o \
	src/core/cpu.o \
	src/core/distribution.o \
	src/core/exact.o \
	src/core/hash.o \
	src/core/memory.o \
	src/core/nearest.o \
	src/core/real.o \
	src/core/rng.o \
	src/core/sort.o \
	src/core/status.o
FOREST_OBJS := \
	src/forest/artifact.o \
	src/forest/assign.o \
	src/forest/associate.o \
	src/forest/bins.o \
	src/forest/blocks.o \
	src/forest/blocks_tile.o \
	src/forest/blocks_tile_wide.o \
	src/forest/blocks_wide.o \
	src/forest/calibration.o \
	src/forest/checks.o \
	src/forest/decode.o \
	src/forest/decode_blocks.o \
	src/forest/decode_check.o \
	src/forest/decode_fill.o \
	src/forest/decode_nodes.o \
	src/forest/emit.o \
	src/forest/encode.o \
	src/forest/encode_rows.o \
	src/forest/facts.o \
	src/forest/frame.o \
	src/forest/grow.o \
	src/forest/histogram.o \
	src/forest/importance.o \
	src/forest/model.o \
	src/forest/node.o \
	src/forest/param_table.o \
	src/forest/params.o \
	src/forest/params_finish.o \
	src/forest/params_named.o \
	src/forest/part.o \
	src/forest/predict.o \
	src/forest/prepare.o \
	src/forest/rows.o \
	src/forest/scan.o \
	src/forest/schema.o \
	src/forest/scores.o \
	src/forest/search.o \
	src/forest/settings.o \
	src/forest/share.o \
	src/forest/small.o \
	src/forest/split.o \
	src/forest/tally.o \
	src/forest/training.o \
	src/forest/walk.o \
	src/forest/walk_bytes.o \
	src/forest/walk_wide.o
METRIC_OBJS := \
	src/metric/calibrate.o \
	src/metric/classes.o \
	src/metric/classification.o \
	src/metric/confusion.o \
	src/metric/curves.o \
	src/metric/intervals.o \
	src/metric/losses.o \
	src/metric/ranked.o \
	src/metric/ranking.o \
	src/metric/regression.o \
	src/metric/report.o \
	src/metric/resample.o \
	src/metric/reweigh.o \
	src/metric/threshold.o
DATASET_OBJS := \
	src/dataset/chunk.o \
	src/dataset/keys.o \
	src/dataset/profile.o \
	src/dataset/sample.o
DEPLOY_OBJS := \
	src/deploy/compare.o \
	src/deploy/route.o
DRIFT_OBJS := \
	src/drift/adjust.o \
	src/drift/adwin.o \
	src/drift/detect.o \
	src/drift/distance.o \
	src/drift/estimate.o \
	src/drift/samples.o
TUNE_OBJS := \
	src/tune/folds.o \
	src/tune/space.o \
	src/tune/tpe.o
SPEC_OBJS := \
	src/spec/allowed.o \
	src/spec/check.o \
	src/spec/document.o \
	src/spec/form.o \
	src/spec/json_schema.o \
	src/spec/problem.o \
	src/spec/scalar.o \
	src/spec/short.o \
	src/spec/table.o \
	src/spec/value.o \
	src/spec/walk.o \
	src/spec/yaml.o
CSV_OBJS := \
	src/csv/infer.o \
	src/csv/lines.o \
	src/csv/nulls.o \
	src/csv/records.o \
	src/csv/sniff.o
PG_OBJS := \
	src/pg/aggregate.o \
	src/pg/aggregate_class.o \
	src/pg/aggregate_loss.o \
	src/pg/aggregate_proba.o \
	src/pg/aggregate_ranked.o \
	src/pg/aggregate_rule.o \
	src/pg/answer.o \
	src/pg/arguments.o \
	src/pg/batch.o \
	src/pg/budget.o \
	src/pg/cache.o \
	src/pg/calibration.o \
	src/pg/caller.o \
	src/pg/canonical.o \
	src/pg/catalog.o \
	src/pg/checks.o \
	src/pg/churnops.o \
	src/pg/columns.o \
	src/pg/compare.o \
	src/pg/cross_validate.o \
	src/pg/csv.o \
	src/pg/csv_file.o \
	src/pg/csv_options.o \
	src/pg/csv_source.o \
	src/pg/dataset.o \
	src/pg/datum.o \
	src/pg/deploy.o \
	src/pg/digest.o \
	src/pg/evaluate.o \
	src/pg/exam.o \
	src/pg/exchange.o \
	src/pg/guc.o \
	src/pg/holdout.o \
	src/pg/host.o \
	src/pg/json.o \
	src/pg/keys.o \
	src/pg/labels.o \
	src/pg/latency.o \
	src/pg/location.o \
	src/pg/location_file.o \
	src/pg/measure.o \
	src/pg/named_dataset.o \
	src/pg/notice.o \
	src/pg/numeric.o \
	src/pg/parallel.o \
	src/pg/parameters.o \
	src/pg/pipeline.o \
	src/pg/predict.o \
	src/pg/profile.o \
	src/pg/profit.o \
	src/pg/query.o \
	src/pg/reader.o \
	src/pg/record.o \
	src/pg/reference.o \
	src/pg/registration.o \
	src/pg/replay.o \
	src/pg/report.o \
	src/pg/reproduce.o \
	src/pg/rewrite.o \
	src/pg/route.o \
	src/pg/row.o \
	src/pg/row_columns.o \
	src/pg/row_json.o \
	src/pg/row_key.o \
	src/pg/save.o \
	src/pg/score.o \
	src/pg/score_log.o \
	src/pg/search.o \
	src/pg/search_spec.o \
	src/pg/slices.o \
	src/pg/source.o \
	src/pg/spec.o \
	src/pg/spill.o \
	src/pg/storage.o \
	src/pg/strftime.o \
	src/pg/study.o \
	src/pg/subset.o \
	src/pg/survey.o \
	src/pg/train.o \
	src/pg/tune.o \
	src/pg/validate.o
PURE_OBJS := $(CORE_OBJS) $(FOREST_OBJS) $(METRIC_OBJS) $(DATASET_OBJS) $(DEPLOY_OBJS) \
	$(DRIFT_OBJS) $(TUNE_OBJS) $(SPEC_OBJS) $(CSV_OBJS)
OBJS := $(PURE_OBJS) $(PG_OBJS)

SQL_PARTS := \
	sql/install/00-guard.sql \
	sql/install/10-types.sql \
	sql/install/20-registry.sql \
	sql/install/21-rights.sql \
	sql/install/22-audit.sql \
	sql/install/25-datasets.sql \
	sql/install/26-deployment.sql \
	sql/install/27-pipeline.sql \
	sql/install/30-train.sql \
	sql/install/31-predict.sql \
	sql/install/32-metrics.sql \
	sql/install/32-metrics_classes.sql \
	sql/install/32-metrics_curves.sql \
	sql/install/33-evaluate.sql \
	sql/install/34-compare.sql \
	sql/install/35-tune.sql \
	sql/install/40-lifecycle.sql \
	sql/install/41-datasets.sql \
	sql/install/42-deploy.sql \
	sql/install/43-tick.sql \
	sql/install/44-approval.sql \
	sql/install/45-dataset-diff.sql \
	sql/install/45-exchange.sql \
	sql/install/45-prediction-log.sql \
	sql/install/46-grants.sql \
	sql/install/47-card.sql \
	sql/install/48-verify.sql \
	sql/install/50-views.sql \
	sql/install/52-deployment-views.sql \
	sql/install/55-quality.sql \
	sql/install/56-csv.sql \
	sql/install/57-spec.sql \
	sql/install/60-pipeline.sql \
	sql/install/61-gates.sql \
	sql/install/62-pipeline-stages.sql \
	sql/install/63-pipeline-views.sql \
	sql/install/70-alerts.sql \
	sql/install/90-privileges.sql \
	sql/install/92-deployment-privileges.sql \
	sql/install/94-tune-privileges.sql \
	sql/install/95-quality-privileges.sql \
	sql/install/96-pipeline-privileges.sql \
	sql/install/97-monitoring-privileges.sql
INSTALL_SQL := sql/$(EXTENSION)--$(EXTVERSION).sql

# From the release before: what only changes, by hand; what is new as it is
# installed; functions and views anew, in place of the old ones.
UPDATE_SQL := sql/$(EXTENSION)--0.1.0--$(EXTVERSION).sql
UPDATE_FIRST := sql/update/0.1.0--$(EXTVERSION).sql
UPDATE_OLD := 00-guard 10-types 20-registry
UPDATE_PARTS := $(filter-out $(UPDATE_OLD:%=sql/install/%.sql),$(SQL_PARTS))
DATA := $(wildcard sql/released/*.sql)
DATA_built := $(INSTALL_SQL) $(UPDATE_SQL)

REGRESS := $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
REGRESS_OPTS := --inputdir=test --outputdir=build/installcheck --load-extension=churnops
REGRESS_PREP := build/installcheck
ISOLATION := $(patsubst test/specs/%.spec,%,$(sort $(wildcard test/specs/*.spec)))
ISOLATION_OPTS := $(REGRESS_OPTS)

# Contraction into fused multiply-add would make results depend on the machine.
override PG_CPPFLAGS += -Isrc
override PG_CFLAGS += -ffp-contract=off -Wno-declaration-after-statement
EXTRA_CLEAN := build
SHLIB_LINK = $(if $(filter linux,$(PORTNAME)),-Xlinker --version-script=src/pg/exports.map) -lm -lyaml

# No bitcode for JIT inlining: it would need clang, and gains nothing here.
override with_llvm := no

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)

.DEFAULT_GOAL := all

ifneq ($(wildcard $(PGXS)),)
include $(PGXS)

$(PURE_OBJS): override CFLAGS += -fvisibility=hidden
# Floating-point traps are not used; without them in mind compilers make more vectors.
$(FOREST_OBJS): override CFLAGS += -O3 -fno-trapping-math

$(OBJS): $(wildcard src/*/*.h) build/flags
$(shlib): src/pg/exports.map

# Changes when the server, the compiler or a flag does, and only then.
FLAGS_NOW := $(VERSION) $(CC) $(CPPFLAGS) $(CFLAGS)
build/flags: force
	@mkdir -p $(@D)
	@echo '$(FLAGS_NOW)' | cmp -s - $@ || echo '$(FLAGS_NOW)' > $@
.PHONY: force
force:

build/installcheck:
	mkdir -p $@
else
all install installcheck uninstall:
	@echo >&2 'PostgreSQL 15 to 18 with its development files is not found: $(PG_CONFIG) names no PGXS.'
	@echo >&2 '"make deps" installs what is missing on Debian; PG_CONFIG=/path/to/pg_config names another server.'
	@exit 1
clean:
	rm -rf build $(DATA_built) $(MODULE_big).so $(OBJS)
.PHONY: all install installcheck uninstall clean
endif

$(INSTALL_SQL): $(SQL_PARTS) churnops.control Makefile
	cat $(SQL_PARTS) > $@.part
	mv $@.part $@

$(UPDATE_SQL): $(UPDATE_FIRST) $(UPDATE_PARTS) churnops.control Makefile
	sed -E 's/^CREATE (FUNCTION|VIEW|AGGREGATE) /CREATE OR REPLACE \1 /' \
		$(UPDATE_FIRST) $(UPDATE_PARTS) > $@.part
	mv $@.part $@

export PG_CONFIG

.PHONY: deps demo docs test test-upgrade unit regress isolation pgtap tap fuzz bench bench-full lint format dist help
deps:
	@scripts/deps.sh build test

demo:
	@scripts/demo.sh

docs:
	@scripts/docs.sh

test:
	@scripts/test.sh

test-upgrade:
	@scripts/test-upgrade.sh

unit:
	$(MAKE) -C test/unit check

regress isolation pgtap tap:
	@scripts/test.sh $@

fuzz:
	$(MAKE) -C test/fuzz check

bench:
	@scripts/bench.sh

bench-full:
	@scripts/bench.sh full

lint:
	@scripts/lint.sh

format:
	clang-format-14 -i $(wildcard src/*/*.[ch] test/unit/*.[ch] test/fuzz/*.[ch])

dist:
	@mkdir -p build
	git archive --format=zip --prefix=$(EXTENSION)-$(EXTVERSION)/ \
		-o build/$(EXTENSION)-$(EXTVERSION).zip HEAD
	@echo build/$(EXTENSION)-$(EXTVERSION).zip

help:
	@echo 'make                  build the extension for the server of PG_CONFIG'
	@echo 'make install          install it there (DESTDIR is honoured)'
	@echo 'make installcheck     regression and isolation tests in a running server'
	@echo
	@echo 'make deps             install what building and testing need (Debian packages)'
	@echo 'make demo             train, score and explain on a private throw-away server'
	@echo 'make docs             write what docs/pipeline.* has of the table of pipelines'
	@echo 'make test             all tests on a private throw-away server'
	@echo 'make test-upgrade     pg_upgrade from 15 to 17, as root on a Debian; 10 minutes'
	@echo 'make unit             tests of the pure C libraries, no server'
	@echo 'make regress          one suite; likewise isolation, pgtap, tap'
	@echo 'make fuzz             fuzzers, a minute each'
	@echo 'make bench            benchmarks beside other libraries, about 10 minutes'
	@echo 'make bench-full       every benchmark of docs/performance.md, 75 minutes'
	@echo 'make lint             house rules'
	@echo 'make format           clang-format over the C code'
	@echo 'make dist             release archive of HEAD'
	@echo 'make clean            remove everything built'
