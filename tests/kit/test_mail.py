"""Mail: sent exactly when its cause was committed, tried again, and never a way to write headers."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from onhand.kit import mail
from onhand.kit.clock import now
from onhand.kit.database import Database
from onhand.kit.mail import InvalidMail, SmtpTarget, check_address, send_later, send_waiting
from onhand.kit.settings import Settings
from onhand.kit.tx import SYSTEM, Tx


@pytest.fixture
async def database(database_urls: tuple[str, str]) -> AsyncIterator[Database]:
    """The application role's database, without mails."""
    opened = Database.open(database_urls[1])
    async with opened.engine.begin() as conn:
        await conn.execute(sa.text("DELETE FROM mail_outbox"))
    yield opened
    await opened.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, mail_from="Ünhand <stock@example.com>")


class FakeSmtp:
    """An SMTP server of our own: answers RCPT as it is told, keeps what it gets."""

    def __init__(self) -> None:
        self.answer = b"250 ok\r\n"
        self.got: list[bytes] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"RCPT":
                writer.write(self.answer)
            elif verb == b"DATA":
                writer.write(b"354 go\r\n")
                self.got.append(await reader.readuntil(b"\r\n.\r\n"))
                writer.write(b"250 ok\r\n")
            elif verb == b"QUIT":
                writer.write(b"221 bye\r\n")
                break
            else:
                writer.write(b"250 ok\r\n")
        writer.close()


@pytest.fixture
async def smtp() -> AsyncIterator[FakeSmtp]:
    fake = FakeSmtp()
    server = await asyncio.start_server(fake.serve, "127.0.0.1", 0)
    fake.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield fake
    server.close()


async def send(database: Database, **values: str) -> None:
    async with database.writing() as tx:
        await send_later(tx, **{"to": "anna@example.com", "subject": "Hello", "text": "Grüße\n", **values})


async def row(database: Database) -> Any:
    async with database.reading() as conn:
        return (await conn.execute(sa.text("SELECT * FROM mail_outbox"))).one()


async def test_without_a_server_mails_are_files(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    await send(database, subject="Grüße aus dem Lager")
    assert await send_waiting(database, settings) == 1
    (path,) = (tmp_path / "mail").iterdir()
    read = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert (read["To"], read["From"], read["Subject"]) == (
        "anna@example.com",
        "Ünhand <stock@example.com>",
        "Grüße aus dem Lager",
    )
    assert read.get_content() == "Grüße\r\n"
    assert path.stat().st_mode & 0o077 == 0
    sent = await row(database)
    assert (sent.state, sent.body) == ("sent", "")
    assert await send_waiting(database, settings) == 0


async def test_a_rolled_back_cause_sends_nothing(database: Database, settings: Settings) -> None:
    async def cause() -> None:
        async with database.writing() as tx:
            await send_later(tx, to="a@example.com", subject="x", text="y")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await cause()
    assert await send_waiting(database, settings) == 0


async def test_smtp_delivers_and_a_temporary_no_is_tried_again(
    database: Database, settings: Settings, smtp: FakeSmtp
) -> None:
    settings = settings.model_copy(update={"smtp_url": SecretStr(smtp.url)})
    smtp.answer = b"451 later\r\n"
    await send(database)
    await send_waiting(database, settings)
    waiting = await row(database)
    assert (waiting.state, waiting.attempts) == ("waiting", 1)
    assert waiting.next_at > waiting.created_at
    assert await send_waiting(database, settings) == 0, "not before its time"
    smtp.answer = b"250 ok\r\n"
    async with database.engine.begin() as conn:
        await conn.execute(sa.text("UPDATE mail_outbox SET next_at = now()"))
    await send_waiting(database, settings)
    assert (await row(database)).state == "sent"
    assert b"To: anna@example.com" in smtp.got[0]
    assert f"Message-ID: <{waiting.id}@example.com>".encode() in smtp.got[0]


async def test_an_unknown_recipient_is_given_up(
    database: Database, settings: Settings, smtp: FakeSmtp
) -> None:
    smtp.answer = b"550 no such user\r\n"
    await send(database)
    await send_waiting(database, settings.model_copy(update={"smtp_url": SecretStr(smtp.url)}))
    ended = await row(database)
    assert (ended.state, ended.body) == ("given_up", "")
    assert "550" in ended.last_error


async def test_the_mailer_wakes_on_commit(database: Database, settings: Settings, tmp_path: Path) -> None:
    running = asyncio.create_task(mail.run_mailer(database, settings))
    await asyncio.sleep(0.2)
    await send(database)
    async with asyncio.timeout(5):
        while (await row(database)).state != "sent":  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


@pytest.mark.parametrize(
    "to",
    [
        "",
        "a",
        "a@",
        "@b.c",
        "a@b\r\nBcc: x@y.z",
        "a@b.c, d@e.f",
        "A <a@b.c>",
        "a b@c.d",
        "a@b..c",
        ".a@b.c",
        "a@b.c\0",
    ],
)
async def test_what_is_no_address_is_refused(to: str) -> None:
    tx = Tx(conn=None, now=now(), actor=SYSTEM)  # type: ignore[arg-type]
    with pytest.raises(InvalidMail):
        await send_later(tx, to=to, subject="x", text="y")


@pytest.mark.parametrize("subject", ["", "a\r\nBcc: x@y.z", "a\nb", "a\0", "a\u2028b", "x" * 201])
async def test_headers_cannot_be_injected(subject: str) -> None:
    tx = Tx(conn=None, now=now(), actor=SYSTEM)  # type: ignore[arg-type]
    with pytest.raises(InvalidMail):
        await send_later(tx, to="a@example.com", subject=subject, text="y")


def test_addresses_and_targets_are_read() -> None:
    assert check_address(" anna@bücher.example ") == "anna@xn--bcher-kva.example"
    assert SmtpTarget.parse("smtps://u%40x:p%2F@mail.example") == SmtpTarget(
        "mail.example", 465, True, "u@x", "p/"
    )
    with pytest.raises(ValueError):
        SmtpTarget.parse("http://x")
