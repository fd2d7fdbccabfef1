-- Model cards: the same text in every session, and well-formed whatever users wrote
BEGIN;
\ir include/setup.sql
SELECT no_plan();

CREATE ROLE churnops_alice;
CREATE ROLE churnops_reader;
SELECT is(pg_temp.register('churn', 'churnops_alice'), 'churn/1 approved');
SELECT is(pg_temp.register('nasty', 'churnops_alice', jsonb_build_object(
	'target', E'a|b\n# c', 'classes', '["x|y", "<b>", "`z`"]'::jsonb, 'positive_class', '<b>',
	'description', E'# Not a heading\n\n| not | a table |\n[link](http://x) ![i](j) `code` *b* _i_ <script> &amp; ~~s~~ \\ end',
	'dataset', jsonb_build_object('query', E'SELECT ''```\n````\n# no heading'' AS a', 'fingerprint', repeat('f', 64),
		'relations', '[{"schema": "a|b", "name": "c\nd", "kind": "table", "definition_digest": "d"}]'::jsonb,
		'columns', '[{"name": "k|1", "type": "text", "role": "key", "kind": null}]'::jsonb,
		'n_rows', 101, 'digest', repeat('d', 64), 'search_path', '"a|b", public', 'snapshot', '10:20:', 'lsn', null),
	'features', '[{"name": "plan | `x`", "kind": "category", "mdi": 1, "permutation": null, "permutation_sd": null}]'::jsonb,
	'n_test', 0, 'params', '{"class_weight": "balanced", "max_depth": null}'::jsonb,
	'metrics', '{"holdout": null, "oob": {"roc_auc": 0.81239, "f1": null}, "warnings": ["pipe | in\na warning", "1. no list", "- no list"]}'::jsonb)), 'nasty/1 approved');
SELECT lives_ok($$SELECT churnops_promote('nasty/1', 'beta', E'because | of\n\n# reasons')$$);

-- Times differ from one run of this test to the next.
CREATE FUNCTION pg_temp.card(ref text) RETURNS text
LANGUAGE sql
AS $$
	SELECT regexp_replace(regexp_replace(regexp_replace(churnops_model_card(ref),
		'20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC', 'TIME', 'g'),
		'\| Run \| \d+', '| Run | N', 'g'), '(Logged in as \|) [^|]*', '\1 ME ')
$$;
SELECT is(pg_temp.card('churn'), $card$# churn/1

**Purpose.** made up

| Property | Value |
|---|---|
| Status | approved |
| Aliases | champion |
| Task | classification |
| Target | churned |
| Classes | no, yes |
| Positive class | yes |
| Algorithm | random\_forest, version 1 |
| Owner | churnops\_alice |
| Trained by | churnops\_alice |
| Trained at | TIME |
| Approval by another required | no |
| Artifact | 6 bytes, SHA-256 619a2ccf126ce837dc7cd3bdb4d7f44280a0ea4f721e5a738f859aa19d52a78f |

## Data

| Property | Value |
|---|---|
| Rows of the query | 101 |
| Rows with an unknown target, left out | 1 |
| Rows trained on | 80 |
| Rows held out | 20 |
| Split | a share of 0.2, drawn by the seed 0 |
| Digest | SHA-256 dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd |
| Columns that are no features | none |
| Search path | public |

```sql
SELECT * FROM customers
```

Relations read, views walked through:

| Relation | Kind | Definition |
|---|---|---|
| public.customers | table | SHA-256 d |

## Features

| Feature | Kind | Mean decrease of impurity | Permutation importance |
|---|---|---|---|
| age | number | 0.3000 | 0.1000 ± 0.0100 |
| plan | category | 0.2000 | 0.0100 ± 0.0010 |
| calls | number | 0.5000 | not measured |

## Parameters

| Parameter | Value |
|---|---|
| max\_depth | 3 |
| n\_estimators | 100 |

## Metrics

| Metric | Holdout | Out of bag |
|---|---|---|
| roc\_auc | 0.8000 | 0.7900 |

Warnings of the evaluation:

None.

## Lineage

| Property | Value |
|---|---|
| Code version | not recorded |
| Parent version | none |
| Run | N, of 0.5 seconds |
| Seed | 42 |
| Logged in as | ME |
| Environment: architecture | x86\_64 |
| Environment: byte\_order | little |
| Environment: churnops | 0.1.0 |
| Environment: compiler | gcc |
| Environment: postgresql | 15.0 |
| Environment: server\_encoding | UTF8 |

## Approvals

| Time | Status | By | Reason |
|---|---|---|---|
| TIME | approved | churnops\_alice | trained |

## Aliases

| Alias | From | Until | By | Reason |
|---|---|---|---|---|
| champion | TIME | now | churnops\_alice | first version of the model |

## Limits

- It says nothing of rows unlike those it was trained on; numbers beyond their range count as the nearest of them.
- Its metrics are those of the time of the training; they change when the world does.
- Fairness between groups of rows was not measured.
- The rows held out are of the same time as those trained on: the future may be harder.
- Rows with an unknown target were left out: 1.
$card$, 'a whole card');

