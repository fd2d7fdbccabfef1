-- Predictions for all customers to the last bit, by every reference there is.
\pset format unaligned
\pset tuples_only on
SELECT format($$SELECT %L, md5(string_agg(float8send(churnops_predict(%1$L, c))::text, ' ' ORDER BY customer_id)) FROM customers AS c$$, r.ref)
FROM (
	SELECT format('%s/%s', v.model, v.version) FROM churnops.versions AS v
	UNION SELECT format('%s@%s', m.name, a.alias) FROM churnops.models AS m, jsonb_object_keys(m.aliases) AS a(alias)
	UNION SELECT m.name FROM churnops.models AS m WHERE m.champion_version IS NOT NULL
) AS r(ref)
ORDER BY r.ref COLLATE "C"
\gexec
