-- A registry with something of everything, for the tests of what must survive.
-- The working folder is the one above test/ and examples/.
\set ON_ERROR_STOP on
\o /dev/null
\i examples/customers.sql
\i test/registry/models.sql
\o
