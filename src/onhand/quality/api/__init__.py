"""Lots, serial numbers, certificates, holds and allocation previews over HTTP."""

from onhand.kit.web import APIRouter
from onhand.quality.api import holds, lots

router = APIRouter(tags=["lots"])
router.include_router(lots.router)
router.include_router(holds.router)
