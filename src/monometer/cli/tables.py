"""Tables on the terminal, and the same columns in a file or a pipe."""

import sys
from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

ROWS_FITTED_MAX = 1000  # a longer table is not fitted to the terminal: that takes rich minutes


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str] = ()
) -> None:
    """Print `rows` under `columns`; those named in `right` are aligned to the right.

    Nothing in a cell is read as markup, and characters that would move the cursor or begin a row
    are replaced. Where the output is not a terminal nothing is wrapped or cut.
    """
    rows = [[_printable(cell) for cell in row] for row in rows]
    console = Console(highlight=False)
    if not console.is_terminal or len(rows) > ROWS_FITTED_MAX:
        _print_plain(columns, rows, right)
        return
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)


def _print_plain(
    columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str]
) -> None:
    lines = [columns, *rows]
    widths = [max(map(cell_len, cells)) for cells in zip(*lines, strict=True)]
    for line in lines:
        padded = []
        for column, cell, width in zip(columns, line, widths, strict=True):
            space = " " * (width - cell_len(cell))
            padded.append(space + cell if column in right else cell + space)
        sys.stdout.write("  ".join(padded).rstrip() + "\n")


def _printable(cell: str) -> str:
    if cell.isprintable():
        return cell
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in cell)
