"""What the server says of itself to Prometheus. Names end in their unit."""

from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)

REQUESTS = Counter("monometer_requests", "HTTP requests answered", ["method", "route", "status"])
REQUEST_SECONDS = Histogram(
    "monometer_request_seconds", "Time to answer a request", ["method", "route"], buckets=_SECONDS
)
EVENTS = Counter("monometer_ingest_events", "Events, by what became of them", ["result"])
COMMIT_SECONDS = Histogram(
    "monometer_ingest_commit_seconds", "Time of one group commit", buckets=_SECONDS
)
QUERY_SECONDS = Histogram(
    "monometer_query_seconds", "Time to the first rows of a meter query", buckets=_SECONDS
)
QUEUED_EVENTS = Gauge(
    "monometer_ingest_queued_events", "Events waiting for a commit", multiprocess_mode="livesum"
)
POOL_CONNECTIONS = Gauge(
    "monometer_pool_connections", "Database connections", ["state"], multiprocess_mode="livesum"
)
FOLD_LAG_SECONDS = Gauge(
    "monometer_fold_lag_seconds",
    "How long the oldest event has waited to be folded into every projection",
    multiprocess_mode="mostrecent",
)
TAIL_EVENTS = Gauge(
    "monometer_fold_tail_events",
    "Events not folded yet, 100 000 at most; queries read them as rows",
    multiprocess_mode="mostrecent",
)
CELLS = Gauge("monometer_cells", "Cells of all projections", multiprocess_mode="mostrecent")
ACCEPTED, DUPLICATE, REJECTED = (
    EVENTS.labels(result) for result in ("accepted", "duplicate", "rejected")
)


def exposition() -> bytes:
    """All metrics as Prometheus text; those of every worker process added up, if there are more."""
    try:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    except ValueError:  # one process: nobody shares a directory of counts
        registry = REGISTRY
    return generate_latest(registry)
