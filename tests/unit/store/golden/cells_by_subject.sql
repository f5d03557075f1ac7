WITH sample AS (SELECT event.time AS first,
CASE WHEN (jsonb_typeof((event.data -> 'usage') -> 'tokens') = 'number') THEN CAST((event.data -> 'usage') -> 'tokens' AS NUMERIC)
WHEN (jsonb_typeof((event.data -> 'usage') -> 'tokens') = 'string') THEN
CASE WHEN ((((event.data -> 'usage') -> 'tokens') #>> CAST('{}' AS TEXT[])) ~ '^([+-]?([0-9]{1,100}(\.[0-9]{0,100})?|\.[0-9]{1,100})([eE][+-]?[0-9]{1,3})?)$') THEN CAST(((event.data -> 'usage') -> 'tokens') #>> CAST('{}' AS TEXT[]) AS NUMERIC) END END AS value, date_bin('1:00:00', event.time, '0001-01-08 00:00:00+00:00') AS window_start, event.subject AS subject
FROM event
WHERE event.namespace = 'default' COLLATE "C"
AND event.type = 'prompt' COLLATE "C"
AND true
AND event.time >= '2024-02-01 00:01:00+00:00'
AND event.time < '2024-03-01 00:59:00+00:00'
AND true
AND event.time < '2024-02-01 01:00:00+00:00' UNION ALL
SELECT event.time AS first,
CASE WHEN (jsonb_typeof((event.data -> 'usage') -> 'tokens') = 'number') THEN CAST((event.data -> 'usage') -> 'tokens' AS NUMERIC)
WHEN (jsonb_typeof((event.data -> 'usage') -> 'tokens') = 'string') THEN
CASE WHEN ((((event.data -> 'usage') -> 'tokens') #>> CAST('{}' AS TEXT[])) ~ '^([+-]?([0-9]{1,100}(\.[0-9]{0,100})?|\.[0-9]{1,100})([eE][+-]?[0-9]{1,3})?)$') THEN CAST(((event.data -> 'usage') -> 'tokens') #>> CAST('{}' AS TEXT[]) AS NUMERIC) END END AS value, date_bin('1:00:00', event.time, '0001-01-08 00:00:00+00:00') AS window_start, event.subject AS subject
FROM event
WHERE event.namespace = 'default' COLLATE "C"
AND event.type = 'prompt' COLLATE "C"
AND true
AND event.time >= '2024-02-01 00:01:00+00:00'
AND event.time < '2024-03-01 00:59:00+00:00'
AND true
AND event.time >= '2024-03-01 00:00:00+00:00' UNION ALL
SELECT event.time AS first,
CASE WHEN (jsonb_typeof((event.data -> 'usage') -> 'tokens') = 'number') THEN CAST((event.data -> 'usage') -> 'tokens' AS NUMERIC)
WHEN (jsonb_typeof((event.data -> 'usage') -> 'tokens') = 'string') THEN
CASE WHEN ((((event.data -> 'usage') -> 'tokens') #>> CAST('{}' AS TEXT[])) ~ '^([+-]?([0-9]{1,100}(\.[0-9]{0,100})?|\.[0-9]{1,100})([eE][+-]?[0-9]{1,3})?)$') THEN CAST(((event.data -> 'usage') -> 'tokens') #>> CAST('{}' AS TEXT[]) AS NUMERIC) END END AS value, date_bin('1:00:00', event.time, '0001-01-08 00:00:00+00:00') AS window_start, event.subject AS subject
FROM event
WHERE event.namespace = 'default' COLLATE "C"
AND event.type = 'prompt' COLLATE "C"
AND true
AND event.time >= '2024-02-01 00:01:00+00:00'
AND event.time < '2024-03-01 00:59:00+00:00'
AND true
AND event.xid >= 1000
AND event.time >= '2024-02-01 01:00:00+00:00'
AND event.time < '2024-03-01 00:00:00+00:00'), partial AS ((SELECT hourly_by_subject.first AS first, hourly_by_subject.hour AS window_start, hourly_by_subject.subject AS subject, hourly_by_subject.sum AS amount, hourly_by_subject.counted AS counted
FROM hourly_by_subject
WHERE hourly_by_subject.projection_id = 1
AND true
AND hourly_by_subject.hour >= '2024-02-01 01:00:00+00:00'
AND hourly_by_subject.hour < '2024-03-01 00:00:00+00:00' ORDER BY window_start, hourly_by_subject.subject) UNION ALL (SELECT sample.first AS first, sample.window_start AS window_start, sample.subject AS subject, sample.value AS amount,
CASE WHEN (sample.value IS NOT NULL) THEN 1
ELSE 0 END AS counted
FROM sample ORDER BY sample.window_start, sample.subject))
SELECT count(*) OVER () AS total, answer.first, NULL AS last, CAST(answer.value AS TEXT) AS value, answer.counted, answer.subject, NULL AS customer
FROM (SELECT min(partial.first) AS first, partial.window_start AS window_start, partial.subject AS subject, sum(partial.amount) AS value, sum(partial.counted) AS counted
FROM partial
GROUP BY partial.window_start, partial.subject
HAVING sum(partial.amount) IS NOT NULL
LIMIT 1001) AS answer ORDER BY answer.window_start, answer.subject
