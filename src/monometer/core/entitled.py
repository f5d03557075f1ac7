"""An entitlement together with all that it refers to: what answers are made of."""

from collections.abc import Iterable
from dataclasses import dataclass

from monometer.core.entitlement import Entitlement
from monometer.core.feature import Feature
from monometer.core.grant import Grant
from monometer.core.usage import PeriodsQuery
from monometer.core.windows import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitled:
    """`subject_keys` are the customer's, in order, or the one subject that is the owner itself.

    `subjects` are those whose usage counts. `grants` are all there ever were, oldest first; None
    where they were not asked for.
    """

    entitlement: Entitlement
    feature: Feature
    customer_key: str | None
    subject_keys: tuple[str, ...]
    grants: tuple[Grant, ...] | None = None

    @property
    def subjects(self) -> tuple[str, ...]:
        own = (self.entitlement.customer_id, self.customer_key)
        return tuple(dict.fromkeys(one for one in (*own, *self.subject_keys) if one is not None))

    def query(self, periods: Iterable[Period]) -> PeriodsQuery:
        """What to ask the event store. The feature has a meter."""
        measure = self.feature.measure()
        assert measure is not None  # noqa: S101 - a metered entitlement's feature has one
        return PeriodsQuery(
            namespace=self.entitlement.namespace,
            measure=measure,
            subjects=self.subjects,
            periods=tuple(periods),
        )
