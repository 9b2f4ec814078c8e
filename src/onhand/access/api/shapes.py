"""Bodies and answers of access."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from onhand.kit.web import Body, Id, Instant, Out, Text

_EMAIL = re.compile(r"[^@\s<>\"(),:;\\]+@[^@\s<>\"(),:;\\.]+(\.[^@\s<>\"(),:;\\.]+)*")


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise ValueError("must look like name@example.com")
    return text.lower()


def _one_line(text: str) -> str:
    if any(ch in text for ch in "\n\r\t"):
        raise ValueError("must be one line")
    return text


def _zone(text: str) -> str:
    if text not in available_timezones():
        raise ValueError("must be a time zone name like Europe/Berlin")
    return text


def _amount(value: Any) -> Any:
    if isinstance(value, str):
        if not re.fullmatch(r"[0-9]{1,14}(\.[0-9]{1,6})?", value):
            raise ValueError('must be a decimal number in a string, like "50"')
        try:
            return Decimal(value)
        except InvalidOperation as error:  # pragma: no cover - the pattern allows only numbers
            raise ValueError("must be a decimal number in a string") from error
    return value


Email = Annotated[Text, StringConstraints(min_length=3, max_length=254), AfterValidator(_email)]
Name = Annotated[Text, StringConstraints(min_length=1, max_length=200), AfterValidator(_one_line)]
Locale = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$")]
TimeZone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_zone)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Amount = Annotated[Decimal, BeforeValidator(_amount)]
Secret = Annotated[str, StringConstraints(strip_whitespace=False, min_length=1, max_length=1000)]
"""A password as typed: never stripped or changed; its length is judged with a word of advice, later."""
Code = Annotated[str, StringConstraints(min_length=1, max_length=40)]
Token = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Permissions = Annotated[list[Annotated[str, StringConstraints(max_length=40)]], Field(max_length=100)]


class Fine(Out):
    """Done."""

    ok: Literal[True] = True


class OrganisationIn(Body):
    """The organisation at first run."""

    name: Name
    currency: Currency
    locale: Locale
    time_zone: TimeZone


class OrganisationPatch(Body):
    """What changes of the organisation."""

    name: Name | None = None
    currency: Currency | None = None
    locale: Locale | None = None
    time_zone: TimeZone | None = None
    setup_done: bool | None = None


class OrganisationOut(Out):
    """The organisation; one a database."""

    id: UUID
    name: str
    currency: str
    locale: str
    time_zone: str
    setup_done: bool
    version: int


class AdminIn(Body):
    """The first admin."""

    email: Email
    name: Name
    password: Secret


class SetupIn(Body):
    """The first run."""

    organisation: OrganisationIn
    admin: AdminIn


class SetupOut(Out):
    """Does this Onhand wait for its first run? Is it the demo?"""

    needed: bool
    demo: bool


class SignIn(Body):
    """Email and password; `totp` where a second factor is set up (six digits or a recovery code)."""

    email: Annotated[Text, StringConstraints(min_length=1, max_length=254)]
    password: Secret
    totp: Code | None = None


class Me(Out):
    """Who the caller is and what they may do; a permission's null means everywhere, else the sites."""

    id: UUID
    kind: Literal["user", "key", "system"]
    name: str
    email: str | None
    locale: str | None
    roles: list[str]
    permissions: dict[str, list[UUID] | None]
    limits: list[GrantLimits]
    totp_enabled: bool
    totp_required: bool
    organisation: OrganisationOut | None


class LimitsOut(Out):
    """How far somebody may correct stock alone; null = any."""

    adjust_units: str | None
    adjust_value: str | None


class GrantLimits(LimitsOut):
    """Limits, and the sites they hold for; null = everywhere."""

    sites: list[UUID] | None


class MePatch(Body):
    """What changes of oneself."""

    name: Name | None = None
    locale: Locale | None = None


class PasswordChange(Body):
    """The old password proves it is you."""

    old: Secret
    new: Secret


class TotpOut(Out):
    """Shown once."""

    secret: str
    otpauth_uri: str
    recovery_codes: list[str]


class CodeIn(Body):
    """A code of the authenticator app."""

    code: Code


class SessionOut(Out):
    """An open session."""

    id: UUID
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    ip: str
    user_agent: str
    current: bool


