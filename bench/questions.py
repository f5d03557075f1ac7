"""The six queries, each said once and put to every store in its own words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlencode

from bench.datasets import EVENT_TYPE, Dataset

DAYS = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """`groups` may hold `subject`, as in the API."""

    name: str
    about: str
    dataset: Dataset
    aggregation: Literal["SUM", "UNIQUE_COUNT", "LATEST"]
    start: datetime | None = None
    end: datetime | None = None
    window: Literal["HOUR", "DAY"] | None = None
    groups: tuple[str, ...] = ()
    subject: str | None = None

    @property
    def value(self) -> str:
        unique = self.aggregation == "UNIQUE_COUNT"
        return self.dataset.unique if unique else self.dataset.value

    def target(self) -> str:
        """Path and query of the HTTP request."""
        asked = [("groupBy", group) for group in self.groups]
        if self.start is not None and self.end is not None:
            asked += [("from", _instant(self.start)), ("to", _instant(self.end))]
        if self.window is not None:
            asked.append(("windowSize", self.window))
        if self.subject is not None:
            asked.append(("subject", self.subject))
        return f"/api/v1/meters/{meter_of(self.aggregation)}/query?{urlencode(asked)}"


def meter_of(aggregation: str) -> str:
    return f"bench_{aggregation.lower()}"


def meters(dataset: Dataset) -> list[dict[str, Any]]:
    """The meters that the questions ask, as `POST /api/v1/meters` takes them."""
    groups = {group: f"$.{group}" for group in dataset.groups}
    return [
        {
            "slug": meter_of(aggregation),
            "eventType": EVENT_TYPE,
            "aggregation": aggregation,
            "valueProperty": f"$.{value}",
            "groupBy": grouped,
        }
        for aggregation, value, grouped in (
            ("SUM", dataset.value, groups),
            ("UNIQUE_COUNT", dataset.unique, {}),
            ("LATEST", dataset.value, {}),
        )
    ]


def questions(dataset: Dataset) -> list[Question]:
    middle = dataset.start + DAYS
    month: dict[str, Any] = {"start": middle, "end": middle + DAYS}
    ever: dict[str, Any] = {"start": dataset.start, "end": dataset.end}
    groups, days = dataset.groups, f"{dataset.days} days"
    of: dict[str, Any] = {"dataset": dataset, "aggregation": "SUM"}
    return [
        Question(
            name="q1", about="one subject, 30 days, DAY",
            subject=dataset.subject, window="DAY", **of, **month,
        ),
        Question(
            name="q2", about="by subject, 30 days, HOUR",
            groups=("subject",), window="HOUR", **of, **month,
        ),
        Question(
            name="q3", about=f"by {' and '.join(groups)}, {days}, DAY",
            groups=groups, window="DAY", **of, **ever,
        ),
        Question(name="q4", about=f"total, {days}", **of, **ever),
        Question(
            name="q5", about=f"distinct {dataset.unique}, {days}, DAY",
            window="DAY", **(of | {"aggregation": "UNIQUE_COUNT"}), **ever,
        ),
        Question(
            name="q6", about="latest by subject",
            groups=("subject",), **(of | {"aggregation": "LATEST"}),
        ),
    ]  # fmt: skip


def duckdb_sql(question: Question) -> str:
    """Over typed columns. Rows: window_start when windowed, the groups, value."""
    value = {
        "SUM": f"sum({question.value})",
        "UNIQUE_COUNT": f"count(DISTINCT {question.value})",
        "LATEST": f"arg_max({question.value}, time)",
    }[question.aggregation]
    window = f"date_trunc('{question.window}', time) AS window_start"
    columns = [*([window] if question.window else []), *question.groups, f"{value} AS value"]
    bounds = [
        f"time {comparison} TIMESTAMP '{at:%Y-%m-%d %H:%M:%S}'"
        for comparison, at in ((">=", question.start), ("<", question.end))
        if at is not None
    ]
    return f"SELECT {', '.join(columns)} FROM usage {_where(question, bounds)} GROUP BY ALL"


def clickhouse_sql(question: Question) -> str:
    """Over JSON text, with a path looked up in every row, which is how OpenMeter asks."""
    number = f"ifNotFinite(toFloat64OrNull(JSON_VALUE(data, '$.{question.value}')), NULL)"
    value = {
        "SUM": f"sum({number})",
        "UNIQUE_COUNT": f"toFloat64(uniq(JSON_VALUE(data, '$.{question.value}')))",
        "LATEST": f"argMax({number}, time)",
    }[question.aggregation]
    step = "toIntervalHour(1)" if question.window == "HOUR" else "toIntervalDay(1)"
    window = [f"toString(tumbleStart(time, {step}, 'UTC')) AS window_start"]
    groups = [
        group if group == "subject" else f"JSON_VALUE(data, '$.{group}') AS group_{group}"
        for group in question.groups
    ]
    names = [one.rpartition(" AS ")[2] for one in (*(window if question.window else []), *groups)]
    columns = [*(window if question.window else []), *groups, f"{value} AS value"]
    bounds = [
        f"time {comparison} toDateTime('{at:%Y-%m-%d %H:%M:%S}', 'UTC')"
        for comparison, at in ((">=", question.start), ("<", question.end))
        if at is not None
    ]
    bounds = ["namespace = 'default'", *bounds]
    grouping = f"GROUP BY {', '.join(names)}" if names else ""
    return f"SELECT {', '.join(columns)} FROM events {_where(question, bounds)} {grouping}"


def _where(question: Question, bounds: Sequence[str]) -> str:
    subject = [] if question.subject is None else [f"subject = '{question.subject}'"]
    return "WHERE " + " AND ".join(["event_type = 'request'", *subject, *bounds])


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
