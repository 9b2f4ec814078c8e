"""What operators see: structured logs, metrics, and whether this process is alive and ready."""

from __future__ import annotations

import hmac
import ipaddress
import logging
import re
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
import structlog
from alembic.script import ScriptDirectory
from fastapi import Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from onhand.kit import migrate
from onhand.kit.settings import Settings

# ── logs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_SECRET = re.compile(r"(?i)password|secret|token|authorization|cookie|api_key|totp|recovery")
_LINES = frozenset({"exception", "stack"})


def escape(text: str) -> str:
    """Control and direction characters as `\\xNN`, so that nobody writes log lines for us (ASVS 5.0, 16.4.1)."""
    return _CONTROL.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


def _escape_all(_logger: Any, _method: str, event: Any) -> Any:
    return {
        key: escape(value) if isinstance(value, str) and key not in _LINES else value
        for key, value in event.items()
    }


def _hide_secrets(_logger: Any, _method: str, event: Any) -> Any:
    return {key: "…" if _SECRET.search(key) and value else value for key, value in event.items()}


def setup_logging(settings: Settings, *, stream: Any = None) -> None:
    """Send our logs and those of libraries to stderr (or `stream`): JSON lines, or coloured text on a terminal."""
    out = stream or sys.stderr
    console = settings.log_format == "console" or (settings.log_format == "auto" and out.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        _hide_secrets,
    ]
    last: list[Any] = (
        [_escape_all, structlog.dev.ConsoleRenderer(colors=out.isatty())]
        if console
        else [
            structlog.processors.format_exc_info,
            structlog.processors.EventRenamer("message"),
            structlog.processors.JSONRenderer(),
        ]
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    for name in ("uvicorn.access", "procrastinate", "alembic", "sqlalchemy", "asyncio", "PIL"):
        logging.getLogger(name).setLevel(logging.WARNING)


def log(name: str) -> structlog.stdlib.BoundLogger:
    """A logger: `log(__name__).info("job done", job=str(job_id))`. Words in the message, values as keys."""
    found: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return found


def bind_request(*, request_id: str, **values: str) -> None:
    """Begin a request: every log line written while it lasts carries its id."""
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id, **values)


# ── metrics ──────────────────────────────────────────────────────────────────────────────────────────────────────────

registry = CollectorRegistry()
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

HTTP_REQUESTS = Counter(
    "onhand_http_requests", "Requests answered.", ["method", "route", "status"], registry=registry
)
HTTP_SECONDS = Histogram(
    "onhand_http_request_seconds", "Time to answer.", ["method", "route"], buckets=SECONDS, registry=registry
)
STREAMS = Gauge("onhand_streams", "Open event streams.", registry=registry)
LANE_WAITING = Gauge("onhand_lane_waiting", "Postings waiting for the lane.", registry=registry)
LANE_POSTINGS = Counter("onhand_lane_postings", "Postings the lane committed.", registry=registry)
LANE_REFUSED = Counter(
    "onhand_lane_refused", "Postings the lane refused, by code.", ["code"], registry=registry
)
LANE_BATCH = Histogram(
    "onhand_lane_batch",
    "Postings in one batch.",
    buckets=(1, 4, 16, 64, 128, 256, 512, 1024),
    registry=registry,
)
LANE_SECONDS = Histogram(
    "onhand_lane_batch_seconds", "Time of one batch.", buckets=SECONDS, registry=registry
)
EVENTS_HEAD = Gauge("onhand_events_head", "Number of the newest event.", registry=registry)
JOBS_ENDED = Counter("onhand_jobs_ended", "Job attempts ended.", ["kind", "state"], registry=registry)
JOB_SECONDS = Histogram(
    "onhand_job_seconds",
    "Time of one attempt.",
    ["kind"],
    buckets=(0.1, 1, 10, 60, 600, 3600),
    registry=registry,
)
JOBS_RUNNING = Gauge("onhand_jobs_running", "Jobs running in this process.", registry=registry)
DRIFT = Gauge(
    "onhand_drift", "Levels known to differ from their ledger; anything but 0 is an alarm.", registry=registry
)
SELF_CHECK_CELLS = Counter(
    "onhand_self_check_cells", "Levels compared with their ledger by the self check.", registry=registry
)
SELF_CHECK_AT = Gauge(
    "onhand_self_check_timestamp_seconds", "When the self check last ran in this process.", registry=registry
)
DEFAULT_ROWS = Gauge(
    "onhand_default_partition_rows",
    "Rows in partitions that should stay empty: a month's own was missing.",
    registry=registry,
)
BACKUP_AT = Gauge("onhand_backup_timestamp_seconds", "When the newest backup was whole.", registry=registry)
ARCHIVE_WAITING = Gauge(
    "onhand_archive_waiting", "Segments of the log that wait to be archived.", registry=registry
)
MAILS = Counter("onhand_mails", "Mails sent, to be retried, or given up.", ["outcome"], registry=registry)


