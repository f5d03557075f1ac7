WITH sample AS (SELECT event.time AS first,
CASE WHEN (CASE WHEN (jsonb_typeof(event.data -> 'free') = 'boolean') THEN CAST(event.data -> 'free' AS BOOLEAN) END = True) THEN 0
ELSE
CASE WHEN (CASE WHEN (jsonb_typeof(jsonb_path_query_first(event.data, CAST('strict $."per"[0]' AS JSONPATH), CAST('{}' AS JSONB), true)) = 'number') THEN CAST(jsonb_path_query_first(event.data, CAST('strict $."per"[0]' AS JSONPATH), CAST('{}' AS JSONB), true) AS NUMERIC)
WHEN (jsonb_typeof(jsonb_path_query_first(event.data, CAST('strict $."per"[0]' AS JSONPATH), CAST('{}' AS JSONB), true)) = 'string') THEN
CASE WHEN ((jsonb_path_query_first(event.data, CAST('strict $."per"[0]' AS JSONPATH), CAST('{}' AS JSONB), true) #>> CAST('{}' AS TEXT[])) ~ '^([+-]?([0-9]{1,100}(\.[0-9]{0,100})?|\.[0-9]{1,100})([eE][+-]?[0-9]{1,3})?)$') THEN CAST(jsonb_path_query_first(event.data, CAST('strict $."per"[0]' AS JSONPATH), CAST('{}' AS JSONB), true) #>> CAST('{}' AS TEXT[]) AS NUMERIC) END END != 0) THEN div(CASE WHEN (jsonb_typeof((event.data -> 'usage') -> 'tokens') = 'number') THEN CAST((event.data -> 'usage') -> 'tokens' AS NUMERIC) END * 100000000000000000000,
CASE WHEN (jsonb_typeof(jsonb_path_query_first(event.data, CAST('strict $."per"[0]' AS JSONPATH), CAST('{}' AS JSONB), true)) = 'number') THEN CAST(jsonb_path_query_first(event.data, CAST('strict $."per"[0]' AS JSONPATH), CAST('{}' AS JSONB), true) AS NUMERIC)
WHEN (jsonb_typeof(jsonb_path_query_first(event.data, CAST('strict $."per"[0]' AS JSONPATH), CAST('{}' AS JSONB), true)) = 'string') THEN
CASE WHEN ((jsonb_path_query_first(event.data, CAST('strict $."per"[0]' AS JSONPATH), CAST('{}' AS JSONB), true) #>> CAST('{}' AS TEXT[])) ~ '^([+-]?([0-9]{1,100}(\.[0-9]{0,100})?|\.[0-9]{1,100})([eE][+-]?[0-9]{1,3})?)$') THEN CAST(jsonb_path_query_first(event.data, CAST('strict $."per"[0]' AS JSONPATH), CAST('{}' AS JSONB), true) #>> CAST('{}' AS TEXT[]) AS NUMERIC) END END) * 1E-20 END END AS value, date_trunc('hour', event.time, 'Asia/Kolkata') AS window_start, event.subject AS subject,
CASE WHEN (jsonb_typeof(jsonb_path_query_first(event.data, CAST('strict $ ? (exists (@."tags"))."tags" ? (@.type() == "array")[*] ? (exists (@."name"))."name" ? (@.type() != "object" && @.type() != "array")' AS JSONPATH), CAST('{}' AS JSONB), true)) IN ('string', 'boolean')) THEN jsonb_path_query_first(event.data, CAST('strict $ ? (exists (@."tags"))."tags" ? (@.type() == "array")[*] ? (exists (@."name"))."name" ? (@.type() != "object" && @.type() != "array")' AS JSONPATH), CAST('{}' AS JSONB), true) #>> CAST('{}' AS TEXT[])
WHEN (jsonb_typeof(jsonb_path_query_first(event.data, CAST('strict $ ? (exists (@."tags"))."tags" ? (@.type() == "array")[*] ? (exists (@."name"))."name" ? (@.type() != "object" && @.type() != "array")' AS JSONPATH), CAST('{}' AS JSONB), true)) = 'number') THEN CAST(trim_scale(CAST(jsonb_path_query_first(event.data, CAST('strict $ ? (exists (@."tags"))."tags" ? (@.type() == "array")[*] ? (exists (@."name"))."name" ? (@.type() != "object" && @.type() != "array")' AS JSONPATH), CAST('{}' AS JSONB), true) AS NUMERIC)) AS TEXT)
ELSE '' END COLLATE "C" AS group_0,
CASE WHEN (jsonb_typeof(event.data -> 'model') IN ('string', 'boolean')) THEN (event.data -> 'model') #>> CAST('{}' AS TEXT[])
WHEN (jsonb_typeof(event.data -> 'model') = 'number') THEN CAST(trim_scale(CAST(event.data -> 'model' AS NUMERIC)) AS TEXT)
ELSE '' END COLLATE "C" AS group_1
FROM event
WHERE event.namespace = 'default' COLLATE "C"
AND event.time >= '2024-01-01 00:00:00+00:00'
AND NOT coalesce(lower(event.source) LIKE lower('test-%' COLLATE "C"), false)
AND event.subject = ANY (ARRAY['ann', 'bob'] COLLATE "C")
AND event.time >= '2024-02-01 00:00:00+00:00'
AND event.time < '2024-03-01 00:00:00+00:00'
AND jsonb_typeof((event.data -> 'usage') -> 'tokens') = ANY (ARRAY['number', 'string'] COLLATE "C"))
SELECT count(*) OVER () AS total, answer.first, NULL AS last, CAST(answer.value AS TEXT) AS value, NULL AS counted, answer.subject, NULL AS customer, answer.group_0, answer.group_1
FROM (SELECT min(sample.first) AS first, sample.window_start AS window_start, sample.subject AS subject, sample.group_0 AS group_0, sample.group_1 AS group_1, sum(sample.value) AS value
FROM sample
GROUP BY sample.window_start, sample.subject, sample.group_0, sample.group_1
HAVING sum(sample.value) IS NOT NULL
LIMIT 1001) AS answer ORDER BY answer.window_start, answer.subject, answer.group_0, answer.group_1
