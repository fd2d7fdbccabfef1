-- After logical replication has brought the rows of a registry, before this
-- database trains or promotes itself: sequences are not replicated, and are set
-- behind the highest number that has come.  Run it as the extension's owner.
SELECT format('SELECT setval(%L, greatest(max(%I), 1)) FROM %s',
	pg_get_serial_sequence(c.oid::regclass::text, a.attname), a.attname, c.oid::regclass)
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attidentity <> ''
WHERE c.relnamespace = 'churnops'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
ORDER BY c.relname
\gexec
