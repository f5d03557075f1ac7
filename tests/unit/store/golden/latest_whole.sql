WITH sample AS (SELECT event.time AS first, event.time AS last,
CASE WHEN (jsonb_typeof((event.data -> 'usage') -> 'tokens') = 'number') THEN CAST((event.data -> 'usage') -> 'tokens' AS NUMERIC)
WHEN (jsonb_typeof((event.data -> 'usage') -> 'tokens') = 'string') THEN
CASE WHEN ((((event.data -> 'usage') -> 'tokens') #>> CAST('{}' AS TEXT[])) ~ '^([+-]?([0-9]{1,100}(\.[0-9]{0,100})?|\.[0-9]{1,100})([eE][+-]?[0-9]{1,3})?)$') THEN CAST(((event.data -> 'usage') -> 'tokens') #>> CAST('{}' AS TEXT[]) AS NUMERIC) END END AS value, event.time AS time, event.stored_at AS stored_at, event.id AS id, event.source AS source
FROM event
WHERE event.namespace = 'default' COLLATE "C"
AND event.type = 'prompt' COLLATE "C"
AND true
AND true)
SELECT count(*) OVER () AS total, answer.first, answer.last, CAST(answer.value AS TEXT) AS value, NULL AS counted, NULL AS subject, NULL AS customer
FROM (SELECT ranked.first AS first, ranked.last AS last, ranked.value AS value
FROM (SELECT min(sample.first) OVER () AS first, max(sample.last) OVER () AS last, sample.value AS value, row_number() OVER (ORDER BY sample.value IS NULL, sample.time DESC, sample.stored_at DESC, sample.id DESC, sample.source DESC) AS newest
FROM sample) AS ranked
WHERE ranked.newest = 1
AND ranked.value IS NOT NULL
LIMIT 1001) AS answer
