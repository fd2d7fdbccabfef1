-- The dataset digest is of the values alone: not of settings, the order of
-- rows, widths of types or forms of writing; and it is of all of the values
BEGIN;
\ir include/setup.sql
SELECT no_plan();

CREATE TYPE mood AS ENUM ('calm', 'angry');
CREATE TYPE pair AS (a int, b date);
CREATE DOMAIN euros AS numeric(12, 2);
CREATE TABLE things AS
SELECT i AS id, i % 2 = 1 AS y, i % 7 AS x, i::smallint AS small, i / 3.0::real AS r, i / 7.0::float8 AS f, (i / 4.0)::numeric AS n,
	(i / 4.0)::euros AS e, 'text ' || i AS t, ('c' || i % 3)::char(5) AS c, 'name'::name AS name, 'q'::"char" AS q,
	(ARRAY['calm', 'angry'])[1 + i % 2]::mood AS mood, date '2024-01-31' + i AS d, timestamp '2024-01-31 05:06:07.89' AS ts,
	timestamptz '2024-01-31 05:06:07.89+02' + i * interval '1 day' AS tz, time '05:06:07.89' AS tm, timetz '05:06:07.89+02' AS ttz,
	make_interval(months => i % 5, days => i % 3, secs => i / 8.0) AS span, 5.5::money AS m, '\x00ff5c'::bytea AS bytes,
	'{"a": 1.50, "b": [null, true]}'::jsonb AS j, '{"a" : 1.50}'::json AS js, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid AS u,
	'192.168.1.0/24'::inet AS net, B'101' AS bits, ARRAY[date '2024-01-31', NULL] AS dates, ARRAY[0.1::float8, 1e300] AS floats,
	ARRAY['a', 'b "c"', NULL] AS texts, ROW(i, date '2024-01-31')::pair AS p, tstzrange('2024-01-31 00:00+00', NULL) AS range,
	'pg_class'::regclass AS rel, '1,2'::point AS point, 'a <b/>'::tsvector AS words, CASE WHEN i % 3 = 0 THEN i END AS holes
FROM generate_series(1, 40) AS i;

-- The digest of a query, whose columns but x and y are no features
CREATE FUNCTION pg_temp.digest_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	rest text[];
	digest text;
BEGIN
	EXECUTE format('CREATE TEMPORARY VIEW looked_at AS %s', query);
	SELECT array_agg(attname) INTO rest FROM pg_attribute
	WHERE attrelid = 'looked_at'::regclass AND attname NOT IN ('x', 'y');
	PERFORM churnops_train('digest', query, 'y', '{"n_estimators": 1}', exclude => rest);
	SELECT dataset_digest INTO digest FROM churnops.versions WHERE model = 'digest' ORDER BY version DESC LIMIT 1;
	DROP VIEW looked_at;
	RETURN digest;
END $$;
SELECT set_config('test.digest', pg_temp.digest_of('SELECT * FROM things'), true) ~ '^[0-9a-f]{64}$' AS ok \gset
SELECT ok(:'ok', 'a digest');
CREATE FUNCTION pg_temp.same(query text, name text) RETURNS text LANGUAGE sql
AS $$ SELECT is(pg_temp.digest_of(query), current_setting('test.digest'), name) $$;
CREATE FUNCTION pg_temp.other(query text, name text) RETURNS text LANGUAGE sql
AS $$ SELECT isnt(pg_temp.digest_of(query), current_setting('test.digest'), name) $$;

SELECT pg_temp.same('SELECT * FROM things ORDER BY id DESC', 'rows the other way round');
SET LOCAL DateStyle = 'German';
SELECT pg_temp.same('SELECT * FROM things', 'DateStyle');
SET LOCAL IntervalStyle = 'postgres_verbose';
SELECT pg_temp.same('SELECT * FROM things', 'IntervalStyle');
SET LOCAL TimeZone = 'Asia/Kolkata';
SELECT pg_temp.same('SELECT * FROM things', 'TimeZone');
SET LOCAL extra_float_digits = -15;
SELECT pg_temp.same('SELECT * FROM things', 'extra_float_digits');
SET LOCAL bytea_output = 'escape';
SELECT pg_temp.same('SELECT * FROM things', 'bytea_output');
SET LOCAL xmlbinary = 'hex';
SELECT is(current_setting('DateStyle') || current_setting('IntervalStyle') || current_setting('TimeZone') ||
	current_setting('extra_float_digits') || current_setting('bytea_output'), 'German, DMYpostgres_verboseAsia/Kolkata-15escape',
	'the settings are as they were');

-- Values written in another way
CREATE FUNCTION pg_temp.with_changed(name text, expression text) RETURNS text LANGUAGE sql AS $$
	SELECT format('SELECT %s FROM things', string_agg(
		CASE WHEN attname = name THEN format('%s AS %I', expression, attname) ELSE quote_ident(attname) END, ', ' ORDER BY attnum))
	FROM pg_attribute WHERE attrelid = 'things'::regclass AND attnum > 0
$$;
SELECT pg_temp.same(pg_temp.with_changed(name, expression), format('%s as %s', name, expression))
FROM (VALUES ('id', 'id::bigint'), ('small', 'small::int'), ('r', 'r::float8'), ('n', 'n::numeric(30, 15)'), ('e', 'e::numeric(30, 9)'),
	('t', 't::varchar(99)'), ('c', 'c::text'), ('name', 'name::text'), ('q', 'q::text'),
	('f', 'CASE WHEN f = 0 THEN ''-0'' ELSE f END')) AS v(name, expression);
