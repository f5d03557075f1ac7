"""An entitlement with all that it refers to as one row, and back."""

from typing import Any

from sqlalchemy import ARRAY, LABEL_STYLE_TABLENAME_PLUS_COL, Row, Select, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from monometer.core.entitled import Entitled
from monometer.core.entitlement import Boolean, Entitlement, Metered, Static, Terms
from monometer.core.recurrence import Recurrence, parse_interval
from monometer.core.usage_periods import Reset
from monometer.store.features import feature_from_row
from monometer.store.grants import all_of, grants_from_value
from monometer.store.tables import (
    TEXT,
    customer,
    customer_subject,
    entitlement,
    feature,
    meter,
    usage_reset,
)


def select_entitled(*, with_grants: bool) -> Select[Any]:
    other = customer.alias("other")
    another = (
        select(other.c.id)
        .where(
            other.c.namespace == customer_subject.c.namespace,
            other.c.deleted_at.is_(None),
            other.c.id == customer_subject.c.subject_key,
            other.c.id != customer_subject.c.customer_id,
        )
        .exists()
    )
    listed = customer_subject.c.subject_key
    subject_keys = (
        select(func.array_agg(aggregate_order_by(listed, listed), type_=ARRAY(TEXT)))
        .where(customer_subject.c.customer_id == entitlement.c.customer_id, ~another)
        .scalar_subquery()
    )
    resets = (
        select(
            func.array_agg(
                aggregate_order_by(
                    func.row(
                        usage_reset.c.at, usage_reset.c.retain_anchor,
                        usage_reset.c.preserve_overage,
                    ),
                    usage_reset.c.at,
                )
            )
        )
        .where(usage_reset.c.entitlement_id == entitlement.c.id)
        .scalar_subquery()
    )  # fmt: skip
    columns = [
        subject_keys.label("subject_keys"), resets.label("resets"),
        customer.c.key.label("customer_key"),
    ]  # fmt: skip
    if with_grants:
        columns.append(all_of(entitlement.c.id).label("grants"))
    joined = (
        entitlement.join(feature, feature.c.id == entitlement.c.feature_id)
        .outerjoin(meter, meter.c.id == feature.c.meter_id)
        .outerjoin(customer, customer.c.id == entitlement.c.customer_id)
    )
    return (
        select(entitlement, feature, meter, *columns)
        .select_from(joined)
        .set_label_style(LABEL_STYLE_TABLENAME_PLUS_COL)
    )


def row_from_entitlement(one: Entitlement) -> dict[str, Any]:
    row = {
        column.name: getattr(one, column.name)
        for column in entitlement.c
        if column.name in Entitlement.__dataclass_fields__
    }
    terms = one.terms
    period = terms.usage_period
    row |= {
        "type": type(terms).__name__.lower(),
        "usage_interval": period and period.interval.iso,
        "usage_anchor": period and period.anchor,
    }
    if isinstance(terms, Metered):
        names = ("measure_from", "issue_after_reset", "issue_after_reset_priority",
                 "is_soft_limit", "preserve_overage_at_reset")  # fmt: skip
        row |= {name: getattr(terms, name) for name in names}
    if isinstance(terms, Static):
        row["config"] = terms.config
    return row


def entitled_from_row(row: Row[Any]) -> Entitled:
    columns = row._mapping  # noqa: SLF001 - the public name of SQLAlchemy's row mapping
    kept = {column.name: columns[column] for column in entitlement.c}
    names = Entitlement.__dataclass_fields__.keys() & kept.keys()
    one = Entitlement(
        **{name: kept[name] for name in names},
        terms=_terms(
            kept,
            tuple(
                Reset(at=at, retain_anchor=retain, preserve_overage=preserve)
                for at, retain, preserve in row.resets or ()
            ),
        ),
    )
    return Entitled(
        entitlement=one,
        feature=feature_from_row(row),
        customer_key=row.customer_key,
        subject_keys=(one.subject,) if one.subject is not None else tuple(row.subject_keys or ()),
        grants=grants_from_value(columns["grants"]) if "grants" in columns else None,
    )


def _terms(kept: dict[str, Any], resets: tuple[Reset, ...]) -> Terms:
    period = None
    if kept["usage_interval"] is not None:
        period = Recurrence(parse_interval(kept["usage_interval"]), kept["usage_anchor"])
    if kept["type"] == "static":
        return Static(config=kept["config"], usage_period=period)
    if kept["type"] == "boolean":
        return Boolean(usage_period=period)
    assert period is not None  # noqa: S101 - the store keeps none without
    return Metered(
        usage_period=period,
        measure_from=kept["measure_from"],
        issue_after_reset=kept["issue_after_reset"],
        issue_after_reset_priority=kept["issue_after_reset_priority"],
        is_soft_limit=kept["is_soft_limit"],
        preserve_overage_at_reset=kept["preserve_overage_at_reset"],
        resets=resets,
    )
