"""What access refuses, and how it says so."""

from __future__ import annotations

from onhand.kit.problem import Conflict, Forbidden, NotFound, Problem, TooMany, Unauthenticated


class InvalidCredentials(Unauthenticated):
    """Email and password do not belong together. Check both, or ask for a new password."""


class TotpRequired(Unauthenticated):
    """Please add the six digits your authenticator app shows, or one of your recovery codes."""


class TotpInvalid(Unauthenticated):
    """That code does not fit, or was used before. Wait for the next one and try again."""


class TotpSetupRequired(Forbidden):
    """Your role needs a second factor. Set one up under your profile; everything else opens right after."""


class TotpAlreadyOn(Conflict):
    """Your second factor is already set up. Switch it off first (that takes a code), then set up the new one."""


class TotpNotStarted(Conflict):
    """There is no second factor waiting to be confirmed. Start with `POST /v1/me/totp`."""


class SecondFactorUnreadable(Problem):
    """Your second factor cannot be checked, because this server's secret key is another one than when you set it up.
    Use a recovery code, or ask an admin to switch your second factor off."""

    status = 503


class SignInThrottled(TooMany):
    """Too many tries did not fit. Wait the seconds named in Retry-After; nothing is locked."""


class CrossSiteRefused(Forbidden):
    """This request came from a page of another site, so it was not carried out. Open Onhand itself and repeat it."""


class SessionNeeded(Forbidden):
    """This concerns a person who signed in; an API key has no profile, password or sessions."""


class LocationNotAllowed(Forbidden):
    """You hold this permission, but not for this place. Ask an admin to add the place to your role."""


class PlaceMissing(Problem):
    """Your role is bound to certain places, so the request has to name one."""


class UnknownLocation(Problem):
    """There is no such place, or you may not see it."""


class WeakPassword(Problem):
    """This password would be guessed soon. A few unrelated words in a row are strong and easy to remember."""


class GrantExceeded(Forbidden):
    """Nobody can hand out more than they hold themselves; `missing` names what you lack."""


class OwnRoleFixed(Forbidden):
    """You cannot change your own rights. Ask another admin to do it."""


class LastAdmin(Conflict):
    """Somebody has to keep the keys: this is the last active admin. Make another admin first."""


class BuiltinRole(Conflict):
    """Built-in roles stay as they are. Make a role of your own with the permissions you need."""


class RoleInUse(Conflict):
    """People still have this role. Give them another one first."""


class RoleNameTaken(Conflict):
    """There is already a role of that name."""


class EmailTaken(Conflict):
    """There is already a user with that email address."""


class UnknownRole(Problem):
    """There is no role of that name."""


class UnknownPermission(Problem):
    """There is no such permission; `known` lists those there are."""


class KeyLifetime(Problem):
    """An API key lives for a year at most, and its end lies in the future."""


class LinkSpent(Problem):
    """This link was used before, or is too old. Ask for a new one."""

    status = 410


class CurrencyFixed(Conflict):
    """Stock is valued in this currency already; it stays. Another currency is another Onhand."""


class PlainHttpRefused(Forbidden):
    """This address is not encrypted, so the browser would not keep you signed in. Use https, or localhost on this machine;
    `ONHAND_PUBLIC_URL=http://…` allows it for a network you trust."""


class AlreadySetUp(Conflict):
    """This Onhand already has its first user. Please sign in."""


class NotSetUp(NotFound):
    """Onhand has not been set up yet. Open it in a browser, or `POST /v1/setup`."""
