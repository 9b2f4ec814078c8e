"""The verbs of access, as stories: first run, signing in, people, roles, keys, and the audit log."""

from onhand.access.actions.keys import delete_view, make_key, revoke_key, save_view
from onhand.access.actions.log import write_audit
from onhand.access.actions.people import (
    Assignment,
    add_role,
    add_user,
    change_organisation,
    change_role,
    change_user,
    remove_role,
)
from onhand.access.actions.profile import (
    change_password,
    change_profile,
    confirm_totp,
    end_session,
    start_totp,
    stop_totp,
)
from onhand.access.actions.sign_in import (
    OpenedSession,
    accept_invitation,
    accept_reset,
    count_try,
    finish_sign_in,
    forgive_tries,
    invite,
    open_session,
    send_reset,
    set_up,
    tries_keys,
)

__all__ = [
    "Assignment",
    "OpenedSession",
    "accept_invitation",
    "accept_reset",
    "add_role",
    "add_user",
    "change_organisation",
    "change_password",
    "change_profile",
    "change_role",
    "change_user",
    "confirm_totp",
    "count_try",
    "delete_view",
    "end_session",
    "finish_sign_in",
    "forgive_tries",
    "invite",
    "make_key",
    "open_session",
    "remove_role",
    "revoke_key",
    "save_view",
    "send_reset",
    "set_up",
    "start_totp",
    "stop_totp",
    "tries_keys",
    "write_audit",
]
