-- CSV files into tables: dialects, names, types, targets, and every refusal
BEGIN;
\getenv dir TMPDIR
\ir include/setup.sql
SELECT no_plan();

\o /dev/null
SELECT set_config('test.dir', :'dir' || '/csv', true);
\o
CREATE FUNCTION pg_temp.file(name text) RETURNS text
LANGUAGE sql
AS $$ SELECT current_setting('test.dir') || '/' || name $$;
CREATE FUNCTION pg_temp.write_bytes(name text, content bytea) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	EXECUTE format('COPY (SELECT %L) TO PROGRAM %L', translate(encode(content, 'base64'), E'\n', ''),
		format('mkdir -p %s && base64 -d > %s', current_setting('test.dir'), pg_temp.file(name)));
END
$$;
CREATE FUNCTION pg_temp.write(name text, content text) RETURNS void
LANGUAGE sql
AS $$ SELECT pg_temp.write_bytes(name, convert_to(content, 'UTF8')) $$;

-- Load a file of this content; columns as "name type, …".
CREATE FUNCTION pg_temp.load(content text, options jsonb DEFAULT '{}', "table" text DEFAULT 't') RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
	answer record;
BEGIN
	PERFORM pg_temp.write('it.csv', content);
	SELECT * INTO STRICT answer FROM churnops_load_csv(pg_temp.file('it.csv'), "table",
		CASE WHEN options ? 'if_exists' THEN options ELSE options || '{"if_exists": "replace"}' END);
	RETURN (SELECT string_agg(c.value->>'name' || ' ' || (c.value->>'type'), ', ' ORDER BY c.place)
		FROM jsonb_array_elements(answer.columns) WITH ORDINALITY AS c(value, place));
END
$$;
-- The rows of a table, as an array of their JSON.
CREATE FUNCTION pg_temp.rows(relation text DEFAULT 't') RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
	value text;
BEGIN
	EXECUTE format('SELECT string_agg(t::text, '' '' ORDER BY t.ctid) FROM %s AS t', relation) INTO value;
	RETURN value;
END
$$;
-- The error of loading such a file, without the folder's name.
CREATE FUNCTION pg_temp.refusal(content text, options jsonb DEFAULT '{}', "table" text DEFAULT 't') RETURNS text
LANGUAGE sql
AS $$
	SELECT replace(pg_temp.error_as(current_user, format('SELECT pg_temp.load(%L, %L, %L)', content, options, "table")),
		current_setting('test.dir') || '/', '')
$$;

-- The result

SELECT pg_temp.write('a.csv', E'id,name,when\n1,x,2024-02-29\n2,,\n');
SELECT is((l.table_name, l.n_rows, l.columns)::text,
	'(public.a,2,"[{""name"": ""id"", ""type"": ""bigint""}, {""name"": ""name"", ""type"": ""text""}, {""name"": ""when"", ""type"": ""date""}]")',
	'table, rows and columns')
FROM churnops_load_csv(pg_temp.file('a.csv'), 'a') AS l;
SELECT is(pg_temp.rows('a'), '(1,x,2024-02-29) (2,,)', 'the rows are in it');
SELECT is(l.table_name, 'public."B c"', 'names are quoted as in SQL')
FROM churnops_load_csv(pg_temp.file('a.csv'), '"B c"') AS l;
SELECT is(l.table_name, 'public.bc', 'and folded')
FROM churnops_load_csv(pg_temp.file('a.csv'), 'public.BC') AS l;
SELECT is(l.table_name, 'public.' || name, 'a URL: ' || url)
FROM (VALUES ('u1', 'file:' || pg_temp.file('a.csv')), ('u2', 'file://' || pg_temp.file('a.csv')),
	('u3', 'FILE://localhost' || pg_temp.file('%61%2Ecsv'))) AS u(name, url), churnops_load_csv(url, name) AS l;

-- How files are written

SELECT is(pg_temp.load(content), 'a bigint, b text', what) FROM (VALUES
	(E'a,b\n1,x\n', 'LF'), (E'a,b\r\n1,x\r\n', 'CR LF'), (E'a,b\r1,x\r', 'CR'), (E'a,b\n1,x', 'no end'),
	(E'\uFEFFa,b\n1,x\n', 'a byte order mark'), (E'a;b\n1;x\n', 'semicolons'), (E'a\tb\n1\tx\n', 'tabs'),
	(E'a|b\n1|x\n', 'bars'), (E'"a" , b \n"1",x\n', 'quotes and blanks'), (E'\n\na,b\n\n1,x\n  \n', 'empty lines'))
	AS f(content, what);
