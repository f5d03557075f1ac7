"""What a command says when it cannot go on."""


class CliError(Exception):
    """A failure the user can act on. Its text is one line; `main` prints it and exits with 1."""

    def __init__(self, message: str) -> None:
        super().__init__("; ".join(line.strip() for line in message.splitlines() if line.strip()))
