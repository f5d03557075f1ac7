"""The ten kinds of failure that the floors above may meet, without any word of HTTP.

A kind carries facts; each dialect decides which status and which body it becomes.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """One thing wrong with an input: `field` is a JSON pointer such as `/3/subject`, or a name.

    `code` tells the rule that it breaks, to clients that ask for it.
    """

    field: str
    message: str
    code: str = "invalid_field"


class DomainError(Exception):
    """A failure that the caller can understand and, mostly, mend."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidInput(DomainError):
    """What was sent breaks a rule; `fields` names the places when there are any to name."""

    def __init__(self, message: str, fields: Sequence[FieldError] = ()) -> None:
        super().__init__(message)
        self.fields = tuple(fields)


class Unauthenticated(DomainError):
    """Nobody is known to be asking."""


class Forbidden(DomainError):
    """Somebody known asks for what they may not have."""


class NotFound(DomainError):
    """The named thing does not exist, here and for this caller."""


class Conflict(DomainError):
    """The thing exists already, is in use, or has changed meanwhile.

    `conflicting_id` is the id of what is in the way, where somebody may want it.
    """

    def __init__(self, message: str, *, conflicting_id: str | None = None) -> None:
        super().__init__(message)
        self.conflicting_id = conflicting_id


class PreconditionFailed(DomainError):
    """The thing exists, but no longer in a state that allows this: it was deleted."""


class TooLarge(DomainError):
    """The input exceeds a limit of size; the message names the limit."""


class Overloaded(DomainError):
    """No room now; worth another try after `retry_after_s` seconds."""

    def __init__(self, message: str, *, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RateLimited(Overloaded):
    """This caller has used up its share; worth another try after `retry_after_s` seconds."""


class Unavailable(Overloaded):
    """The store is down or took too long. Whether it kept what was sent last, it could not say."""
