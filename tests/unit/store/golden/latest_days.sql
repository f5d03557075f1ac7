WITH sample AS (SELECT event.time AS first,
CASE WHEN (jsonb_typeof((event.data -> 'usage') -> 'tokens') = 'number') THEN CAST((event.data -> 'usage') -> 'tokens' AS NUMERIC)
WHEN (jsonb_typeof((event.data -> 'usage') -> 'tokens') = 'string') THEN
CASE WHEN ((((event.data -> 'usage') -> 'tokens') #>> CAST('{}' AS TEXT[])) ~ '^([+-]?([0-9]{1,100}(\.[0-9]{0,100})?|\.[0-9]{1,100})([eE][+-]?[0-9]{1,3})?)$') THEN CAST(((event.data -> 'usage') -> 'tokens') #>> CAST('{}' AS TEXT[]) AS NUMERIC) END END AS value, date_trunc('day', event.time, 'America/New_York') AS window_start, event.time AS time, event.stored_at AS stored_at, event.id AS id, event.source AS source
FROM event
WHERE event.namespace = 'default' COLLATE "C"
AND event.type = 'prompt' COLLATE "C"
AND true
AND true)
SELECT count(*) OVER () AS total, answer.first, NULL AS last, CAST(answer.value AS TEXT) AS value, NULL AS counted, NULL AS subject, NULL AS customer
FROM (SELECT ranked.first AS first, ranked.window_start AS window_start, ranked.value AS value
FROM (SELECT min(sample.first) OVER (PARTITION BY sample.window_start) AS first, sample.window_start AS window_start, sample.value AS value, row_number() OVER (PARTITION BY sample.window_start ORDER BY sample.value IS NULL, sample.time DESC, sample.stored_at DESC, sample.id DESC, sample.source DESC) AS newest
FROM sample) AS ranked
WHERE ranked.newest = 1
AND ranked.value IS NOT NULL
LIMIT 1001) AS answer ORDER BY answer.window_start
