"""Refusals: typed, coded, documented, and rendered as RFC 9457 `application/problem+json`.

A refusal's docstring is its public text. Every subclass is registered, and `docs/errors.md` is generated from the register.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar


class Problem(Exception):
    """The request was refused."""

    status: ClassVar[int] = 422
    code: ClassVar[str] = "problem"
    retryable: ClassVar[bool] = False
    registry: ClassVar[dict[str, type[Problem]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "code" not in cls.__dict__:
            cls.code = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
        known = Problem.registry.get(cls.code)
        if known is not None and known.__qualname__ != cls.__qualname__:
            raise TypeError(f"problem code {cls.code!r} is taken by {known.__qualname__}")
        Problem.registry[cls.code] = cls

    def __init__(
        self,
        detail: str | None = None,
        *,
        param: str | None = None,
        details: list[dict[str, Any]] | None = None,
        retry_after: int | None = None,
        **data: Any,
    ) -> None:
        super().__init__(detail or self.text())
        self.detail = detail or self.text()
        self.param = param
        self.details = details or []
        self.retry_after = retry_after
        self.data = data

    @classmethod
    def text(cls) -> str:
        """The public text: the docstring's first paragraph on one line."""
        return " ".join((cls.__doc__ or cls.__name__).strip().split("\n\n")[0].split())

    def body(self, request_id: str | None = None) -> dict[str, Any]:
        """The RFC 9457 document, with our members `code`, `param`, `request_id`, `retryable`, `details`."""
        out: dict[str, Any] = {
            "type": f"/docs/errors#{self.code}",
            "title": self.text(),
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "retryable": self.retryable,
        }
        if self.param:
            out["param"] = self.param
        if self.details:
            out["details"] = self.details
        if request_id:
            out["request_id"] = request_id
        out.update(self.data)
        return out


class InvalidBody(Problem):
    """Something in the request is missing or not understood; `details` names each field and its remedy."""

    status = 422


class NotFound(Problem):
    """There is nothing here by that name, or you may not see it."""

    status = 404


class Unauthenticated(Problem):
    """Please sign in, or send a valid API key."""

    status = 401


class Forbidden(Problem):
    """Your role does not allow this here. Ask an admin for the permission named in `needs`."""

    status = 403


class MethodNotAllowed(Problem):
    """This address exists, but not with this method."""

    status = 405


class IdReused(Problem):
    """This id or idempotency key was already used with other content. Send a new id, or the original content."""

    status = 422


class InFlight(Problem):
    """The first request with this id is still being worked on. Ask again in a moment."""

    status = 409
    retryable = True


class Conflict(Problem):
    """The present state does not allow this step."""

    status = 409


class Stale(Problem):
    """Somebody changed this meanwhile. Load it again and repeat your change on the present version."""

    status = 412


class TooMany(Problem):
    """Too many requests. Wait the seconds named in Retry-After."""

    status = 429
    retryable = True


class LimitExceeded(Problem):
    """The request is larger than allowed; `limit` names the bound."""

    status = 413


class UnsupportedMedia(Problem):
    """Send the body as `application/json` (or the media type the documentation names)."""

    status = 415


class Unavailable(Problem):
    """The server cannot take this right now. Nothing was changed; retry with the same id after Retry-After seconds."""

    status = 503
    retryable = True


class InternalError(Problem):
    """Something broke on our side. Nothing you sent was half done; the request id helps us find the cause."""

    status = 500
    retryable = True


def class_for(code: str) -> type[Problem]:
    """The refusal registered under a code."""
    return Problem.registry[code]
