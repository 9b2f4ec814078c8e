"""Imports over HTTP: upload a file (`POST /v1/files`), look at it, check it, import it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Query, Request, Response
from pydantic import Field

from onhand.access import PERMISSIONS, Caller, CallerDep, needs
from onhand.integrations.imports import actions, store
from onhand.integrations.imports.kinds import KINDS
from onhand.integrations.imports.model import ImportKind, suggest_mapping
from onhand.kit import files
from onhand.kit.export import Column, Format, listing
from onhand.kit.problem import Forbidden, NotFound
from onhand.kit.web import LIMIT, APIRouter, Body, Cursor, Id, Limit, Out, Page, Reads, Text, Writes

router = APIRouter(tags=["imports"])

Mapping = Annotated[
    dict[Annotated[str, Field(max_length=200)], Annotated[str, Field(max_length=200)]],
    Field(max_length=200, description="Our column → the file's heading."),
]
KindName = Annotated[str, Path(max_length=40, description="A kind of import.")]
KindFilter = Annotated[str | None, Query(max_length=40, description="Only this kind.")]
State = Literal["draft", "queued", "running", "done", "failed", "cancelled"]


class ImportColumnOut(Out):
    """A column of a kind."""

    name: str
    required: bool
    description: str
    example: str
    type: Literal["text", "number", "date", "flag"]


class ImportKindOut(Out):
    """A kind of import. `allowed`: whether you may import it (its `needs` must hold everywhere)."""

    kind: str
    title: str
    columns: list[ImportColumnOut]
    prefixes: list[str]
    needs: list[str]
    allowed: bool


class NewImportBody(Body):
    """A file to import. Without `mapping` it is only looked into: the answer suggests one; `…/run` then starts it."""

    id: Id | None = None
    kind: Text = Field(max_length=40)
    file_id: Id
    mapping: Mapping | None = None
    dry_run: bool = True
    decimal_mark: Literal[".", ","] | None = Field(None, description="Null: as the file's own numbers show.")
    save_mapping_as: Text | None = Field(None, min_length=1, max_length=100)


class RunBody(Body):
    """Start an import: `dry_run` true reads every row and changes nothing."""

    mapping: Mapping | None = None
    dry_run: bool = True
    decimal_mark: Literal[".", ","] | None = None
    save_mapping_as: Text | None = Field(None, min_length=1, max_length=100)


class PreviewOut(Out):
    """The file's headings and first rows."""

    headers: list[str]
    rows: list[list[str]]


class RowErrorOut(Out):
    """Why a row was refused. `row` is what a spreadsheet shows beside it."""

    row: int
    column: str
    header: str
    value: str
    code: str
    message: str
    remedy: str


class CountsOut(Out):
    """What became of the rows."""

    rows: int
    ok: int
    failed: int
    created: int
    updated: int
    unchanged: int


class ImportProgressOut(Out):
    """How far the run is."""

    done: int | None
    total: int | None
    unit: str | None


class ImportOut(Out):
    """An import. `outcome`: checked (a dry run without errors), refused (rows have errors, nothing was kept), imported."""

    id: UUID
    kind: str
    file_id: UUID
    file_name: str
    state: State
    outcome: Literal["checked", "refused", "imported"] | None
    dry_run: bool
    mapping: dict[str, str]
    decimal_mark: Literal[".", ","] | None
    job_id: UUID | None
    progress: ImportProgressOut
    error: str | None
    counts: CountsOut | None
    error_count: int
    created_by: dict[str, Any]
    created_at: datetime


class ImportDetailOut(ImportOut):
    """An import with its preview, the mapping we suggest, and its first errors (`…/errors` has the rest)."""

    preview: PreviewOut
    suggested_mapping: dict[str, str]
    errors: list[RowErrorOut]


class MappingBody(Body):
    """A mapping to keep for the next file; one of the same kind and name is replaced."""

    kind: Text = Field(max_length=40)
    name: Text = Field(min_length=1, max_length=100)
    mapping: Mapping
    decimal_mark: Literal[".", ","] | None = None


class MappingOut(Out):
    """A saved mapping."""

    id: UUID
    kind: str
    name: str
    mapping: dict[str, str]
    decimal_mark: Literal[".", ","] | None
    updated_at: datetime


