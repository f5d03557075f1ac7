WITH sample AS (SELECT event.time AS time,
CASE WHEN (jsonb_typeof((event.data -> 'usage') -> 'tokens') = 'number') THEN CAST((event.data -> 'usage') -> 'tokens' AS NUMERIC)
WHEN (jsonb_typeof((event.data -> 'usage') -> 'tokens') = 'string') THEN
CASE WHEN ((((event.data -> 'usage') -> 'tokens') #>> CAST('{}' AS TEXT[])) ~ '^([+-]?([0-9]{1,100}(\.[0-9]{0,100})?|\.[0-9]{1,100})([eE][+-]?[0-9]{1,3})?)$') THEN CAST(((event.data -> 'usage') -> 'tokens') #>> CAST('{}' AS TEXT[]) AS NUMERIC) END END AS value
FROM event
WHERE event.namespace = 'default'
AND event.type = 'prompt'
AND true
AND true)
SELECT NULL AS window_start, answer.first, answer.last, answer.subject, answer.value, answer.counted, count(*) OVER () AS total
FROM (SELECT min(sample.time) AS first, max(sample.time) AS last, NULL AS subject, max(sample.value) AS value, NULL AS counted
FROM sample
HAVING count(*) > 0
AND count(sample.value) > 0
LIMIT 1001) AS answer ORDER BY answer.subject
