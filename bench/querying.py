"""The six queries over HTTP: from cells and from raw rows, next to the engines."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from bench.answers import FLOAT_ERROR_MAX, difference, from_http
from bench.asking import Reply, ask
from bench.engines import ClickHouse, Engine
from bench.plan import Plan
from bench.questions import Question
from bench.report import Line, Report
from bench.servers import Server

ASKED_A_ROUND = 5  # of the product: its answers are short
GOAL_EVENTS = 5_000_000  # fewer make the cells' answers no quicker, but the others'
GOAL_RAW = {"q3": 50.0, "q4": 50.0}
GOAL_CLICKHOUSE = {"q1": 1.0, "q3": 20.0, "q4": 20.0, "q6": 1.0}
GOAL_MEMORY_MB, GOAL_FIRST_BYTE_S = 100.0, 1.0
MEMORY_POLL_S = 0.01


class WrongAnswerError(Exception):
    """Two stores do not agree: no time is worth telling."""


@dataclass(slots=True)
class Times:
    product: list[float]
    raw: list[float]
    engines: dict[str, list[float]]


async def compare(
    questions: Sequence[Question], cells: Server, raw: Server, engines: Sequence[Engine]
) -> dict[str, int]:
    """Ask everyone everything once; returns rows by question. Raises WrongAnswerError."""
    rows: dict[str, int] = {}
    for question in questions:
        answer = from_http(question, (await ask(cells.port, question.target())).body)
        rows[question.name] = len(answer)
        others = {"raw rows": from_http(question, (await ask(raw.port, question.target())).body)}
        for engine in engines:
            others[engine.name] = engine.answer(question)
        for name, other in others.items():
            of_engine = name == ClickHouse.name
            if of_engine and question.aggregation == "LATEST":
                continue  # its times are whole seconds, so which one is the latest may be open
            error = FLOAT_ERROR_MAX if of_engine else Decimal(0)
            found = difference(answer, other, error_max=error)
            if found is not None or not answer:
                raise WrongAnswerError(f"{question.name}, cells and {name}: {found}")
    return rows


async def measure(
    report: Report,
    plan: Plan,
    questions: Sequence[Question],
    stores: tuple[Server, Server, Sequence[Engine]],
) -> None:
    """Interleaved."""
    cells, raw, engines = stores
    rows = await compare(questions, cells, raw, engines)
    for question in questions:
        times = Times([], [], {engine.name: [] for engine in engines})
        for _ in range(plan.rounds):
            for _ in range(ASKED_A_ROUND):
                times.product.append((await ask(cells.port, question.target())).seconds)
            times.raw.append((await ask(raw.port, question.target())).seconds)
            for engine in engines:
                times.engines[engine.name].append(engine.seconds(question))
        _tell(report, plan, question, times, rows[question.name])


def _tell(report: Report, plan: Plan, question: Question, times: Times, rows: int) -> None:
    synthetic = question.dataset.name == "synthetic"
    has_goal = synthetic and plan.events >= GOAL_EVENTS
    what = f"{question.name} {question.about}" + ("" if synthetic else f", {question.dataset.name}")
    against = {"raw rows": times.raw, **times.engines}
    for name, limits in against.items():
        goals = {"raw rows": GOAL_RAW, ClickHouse.name: GOAL_CLICKHOUSE}.get(name, {})
        report.add(
            Line.cost(
                what,
                against=name,
                limit=median(limits) * 1000,
                product=median(times.product) * 1000,
                unit="ms",
                goal=goals.get(question.name) if has_goal else None,
                note=f"{rows:,} rows" if name == "raw rows" else "",
            )
        )


async def stream(report: Report, question: Question, server: Server) -> None:
    """A long answer: how much the server grows, and how soon it begins to speak."""
    before = peak = server.memory_bytes()
    asking: asyncio.Task[Reply] = asyncio.create_task(ask(server.port, question.target()))
    while not asking.done():
        peak = max(peak, server.memory_bytes())
        await asyncio.sleep(MEMORY_POLL_S)
    reply = await asking
    megabytes = len(reply.body) / 1e6
    note = f"{megabytes:.0f} MB answered in {reply.seconds:.2f} s"
    report.add(
        Line.cost(
            f"{question.name} memory of the server grows", against="goal", limit=GOAL_MEMORY_MB,
            product=(peak - before) / 1e6, unit="MB", goal=1, note=note,
        ),
        Line.cost(
            f"{question.name} first byte", against="goal", limit=GOAL_FIRST_BYTE_S,
            product=reply.first_byte_s, unit="s", goal=1,
        ),
    )  # fmt: skip