SELECT is(pg_temp.rows(), '(1,x)', 'and the row is the same');
SELECT is(pg_temp.load(E'a,b\n"x\ny","say ""hi"""\n'), 'a text, b text', 'line ends and quotes in quotes');
SELECT is(b || a, E'say "hi"x\ny', 'as they were') FROM t;
SELECT is(pg_temp.load(E'a;b\n1;''x;\\''y''\n', '{"quote": "''", "escape": "\\", "delimiter": ";"}'), 'a bigint, b text', 'quote and escape');
SELECT is(b, 'x;''y', 'are options') FROM t;
SELECT is(pg_temp.load(E'a,b\n"x,5"\n', '{"quote": ""}') || pg_temp.rows(), 'a text, b text("""x","5""")', 'quotes without a meaning');
SELECT is(pg_temp.load(E'a, b\n x , "y, z"\n', '{"trim": true}') || pg_temp.rows(), 'a text, b text(x,"y, z")', 'trim');
SELECT is(pg_temp.load(E'a,b\n x , y\n') || pg_temp.rows(), 'a text, b text(" x "," y")', 'without it blanks belong to texts');
SELECT is(pg_temp.load(E'a,b\n\\N,\\.\nc\\d,e\tf\n') || pg_temp.rows(), E'a text, b text("\\\\N","\\\\.") ("c\\\\d","e\tf")',
	'what COPY takes for its own is text');

-- Names

SELECT is(pg_temp.load(E' Customer ID ,größe,"x,""y"""\n1,2,3\n'), 'Customer ID bigint, größe bigint, x,"y" bigint', 'spelled as in the file');
SELECT is(pg_temp.load(E'"",b,\n1,2,3\n'), 'column1 bigint, b bigint, column3 bigint', 'columns without a name');
SELECT is(pg_temp.load(E'1,x\n2,y\n'), 'column1 bigint, column2 text', 'no header');
SELECT is(pg_temp.rows(), '(1,x) (2,y)', 'and the first line is a row');
SELECT is(pg_temp.load(E'y,2023\nx,1\n', '{"header": true}'), 'y text, 2023 bigint', 'a header that does not look like one');
SELECT is(pg_temp.load(E'y,z\nx,1\n', '{"header": false}') || pg_temp.rows(), 'column1 text, column2 text(y,z) (x,1)', 'values that look like a header');
SELECT is(pg_temp.load(E'y,z\nx,1\n', '{"names": ["a", "b"]}'), 'a text, b bigint', 'names instead of the header');
SELECT is(pg_temp.load(E'x,1\ny,2\n', '{"names": ["a", "b"], "header": false}'), 'a text, b bigint', 'or of none');
SELECT is(pg_temp.load(E'only,a,header\n'), 'only text, a text, header text', 'a header and no rows');

-- Types and NULLs

SELECT is(pg_temp.load(E'v\n' || values), 'v ' || type, type || ' of ' || quote_literal(values)) FROM (VALUES
	(E'1\n-2\nNA\n', 'bigint'), (E'1\n2.5\n', 'double precision'), (E'0.1\n12345678901234567890.5\n', 'numeric'),
	(E'9223372036854775808\n1\n', 'numeric'), (E'00123\n4\n', 'text'), (E'+5\n', 'text'), (E'true\nFALSE\n', 'boolean'),
	(E't\nf\n', 'boolean'), (E'yes\nno\n', 'text'), (E'2024-01-02\nNULL\n', 'date'),
	(E'2024-01-02\n2024-01-02T03:04:05.6\n', 'timestamp without time zone'),
	(E'2024-01-02 03:04Z\n2024-01-02 03:04:05+02:00\n', 'timestamp with time zone'),
	(E'2024-01-02 03:04Z\n2024-01-02 03:04\n', 'text'), (E'01/02/2024\n', 'text'), (E'inf\n1\n', 'double precision'),
	(E'NA\nNULL\n', 'text'), (E'1e400\n1\n', 'numeric')) AS v(values, type);