# ── who may ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def allowed(caller: Caller, kind: ImportKind) -> bool:
    """Whether a caller may import this kind: a file says nothing of places, so its permissions must hold everywhere."""
    wanted = PERMISSIONS if kind.everything else kind.needs
    return all(permission in caller.permissions and caller.sites(permission) is None for permission in wanted)


def _require(caller: Caller, name: str) -> ImportKind:
    kind = actions.kind_of(name)
    if not allowed(caller, kind):
        wanted = "every permission" if kind.everything else " and ".join(kind.needs)
        raise Forbidden(f"To import {kind.title.lower()} you need {wanted} everywhere.", needs=kind.needs[0])
    return kind


# ── routes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@router.get("/v1/import-kinds", response_model=list[ImportKindOut], dependencies=[needs("imports:write")])
async def list_import_kinds(caller: CallerDep) -> Any:
    """What can be imported, with each kind's columns."""
    return [
        {
            "kind": kind.name,
            "title": kind.title,
            "prefixes": kind.prefixes,
            "needs": kind.needs,
            "allowed": allowed(caller, kind),
            "columns": [
                {
                    "name": c.name,
                    "required": c.required,
                    "description": c.description,
                    "example": c.example,
                    "type": c.type,
                }
                for c in kind.columns
            ],
        }
        for kind in KINDS.values()
    ]


@router.get(
    "/v1/import-kinds/{kind}/template", dependencies=[needs("imports:write")], response_class=Response
)
async def get_import_template(kind: KindName) -> Any:
    """A CSV file with a kind's headings and one example row."""
    found = actions.kind_of(kind)
    return Response(
        actions.template(found),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{found.name}.csv"'},
    )


@router.post(
    "/v1/imports", response_model=ImportDetailOut, status_code=201, dependencies=[needs("imports:write")]
)
async def create_import(request: Request, tx: Writes, caller: CallerDep, body: NewImportBody) -> Any:
    """Looks into an uploaded file and, when a mapping is given, starts its run (dry unless `dry_run` is false)."""
    _require(caller, body.kind)
    file = await files.get_file(tx.conn, body.file_id)
    if file.created_by != caller.id:
        raise NotFound("There is no file with this id.", param="file_id")
    settings = request.app.state.settings
    made = await actions.create(tx, settings, kind=body.kind, file_id=body.file_id, import_id=body.id)
    if body.mapping is not None:
        await _start(tx, made, body)
    return await _detail(tx.conn, made)


@router.post(
    "/v1/imports/{import_id}/run", response_model=ImportDetailOut, dependencies=[needs("imports:write")]
)
async def run_import(tx: Writes, caller: CallerDep, import_id: UUID, body: RunBody) -> Any:
    """Starts the run of an import: first dry, to see its errors, then for good."""
    await _visible(tx.conn, caller, import_id)
    await _start(tx, import_id, body)
    return await _detail(tx.conn, import_id)


async def _start(tx: Writes, import_id: UUID, body: NewImportBody | RunBody) -> None:
    await actions.start(
        tx,
        import_id,
        mapping=body.mapping,
        dry_run=body.dry_run,
        decimal_mark=body.decimal_mark,
        save_mapping_as=body.save_mapping_as,
    )


async def _visible(conn: Reads, caller: Caller, import_id: UUID) -> Any:
    """An import of a kind the caller may import; else it is not there."""
    row = await store.get(conn, import_id)
    if row.kind not in KINDS or not allowed(caller, KINDS[row.kind]):
        raise NotFound("There is no import with this id.")
    return row


def _shape(row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "file_id": row.file_id,
        "file_name": row.file_name,
        "state": row.state,
        "outcome": row.outcome,
        "dry_run": row.dry_run,
        "mapping": row.mapping,
        "decimal_mark": row.decimal_mark,
        "job_id": row.job_id,
        "progress": {"done": row.done, "total": row.total, "unit": row.unit},
        "error": row.job_error,
        "counts": row.counts,
        "error_count": row.error_count,
        "created_by": {"id": row.created_by, "name": row.created_by_name},
        "created_at": row.created_at,
    }


