"""HTTP of access: first run and sessions, people and roles, keys, views, audit."""

from onhand.access.api import admin, people, profile, session
from onhand.kit.web import APIRouter

router = APIRouter()
for _part in (session.router, profile.router, people.router, admin.router):
    router.include_router(_part)

__all__ = ["router"]
