"""The stream over HTTP: the ordered feed and SSE."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import StreamingResponse
from pydantic import Field

from onhand.access import CallerDep, needs, signed_in
from onhand.doors.live import SOURCE, Hub, may_see, sse
from onhand.kit import outbox
from onhand.kit.problem import InvalidBody
from onhand.kit.web import APIRouter, Out, Reads

router = APIRouter(tags=["stream"])


class EventFeed(Out):
    """A page of the feed. There was no gap if `after` equals the `through` of the page before."""

    data: list[dict[str, Any]] = Field(
        description="CloudEvents 1.0; their `data` is described in docs/events."
    )
    after: str
    through: str
    head: str


Types = Annotated[str | None, Query(max_length=1000, description="Event types, separated by commas.")]
Number = Annotated[str | None, Query(pattern=r"^[0-9]{1,18}$")]


@router.get("/v1/events", dependencies=[needs("events:read")], response_model=EventFeed)
async def list_events(
    conn: Reads, caller: CallerDep, after: Number = "0", types: Types = None, limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    through: Number = None,
) -> Any:  # fmt: skip
    """Events after a cursor, in the order of their commits. Events you may not see are left out; `through` covers them."""
    start = int(after or "0")
    wanted = set(types.split(",")) if types else None
    events = await outbox.read_after(conn, start, limit)
    if through is not None:
        events = [e for e in events if e.sequence <= int(through)]
    _, head = await outbox.head(conn)
    end = events[-1].sequence if events else start
    seen = [e for e in events if (wanted is None or e.type in wanted) and may_see(e, caller)]
    return {
        "data": [json.loads(e.cloud_event(SOURCE)) for e in seen],
        "after": str(start),
        "through": str(end),
        "head": str(head),
    }


@router.get("/v1/stream", dependencies=[signed_in()], response_class=StreamingResponse)
async def stream(
    request: Request, caller: CallerDep, after: Number = None, types: Types = None
) -> StreamingResponse:
    """Server-sent events: each frame's id is its sequence. Resume with Last-Event-ID or `after`; without, it begins now.

    `through` frames tell how far hidden events went; `reset` says that the cursor is too old: load anew.
    """
    hub: Hub = request.app.state.hub
    last = request.headers.get("last-event-id") or after
    if last is not None and not (last.isascii() and last.isdecimal() and len(last) <= 18):
        raise InvalidBody("Last-Event-ID is a sequence number.", param="Last-Event-ID")
    start = int(last) if last is not None else await _head(hub)
    wanted = set(types.split(",")) if types else None
    gate = request.app.state.access.gate
    frames = sse(hub, request, caller, after=start, types=wanted, still_valid=gate.still_valid)
    return StreamingResponse(
        frames,
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _head(hub: Hub) -> int:
    async with hub.database.engine.connect() as conn:
        return (await outbox.head(conn))[1]
