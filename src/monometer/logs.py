"""Structured logs on standard error: one chain for our own records and for every library's."""

import logging
import sys
from contextvars import ContextVar

import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor, WrappedLogger

# Set while a request is served: a plain variable, since each request pays for it.
REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)

# These say at info level what our own request and start-up records say already.
QUIET_LOGGERS = ("alembic.runtime", "httpcore", "httpx")
# These bring handlers of their own; without them the records reach the root's.
UVICORN_LOGGERS = ("uvicorn", "uvicorn.error")


def configure(level: str, log_format: str) -> None:
    """Send every record of this process, structlog's and the standard library's, to stderr.

    `level` is `debug`, `info`, `warning` or `error`. `log_format` is `json`, one object a line;
    `text`, for people; or `auto`: text on a terminal, JSON elsewhere. Times are UTC in ISO 8601.
    While REQUEST_ID is set, every record carries it. Calling again replaces the set-up.
    """
    on_terminal = sys.stderr.isatty()
    as_json = log_format == "json" or (log_format == "auto" and not on_terminal)
    shared: tuple[Processor, ...] = (
        structlog.contextvars.merge_contextvars,
        _with_request_id,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,  # a later configure must reach loggers in use
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _without_color_message,
                *_renderers(as_json=as_json, colors=on_terminal),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in UVICORN_LOGGERS:
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    # uvicorn gathers a record for each request as soon as anybody might take it.
    logging.getLogger("uvicorn.access").propagate = False
    for name in QUIET_LOGGERS:
        quiet = logging.DEBUG if level == "debug" else logging.WARNING
        logging.getLogger(name).setLevel(quiet)
    logging.captureWarnings(capture=True)


def _renderers(*, as_json: bool, colors: bool) -> list[Processor]:
    # No local variables in tracebacks: they hold passwords and the users' data.
    if as_json:
        tracebacks = structlog.processors.ExceptionRenderer(
            ExceptionDictTransformer(show_locals=False)
        )
        return [tracebacks, structlog.processors.JSONRenderer()]
    plain = structlog.dev.plain_traceback
    return [structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain)]


def _without_color_message(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Uvicorn adds its message a second time, with codes for colours in it."""
    event.pop("color_message", None)
    return event


def _with_request_id(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    request_id = REQUEST_ID.get()
    if request_id is not None:
        event.setdefault("request_id", request_id)
    return event
