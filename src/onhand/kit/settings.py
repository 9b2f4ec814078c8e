"""Every setting Onhand reads, in one place. Each has a description; `docs/settings.md` is generated from it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read from the environment as `ONHAND_<NAME>`; a `.env` file in the working folder is read too."""

    model_config = SettingsConfigDict(env_prefix="ONHAND_", env_file=".env", extra="ignore", frozen=True)

    database_url: SecretStr | None = Field(
        default=None,
        description="PostgreSQL 15 or newer, as the owner role: `postgresql://owner@host/onhand`. "
        "Unset: an embedded server is started in the data directory.",
    )
    app_database_url: SecretStr | None = Field(
        default=None,
        description="The same external database as the least-privileged application role. Unset: the owner's URL "
        "is used, and start-up says that only triggers guard the ledger.",
    )
    replica_url: SecretStr | None = Field(
        default=None, description="A read-only replica for lists and reports."
    )
    data_dir: Path = Field(
        default=Path(".onhand"),
        description="Where the embedded server, files and mail of this installation live.",
    )
    host: str = Field(default="127.0.0.1", description="The address the HTTP server listens on.")
    port: int = Field(default=8420, ge=1, le=65535, description="The port the HTTP server listens on.")
    public_url: str | None = Field(
        default=None,
        description="The address people use, for links in mails and the cookie's security; e.g. https://stock.example.com.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="How much is logged."
    )
    log_format: Literal["auto", "json", "console"] = Field(
        default="auto", description="JSON lines, or coloured text; auto picks text on a terminal."
    )
    smtp_url: SecretStr | None = Field(
        default=None,
        description="`smtp://user:password@host:587` or `smtps://…`. Unset: mails are written as files under `<data_dir>/mail`.",
    )
    mail_from: str = Field(default="Onhand <onhand@localhost>", description="The sender of mails.")
    secret_key: SecretStr | None = Field(
        default=None,
        description="Encrypts second-factor secrets at rest. Unset: a key is made once in `<data_dir>/secret.key`.",
    )
    weak_passwords_file: Path | None = Field(
        default=None,
        description="A text file of passwords to refuse, one a line, added to the list Onhand brings.",
    )
    cookie_insecure: bool = Field(
        default=False,
        description="Lets browsers keep the session cookie over plain http on hosts other than localhost. For trials only.",
    )
    require_admin_totp: bool = Field(
        default=True,
        description="Admins must set up a second factor before they can do anything else. The demo turns it off.",
    )
    demo: bool = Field(default=False, description="Marks this installation as the erasable demo.")
    lane_batch: int = Field(
        default=512, ge=1, le=5000, description="Most postings the lane takes into one transaction."
    )
    lane_queue: int = Field(
        default=8192,
        ge=1,
        description="Postings that may wait for the lane before new ones are answered 503.",
    )
    pool_size: int = Field(
        default=8, ge=1, le=100, description="Database connections for reads and ordinary writes."
    )
    jobs_concurrency: int = Field(
        default=2, ge=0, le=32, description="Background jobs run at once; 0 runs none here."
    )
    self_check_seconds: int = Field(
        default=30,
        ge=0,
        le=3600,
        description="How often some levels are computed again from the ledger and compared; 0 never does it here.",
    )
    backup_dir: Path | None = Field(
        default=None,
        description="Where backups of the embedded server and its write-ahead log are kept: best another disk. "
        "Unset: `<data_dir>/backups`.",
    )
    backup_keep_days: int = Field(
        default=7,
        ge=0,
        le=3650,
        description="How many days back the embedded server can be restored to. 0 makes no backups by itself.",
    )
    metrics_token: SecretStr | None = Field(
        default=None,
        description="If set, `/metrics` wants it as a bearer token. Unset: only this machine may read it.",
    )

    @property
    def data(self) -> Path:
        """The data directory as an absolute path."""
        return self.data_dir.expanduser().resolve()

    @property
    def backups(self) -> Path:
        """Where backups are kept, as an absolute path."""
        return (self.backup_dir or self.data_dir / "backups").expanduser().resolve()

    @property
    def archiving(self) -> bool:
        """Whether the embedded server's log is archived and it is backed up every night. The erasable demo is not."""
        return self.database_url is None and self.backup_keep_days > 0 and not self.demo
