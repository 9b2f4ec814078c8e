"""The catalogue over HTTP."""

from onhand.catalog.api import others, products, search, variants
from onhand.kit.web import APIRouter

router = APIRouter()
for _part in (products, variants, others, search):
    router.include_router(_part.router)

__all__ = ["router"]
