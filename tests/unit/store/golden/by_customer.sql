WITH sample AS (SELECT event.time AS first,
CASE WHEN (jsonb_typeof((event.data -> 'usage') -> 'tokens') = 'number') THEN CAST((event.data -> 'usage') -> 'tokens' AS NUMERIC)
WHEN (jsonb_typeof((event.data -> 'usage') -> 'tokens') = 'string') THEN
CASE WHEN ((((event.data -> 'usage') -> 'tokens') #>> CAST('{}' AS TEXT[])) ~ '^([+-]?([0-9]{1,100}(\.[0-9]{0,100})?|\.[0-9]{1,100})([eE][+-]?[0-9]{1,3})?)$') THEN CAST(((event.data -> 'usage') -> 'tokens') #>> CAST('{}' AS TEXT[]) AS NUMERIC) END END AS value, date_trunc('day', event.time, 'America/New_York') AS window_start, attribution.customer AS customer
FROM event LEFT OUTER JOIN unnest(ARRAY['ann', 'bob'] COLLATE "C", ARRAY['acme', 'acme'] COLLATE "C") AS attribution(subject, customer) ON event.subject = attribution.subject
WHERE event.namespace = 'default' COLLATE "C"
AND event.type = 'prompt' COLLATE "C"
AND true
AND event.subject = ANY (ARRAY['ann', 'bob'] COLLATE "C")
AND true)
SELECT count(*) OVER () AS total, answer.first, NULL AS last, CAST(answer.value AS TEXT) AS value, NULL AS counted, NULL AS subject, answer.customer
FROM (SELECT min(sample.first) AS first, sample.window_start AS window_start, sample.customer AS customer, sum(sample.value) AS value
FROM sample
GROUP BY sample.window_start, sample.customer
HAVING sum(sample.value) IS NOT NULL
LIMIT 1001) AS answer ORDER BY answer.window_start, answer.customer
