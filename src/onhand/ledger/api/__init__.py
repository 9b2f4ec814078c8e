"""HTTP of the ledger: `router` holds the stock verbs and the reads."""

from onhand.kit.web import APIRouter
from onhand.ledger.api import views

router = APIRouter()
router.include_router(views.router)

__all__ = ["router"]
