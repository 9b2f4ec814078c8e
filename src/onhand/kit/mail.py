"""Mail: written with your commit, sent soon after, tried again while the server of the other side is away.

    await send_later(tx, to="anna@example.com", subject="Your invitation", text="…")

A mail may arrive twice when the server dies between sending and noting it; both copies have the same Message-ID. Without
ONHAND_SMTP_URL mails are written as `.eml` files under `<data>/mail`, where the demo and tests read them.
"""

from __future__ import annotations

import asyncio
import re
import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

import sqlalchemy as sa

from onhand.kit.clock import now
from onhand.kit.database import Database
from onhand.kit.ids import uuid7
from onhand.kit.jobs import JobContext, periodic
from onhand.kit.problem import Problem
from onhand.kit.settings import Settings
from onhand.kit.telemetry import MAILS, log
from onhand.kit.tx import Tx

MAX_ATTEMPTS = 12
POLL_SECONDS = 15.0
TIMEOUT_SECONDS = 20.0
KEEP_DAYS = 30

_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?", re.ASCII
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_waiting: set[asyncio.Event] = set()


class InvalidMail(Problem):
    """This mail cannot be sent: the address is not one, or the subject has line breaks or control characters."""

    status = 422


def check_address(address: str, param: str = "to") -> str:
    """One plain mail address with its domain in ASCII (IDNA). Raises InvalidMail."""
    local, _, domain = address.strip().rpartition("@")
    with suppress(UnicodeError):
        domain = domain.encode("idna").decode() if domain else ""
    plain = f"{local}@{domain}"
    if (
        not _ADDRESS.fullmatch(plain)
        or ".." in plain
        or len(plain) > 254
        or local.startswith(".")
        or local.endswith(".")
    ):
        raise InvalidMail("This is not a mail address.", param=param)
    return plain


async def send_later(tx: Tx, *, to: str, subject: str, text: str) -> UUID:
    """Send a plain text mail once this transaction has committed; returns its id. Raises InvalidMail."""
    recipient = check_address(to)
    if _CONTROL.search(subject) or not 1 <= len(subject) <= 200:
        raise InvalidMail("A subject has 1 to 200 characters on one line.", param="subject")
    mail_id = uuid7()
    await tx.conn.execute(
        sa.text("INSERT INTO mail_outbox (id, recipient, subject, body) VALUES (:id, :to, :subject, :body)"),
        {"id": mail_id, "to": recipient, "subject": subject, "body": text.replace("\0", "")},
    )
    tx.after_commit.append(_wake)
    return mail_id


def _wake() -> None:
    for event in _waiting:
        event.set()