SELECT pg_temp.other(pg_temp.with_changed(name, expression), format('%s as %s', name, expression))
FROM (VALUES ('id', 'id + (id = 7)::int'), ('id', 'id::text'), ('id', 'id::float8'), ('f', 'CASE WHEN id = 7 THEN 2 ELSE f END'),
	('n', 'CASE WHEN id = 7 THEN n + 0.0000000001 ELSE n END'), ('t', 'CASE WHEN id = 7 THEN t || '' '' ELSE t END'),
	('t', 'NULLIF(t, ''text 7'')'), ('holes', 'coalesce(holes, 0)'), ('mood', '''calm''::mood'), ('d', 'd + 1'),
	('tz', 'tz + interval ''1 microsecond'''), ('bytes', '''\x00ff5d''::bytea'), ('texts', 'ARRAY[''a'', NULL, NULL]'),
	('dates', 'ARRAY[NULL, date ''2024-01-31'']'), ('u', 'gen_random_uuid()'), ('p', 'ROW(id, date ''2024-01-30'')::pair')) AS v(name, expression);
SELECT pg_temp.other('SELECT * FROM things WHERE id <> 7', 'a row less');
SELECT pg_temp.other('SELECT t.* FROM things AS t, generate_series(1, 2) AS i WHERE i = 1 OR id = 7', 'a row twice');
SELECT pg_temp.other(pg_temp.with_changed('y', 'NULLIF(id, 7) % 2 = 1'), 'a target that is not known');

-- Digests are compared over years, so they and the split never change: what they were when this was
-- written, of values at the ends of their types
CREATE TYPE level AS ENUM ('low', 'high');
CREATE TABLE edges AS
SELECT i AS id, i % 2 = 1 AS y, i % 7 AS x,
	(ARRAY['0', '-0', 'NaN', 'Infinity', '-Infinity', '4.9e-324', '0.1', '-1e300', NULL])[1 + i % 9]::float8 AS f8,
	(ARRAY['0', '-0', 'NaN', 'Infinity', '-1e-45', '0.1', '-3e38', NULL])[1 + i % 8]::float4 AS f4,
	(ARRAY['0', '0.000', '-0.5', 'NaN', 'Infinity', '-Infinity', '12345678901234567890', '1e-20', '-9999.99990000', '10000', '100000000.0001', '1e300', NULL])[1 + i % 13]::numeric AS n,
	(ARRAY['-9223372036854775808', '9223372036854775807', '0', '-1', NULL])[1 + i % 5]::bigint AS i8,
	(ARRAY[-2147483648, 2147483647, 0, NULL])[1 + i % 4] AS i4, (ARRAY[-32768, 32767, NULL])[1 + i % 3]::smallint AS i2,
	(ARRAY['infinity', '-infinity', '2000-01-01', '0001-01-01', NULL])[1 + i % 5]::date AS d,
	(ARRAY['infinity', '-infinity', '2000-01-01 00:00:00.000001', '1970-01-01', NULL])[1 + i % 5]::timestamp AS ts,
	(ARRAY['', 'a', 'Straße', ' blank ', repeat('x', 20), repeat('ü', 150), repeat('long ', 3000), NULL])[1 + i % 8] AS t,
	(ARRAY['', 'ab ', NULL])[1 + i % 3]::char(4) AS c, (ARRAY['name', NULL])[1 + i % 2]::name AS name,
	(ARRAY['', 'q', NULL])[1 + i % 3]::"char" AS q, (ARRAY['low', 'high', NULL])[1 + i % 3]::level AS e,
	(ARRAY[true, false, NULL])[1 + i % 3] AS b, decode(repeat('00ff', i), 'hex') AS bytes,
	make_interval(months => -i, days => i % 3, secs => i / 8.0) AS span, make_interval(secs => i)::time AS tm,
	('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a' || lpad(to_hex(i), 2, '0'))::uuid AS u, i::bit(8) AS bits, ARRAY[i, NULL] AS ints
FROM generate_series(1, 240) AS i;
CREATE FUNCTION pg_temp.trained(query text, target text, VARIADIC options text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	digests text;
BEGIN
	PERFORM churnops_train('frozen', query, target, '{"n_estimators": 1}', exclude => options[1]::text[], key => options[2]::text[],
		task => 'classification');
	SELECT left(dataset_digest, 16) || ' ' || n_train INTO digests FROM churnops.versions WHERE model = 'frozen' ORDER BY version DESC LIMIT 1;
	PERFORM churnops_drop_model('frozen');
	RETURN digests;
END $$;
SELECT is(pg_temp.trained(query, target, excluded, key), digests, format('the digest of %s, target %s, key %s', query, target, key))
FROM (VALUES
	('TABLE edges', 'y', '{f8,f4,n,d,ts,bytes,tm,u,bits,ints}', NULL, '5732e9a586482a01 186'),
	('TABLE edges', 'e', '{f8,f4,n,d,ts,bytes,tm,bits,ints}', '{u,t}', '5732e9a586482a01 119'),
	('TABLE edges', 'i2', '{f8,f4,d,ts,bytes,tm,u,bits,ints}', '{n}', '5732e9a586482a01 148'),
	('TABLE edges', 't', '{f8,n,d,ts,bytes,tm,u,bits,ints}', '{f4}', '5732e9a586482a01 120'),
	('SELECT * FROM edges WHERE f8 NOT IN (''inf'', ''-inf'')', 'f8', '{f4,n,bytes,tm,bits,ints}', '{d,ts,u}', 'fdfe1f2181a4a2af 114'),
	('SELECT * FROM edges WHERE n NOT IN (''inf'', ''-inf'')', 'n', '{f8,f4,d,ts,tm,u,bits,ints}', '{bytes}', '754daac6da66e227 130')
) AS v(query, target, excluded, key, digests);

SELECT * FROM finish();
ROLLBACK;