SET LOCAL datestyle = 'SQL, DMY';
SET LOCAL timezone = 'Asia/Tokyo';
SELECT is(pg_temp.load(E'd,z\n2024-02-03,2024-02-03T04:05:06Z\n'), 'd date, z timestamp with time zone', 'under another DateStyle');
RESET datestyle;
RESET timezone;
SELECT is(d || ' ' || extract(epoch FROM z), '2024-02-03 1706933106.000000', 'the same values') FROM t;
SELECT is(pg_temp.load(E'a,b,c\n,"", \n1,x, 2\n') || pg_temp.rows(), 'a bigint, b text, c bigint(,"",) (1,x,2)',
	'quoted nothing is a text, and NULL among numbers, as are blanks');
SELECT is(pg_temp.load(E'a,b\nNA,"NA"\nNULL,N/A\n1,2\n') || pg_temp.rows(), 'a bigint, b bigint(,) (,) (1,2)', 'NULLs among numbers');
SELECT is(pg_temp.load(E'a,b\nNA,"NA"\nx,y\n') || pg_temp.rows(), 'a text, b text(,NA) (x,y)', 'and among texts');
SELECT is(pg_temp.load(E'a,b\n-,NA\n1,x\n', '{"null": "-"}') || pg_temp.rows(), 'a bigint, b text(,NA) (1,x)', 'a NULL of one''s own');
SELECT is(pg_temp.load(E'a,b\n-,\n1,x\n', '{"null": ["-", ""]}') || pg_temp.rows(), 'a bigint, b text(,) (1,x)', 'two');
SELECT is(pg_temp.load(E'a,b\n,1\n', '{"null": []}') || pg_temp.rows(), 'a text, b bigint("",1)', 'none');
SELECT is(pg_temp.load(E'zip,n,ok\n7, 5 ,yes\n', '{"columns": {"zip": "varchar(5)", "n": "int4", "ok": "boolean"}}') || pg_temp.rows(),
	'zip character varying(5), n integer, ok boolean(7,5,t)', 'types that are given');

-- Encodings

SELECT pg_temp.write_bytes('latin.csv', '\x61 0a e9 0a'::bytea);
SELECT is((SELECT l.n_rows FROM churnops_load_csv(pg_temp.file('latin.csv'), 'latin', '{"encoding": "latin1"}') AS l), 1::bigint, 'LATIN1');
SELECT is(a, 'é', 'is converted') FROM latin;
-- in SJIS the second byte of 表 is a backslash, and that of ャ a bar
SELECT pg_temp.write_bytes('sjis.csv', convert_to('a|b', 'UTF8') || '\x0a 955c 7c 8383 0a'::bytea);
SELECT is((SELECT l.n_rows FROM churnops_load_csv(pg_temp.file('sjis.csv'), 'sjis', '{"encoding": "SJIS"}') AS l), 1::bigint, 'SJIS');
SELECT is(a || ' ' || b, '表 ャ', 'bytes inside of characters mean nothing') FROM sjis;

-- Where it goes

SELECT is(pg_temp.load(E'a\n1\n', '{"if_exists": "error"}', 'fresh'), 'a bigint', 'a new table');
SELECT is(pg_temp.load(E'b,a\nx,2\n', '{"if_exists": "replace"}', 'fresh') || pg_temp.rows('fresh'), 'b text, a bigint(x,2)', 'in the place of one');
CREATE TABLE kept (id serial, a integer CHECK (a < 10), b text DEFAULT 'none', c numeric(5, 1), twice integer GENERATED ALWAYS AS (a * 2) STORED);
CREATE TABLE seen (a integer);
CREATE FUNCTION pg_temp.see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO seen VALUES (NEW.a); RETURN NEW; END $$;
CREATE TRIGGER see AFTER INSERT ON kept FOR EACH ROW EXECUTE FUNCTION pg_temp.see();
SELECT is(pg_temp.load(E'c,a\n1.26,1\nNA,2\n', '{"if_exists": "append"}', 'kept') || pg_temp.rows('kept'),
	'c numeric(5,1), a integer(1,1,none,1.3,2) (2,2,none,,4)', 'rows are added by the header, with types, defaults and generated columns of the table');
SELECT is(pg_temp.rows('seen'), '(1) (2)', 'triggers fire');
SELECT is(pg_temp.load(E'3,4,x,5\n', '{"if_exists": "append"}', 'kept') || pg_temp.rows('seen'),
	'id integer, a integer, b text, c numeric(5,1)(1) (2) (4)', 'without a header, by position');
