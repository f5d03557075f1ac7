WITH sample AS (SELECT event.time AS time,
CASE WHEN (jsonb_typeof((event.data -> 'usage') -> 'tokens') IN ('string', 'boolean')) THEN ((event.data -> 'usage') -> 'tokens') #>> CAST('{}' AS TEXT[])
WHEN (jsonb_typeof((event.data -> 'usage') -> 'tokens') = 'number') THEN CAST(trim_scale(CAST((event.data -> 'usage') -> 'tokens' AS NUMERIC)) AS TEXT)
ELSE NULL END COLLATE "C" AS value, date_trunc('day', event.time, 'America/New_York') AS window_start
FROM event
WHERE event.namespace = 'default'
AND event.type = 'prompt'
AND true
AND true)
SELECT answer.window_start AS window_start, answer.first, answer.last, answer.subject, answer.value, answer.counted, count(*) OVER () AS total
FROM (SELECT min(sample.time) AS first, max(sample.time) AS last, NULL AS subject, sample.window_start AS window_start, count(DISTINCT sample.value) AS value, NULL AS counted
FROM sample
GROUP BY sample.window_start
HAVING count(*) > 0
LIMIT 1001) AS answer ORDER BY answer.window_start, answer.subject
