"""Tables on the terminal."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDTH_MAX = 1_000_000  # characters of a line in a file or a pipe


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()
) -> None:
    """Print `rows` under `columns`; those named in `right` are aligned to the right.

    Cells are printed as they are: nothing in them is read as markup, and where the output is not
    a terminal nothing is wrapped or cut.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console = Console(highlight=False)
    if not console.is_terminal:
        anywhere = console.options.update(max_width=WIDTH_MAX)
        console.width = console.measure(table, options=anywhere).maximum
    console.print(table)
