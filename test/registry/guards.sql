-- Everything of the extension but its rows, a line an object, as the catalogues
-- have it: two databases whose extension is of one version agree, however they
-- came to it.  The owner's own rights on its objects are left out: later servers
-- have one more.
\pset format unaligned
\pset tuples_only on
SET search_path = pg_catalog;
WITH member AS (
	SELECT d.classid, d.objid FROM pg_depend AS d
	JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
	WHERE d.deptype = 'e' AND e.extname = 'churnops'
)
SELECT * FROM (
SELECT 'member' AS kind, pg_describe_object(m.classid, m.objid, 0) AS object, '' AS definition FROM member AS m
WHERE m.classid <> 'pg_type'::regclass
UNION ALL
SELECT 'function', p.oid::regprocedure::text, concat_ws(' | ', p.proowner::regrole, l.lanname, p.prokind, p.provolatile, p.proparallel,
	p.proisstrict, p.prosecdef, p.proleakproof, p.proretset, p.procost, p.prorows, p.prosupport, p.prorettype::regtype, p.proargnames, p.proargmodes,
	pg_get_expr(p.proargdefaults, 0), p.proconfig, regexp_replace(p.probin, '.*/', ''), md5(p.prosrc),
	(SELECT string_agg(concat_ws(' ', coalesce(nullif(a.grantee, 0)::regrole::text, 'public'), a.privilege_type, a.is_grantable), ','
		ORDER BY pg_get_userbyid(a.grantee), a.privilege_type)
	FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a WHERE a.grantee <> p.proowner), obj_description(p.oid, 'pg_proc'))
FROM pg_proc AS p JOIN member AS m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid
JOIN pg_language AS l ON l.oid = p.prolang
UNION ALL
SELECT 'relation', c.oid::regclass::text, concat_ws(' | ', c.relowner::regrole, c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.reloptions,
	(SELECT string_agg(concat_ws(' ', coalesce(nullif(a.grantee, 0)::regrole::text, 'public'), a.privilege_type, a.is_grantable), ','
		ORDER BY pg_get_userbyid(a.grantee), a.privilege_type)
	FROM aclexplode(coalesce(c.relacl, acldefault((CASE WHEN c.relkind = 'S' THEN 's' ELSE 'r' END)::"char", c.relowner))) AS a WHERE a.grantee <> c.relowner), obj_description(c.oid, 'pg_class'))
FROM pg_class AS c WHERE c.relnamespace = 'churnops'::regnamespace AND c.relkind IN ('r', 'v', 'p', 'S', 'c')
UNION ALL
SELECT 'view', c.oid::regclass::text, md5(pg_get_viewdef(c.oid))
FROM pg_class AS c WHERE c.relnamespace = 'churnops'::regnamespace AND c.relkind = 'v'
UNION ALL
SELECT 'column', format('%s %s', c.oid::regclass, row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum)),
	concat_ws(' | ', a.attname, format_type(a.atttypid, a.atttypmod),
		a.attnotnull, a.attidentity, a.attgenerated, a.attstorage, coalesce(a.attstattarget, -1), a.attcollation::regcollation, a.attacl,
		pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum))
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'churnops'::regnamespace AND c.relkind IN ('r', 'v', 'p', 'c')
UNION ALL
SELECT 'constraint', format('%s %s', c.conrelid::regclass, c.conname), concat_ws(' | ', pg_get_constraintdef(c.oid), c.convalidated)
FROM pg_constraint AS c WHERE c.connamespace = 'churnops'::regnamespace AND c.contype <> 'n'
UNION ALL
SELECT 'index', i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid WHERE c.relnamespace = 'churnops'::regnamespace
UNION ALL
SELECT 'trigger', format('%s %s', t.tgrelid::regclass, t.tgname), concat_ws(' | ', pg_get_triggerdef(t.oid), t.tgenabled)
FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
WHERE c.relnamespace = 'churnops'::regnamespace AND NOT t.tgisinternal
UNION ALL
SELECT 'policy', format('%s %s', p.polrelid::regclass, p.polname), concat_ws(' | ', p.polcmd, p.polpermissive, p.polroles,
	pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
FROM pg_policy AS p JOIN pg_class AS c ON c.oid = p.polrelid WHERE c.relnamespace = 'churnops'::regnamespace
UNION ALL
SELECT 'dumped', (e.extconfig[i])::regclass::text, e.extcondition[i]
FROM pg_extension AS e, generate_subscripts(e.extconfig, 1) AS i WHERE e.extname = 'churnops'
UNION ALL
SELECT 'aggregate', a.aggfnoid::regprocedure::text, concat_ws(' | ', a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn,
	a.aggdeserialfn, a.aggtranstype::regtype, a.agginitval, a.aggkind)
FROM pg_aggregate AS a JOIN member AS m ON m.classid = 'pg_proc'::regclass AND m.objid = a.aggfnoid
UNION ALL
SELECT 'schema', nspname, concat_ws(' | ', nspowner::regrole,
	(SELECT string_agg(concat_ws(' ', coalesce(nullif(a.grantee, 0)::regrole::text, 'public'), a.privilege_type, a.is_grantable), ','
		ORDER BY pg_get_userbyid(a.grantee), a.privilege_type)
	FROM aclexplode(coalesce(nspacl, acldefault('n', nspowner))) AS a WHERE a.grantee <> nspowner), obj_description(oid, 'pg_namespace'))
FROM pg_namespace WHERE nspname = 'churnops'
UNION ALL
SELECT 'extension', extname, concat_ws(' | ', extversion, extnamespace::regnamespace, extrelocatable)
FROM pg_extension WHERE extname = 'churnops'
) AS everything
ORDER BY kind, object COLLATE "C", definition COLLATE "C";