async def _detail(conn: Any, import_id: UUID) -> dict[str, Any]:
    row = await store.get(conn, import_id)
    errors, _ = await store.errors(conn, import_id, limit=100)
    return {
        **_shape(row),
        "preview": {"headers": row.headers, "rows": row.preview},
        "suggested_mapping": suggest_mapping(KINDS[row.kind], row.headers),
        "errors": errors,
    }


@router.get("/v1/imports", response_model=Page[ImportOut], dependencies=[needs("imports:write")])
async def list_imports(
    conn: Reads, caller: CallerDep, limit: Limit = LIMIT, cursor: Cursor = None, kind: KindFilter = None,
    format: Format = None,
) -> Any:  # fmt: skip
    """Imports of the kinds you may import, the newest first."""
    kinds = [k.name for k in KINDS.values() if allowed(caller, k) and kind in (None, k.name)]

    async def fetch(rows: int, at: str | None) -> tuple[list[dict[str, Any]], str | None]:
        found, following = await store.page(conn, kinds=kinds, limit=rows, cursor=at)
        return [_shape(row) for row in found], following

    return await listing(
        fetch, limit=limit, cursor=cursor, format=format, name="imports",
        columns=("id", "kind", "file_name", "state", "outcome", "dry_run", Column("counts.rows", number=True),
                 Column("counts.created", number=True), Column("counts.updated", number=True),
                 Column("counts.failed", number=True), "created_by.name", "created_at"),
    )  # fmt: skip


@router.get("/v1/imports/{import_id}", response_model=ImportDetailOut, dependencies=[needs("imports:write")])
async def get_import(conn: Reads, caller: CallerDep, import_id: UUID) -> Any:
    """One import with its preview, suggested mapping, progress, counts and first 100 errors."""
    await _visible(conn, caller, import_id)
    return await _detail(conn, import_id)


@router.get(
    "/v1/imports/{import_id}/errors", response_model=Page[RowErrorOut], dependencies=[needs("imports:write")]
)
async def list_import_errors(
    conn: Reads,
    caller: CallerDep,
    import_id: UUID,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
    format: Format = None,
) -> Any:
    """The errors of an import's last run in file order (the first 1,000 are kept; `error_count` counts all)."""
    await _visible(conn, caller, import_id)

    async def fetch(rows: int, at: str | None) -> tuple[list[dict[str, Any]], str | None]:
        return await store.errors(conn, import_id, limit=rows, cursor=at)

    return await listing(
        fetch, limit=limit, cursor=cursor, format=format, name="import-errors",
        columns=(Column("row", number=True), "header", "column", "value", "code", "message", "remedy"),
    )  # fmt: skip


@router.get("/v1/import-mappings", response_model=Page[MappingOut], dependencies=[needs("imports:write")])
async def list_import_mappings(conn: Reads, kind: KindFilter = None, format: Format = None) -> Any:
    """Saved mappings, the newest first (at most 500)."""

    async def fetch(rows: int, at: str | None) -> tuple[list[dict[str, Any]], str | None]:
        return await store.mappings(conn, kind), None

    return await listing(
        fetch, limit=500, cursor=None, format=format, name="import-mappings",
        columns=("kind", "name", "mapping", "decimal_mark", "updated_at"),
    )  # fmt: skip


@router.post(
    "/v1/import-mappings", response_model=MappingOut, status_code=201, dependencies=[needs("imports:write")]
)
async def save_import_mapping(tx: Writes, body: MappingBody) -> Any:
    """Keeps a mapping for the next file of its kind."""
    made = await actions.save_mapping(
        tx, kind=body.kind, name=body.name, mapping=body.mapping, decimal_mark=body.decimal_mark
    )
    return next(row for row in await store.mappings(tx.conn, body.kind) if row["id"] == made)


@router.delete("/v1/import-mappings/{mapping_id}", status_code=204, dependencies=[needs("imports:write")])
async def delete_import_mapping(tx: Writes, mapping_id: UUID) -> None:
    """Forgets a saved mapping."""
    if not await store.delete_mapping(tx.conn, mapping_id):
        raise NotFound("There is no mapping with this id.")
    tx.record("import_mapping", mapping_id, {"saved": True}, None)
