WITH sample AS (SELECT event.time AS first,
CASE WHEN (jsonb_typeof((event.data -> 'usage') -> 'tokens') = 'number') THEN CAST((event.data -> 'usage') -> 'tokens' AS NUMERIC)
WHEN (jsonb_typeof((event.data -> 'usage') -> 'tokens') = 'string') THEN
CASE WHEN ((((event.data -> 'usage') -> 'tokens') #>> CAST('{}' AS TEXT[])) ~ '^([+-]?([0-9]{1,100}(\.[0-9]{0,100})?|\.[0-9]{1,100})([eE][+-]?[0-9]{1,3})?)$') THEN CAST(((event.data -> 'usage') -> 'tokens') #>> CAST('{}' AS TEXT[]) AS NUMERIC) END END AS value, date_trunc('day', event.time, 'America/New_York') AS window_start, attribution.customer AS customer
FROM event LEFT OUTER JOIN unnest(ARRAY['ann', 'bob'] COLLATE "C", ARRAY['acme', 'acme'] COLLATE "C") AS attribution(subject, customer) ON event.subject = attribution.subject
WHERE event.namespace = 'default' COLLATE "C"
AND event.type = 'prompt' COLLATE "C"
AND true
AND event.time >= '2024-02-01 00:00:00+00:00'
AND true
AND event.xid >= 1000
AND event.time >= '2024-02-01 00:00:00+00:00'), partial AS (SELECT hourly_by_subject.first AS first, date_trunc('day', hourly_by_subject.hour, 'America/New_York') AS window_start, attribution.customer AS customer, hourly_by_subject.sum AS amount
FROM hourly_by_subject LEFT OUTER JOIN unnest(ARRAY['ann', 'bob'] COLLATE "C", ARRAY['acme', 'acme'] COLLATE "C") AS attribution(subject, customer) ON hourly_by_subject.subject = attribution.subject
WHERE hourly_by_subject.projection_id = 1
AND true
AND hourly_by_subject.hour >= '2024-02-01 00:00:00+00:00' UNION ALL
SELECT sample.first AS first, sample.window_start AS window_start, sample.customer AS customer, sample.value AS amount
FROM sample)
SELECT count(*) OVER () AS total, answer.first, NULL AS last, CAST(answer.value AS TEXT) AS value, NULL AS counted, NULL AS subject, answer.customer
FROM (SELECT min(partial.first) AS first, partial.window_start AS window_start, partial.customer AS customer, sum(partial.amount) AS value
FROM partial
GROUP BY partial.window_start, partial.customer
HAVING sum(partial.amount) IS NOT NULL
LIMIT 1001) AS answer ORDER BY answer.window_start, answer.customer
