-- The publication of a registry for logical replication: every table of it but the
-- log of predictions, which has no key and stays where it was written.  To make it
-- anew after an update of the extension, drop the publication first.
SELECT format('CREATE PUBLICATION registry FOR TABLE %s', string_agg(c.oid::regclass::text, ', ' ORDER BY c.relname))
FROM pg_class AS c
WHERE c.relnamespace = 'churnops'::regnamespace AND c.relkind = 'r' AND NOT c.relispartition
\gexec
