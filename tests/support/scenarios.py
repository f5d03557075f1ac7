"""Scenarios of entitlements as text: one line an action or an expectation, each at its time.

    MONTH from 2024-01-01T00:00 [anchor=…] [preserve] [soft] [issue=100] [SUM|UNIQUE_COUNT|LATEST]
    2024-01-01T00:00 grant A 100 priority=1 rollover=0..50 expires=1-MONTH recurs=DAY
    2024-01-02T10:00 use 30
    2024-01-05T00:00 void A
    2024-01-15T00:00 reset preserve keep-anchor
    2024-01-31T00:00 balance 70 overage 0 usage 30 total 100 A 70 access yes
    2024-01-31T00:00 period 2024-01-15T00:00 2024-02-15T00:00
    2024-01-01T00:00 history 2024-01-02T00:00 HOUR
    2024-01-01T00:00 segment 2024-01-02T00:00 usage 5 overage 0 balance 100..95 burnt A=5
    2024-01-01T00:00 window usage 5 balance 100

What is not said is not looked at, but a `history` has exactly the segments and windows after it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from monometer.core.aggregation import Aggregation
from monometer.core.burndown import Burndown, burn
from monometer.core.entitlement import Metered, default_grant, value_of
from monometer.core.grant import Expiration, ExpirationUnit, Grant
from monometer.core.history import windows_between
from monometer.core.measuring import Answers
from monometer.core.phases import Plan, plan
from monometer.core.recurrence import Recurrence, parse_interval
from monometer.core.usage_periods import Reset
from monometer.core.windows import Period, WindowSize

_BLOCK = re.compile(r"^```scenario\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def scenarios_in(path: Path) -> Iterator[tuple[str, str]]:
    """The scenario blocks of a document, each with the heading it stands under."""
    text = path.read_text()
    for block in _BLOCK.finditer(text):
        headings = _HEADING.findall(text, 0, block.start())
        yield f"{headings[-1]}, line {text.count(chr(10), 0, block.start()) + 1}", block[1]


@dataclass(slots=True)
class Used:
    """Usage at an instant: an amount, a level, or a value to count once."""

    at: datetime
    value: str


@dataclass(slots=True)
class Line:
    at: datetime
    verb: str
    words: list[str]

    def after(self, name: str) -> str | None:
        return self.words[self.words.index(name) + 1] if name in self.words else None

    def option(self, name: str) -> str | None:
        return _option(self.words, name)


def _option(words: list[str], name: str) -> str | None:
    return next((w.removeprefix(f"{name}=") for w in words if w.startswith(f"{name}=")), None)


@dataclass(slots=True)
class Scenario:
    terms: Metered
    aggregation: Aggregation
    grants: dict[str, Grant] = field(default_factory=dict)
    used: list[Used] = field(default_factory=list)

    def answers(self, planned: Plan) -> Answers:
        return {period: self._usage(period) for period in planned.periods}

    def _usage(self, period: Period) -> Decimal:
        values = [
            used.value
            for used in sorted(self.used, key=lambda used: used.at)
            if period.start <= used.at < period.end
        ]
        match self.aggregation:
            case Aggregation.UNIQUE_COUNT:
                return Decimal(len(set(values)))
            case Aggregation.LATEST:
                return Decimal(values[-1]) if values else Decimal(0)
            case _:
                return sum(map(Decimal, values), Decimal(0))

    def run(self, until: datetime, since: datetime | None = None, size: str = "") -> Burndown:
        windows: tuple[Period, ...] = ()
        if since and size:
            windows = windows_between(
                since, until, WindowSize(size), "UTC", measure_from=self.terms.measure_from
            )
        planned = plan(
            self.terms,
            self.grants.values(),
            self.aggregation,
            until=until,
            since=since,
            windows=windows,
        )
        return burn(planned, self.answers(planned))


def run_scenario(text: str) -> None:
    """Raises AssertionError, with the line, for the first expectation that does not come true."""
    first, *rest = [line.split("#")[0].split() for line in text.splitlines() if line.strip()]
    lines = [Line(utc(words[0]), words[1], words[2:]) for words in rest if words]
    scenario = _opened(first)
    for line in lines:
        _act(scenario, line)
    told: list[str] = []
    for line in lines:
        if line.verb in {"segment", "window"}:
            assert told, f"nothing is left to be told before {line}"
            told_of = told.pop(0)
            assert told_of == _expected(line), f"{told_of} is not {_expected(line)}"
            continue
        assert not told, f"not expected: {told}"
        told = _look(scenario, line)
    assert not told, f"not expected: {told}"


def _opened(words: list[str]) -> Scenario:
    interval, _, since, *options = words
    issue = _option(options, "issue") or "0"
    aggregation = next((Aggregation(word) for word in options if word in set(Aggregation)), "SUM")
    terms = Metered(
        usage_period=Recurrence(parse_interval(interval), utc(_option(options, "anchor") or since)),
        measure_from=utc(since),
        issue_after_reset=Decimal(issue.split("@")[0]),
        issue_after_reset_priority=int(issue.split("@")[1]) if "@" in issue else None,
        is_soft_limit="soft" in options,
        preserve_overage_at_reset="preserve" in options,
    )
    now = utc(_option(options, "created") or since)
    default = default_grant(terms, id="default", entitlement_id="e", now=now)
    grants = {} if default is None else {"default": default}
    return Scenario(terms, Aggregation(aggregation), grants)


def _act(scenario: Scenario, line: Line) -> None:
    match line.verb:
        case "grant":
            scenario.grants[line.words[0]] = _grant(line)
        case "use":
            scenario.used.append(Used(line.at, line.words[0]))
        case "void":
            name = line.words[0]
            scenario.grants[name] = replace(scenario.grants[name], voided_at=line.at)
        case "reset":
            reset = Reset(
                at=line.at,
                retain_anchor="keep-anchor" in line.words,
                preserve_overage="preserve" in line.words,
            )
            scenario.terms = replace(scenario.terms, resets=(*scenario.terms.resets, reset))


def _grant(line: Line) -> Grant:
    least, most = (line.option("rollover") or "0..0").split("..")
    count, _, unit = (line.option("expires") or "").partition("-")
    recurs = line.option("recurs")
    anchor = utc(line.option("anchor") or line.at.isoformat()[:16])
    created = utc(line.option("created") or "2024-01-01T00:00")
    return Grant(
        id=line.words[0],
        entitlement_id="e",
        amount=Decimal(line.words[1]),
        priority=int(line.option("priority") or 0),
        effective_at=line.at,
        expiration=Expiration(ExpirationUnit(unit), int(count)) if unit else None,
        recurrence=Recurrence(parse_interval(recurs), anchor) if recurs else None,
        min_rollover=Decimal(least),
        max_rollover=Decimal(most),
        created_at=created,
        updated_at=created,
    )


def _look(scenario: Scenario, line: Line) -> list[str]:
    """Checks a line, or lists what a history tells, as lines that are expected next."""
    match line.verb:
        case "balance":
            _check_balance(scenario, line)
        case "period":
            found = scenario.terms.usage_periods.period_at(line.at)
            assert found == tuple(map(utc, line.words)), f"{found} in {line}"
        case "history":
            size = line.words[1] if len(line.words) > 1 else ""
            return _told(scenario.run(utc(line.words[0]), line.at, size))
        case other:
            assert other in {"grant", "use", "void", "reset"}, f"unknown action: {line}"
    return []


def _check_balance(scenario: Scenario, line: Line) -> None:
    found = scenario.run(line.at).balance
    has_access = value_of(scenario.terms, found).has_access
    facts = {
        "balance": found.total,
        "overage": found.overage,
        "usage": found.usage,
        "total": found.total_available,
        "access": "yes" if has_access else "no",
        **found.grants,
    }
    words = ["balance", *line.words]
    for name, expected in zip(words[::2], words[1::2], strict=True):
        value = facts.get(name, "nothing")
        told = Decimal(expected) if isinstance(value, Decimal) else expected
        assert value == told, f"{name} is {value}, not {expected}, at {line.at}: {found}"


def _told(burndown: Burndown) -> list[str]:
    segments = [
        f"{one.start:%FT%R} segment {one.end:%FT%R} usage {one.usage} overage {one.overage} "
        f"balance {one.balance_at_start}..{one.balance_at_end} "
        f"burnt {' '.join(f'{name}={amount}' for name, amount in one.burnt)}".strip()
        for one in burndown.segments
    ]
    windows = [
        f"{one.period.start:%FT%R} window usage {one.usage} balance {one.balance_at_start}"
        for one in burndown.windows
    ]
    return segments + windows


def _expected(line: Line) -> str:
    return f"{line.at:%FT%R} {line.verb} {' '.join(line.words)}"
