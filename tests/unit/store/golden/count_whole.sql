WITH sample AS (SELECT event.time AS first, event.time AS last, CAST(NULL AS NUMERIC) AS value
FROM event
WHERE event.namespace = 'default' COLLATE "C"
AND event.type = 'prompt' COLLATE "C"
AND true
AND true)
SELECT count(*) OVER () AS total, answer.first, answer.last, CAST(answer.value AS TEXT) AS value, NULL AS counted, NULL AS subject, NULL AS customer
FROM (SELECT min(sample.first) AS first, max(sample.last) AS last, count(*) AS value
FROM sample
HAVING count(*) > 0
LIMIT 1001) AS answer