-- Well-formed: outside of the query's fence every line is what it should be

CREATE TEMPORARY TABLE line AS
SELECT n, text, count(*) FILTER (WHERE text ~ '^`````') OVER (ORDER BY n) AS fences
FROM regexp_split_to_table(churnops_model_card('nasty/1'), E'\n') WITH ORDINALITY AS l(text, n);
SELECT is((SELECT string_agg(text, '; ' ORDER BY n) FROM line WHERE text ~ '^#' AND fences <> 1),
	'# nasty/1; ## Data; ## Features; ## Parameters; ## Metrics; ## Lineage; ## Approvals; ## Aliases; ## Limits', 'no text makes a heading');
SELECT is_empty($$SELECT n, text FROM line WHERE fences <> 1 AND text !~ '^($|#|\||- |`````|\*\*Purpose\.\*\*|None\.|Warnings of|Relations read)'$$,
	'no text makes a line of its own');
SELECT is((SELECT max(fences) FROM line), 2::bigint, 'the fence is longer than those in the query');
-- A cell ends with a bar that no backslash escapes.
SELECT is_empty($$SELECT text FROM (
		SELECT text, regexp_count, min(regexp_count) OVER (PARTITION BY block) AS least, max(regexp_count) OVER (PARTITION BY block) AS most
		FROM (
			SELECT text, (SELECT count(*) FROM regexp_matches(replace(text, '\\', ''), '(?<!\\)\|', 'g')) AS regexp_count,
				count(*) FILTER (WHERE text !~ '^\|') OVER (ORDER BY n) AS block
			FROM line WHERE fences <> 1) AS l
		WHERE text ~ '^\|') AS c WHERE least <> most$$, 'every line of a table has the cells of its head');
SELECT is((SELECT text FROM line WHERE text LIKE '**Purpose%'),
	'**Purpose.** \# Not a heading \| not \| a table \| \[link\](http://x) !\[i\](j) \`code\` \*b\* \_i\_ \<script\> \&amp; \~\~s\~\~ \\ end', 'escaped, on one line');
SELECT is((SELECT text FROM line WHERE text LIKE '| Classes%'), '| Classes | x\|y, \<b\>, \`z\` |');
SELECT is((SELECT text FROM line WHERE text LIKE '| roc%'), '| roc\_auc | undefined | 0.8124 |', 'without a holdout');
SELECT is((SELECT text FROM line WHERE text LIKE '| f1%'), '| f1 | undefined | undefined |');
SELECT is((SELECT text FROM line WHERE text LIKE '- pipe%'), '- pipe \| in a warning');
SELECT is((SELECT count(*) FROM line WHERE text IN ('- 1\. no list', '- \- no list')), 2::bigint);
SELECT is((SELECT text FROM line WHERE text LIKE '| Columns%'), '| Columns that are no features | k\|1 (key) |');
SELECT is((SELECT count(*) FROM line WHERE text IN ('- No rows were held out: there are out-of-bag metrics only.',
	'- Classes were weighted: probabilities are those of the weighted population.', '- The evaluation gave warnings, see above.')), 3::bigint, 'limits that follow from the training');

-- Deterministic

SAVEPOINT settings;
CREATE TEMPORARY TABLE before AS SELECT churnops_model_card('nasty/1') AS card;
SELECT set_config(n, v, true) FROM (VALUES ('TimeZone', 'Asia/Kathmandu'), ('DateStyle', 'German'), ('extra_float_digits', '-3'),
	('bytea_output', 'escape'), ('quote_all_identifiers', 'on')) AS s(n, v);
SELECT is(churnops_model_card('nasty/1'), card, 'whatever the settings') FROM before;
ROLLBACK TO settings;
SELECT is(churnops_model_card('nasty@beta'), churnops_model_card('models:/nasty/1'), 'whatever the reference');

SELECT lives_ok($$SELECT churnops_alter_model('churn', description => 'who leaves')$$);
SELECT is((SELECT churnops_model_card('churn') LIKE '%**Purpose.** made up%'), true, 'the version''s own purpose first');

-- Refusals

SELECT throws_ok($$SELECT churnops_model_card('churn/9')$$, '42704', 'version 9 of model "churn" does not exist');
SELECT throws_ok($$SELECT churnops_model_card(NULL)$$, '22004', 'argument "model_ref" must not be null');
SELECT is(pg_temp.error_as('churnops_reader', $$SELECT churnops_model_card('churn')$$),
	E'42704\nmodel "churn" does not exist\nModels you may use are listed in the view churnops.models.');
SELECT lives_ok($$SELECT churnops_grant('churn', 'churnops_reader', 'read')$$);
SELECT is(pg_temp.value_as('churnops_reader', $$SELECT left(churnops_model_card('churn'), 9)$$), '# churn/1', 'who may read gets it');

SELECT * FROM finish();
ROLLBACK;
