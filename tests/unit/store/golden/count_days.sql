WITH sample AS (SELECT event.time AS time, NULL AS value, date_trunc('day', event.time, 'America/New_York') AS window_start
FROM event
WHERE event.namespace = 'default'
AND event.type = 'prompt'
AND true
AND true)
SELECT fold.first, fold.last, fold.subject, fold.value, fold.counted, count(*) OVER () AS total
FROM (SELECT min(sample.time) AS first, max(sample.time) AS last, NULL AS subject, sample.window_start AS window_start, count(*) AS value, NULL AS counted
FROM sample
GROUP BY sample.window_start
HAVING count(*) > 0
LIMIT 1001) AS fold ORDER BY fold.window_start, fold.subject