def observe_request(*, method: str, route: str, status: int, seconds: float) -> None:
    """Count one request. `route` is the path template (`/v1/variants/{id}`), never the path: paths have no bound."""
    method = method if method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS") else "other"
    HTTP_REQUESTS.labels(method, route, str(status)).inc()
    HTTP_SECONDS.labels(method, route).observe(seconds)


# ── /healthz /readyz /metrics ────────────────────────────────────────────────────────────────────────────────────────

Check = Callable[[Request], Awaitable[str | None]]


async def healthz(request: Request) -> Response:
    """This process answers. It says nothing about the database: restarting us would not mend that."""
    return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})


async def readyz(request: Request) -> Response:
    """200 when requests can be served: the database answers and its schema is this version's; else 503 with the reasons.

    `app.state.ready_checks` may hold more: name → async function(request) returning a reason, or None.
    """
    checks: dict[str, Check] = {"database": _database_answers, "migrations": _schema_is_ours}
    checks.update(getattr(request.app.state, "ready_checks", {}))
    if getattr(request.app.state, "stopping", False):
        return JSONResponse({"status": "stopping", "checks": {}}, 503, headers={"Cache-Control": "no-store"})
    said: dict[str, str] = {}
    for name, check in checks.items():
        try:
            reason = await check(request)
        except Exception as error:
            log(__name__).warning("readiness check broke", check=name, error=repr(error))
            reason = "no answer"
        said[name] = reason or "ok"
    ready = all(reason == "ok" for reason in said.values())
    body = {"status": "ready" if ready else "not ready", "checks": said}
    return JSONResponse(body, 200 if ready else 503, headers={"Cache-Control": "no-store"})


async def _database_answers(request: Request) -> str | None:
    started = time.monotonic()
    async with request.app.state.database.engine.connect() as conn:
        await conn.execute(sa.text("SELECT 1"))
    return None if time.monotonic() - started < 2 else "slow"


@lru_cache(maxsize=1)
def expected_heads() -> frozenset[str]:
    """The schema revisions this version of the code wants."""
    return frozenset(ScriptDirectory.from_config(migrate.config()).get_heads())


async def _schema_is_ours(request: Request) -> str | None:
    async with request.app.state.database.engine.connect() as conn:
        if (await conn.execute(sa.text("SELECT to_regclass('public.alembic_version')"))).scalar() is None:
            return "the schema was not made by a migration" if expected_heads() else None
        found = frozenset(
            (await conn.execute(sa.text("SELECT version_num FROM public.alembic_version"))).scalars()
        )
    return None if found == expected_heads() else "the schema is of another version"


async def metrics(request: Request) -> Response:
    """Prometheus text. With ONHAND_METRICS_TOKEN only for who bears it; without, only for this very machine, and never
    through a proxy (whose requests come from this machine, too)."""
    settings: Settings = request.app.state.settings
    if not _may_read_metrics(settings, request.headers, request.client.host if request.client else ""):
        return Response(status_code=404)
    return Response(
        generate_latest(registry), media_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"}
    )


def _may_read_metrics(settings: Settings, headers: Mapping[str, str], host: str) -> bool:
    if settings.metrics_token is not None:
        sent = headers.get("authorization", "").encode()
        return hmac.compare_digest(sent, f"Bearer {settings.metrics_token.get_secret_value()}".encode())
    if "x-forwarded-for" in headers or "forwarded" in headers or "x-real-ip" in headers:
        return False
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
