"""Background jobs and files over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import File, Form, Query, Request, Response, UploadFile

from onhand.access import Caller, CallerDep, needs, signed_in
from onhand.kit import files, jobs
from onhand.kit.export import Column, Format, listing
from onhand.kit.files import PICTURES, StoredFile
from onhand.kit.problem import Forbidden, NotFound
from onhand.kit.tx import Actor
from onhand.kit.web import LIMIT, APIRouter, Cursor, Limit, Out, Page, Reads, Writes

router = APIRouter(tags=["operations"])

# ── jobs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

JOB_COLUMNS = (
    "id", "kind", "title", "state", Column("progress.done", number=True), Column("progress.total", number=True),
    "progress.unit", Column("attempts", number=True), "error", "created_by.name", "created_at", "started_at", "finished_at",
)  # fmt: skip

JobState = Literal["queued", "running", "done", "failed", "cancelled"]


class Progress(Out):
    """How far it is; `total` is null while it is not known."""

    done: int
    total: int | None
    unit: str | None


class ById(Out):
    """Who did it."""

    id: UUID
    name: str


class JobOut(Out):
    """A background job. `can` names what its state allows."""

    id: UUID
    kind: str
    title: str
    state: JobState
    progress: Progress
    attempts: int
    cancel_asked: bool
    error: str | None
    result: dict[str, Any] | None
    created_by: ById
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    can: list[Literal["cancel", "retry"]]


@router.get("/v1/jobs", response_model=Page[JobOut], dependencies=[needs("jobs:read")])
async def list_jobs(
    conn: Reads,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
    state: JobState | None = None,
    kind: Annotated[str | None, Query(max_length=60, description="Only this kind, e.g. `import`.")] = None,
    format: Format = None,
) -> Any:
    """Background jobs, the newest first."""

    async def fetch(rows: int, at: str | None) -> tuple[list[dict[str, Any]], str | None]:
        return await jobs.list_jobs(conn, limit=rows, cursor=at, state=state, kind=kind)

    return await listing(fetch, limit=limit, cursor=cursor, format=format, name="jobs", columns=JOB_COLUMNS)


@router.get("/v1/jobs/{job_id}", response_model=JobOut, dependencies=[needs("jobs:read")])
async def get_job(conn: Reads, job_id: UUID) -> Any:
    """One background job."""
    return await jobs.get_job(conn, job_id)


@router.post("/v1/jobs/{job_id}/cancel", response_model=JobOut, dependencies=[needs("jobs:write")])
async def cancel_job(tx: Writes, job_id: UUID) -> Any:
    """Cancels a queued job; asks a running one to stop, which it does at its next step."""
    return await jobs.cancel(tx, job_id)


@router.post("/v1/jobs/{job_id}/retry", response_model=JobOut, dependencies=[needs("jobs:write")])
async def retry_job(tx: Writes, job_id: UUID) -> Any:
    """Queues a failed or cancelled job again, as a new attempt."""
    return await jobs.retry(tx, job_id)


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class FileOut(Out):
    """A kept file; `url` serves its content."""

    id: UUID
    name: str
    media_type: str
    size: int
    created_at: datetime
    url: str


@router.post("/v1/files", response_model=FileOut, status_code=201, dependencies=[signed_in()])
async def upload_file(
    request: Request,
    caller: CallerDep,
    file: Annotated[UploadFile, File(description="PNG, JPEG, WebP, GIF, PDF, CSV, text or XLSX.")],
    id: Annotated[UUID | None, Form(description="The client's own id, which makes a retry safe.")] = None,
) -> Any:
    """Keeps a picture or document. Needs `catalog:write`, `lots:write` or `imports:write` somewhere."""
    if not any(caller.may(p) for p in ("catalog:write", "lots:write", "imports:write")):
        raise Forbidden(
            "You need catalog:write, lots:write or imports:write to upload files.", needs="imports:write"
        )
    state = request.app.state
    actor = Actor(id=caller.id, kind=caller.kind, name=caller.name)
    async with state.database.writing(actor=actor, action="POST /v1/files") as tx:
        tx.request_id = getattr(request.state, "request_id", "")
        tx.ip = request.client.host if request.client else ""
        stored = await files.store(tx, state.settings, file, name=file.filename or "", file_id=id)
    return files.shape(stored)


def _may_see(caller: Caller, stored: StoredFile) -> bool:
    """Pictures belong to the catalogue; a document is seen by who uploaded it."""
    if stored.media_type in PICTURES and caller.may("catalog:read"):
        return True
    return stored.created_by == caller.id


@router.get("/files/{file_id}", dependencies=[signed_in()], response_class=Response)
async def download_file(
    request: Request,
    conn: Reads,
    caller: CallerDep,
    file_id: UUID,
    inline: Annotated[bool, Query(description="Show a picture in place instead of downloading it.")] = False,
) -> Any:
    """The content of a file: always an attachment, except pictures with `inline=true`."""
    stored = await files.get_file(conn, file_id)
    if not _may_see(caller, stored):
        raise NotFound("There is no file with this id.")
    return files.respond(stored, request.app.state.settings, inline=inline)
