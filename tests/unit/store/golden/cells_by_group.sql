WITH sample AS (SELECT event.time AS first,
CASE WHEN (jsonb_typeof((event.data -> 'usage') -> 'tokens') IN ('string', 'boolean')) THEN ((event.data -> 'usage') -> 'tokens') #>> CAST('{}' AS TEXT[])
WHEN (jsonb_typeof((event.data -> 'usage') -> 'tokens') = 'number') THEN CAST(trim_scale(CAST((event.data -> 'usage') -> 'tokens' AS NUMERIC)) AS TEXT)
ELSE NULL END COLLATE "C" AS value, date_bin('1 day, 0:00:00', event.time, '0001-01-08 00:00:00+00:00') AS window_start
FROM event
WHERE event.namespace = 'default' COLLATE "C"
AND event.type = 'prompt' COLLATE "C"
AND true
AND true
AND event.xid >= 1000), partial AS (SELECT hourly_by_group.first AS first, date_bin('1 day, 0:00:00', hourly_by_group.hour, '0001-01-08 00:00:00+00:00') AS window_start, nullif(hourly_by_group.value, '\x') AS value
FROM hourly_by_group
WHERE hourly_by_group.projection_id = 2
AND true UNION ALL
SELECT sample.first AS first, sample.window_start AS window_start, substr(sha256(convert_to(CAST(sample.value AS TEXT) COLLATE "C", 'UTF8')), 1, 16) AS value
FROM sample)
SELECT count(*) OVER () AS total, answer.first, NULL AS last, CAST(answer.value AS TEXT) AS value, NULL AS counted, NULL AS subject, NULL AS customer
FROM (SELECT min(distinct_values.first) AS first, distinct_values.window_start AS window_start, count(distinct_values.value) AS value
FROM (SELECT min(partial.first) AS first, partial.window_start AS window_start, partial.value AS value
FROM partial
GROUP BY partial.window_start, partial.value) AS distinct_values
GROUP BY distinct_values.window_start
LIMIT 1001) AS answer ORDER BY answer.window_start
