WITH sample AS (SELECT event.time AS first,
CASE WHEN (jsonb_typeof((event.data -> 'usage') -> 'tokens') IN ('string', 'boolean')) THEN ((event.data -> 'usage') -> 'tokens') #>> CAST('{}' AS TEXT[])
WHEN (jsonb_typeof((event.data -> 'usage') -> 'tokens') = 'number') THEN CAST(trim_scale(CAST((event.data -> 'usage') -> 'tokens' AS NUMERIC)) AS TEXT)
ELSE NULL END COLLATE "C" AS value, date_trunc('day', event.time, 'America/New_York') AS window_start
FROM event
WHERE event.namespace = 'default' COLLATE "C"
AND event.type = 'prompt' COLLATE "C"
AND true
AND true)
SELECT count(*) OVER () AS total, answer.first, NULL AS last, CAST(answer.value AS TEXT) AS value, NULL AS counted, NULL AS subject, NULL AS customer
FROM (SELECT min(distinct_values.first) AS first, distinct_values.window_start AS window_start, count(distinct_values.value) AS value
FROM (SELECT min(sample.first) AS first, sample.window_start AS window_start, sample.value AS value
FROM sample
GROUP BY sample.window_start, sample.value) AS distinct_values
GROUP BY distinct_values.window_start
LIMIT 1001) AS answer ORDER BY answer.window_start