class AssignmentIn(Body):
    """A role at a place and below it; null = everywhere."""

    role: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    location_id: Id | None = None


class AssignmentOut(Out):
    """A role at a place and below it; null = everywhere."""

    role: str
    location_id: UUID | None


Assignments = Annotated[list[AssignmentIn], Field(max_length=500)]


class InvitationIn(Body):
    """Whom to invite, with which roles."""

    id: Id | None = None
    email: Email
    name: Name
    assignments: Assignments


class InvitationAccept(Body):
    """The mailed token, and the password chosen."""

    token: Token
    password: Secret
    name: Annotated[Text, StringConstraints(max_length=200), AfterValidator(_one_line)] | None = None


class ResetAsk(Body):
    """Whose password was forgotten."""

    email: Annotated[Text, StringConstraints(min_length=1, max_length=254)]


class ResetAccept(Body):
    """The mailed token, and the new password."""

    token: Token
    password: Secret


class UserIn(Body):
    """A new person; without a password they wait for an invitation."""

    id: Id | None = None
    email: Email
    name: Name
    locale: Locale | None = None
    password: Secret | None = None
    assignments: Annotated[Assignments, Field(default_factory=list)]


class UserPatch(Body):
    """What changes of a person. `totp_enabled: false` helps somebody who lost phone and recovery codes."""

    email: Email | None = None
    name: Name | None = None
    locale: Locale | None = None
    active: bool | None = None
    totp_enabled: Literal[False] | None = None
    assignments: Assignments | None = None


class UserOut(Out):
    """A person; `invited` = has no password yet."""

    id: UUID
    email: str
    name: str
    locale: str | None
    active: bool
    invited: bool
    totp_enabled: bool
    last_seen_at: datetime | None
    created_at: datetime
    assignments: list[AssignmentOut]
    version: int


class LimitsIn(Body):
    """How far somebody may correct stock alone; null = any."""

    adjust_units: Amount | None = None
    adjust_value: Amount | None = None


class RoleIn(Body):
    """A new role."""

    id: Id | None = None
    name: Annotated[Text, StringConstraints(min_length=1, max_length=100)]
    permissions: Permissions
    limits: LimitsIn = LimitsIn()


class RolePatch(Body):
    """What changes of a role."""

    name: Annotated[Text, StringConstraints(min_length=1, max_length=100)] | None = None
    permissions: Permissions | None = None
    limits: LimitsIn | None = None


class RoleOut(Out):
    """A role."""

    id: UUID
    name: str
    permissions: list[str]
    limits: LimitsOut
    builtin: bool
    version: int


class KeyIn(Body):
    """A new API key: what it may do, where (null = everywhere), until when (a year at most)."""

    id: Id | None = None
    name: Name
    scopes: Annotated[Permissions, Field(min_length=1)]
    location_ids: Annotated[list[Id], Field(min_length=1, max_length=500)] | None = None
    expires_at: Instant


class KeyOut(Out):
    """An API key."""

    id: UUID
    name: str
    scopes: list[str]
    location_ids: list[UUID] | None
    limits: LimitsOut
    prefix: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class KeyMade(KeyOut):
    """A key just made; the secret is shown this once."""

    secret: str


class ViewIn(Body):
    """A list's filters under a name."""

    id: Id | None = None
    page: Annotated[Text, StringConstraints(min_length=1, max_length=100)]
    name: Annotated[Text, StringConstraints(min_length=1, max_length=100)]
    query: Annotated[Text, StringConstraints(max_length=4000)]
    shared: bool = False


class ViewOut(Out):
    """A saved view."""

    id: UUID
    page: str
    name: str
    query: str
    shared: bool
    mine: bool


class ActorOut(Out):
    """Who did it."""

    id: UUID
    kind: str
    name: str


class AuditOut(Out):
    """One request that changed something: each field before and after."""

    id: UUID
    at: datetime
    actor: ActorOut
    action: str
    entity: str
    entity_id: str
    request: str
    request_id: str
    ip: str
    changes: dict[str, list[Any]]


class PermissionOut(Out):
    """A permission there is."""

    name: str
    title: str
    organisation_wide: bool


Me.model_rebuild()
