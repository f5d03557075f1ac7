"""What several customers have access to, at once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from monometer.core.customer import Customer
from monometer.core.errors import InvalidInput
from monometer.services.balances import Balances, Held
from monometer.store import customers, features
from monometer.store.engine import asking
from monometer.store.owners import Owner


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerAccess:
    """`matched` are the names that the customer was asked for by. `refused` says why there is none.

    `held` are the active entitlements, of the features asked for where any were.
    """

    customer: Customer
    matched: Sequence[str]
    held: Sequence[Held] = ()
    refused: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPage:
    """`of` are by customers' ids. `unknown` names are of no live customer, on every page.

    `live_features` are those asked for that there are.
    """

    at: datetime
    of: Sequence[CustomerAccess]
    unknown: Sequence[str]
    live_features: Collection[str]
    more: bool


@dataclass(frozen=True, slots=True)
class Accesses:
    balances: Balances

    async def page(
        self,
        namespace: str,
        names: Collection[str],
        *,
        features_: Collection[str] | None,
        after: str | None,
        limit: int,
    ) -> AccessPage:
        """The customers whose ids, keys or subjects are among `names`, after an id.

        Two or three statements, and a few for each customer of the page.
        """
        at = self.balances.now()
        async with asking(self.balances.engine) as connection:
            owners = await customers.owners(connection, namespace, names)
            ids = sorted(id_ for id_ in set(owners.values()) if after is None or id_ > after)
            found = await customers.live_of_ids(connection, namespace, ids[:limit])
            live = await features.live_keys(connection, namespace, features_) if features_ else ()
            told = []
            for one in found:
                matched = [name for name in dict.fromkeys(names) if owners.get(name) == one.id]
                owner = Owner(customer_id=one.id, subject=None)
                try:
                    held = await self.balances.held_by(
                        connection, namespace, owner, at, features=features_
                    )
                except InvalidInput as error:  # one who has too much does not stop the others
                    refused = CustomerAccess(customer=one, matched=matched, refused=error.message)
                    told.append(refused)
                else:
                    told.append(CustomerAccess(customer=one, matched=matched, held=held))
        unknown = [name for name in dict.fromkeys(names) if name not in owners]
        return AccessPage(
            at=at, of=told, unknown=unknown, live_features=live, more=len(ids) > limit
        )
