"""The secret of portal tokens, made once for a data directory."""

import os
import secrets
from pathlib import Path

from monometer.config import ConfigError

NAME = "portal.secret"
_SECRET_BYTES = 32


def kept_portal_secret(data_dir: Path) -> str:
    """The same text for everybody who uses the directory: made by whoever comes first.

    Its file is only its owner's to read. It is whole or absent, since it gets its name last.
    Raises ConfigError, which does not hold the secret.
    """
    file = data_dir / NAME
    draft = data_dir / f"{NAME}.{os.getpid()}"
    try:
        if not file.exists():
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as draft_file:
                draft_file.write(secrets.token_urlsafe(_SECRET_BYTES))
                draft_file.flush()
                os.fsync(descriptor)
            try:
                os.link(draft, file)
            except FileExistsError:
                pass  # somebody was faster: theirs is the one
            finally:
                draft.unlink()
        secret = file.read_text()
    except OSError as error:
        raise ConfigError(f"portal secret: {file}: {error.strerror}") from error
    if len(secret) < _SECRET_BYTES:
        raise ConfigError(f"portal secret: {file} is damaged: remove it to have it made anew")
    return secret
