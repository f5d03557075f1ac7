WITH sample AS (SELECT event.time AS first, event.time AS last,
CASE WHEN (jsonb_typeof((event.data -> 'usage') -> 'tokens') IN ('string', 'boolean')) THEN ((event.data -> 'usage') -> 'tokens') #>> CAST('{}' AS TEXT[])
WHEN (jsonb_typeof((event.data -> 'usage') -> 'tokens') = 'number') THEN CAST(trim_scale(CAST((event.data -> 'usage') -> 'tokens' AS NUMERIC)) AS TEXT)
ELSE NULL END COLLATE "C" AS value
FROM event
WHERE event.namespace = 'default' COLLATE "C"
AND event.type = 'prompt' COLLATE "C"
AND true
AND true)
SELECT count(*) OVER () AS total, answer.first, answer.last, CAST(answer.value AS TEXT) AS value, NULL AS counted, NULL AS subject, NULL AS customer
FROM (SELECT min(distinct_values.first) AS first, max(distinct_values.last) AS last, count(distinct_values.value) AS value
FROM (SELECT min(sample.first) AS first, max(sample.last) AS last, sample.value AS value
FROM sample
GROUP BY sample.value) AS distinct_values
HAVING count(*) > 0
LIMIT 1001) AS answer
