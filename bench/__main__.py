"""`python -m bench [--quick] [--only SECTION]`: starts what it needs, measures, prints, stops.

Figures of a shared machine are noise, so limits and product take turns within one run and only
their ratios count. Nothing fails for being slow; a wrong answer does: then it exits with 1.
"""

import argparse
import asyncio
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from bench.plan import FULL, QUICK, TINY, Plan, Section
from bench.querying import WrongAnswerError
from bench.report import Report, load_average, machine
from bench.sections import Bench

LEGEND = (
    "single events x 128: over 128 connections, each waiting for its answer; dup.: sent again",
    "CPU: microseconds an event, of the server + of PostgreSQL with what it folds meanwhile",
    "ratio: above 1 the product is better; a goal is the least ratio",
)
RESULTS = Path(__file__).with_name("results")


def main() -> int:
    plan = _plan()
    report = Report(plan.name, machine())
    if load_average()[0] > 1:
        report.note(f"the machine is busy (load {load_average()[0]}): ratios may be off")
    began = datetime.now(UTC)  # noqa: TID251 (the bench has no other clock)
    status = 0
    with tempfile.TemporaryDirectory(prefix="monometer-bench-") as directory:
        bench = Bench(plan, report, Path(directory))
        try:
            uvloop.run(_within(bench, plan.limit_s))
        except (WrongAnswerError, RuntimeError, TimeoutError, OSError) as error:
            report.note(f"stopped: {type(error).__name__}: {error}")
            status = 1
    ended = datetime.now(UTC)  # noqa: TID251
    report.machine |= {
        "load_after": load_average(),
        "seconds": round((ended - began).total_seconds()),
    }
    report.notes += LEGEND
    report.print()
    path = report.write(RESULTS, f"{began:%Y%m%d-%H%M%S}-{plan.name}")
    print(f"written to {path.relative_to(RESULTS.parent.parent)}")
    return status


async def _within(bench: Bench, limit_s: float) -> None:
    async with asyncio.timeout(limit_s):
        await bench.run()


def _plan() -> Plan:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="300 000 events, in three minutes")
    size.add_argument("--tiny", action="store_true", help="only to see whether the bench works")
    parser.add_argument(
        "--only",
        action="append",
        choices=[str(section) for section in Section],
        help="measure this section, which has its limits with it; may be repeated",
    )
    asked = parser.parse_args()
    plan = QUICK if asked.quick else TINY if asked.tiny else FULL
    return replace(plan, sections=frozenset(map(Section, asked.only))) if asked.only else plan


if __name__ == "__main__":
    sys.exit(main())
