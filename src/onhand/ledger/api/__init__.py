"""HTTP of the ledger: `router` holds the stock verbs and the reads."""

from onhand.kit.web import APIRouter
from onhand.ledger.api import reservations, stock, views

router = APIRouter(tags=["stock"])
router.include_router(views.router)
router.include_router(stock.router)
router.include_router(reservations.router)

__all__ = ["router"]
