WITH sample AS (SELECT event.time AS time, CAST(NULL AS NUMERIC) AS value
FROM event
WHERE event.namespace = 'default'
AND event.type = 'prompt'
AND true
AND true)
SELECT NULL AS window_start, answer.first, answer.last, answer.subject, answer.value, answer.counted, count(*) OVER () AS total
FROM (SELECT min(sample.time) AS first, max(sample.time) AS last, NULL AS subject, count(*) AS value, NULL AS counted
FROM sample
HAVING count(*) > 0
LIMIT 1001) AS answer ORDER BY answer.subject
