"""Access: users, roles and permissions over places, API keys, sessions, and the audit log. This is its face.

A route says `dependencies=[needs("stock:adjust", at="location_id")]`; a handler takes `caller: CallerDep` and asks
`caller.may`, `caller.require`, `caller.sites`, `caller.limits`. Lists filter by `visible(column, caller.sites(…))`.
"""

from onhand.access.actions import (
    Assignment,
    add_role,
    add_user,
    change_organisation,
    make_key,
    set_up,
    write_audit,
)
from onhand.access.actions.log import name_action
from onhand.access.api import router
from onhand.access.gate import (
    Access,
    Gate,
    check_media_type,
    check_same_site,
    rights_changed,
    set_code_resolver,
    set_place_resolver,
    set_scope_resolver,
)
from onhand.access.model import (
    ADMIN,
    BUILTIN_ROLES,
    PERMISSIONS,
    SYSTEM,
    Caller,
    Grant,
    Limits,
    LocationNotAllowed,
    Scope,
    builtin_role_id,
)
from onhand.access.permit import (
    AccessMiddleware,
    CallerDep,
    Declaration,
    UndeclaredRouteError,
    access_of,
    authenticate,
    check_routes,
    declarations,
    declare,
    enter,
    needs,
    oneself,
    public,
    refresh,
    refusal,
    signed_in,
    stamp_openapi,
    still_valid,
)
from onhand.access.reads import get_organisation, visible
from onhand.access.store import any_user, ensure_builtin_roles, user_by_email
from onhand.access.trail import AUDIT_RIDER, audit_rows
from onhand.access.vault import Vault

__all__ = [
    "ADMIN",
    "AUDIT_RIDER",
    "BUILTIN_ROLES",
    "PERMISSIONS",
    "SYSTEM",
    "Access",
    "AccessMiddleware",
    "Assignment",
    "Caller",
    "CallerDep",
    "Declaration",
    "Gate",
    "Grant",
    "Limits",
    "LocationNotAllowed",
    "Scope",
    "UndeclaredRouteError",
    "Vault",
    "access_of",
    "add_role",
    "add_user",
    "any_user",
    "audit_rows",
    "authenticate",
    "builtin_role_id",
    "change_organisation",
    "check_media_type",
    "check_routes",
    "check_same_site",
    "declarations",
    "declare",
    "ensure_builtin_roles",
    "enter",
    "get_organisation",
    "make_key",
    "name_action",
    "needs",
    "oneself",
    "public",
    "refresh",
    "refusal",
    "rights_changed",
    "router",
    "set_code_resolver",
    "set_place_resolver",
    "set_scope_resolver",
    "set_up",
    "signed_in",
    "stamp_openapi",
    "still_valid",
    "user_by_email",
    "visible",
    "write_audit",
]
