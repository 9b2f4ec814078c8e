"""Secrets people and programs prove themselves with: API keys, tokens, second factors; and the patience with wrong ones. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp

from onhand.access.model.refusals import KeyLifetime

KEY_PREFIX = "onh_live_"
KEY_LIFETIME = timedelta(days=366)
SESSION_IDLE = timedelta(minutes=30)
SESSION_ABSOLUTE = timedelta(hours=12)
INVITATION_LIFETIME = timedelta(days=7)
RESET_LIFETIME = timedelta(hours=1)
TOTP_STEP = 30
RECOVERY_CODES = 10

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID_CHARS, _SECRET_CHARS, _CRC_CHARS = 12, 27, 6
_KEY = re.compile(r"onh_live_([0-9A-Za-z]{12})_([0-9A-Za-z]{27})([0-9A-Za-z]{6})")


def base62(value: int, width: int) -> str:
    """A number in base 62 (digits, capitals, small letters), left-filled with zeros."""
    digits = []
    while value:
        value, rest = divmod(value, 62)
        digits.append(_BASE62[rest])
    return "".join(reversed(digits)).rjust(width, "0")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key in the clear: shown once when made, and again only in each request's header."""

    public_id: str
    secret: str

    @property
    def text(self) -> str:
        """`onh_live_<id>_<secret><crc32>`; the checksum lets scanners tell our keys from noise without asking us."""
        head = f"{KEY_PREFIX}{self.public_id}_{self.secret}"
        return head + _crc(head)

    @property
    def digest(self) -> bytes:
        """What is stored: SHA-256 of the secret. 160 random bits need no slow hash."""
        return sha256(self.secret)

    @property
    def prefix(self) -> str:
        """The part one may show and log."""
        return f"{KEY_PREFIX}{self.public_id}"


def _crc(head: str) -> str:
    return base62(zlib.crc32(head.encode()), _CRC_CHARS)


def new_key() -> ApiKey:
    """A fresh random key: 160 bits of secret."""
    return ApiKey(
        public_id="".join(secrets.choice(_BASE62) for _ in range(_ID_CHARS)),
        secret=base62(secrets.randbits(160), _SECRET_CHARS),
    )


def parse_key(text: str) -> ApiKey | None:
    """The key, or None when shape or checksum are wrong (no database needed to refuse a typo)."""
    match = _KEY.fullmatch(text)
    if match is None:
        return None
    key = ApiKey(public_id=match[1], secret=match[2])
    return key if hmac.compare_digest(_crc(text[:-_CRC_CHARS]), match[3]) else None


def check_key_lifetime(*, now: datetime, expires_at: datetime) -> None:
    """Raises KeyLifetime unless the end lies between now and a year ahead."""
    if not now < expires_at <= now + KEY_LIFETIME:
        raise KeyLifetime(param="expires_at")


def new_token() -> str:
    """256 random bits for a session cookie or a mailed link."""
    return secrets.token_urlsafe(32)


def sha256(text: str) -> bytes:
    """The stored form of a secret that is long and random."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


# --- second factor ---------------------------------------------------------------------------------------------


def new_totp_secret() -> str:
    """160 random bits in base32."""
    return pyotp.random_base32(32)


def totp_uri(secret: str, *, email: str, issuer: str) -> str:
    """The `otpauth://` address authenticator apps scan."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=issuer)


def totp_step(secret: str, code: str, *, now: datetime, last_step: int | None) -> int | None:
    """The 30-second step a code belongs to (RFC 6238; one step early or late is forgiven), or None.

    A step is good once: only steps after `last_step` count, so a code seen over a shoulder is spent.
    """
    digits = code.replace(" ", "")
    if not re.fullmatch(r"[0-9]{6}", digits):
        return None
    present = int(now.timestamp()) // TOTP_STEP
    totp = pyotp.TOTP(secret)
    found = None
    for step in (present - 1, present, present + 1):
        fits = hmac.compare_digest(totp.generate_otp(step), digits)
        if fits and (last_step is None or step > last_step):
            found = step
    return found


def new_recovery_codes() -> list[str]:
    """Ten codes of 80 random bits, `abcd-efgh-ijkl-mnop`, each good once."""
    return [
        _grouped(base64.b32encode(secrets.token_bytes(10)).decode().lower()) for _ in range(RECOVERY_CODES)
    ]


def _grouped(text: str) -> str:
    return "-".join(text[i : i + 4] for i in range(0, len(text), 4))


def recovery_digest(code: str) -> bytes | None:
    """The stored form of a typed recovery code, or None when it cannot be one."""
    plain = re.sub(r"[\s-]", "", code).lower()
    return sha256(plain) if re.fullmatch(r"[a-z2-7]{16}", plain) else None


# --- patience --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Patience:
    """How wrong tries slow down the next: `free` ones at once, then a delay that doubles from a second up to `longest`.

    Nothing is ever locked, so nobody can lock a colleague out for good; after `forget` without a wrong try all is forgiven.
    """

    free: int
    longest: timedelta
    forget: timedelta = timedelta(hours=24)


PER_PERSON_AND_PLACE = Patience(free=5, longest=timedelta(minutes=15))
PER_PERSON = Patience(free=20, longest=timedelta(minutes=1))
PER_PLACE = Patience(free=50, longest=timedelta(minutes=5), forget=timedelta(hours=1))


@dataclass(frozen=True, slots=True)
class Tries:
    """What is remembered of wrong tries: how many, when the last was, and until when to wait."""

    failures: int
    last_at: datetime
    wait_until: datetime


def wait_seconds(tries: Tries | None, *, now: datetime) -> int:
    """Whole seconds to wait before the next try is looked at; 0 = go ahead."""
    if tries is None or tries.wait_until <= now:
        return 0
    return int((tries.wait_until - now).total_seconds()) + 1


def one_more_try(tries: Tries | None, *, now: datetime, patience: Patience) -> Tries:
    """Counts a try before it is judged (so that many at once cannot slip past); a right one wipes the slate later."""
    kept = tries.failures if tries is not None and now - tries.last_at < patience.forget else 0
    failures = kept + 1
    excess = failures - patience.free
    delay = timedelta(0)
    if excess >= 0:
        delay = min(timedelta(seconds=2 ** min(excess, 20)), patience.longest)
    return Tries(failures=failures, last_at=now, wait_until=now + delay)