SELECT is(pg_temp.load(E'1\n', '{"if_exists": "append", "names": ["a"]}', 'kept'), 'a integer', 'or by names');
SELECT is(pg_temp.load(E'a\n1\n', '{"if_exists": "append"}', 'later'), 'a bigint', 'append makes a table that is missing');
SELECT is((SELECT l.table_name FROM churnops_load_csv(pg_temp.file('a.csv'), 'shy', '{"temporary": true}') AS l), 'pg_temp.shy', 'a temporary table');
SELECT is((SELECT l.table_name FROM churnops_load_csv(pg_temp.file('a.csv'), 'pg_temp.shy2') AS l), 'pg_temp.shy2', 'by its schema');
SELECT is(pg_temp.load(E'a\n1\n', '{"unlogged": true}', 'loose'), 'a bigint', 'an unlogged table');
SELECT is(string_agg(concat(relname, ' ', relpersistence), ' ' ORDER BY relname), 'loose u shy t shy2 t', 'they are')
FROM pg_class WHERE relname IN ('loose', 'shy', 'shy2');
CREATE TABLE parted (a integer, b text) PARTITION BY LIST (a);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
SELECT is(pg_temp.load(E'b,a\nx,1\ny,2\n', '{"if_exists": "append"}', 'parted') || pg_temp.rows('parted_2'), 'b text, a integer(2,y)', 'partitions');

-- A trigger may load a file in turn
SELECT pg_temp.write('inner.csv', E'x\n7\n8\n');
CREATE TABLE outside (a integer);
CREATE FUNCTION pg_temp.nest() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM churnops_load_csv(pg_temp.file('inner.csv'), 'inside', '{"if_exists": "append"}');
	RETURN NEW;
END $$;
CREATE TRIGGER nest BEFORE INSERT ON outside FOR EACH ROW EXECUTE FUNCTION pg_temp.nest();
SELECT is(pg_temp.load(E'a\n1\n2\n', '{"if_exists": "append"}', 'outside') || pg_temp.rows('outside'), 'a integer(1) (2)', 'loads are nested');
SELECT is(pg_temp.rows('inside'), '(7) (8) (7) (8)', 'and the inner ones are whole');

-- Lines in errors: of the file, whatever lies between

SELECT is(pg_temp.refusal(content), E'22P04\n' || message || E'\nA field that holds the delimiter or a line end has to be quoted; '
	'the options delimiter, quote and escape say how the file is written.', message)
FROM (VALUES (E'a,b\n1,2\n3\n', 'line 3 has 1 field where 2 are expected'),
	(E'a,b\n\n"x\ny",2\r\n1,2,3\n', 'line 5 has 3 fields where 2 are expected')) AS f(content, message);
SELECT is(pg_temp.refusal(E'a\n1\n"x'), E'22P04\nthe quote that opens a field on line 3 is not closed\n'
	'If quotes have no meaning in this file, give the option "quote": "".', 'a quote that is not closed');
SELECT is(pg_temp.refusal(E'a\n"x"y\n'), E'22P04\nline 2 has text behind a closing quote\n'
	'A quote inside a quoted field is written twice, or behind the escape character if the options name one.', 'text behind a quote');
SELECT is(pg_temp.refusal(E'\n \n'), E'22P04\nfile "it.csv" has no lines but empty ones', 'an empty file');
SELECT is(pg_temp.refusal('a' || repeat(',', 1700)), E'54000\nline 1 has more than 1600 fields', 'too many fields');

CREATE FUNCTION pg_temp.context_of(content text, options jsonb, "table" text) RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
	state text;
	context text;
BEGIN
	PERFORM pg_temp.load(content, options, "table");
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, context = PG_EXCEPTION_CONTEXT;
	RETURN concat(state, ' ', split_part(context, E'\n', 1));
END
$$;
SELECT is(pg_temp.context_of(E'a,b\n\n1,"x\r\ny\nz"\n\n\n2,u\n3,v\nmany,w\n', '{"columns": {"a": "integer"}}', 't'),
	'22P02 COPY t, line 10, column a: "many"', 'a value that the given type does not allow');
