"""Portal tokens as signed texts: JSON Web Tokens, signed with HS256 and nothing else.

The one file that knows the library. What a token says is checked in core/portal.py.
"""

import base64
import re

from jose import jwk, jws
from jose.exceptions import JOSEError

from monometer.core.portal import TokenRefused, object_from_json

ALGORITHM = "HS256"
# Many a proxy cuts off a header line of more than 8 KiB, and the token stands in one.
TOKEN_CHARS_MAX = 8 * 1024 - len("Authorization: Bearer ")

_SHAPE = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{43})", re.ASCII)


class PortalJwt:
    """Signs and verifies with one secret. Raises ValueError for a key that is no secret, a PEM."""

    def __init__(self, secret: str) -> None:
        try:
            # A key that is made here is taken for what it is; the library would parse a text.
            self._key = jwk.construct(secret.encode(), ALGORITHM)
        except JOSEError:
            raise ValueError("it is a certificate or a public key, not a secret") from None

    def sign(self, claims: bytes) -> str:
        return jws.sign(claims, self._key, algorithm=ALGORITHM)

    def verify(self, text: str) -> bytes:
        """The claims of a token that was signed with the secret. Raises TokenRefused.

        Nothing in a token chooses its key or its algorithm, and every token has one spelling:
        the decoder below would skip characters that do not belong, and bits at the end.
        """
        if len(text) > TOKEN_CHARS_MAX:
            raise TokenRefused(f"invalid token: it is longer than {TOKEN_CHARS_MAX} characters")
        shape = _SHAPE.fullmatch(text)
        if shape is None or not all(map(_is_canonical, shape.groups())):
            raise TokenRefused("invalid token: it is malformed")
        header = object_from_json(_decoded(shape[1]), "header")
        if header.get("alg") != ALGORITHM:
            raise TokenRefused(f"invalid token: it is not signed with {ALGORITHM}")
        if "crit" in header:
            raise TokenRefused("invalid token: it demands an extension")
        try:
            return jws.verify(text, self._key, algorithms=[ALGORITHM])
        except JOSEError:
            raise TokenRefused("invalid token: its signature is invalid") from None


def _decoded(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def _is_canonical(segment: str) -> bool:
    if len(segment) % 4 == 1:
        return False
    return base64.urlsafe_b64encode(_decoded(segment)).rstrip(b"=") == segment.encode()