async def run_mailer(database: Database, settings: Settings) -> None:
    """Send mails until cancelled. Runs beside the job worker; several servers share the work."""
    event = asyncio.Event()
    _waiting.add(event)
    try:
        while True:
            event.clear()
            try:
                while await send_waiting(database, settings):
                    pass
            except Exception as error:
                log(__name__).error("the mailer failed; it goes on in a moment", error=repr(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await event.wait()
    finally:
        _waiting.discard(event)


_CLAIM = sa.text(
    """UPDATE mail_outbox SET attempts = attempts + 1,
         next_at = clock_timestamp() + least(power(2, attempts), 240) * interval '1 minute'
       WHERE id IN (SELECT id FROM mail_outbox WHERE state = 'waiting' AND next_at <= clock_timestamp()
                    ORDER BY next_at LIMIT 20 FOR UPDATE SKIP LOCKED)
       RETURNING id, recipient, subject, body, attempts"""
)
_SENT = sa.text(
    "UPDATE mail_outbox SET state = 'sent', body = '', last_error = NULL, ended_at = clock_timestamp() WHERE id = :id"
)
_FAILED = sa.text(
    """UPDATE mail_outbox SET last_error = :error, state = CASE WHEN :final THEN 'given_up' ELSE 'waiting' END,
         body = CASE WHEN :final THEN '' ELSE body END, ended_at = CASE WHEN :final THEN clock_timestamp() END
       WHERE id = :id"""
)


async def send_waiting(database: Database, settings: Settings) -> int:
    """Send what is due now, at most 20 mails; returns how many were tried. No transaction is open while a mail travels."""
    async with database.engine.begin() as conn:
        due = (await conn.execute(_CLAIM)).all()
    for row in due:
        outcome, error = await _try(row, settings)
        MAILS.labels(outcome).inc()
        async with database.engine.begin() as conn:
            if outcome == "sent":
                await conn.execute(_SENT, {"id": row.id})
            else:
                await conn.execute(_FAILED, {"id": row.id, "error": error, "final": outcome == "given_up"})
    return len(due)


async def _try(row: Any, settings: Settings) -> tuple[str, str]:
    try:
        await asyncio.to_thread(deliver, message(row, settings), settings, f"{now():%Y%m%dT%H%M%S}-{row.id}")
    except Exception as error:
        refused = isinstance(error, smtplib.SMTPRecipientsRefused) and all(
            code >= 500 for code, _ in error.recipients.values()
        )
        final = refused or row.attempts >= MAX_ATTEMPTS
        log(__name__).warning(
            "a mail was not sent", mail=str(row.id), attempt=row.attempts, final=final, error=repr(error)
        )
        return ("given_up" if final else "retry"), f"{type(error).__name__}: {error}"[:500]
    return "sent", ""


def message(row: Any, settings: Settings) -> EmailMessage:
    """The RFC 5322 message of a row. `EmailMessage` refuses line breaks in headers by itself."""
    name, address = parseaddr(settings.mail_from)
    local, _, domain = address.rpartition("@")
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(name, local, domain)
    mail["To"] = row.recipient
    mail["Subject"] = row.subject
    mail["Date"] = format_datetime(now())
    mail["Message-ID"] = f"<{row.id}@{domain or 'onhand'}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(row.body)
    return mail


@dataclass(frozen=True, slots=True)
class SmtpTarget:
    """Where mails go: parsed from ONHAND_SMTP_URL."""

    host: str
    port: int
    tls: bool
    user: str | None
    password: str | None

    @classmethod
    def parse(cls, url: str) -> SmtpTarget:
        """`smtp://user:password@host:587` (STARTTLS) or `smtps://…` (TLS from the start)."""
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("ONHAND_SMTP_URL must look like smtp://user:password@host:587 or smtps://…")
        return cls(
            host=parts.hostname,
            port=parts.port or (465 if parts.scheme == "smtps" else 587),
            tls=parts.scheme == "smtps",
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )

    @property
    def local(self) -> bool:
        """A server on this machine may be spoken to without TLS."""
        return self.host in ("localhost", "127.0.0.1", "::1")


def deliver(mail: EmailMessage, settings: Settings, name: str) -> None:
    """Send by SMTP, or write `<data>/mail/<name>.eml`. Blocking. Raises OSError or smtplib.SMTPException."""
    if settings.smtp_url is None:
        _write(settings.data / "mail", name, bytes(mail))
        return
    target = SmtpTarget.parse(settings.smtp_url.get_secret_value())
    context = ssl.create_default_context()
    if target.tls:
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            target.host, target.port, timeout=TIMEOUT_SECONDS, context=context
        )
    else:
        server = smtplib.SMTP(target.host, target.port, timeout=TIMEOUT_SECONDS)
    with server:
        if not target.tls and (not target.local or _offers_tls(server)):
            server.starttls(context=context)  # raises when the server does not offer it: never in the clear
        if target.user is not None:
            server.login(target.user, target.password or "")
        server.send_message(mail)


def _offers_tls(server: smtplib.SMTP) -> bool:
    server.ehlo_or_helo_if_needed()
    return bool(server.has_extn("starttls"))


def _write(folder: Path, name: str, data: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    half = folder / f".{name}.part"
    half.touch(mode=0o600)
    half.write_bytes(data)
    half.rename(folder / f"{name}.eml")


@periodic("17 3 * * *", kind="mail_cleanup")
async def clean_up(ctx: JobContext) -> None:
    """Forget mails that ended more than KEEP_DAYS ago: addresses are personal data."""
    async with ctx.database.engine.begin() as conn:
        await conn.execute(
            sa.text("DELETE FROM mail_outbox WHERE ended_at < now() - make_interval(days => :days)"),
            {"days": KEEP_DAYS},
        )