SELECT is(pg_temp.context_of(E'a\n1\n\n99\n', '{"if_exists": "append"}', 'kept'), '23514 COPY kept, line 4: "99"', 'a row that a constraint does not allow');
SELECT is(pg_temp.context_of(E'a\n' || repeat(E'1\n', 5000) || E'\n\n' || repeat(E'"2\n"\n', 3000) || E'x\n', '{"columns": {"a": "integer"}}', 't'),
	'22P02 COPY t, line 11004, column a: "x"', 'far into a file');

SELECT pg_temp.write_bytes('bad.csv', '\x61 0a 62 0a c3 28 0a'::bytea);
SELECT is(pg_temp.error_as(current_user, format('SELECT churnops_load_csv(%L, ''bad'')', pg_temp.file('bad.csv'))),
	format(E'22021\nline 3 of file "%s" is not valid in encoding "UTF8": 0xc3 0x28\nGive the file''s encoding, for example the option "encoding": "WIN1252".',
	pg_temp.file('bad.csv')), 'bytes of another encoding');
SELECT pg_temp.write_bytes('nul.csv', '\x61 0a 62 00 0a'::bytea);
SELECT is(pg_temp.error_as(current_user, format('SELECT churnops_load_csv(%L, ''bad'')', pg_temp.file('nul.csv'))),
	format(E'22021\nline 2 of file "%s" holds a NUL byte\nThe file is damaged, or no text in an encoding of the server.', pg_temp.file('nul.csv')), 'a NUL byte');
SELECT pg_temp.write_bytes('a.csv.gz', '\x1f8b0800'::bytea);
SELECT is(pg_temp.error_as(current_user, format('SELECT churnops_load_csv(%L, ''bad'')', pg_temp.file('a.csv.gz'))),
	format(E'22P04\nfile "%s" is not CSV: it seems to be gzip\nUnpack it, or convert it to text in UTF-8, first.', pg_temp.file('a.csv.gz')), 'a packed file');
SELECT ok(to_regclass('bad') IS NULL, 'nothing is left of them');

-- Names that cannot be

SELECT is(pg_temp.refusal(E'a,b,a\n1,2,3\n'), E'42701\ncolumns 1 and 3 of "it.csv" are both called "a"\n'
	'Give all columns names by the option "names"; if the first line holds values, "header": false.', 'two columns of one name');
SELECT is(pg_temp.refusal(E'a,' || repeat('é', 40) || E'\n1,2\n'), E'42622\nthe name of column 2 of "it.csv" is longer than 63 bytes\nIt begins with "'
	|| repeat('é', 31) || E'".\nGive all columns shorter names by the option "names".', 'a long name');
SELECT is(pg_temp.refusal(E'a,b\n1,2\n', '{"names": ["x"]}'), E'22023\noption "names" has 1 names, but "it.csv" has 2 columns', 'too few names');
SELECT is(pg_temp.refusal(E'a,b\n1,2\n', '{"names": ["x", ""]}'), E'42602\noption "names": "" cannot be the name of a column\nA name has from 1 to 63 bytes.', 'an empty one');
SELECT is(pg_temp.refusal(E'amount,b\n1,2\n', '{"columns": {"amuont": "text"}}'), E'42703\ncolumn "amuont" of option "columns" is not in "it.csv"\n'
	'Perhaps you meant "amount".', 'a type for a column that is not there');
SELECT is(pg_temp.refusal(E'A,d\n1,2\n', '{"if_exists": "append"}', 'kept'), E'42703\ncolumn "A" of "it.csv" is not in table public.kept\n'
	'Perhaps it is "a"; the option "names" gives the columns of the file their names.', 'a column that the table has not');
SELECT is(pg_temp.refusal(E'1,2\n', '{"if_exists": "append"}', 'kept'), E'22023\n"it.csv" has 2 columns and no header, but table public.kept has 4 columns\n'
	'Say by the option "names" which columns they are.', 'as many columns as the table');
SELECT is(split_part(pg_temp.refusal(E'twice\n2\n', '{"if_exists": "append"}', 'kept'), E'\n', 1), '42P10', 'a generated column');

-- Options

