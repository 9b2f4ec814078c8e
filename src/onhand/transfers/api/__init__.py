"""HTTP of transfers: plan, ship, receive, settle; lists; proposals; load carriers."""

from onhand.kit.web import APIRouter
from onhand.transfers.api import documents, views

router = APIRouter(tags=["transfers"])
router.include_router(views.router)
router.include_router(documents.router)
