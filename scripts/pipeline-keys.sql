-- The table of keys of docs/pipeline.md, as Markdown
WITH key AS (
	SELECT row_number() OVER () AS place, k.*,
		split_part(split_part(k.path, '.', 1), '[', 1) AS section
	FROM churnops_pipeline_keys() AS k
), section AS (
	SELECT section, min(place) AS first, count(*) > 1 AS has_keys FROM key GROUP BY section
), line AS (
	SELECT first AS place, 0 AS part, format(E'### %s\n\n%s\n\n| key | default | allowed | meaning |\n|---|---|---|---|',
		s.section, k.description) AS text
	FROM section AS s JOIN key AS k ON k.place = s.first WHERE has_keys
	UNION ALL
	SELECT place, 1, format('| `%s` | %s | %s | %s |', path,
		CASE WHEN required THEN 'required' ELSE coalesce('`' || default_value::text || '`', '') END,
		replace(allowed, '|', '\|'), replace(description, '|', '\|'))
	FROM key JOIN section USING (section) WHERE has_keys AND place <> first
	UNION ALL
	SELECT max(place), 2, '' FROM key JOIN section USING (section) WHERE has_keys GROUP BY section
	UNION ALL
	SELECT 0, 0, E'### Keys without sections\n\n| key | default | allowed | meaning |\n|---|---|---|---|'
	UNION ALL
	SELECT 0, 1 + row_number() OVER (ORDER BY place)::integer, format('| `%s` | %s | %s | %s |', path,
		coalesce('`' || default_value::text || '`', ''), allowed, description)
	FROM key JOIN section USING (section) WHERE NOT has_keys
	UNION ALL
	SELECT 0, 1000000, ''
)
SELECT text FROM line ORDER BY place, part;
