WITH sample AS (SELECT event.time AS time, NULL AS value
FROM event
WHERE event.namespace = 'default'
AND event.type = 'prompt'
AND true
AND true)
SELECT fold.first, fold.last, fold.subject, fold.value, fold.counted, count(*) OVER () AS total
FROM (SELECT min(sample.time) AS first, max(sample.time) AS last, NULL AS subject, count(*) AS value, NULL AS counted
FROM sample
HAVING count(*) > 0
LIMIT 1001) AS fold ORDER BY fold.subject
