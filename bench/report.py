"""One table of ratios, for people and as JSON."""

import json
import platform
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Self

import psutil
from rich import box
from rich.console import Console
from rich.table import Table

WIDTH = 160
PACKAGES = (
    "asyncpg", "chdb", "duckdb", "fastapi", "httptools", "msgspec", "sqlalchemy", "starlette",
    "uvicorn", "uvloop",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """`ratio` above 1: the product is better than what it is held against. `goal` is its least."""

    what: str
    against: str
    limit: float
    product: float
    unit: str
    ratio: float
    goal: float | None
    note: str

    @property
    def reached(self) -> bool | None:
        return None if self.goal is None else self.ratio >= self.goal

    @classmethod
    def rate(
        cls, what: str, *, against: str, limit: float, product: float, unit: str,
        goal: float | None = None, note: str = "",
    ) -> Self:  # fmt: skip
        """More is better."""
        return cls(
            what=what, against=against, limit=limit, product=product, unit=unit,
            ratio=product / limit, goal=goal, note=note,
        )  # fmt: skip

    @classmethod
    def cost(
        cls, what: str, *, against: str, limit: float, product: float, unit: str,
        goal: float | None = None, note: str = "",
    ) -> Self:  # fmt: skip
        """Less is better."""
        return cls(
            what=what, against=against, limit=limit, product=product, unit=unit,
            ratio=limit / product if product > 0 else float("inf"), goal=goal, note=note,
        )  # fmt: skip


def _console() -> Console:
    """Wide enough for the table, also into a file."""
    console = Console(highlight=False)
    return Console(highlight=False, width=max(console.width, WIDTH))


@dataclass(slots=True)
class Report:
    plan: str
    machine: dict[str, Any]
    console: Console = field(default_factory=_console)
    lines: list[Line] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, *lines: Line) -> None:
        self.lines += lines

    def note(self, text: str) -> None:
        """Told at once and again below the table."""
        self.notes.append(text)
        self.progress(text)

    def progress(self, text: str) -> None:
        self.console.print(text, style="dim", markup=False)

    def print(self) -> None:
        """What has a goal comes first."""
        table = Table(title=f"monometer, {self.plan} bench", box=box.SIMPLE_HEAD, padding=(0, 1))
        for name in ("what", "against", "unit", "limit", "product", "ratio", "goal", "ok?", "seen"):
            right = name in {"limit", "product", "ratio", "goal"}
            table.add_column(name, justify="right" if right else "left", no_wrap=True)
        for line in sorted(self.lines, key=lambda line: line.goal is None):
            goal = "" if line.goal is None else f"{line.goal:g}"
            reached = {None: "", True: "yes", False: "[bold red]NO[/]"}[line.reached]
            table.add_row(
                line.what, line.against, line.unit, _figure(line.limit), _figure(line.product),
                f"{line.ratio:.2f}", goal, reached, line.note,
            )  # fmt: skip
        self.console.print(table)
        for text in [*self.notes, *(f"{name}: {value}" for name, value in self.machine.items())]:
            self.console.print(text, style="dim", markup=False)

    def write(self, directory: Path, name: str) -> Path:
        directory.mkdir(exist_ok=True)
        path = directory / f"{name}.json"
        content = {
            "plan": self.plan,
            "machine": self.machine,
            "notes": self.notes,
            "lines": [asdict(line) | {"reached": line.reached} for line in self.lines],
        }
        path.write_text(json.dumps(content, indent=2) + "\n")
        return path


def _figure(value: float) -> str:
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f}"


def machine() -> dict[str, Any]:
    """What the figures depend on, and nothing that names whose machine it is."""
    return {
        "processor": _processor(),
        "cores": psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_before": load_average(),
        "packages": {name: _version(name) for name in PACKAGES},
    }


def load_average() -> list[float]:
    return [round(one, 2) for one in psutil.getloadavg()]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
