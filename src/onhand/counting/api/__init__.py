"""HTTP of counting."""

from onhand.counting.api import counts, plan, reports
from onhand.kit.web import APIRouter

router = APIRouter(tags=["counting"])
router.include_router(plan.router)
router.include_router(counts.router)
router.include_router(reports.router)

__all__ = ["router"]