SELECT is(pg_temp.refusal('a', options::jsonb), '22023' || E'\n' || message, message) FROM (VALUES
	('{"delimeter": ";"}', E'unknown option "delimeter"\nThe options are header, delimiter, quote, escape, null, encoding, columns, names, trim, if_exists, '
		'temporary and unlogged.\nPerhaps you meant "delimiter".'),
	('{"header": "yes"}', 'option "header" must be true, false or "auto"'),
	('{"delimiter": ""}', 'option "delimiter" must be one ASCII character'),
	('{"delimiter": "§"}', 'option "delimiter" must be one ASCII character'),
	('{"delimiter": "\n"}', 'option "delimiter" must be one ASCII character, and no line end'),
	('{"delimiter": ";", "quote": ";"}', 'options "delimiter" and "quote" must differ'),
	('{"delimiter": "\\", "escape": "\\"}', 'options "delimiter" and "escape" must differ'),
	('{"quote": "", "escape": "\\"}', 'option "escape" has no meaning without a quote'),
	('{"quote": 7}', 'option "quote" must be one ASCII character'),
	('{"null": 7}', 'option "null" must be a text or an array of texts'),
	('{"null": [7]}', 'option "null" must be an array of texts'),
	('{"names": "a"}', 'option "names" must be an array of texts'),
	('{"columns": ["a"]}', 'option "columns" must be an object of types by column, as {"zip": "text"}'),
	('{"columns": {"a": 7}}', 'option "columns" must be an object of types by column, as {"zip": "text"}'),
	('{"encoding": "UTF-17"}', E'option "encoding": encoding "UTF-17" does not exist\nEncodings are named as in the server''s documentation: UTF8, LATIN1, '
		'WIN1252, SJIS, …'),
	('{"encoding": 8}', 'option "encoding" must be the name of an encoding'),
	('{"trim": "yes"}', 'option "trim" must be true or false'),
	('{"if_exists": "merge"}', 'option "if_exists" must be "error", "append" or "replace"'),
	('{"temporary": true, "unlogged": true}', E'options "temporary" and "unlogged" exclude each other\nA temporary table is not logged either.'))
	AS o(options, message);
SELECT is(split_part(pg_temp.refusal('a', '{"columns": {"a": "nosuch"}}'), E'\n', 1), '42704', 'a type that does not exist');
SELECT is(pg_temp.error_as(current_user, $$SELECT churnops_load_csv('/x', 't', '[]')$$),
	E'22023\nargument "options" must be a JSON object\nFor example options => ''{"delimiter": ";"}''.', 'no object');
SELECT is(pg_temp.error_as(current_user, $$SELECT churnops_load_csv(NULL, 't')$$), E'22004\nargument "path" must not be null', 'no path');
SELECT is(pg_temp.error_as(current_user, $$SELECT churnops_load_csv('/x', NULL)$$), E'22004\nargument "table" must not be null', 'no table');
SELECT is((SELECT l.n_rows FROM churnops_load_csv(pg_temp.file('a.csv'), 'noopt', NULL) AS l), 2::bigint, 'no options');

-- Places

SELECT is(pg_temp.error_as(current_user, format('SELECT churnops_load_csv(%L, ''x'')', path)), expected, path) FROM (VALUES
	('s3://bucket/k.csv', E'0A000\nlocations of scheme "s3" are not supported\nThe location is "s3://bucket/k.csv".\n'
		'Give the path of a file on the server, as "/data/file.csv" or "file:///data/file.csv".'),
	('https://x/k.csv', E'0A000\nlocations of scheme "https" are not supported\nThe location is "https://x/k.csv".\n'
		'Give the path of a file on the server, as "/data/file.csv" or "file:///data/file.csv".'),
	('data/k.csv', E'42602\n"data/k.csv" does not name a file of the server\nIt is not an absolute path.\n'
		'Give an absolute path, as "/data/file.csv" or "file:///data/file.csv".'),
	('file://host/k.csv', E'42602\n"file://host/k.csv" does not name a file of the server\nIt names another host than this one.\n'
		'Give an absolute path, as "/data/file.csv" or "file:///data/file.csv".'),
	('file:/a%0', E'42602\n"file:/a%0" does not name a file of the server\nIn a URL two hexadecimal digits, not both zero, follow a "%".\n'
		'Give an absolute path, as "/data/file.csv" or "file:///data/file.csv".'),
	('file:/a%00', E'42602\n"file:/a%00" does not name a file of the server\nIn a URL two hexadecimal digits, not both zero, follow a "%".\n'
		'Give an absolute path, as "/data/file.csv" or "file:///data/file.csv".'),
	('/nosuch/k.csv', E'58P01\ncould not open file "/nosuch/k.csv" for reading: No such file or directory\n'
		'The file is read by the server, on its own machine and as its own user.'),
	('/dev/null', E'42809\n"/dev/null" is not an ordinary file'),
	('/', E'42809\n"/" is not an ordinary file\nIt is a directory.')) AS p(path, expected);

