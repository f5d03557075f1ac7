"""The limits of batches: COPY by one connection into a table without an index, and with all."""

import time
from datetime import UTC, datetime
from uuid import UUID

from bench.databases import Database
from bench.datasets import COLUMNS, EVENT_TYPE, NAMESPACE, synthetic

ROWS_A_COPY = 1_000
TABLE = "copied"

Record = tuple[object, ...]


class CopyLimit:
    """The same rows as the event table's, made beforehand, committed batch by batch."""

    def __init__(self, rows: int) -> None:
        now = datetime.now(UTC)  # noqa: TID251 (the bench has no other clock)
        records: list[Record] = [
            (NAMESPACE, UUID(int=number), "bench", id_, EVENT_TYPE, subject, time_, data, now)
            for number, (id_, subject, time_, data) in enumerate(synthetic(rows, layer=0))
        ]
        self._rows = rows
        self._batches = [
            records[at : at + ROWS_A_COPY] for at in range(0, len(records), ROWS_A_COPY)
        ]

    async def rows_per_s(self, database: Database, *, indexed: bool = False) -> float:
        more = "INCLUDING INDEXES" if indexed else ""
        connection = await database.connect()
        try:
            await connection.execute(f"CREATE TABLE {TABLE} (LIKE event INCLUDING DEFAULTS {more})")
            began = time.perf_counter()
            for batch in self._batches:
                await connection.copy_records_to_table(TABLE, records=batch, columns=COLUMNS)
            seconds = time.perf_counter() - began
            await connection.execute(f"DROP TABLE {TABLE}")
        finally:
            await connection.close()
        return self._rows / seconds
