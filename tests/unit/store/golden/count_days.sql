WITH sample AS (SELECT event.time AS first, CAST(NULL AS NUMERIC) AS value, date_trunc('day', event.time, 'America/New_York') AS window_start
FROM event
WHERE event.namespace = 'default' COLLATE "C"
AND event.type = 'prompt' COLLATE "C"
AND true
AND true)
SELECT count(*) OVER () AS total, answer.first, NULL AS last, CAST(answer.value AS TEXT) AS value, NULL AS counted, NULL AS subject, NULL AS customer
FROM (SELECT min(sample.first) AS first, sample.window_start AS window_start, count(*) AS value
FROM sample
GROUP BY sample.window_start
LIMIT 1001) AS answer ORDER BY answer.window_start