-- Rights

CREATE ROLE churnops_ann;
CREATE ROLE churnops_ben IN ROLE pg_read_server_files;
CREATE SCHEMA hers AUTHORIZATION churnops_ann;
CREATE SCHEMA his AUTHORIZATION churnops_ben;
GRANT SELECT ON kept TO churnops_ben;
CREATE TABLE given (a integer, b integer);
GRANT INSERT (b) ON given TO churnops_ben;
CREATE TABLE secured (a integer);
GRANT ALL ON secured TO churnops_ben;
ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
CREATE POLICY small ON secured USING (a < 5);
SELECT pg_temp.write('one.csv', E'a\n1\n');
SELECT pg_temp.write('two.csv', E'b\n1\n');
CREATE FUNCTION pg_temp.load_as(role text, path text, "table" text, if_exists text DEFAULT 'error') RETURNS text
LANGUAGE sql
AS $$ SELECT pg_temp.error_as(role, format('SELECT churnops_load_csv(%L, %L, %L)', path, "table", jsonb_build_object('if_exists', if_exists))) $$;
SELECT is(pg_temp.load_as('churnops_ann', '/nosuch', 'hers.x'),
	E'42501\npermission denied to read files of the server\nOnly members of role "pg_read_server_files" may read them.\n'
	'A superuser can GRANT pg_read_server_files TO churnops_ann;', 'who may not read files of the server');
SELECT is(pg_temp.load_as('churnops_ben', pg_temp.file('one.csv'), 'his.x'), 'no error', 'who may');
SELECT is((SELECT tableowner FROM pg_tables WHERE schemaname = 'his' AND tablename = 'x')::text, 'churnops_ben', 'owns the table');
SELECT is(pg_temp.load_as('churnops_ben', pg_temp.file('one.csv'), 'hers.x'), E'42501\npermission denied for schema hers', 'another''s schema');
SELECT is(pg_temp.load_as('churnops_ben', pg_temp.file('one.csv'), 'kept', 'append'), E'42501\npermission denied for table kept', 'a table that may only be read');
SELECT is(pg_temp.load_as('churnops_ben', pg_temp.file('one.csv'), 'given', 'append'), E'42501\npermission denied for table given', 'a column that may not be filled');
SELECT is(pg_temp.load_as('churnops_ben', pg_temp.file('two.csv'), 'given', 'append'), 'no error', 'one that may');
SELECT is(pg_temp.load_as('churnops_ben', pg_temp.file('one.csv'), 'given', 'replace'), E'42501\nmust be owner of table given', 'another''s table cannot be replaced');
SELECT is(pg_temp.load_as('churnops_ben', pg_temp.file('one.csv'), 'secured', 'append'),
	E'0A000\ntable "secured" has row-level security, which COPY does not support\nLoad into a table of your own, and use INSERT … SELECT from there.', 'row-level security');
SELECT is(pg_temp.load_as(current_user, pg_temp.file('one.csv'), 'fresh'),
	E'42P07\nrelation public.fresh already exists\nThe option "if_exists": "append" adds the rows to it, "replace" puts a new table in its place.', 'a table that is there');
SELECT is(pg_temp.load_as(current_user, pg_temp.file('one.csv'), 'nosuch.x'), E'3F000\nschema "nosuch" does not exist', 'no schema');
CREATE VIEW seen_through AS SELECT 1 AS a;
SELECT is(split_part(pg_temp.load_as(current_user, pg_temp.file('one.csv'), 'seen_through', mode), E'\n', 1), '42809', 'a view: ' || mode)
FROM unnest('{append,replace}'::text[]) AS mode;
SET LOCAL transaction_read_only = on;
SELECT is(pg_temp.load_as(current_user, pg_temp.file('one.csv'), 'y'),
	E'25006\ncannot execute churnops_load_csv() in a read-only transaction', 'a read-only transaction');
SELECT finish();
ROLLBACK;
