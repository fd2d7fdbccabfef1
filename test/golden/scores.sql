-- What the golden models predict, bit by bit: reference, row, score.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SELECT r.ref, g.id, encode(float8send(churnops_predict(r.ref, g)), 'hex')
FROM unnest('{churn/1,churn/2,tier/1,value/1}'::text[]) AS r(ref), golden AS g
WHERE g.id % 5 = 0
ORDER BY r.ref COLLATE "C", g.id;
