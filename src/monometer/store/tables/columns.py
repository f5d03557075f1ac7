"""What every table is made of: the naming of constraints, and the types of columns."""

from sqlalchemy import TIMESTAMP, ColumnElement, MetaData, Text, literal_column
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.types import UserDefinedType

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    }
)


class Xid8(UserDefinedType[int]):
    """A transaction's 64-bit number: never reused within a cluster, later ones are greater."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "XID8"


class Tid(UserDefinedType[str]):
    """Where a row lies in its table. Of use while a snapshot lives that sees the row there."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "TID"


ischema_names["xid8"] = Xid8  # so that reflection, and so Alembic, knows it too

# Texts are ordered by code point, the same on every server and in Python.
TEXT = Text(collation="C")
XID8 = Xid8()
TID = Tid()
place: ColumnElement[str] = literal_column("ctid", TID)  # of a row of whichever table
INSTANT = TIMESTAMP(timezone=True)
