-- What has to be the same after whatever a database survives, a line a fact:
-- every row of every table and view of the registry, where its sequences stand,
-- what churnops_verify() finds, and what guards it.
\pset format unaligned
\pset tuples_only on
SET search_path = pg_catalog;
SET timezone = 'UTC';
SET extra_float_digits = 1;
SELECT format('SELECT %L, md5(t::text) FROM churnops.%I AS t ORDER BY 2', relname, relname)
FROM pg_class
WHERE relnamespace = 'churnops'::regnamespace AND relkind IN ('r', 'v')
ORDER BY relname COLLATE "C"
\gexec
SELECT 'problem', v.* FROM public.churnops_verify() AS v;
\i test/registry/guards.sql
SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'churnops' ORDER BY 1;
