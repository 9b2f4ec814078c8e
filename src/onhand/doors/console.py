"""The console: built files from the package, served with a strict policy; every other path is the single page."""

from __future__ import annotations

import secrets
from html import escape
from importlib import resources
from pathlib import Path

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from onhand import access
from onhand.kit.problem import NotFound, Problem

_MISSING = """<!doctype html><title>Onhand</title><h1>The console is not built</h1>
<p>The API works. Build the console with <code>make web</code>, then reload.</p>"""


def folder() -> Path:
    """Where the built console is."""
    return Path(str(resources.files("onhand"))) / "webdist"


def mount(app: FastAPI) -> None:
    """Serve the console behind all other routes."""
    root = folder()

    async def page(request: Request) -> Response:
        path = request.path_params.get("path", "")
        if path.startswith(("v1/", "files/")) or "\x00" in path or ".." in path.split("/"):
            raise NotFound()
        file = root / path
        if path and file.is_file() and root in file.resolve().parents:
            hashed = path.startswith("assets/")
            cache = "public, max-age=31536000, immutable" if hashed else "no-cache"
            return FileResponse(file, headers={"Cache-Control": cache})
        index = root / "index.html"
        if not index.is_file():
            return HTMLResponse(_MISSING, status_code=503)
        nonce = secrets.token_urlsafe(16)
        html = index.read_text().replace("__CSP_NONCE__", nonce)
        policy = (
            "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src-elem 'self' 'nonce-"
            + nonce
            + "'; style-src-attr 'unsafe-inline'; "
            "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
            "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        )
        return HTMLResponse(html, headers={"Content-Security-Policy": policy, "Cache-Control": "no-store"})

    app.router.routes.append(
        Route("/{path:path}", access.declare("public")(page), methods=["GET"], name="console")
    )


async def _errors(request: Request) -> Response:
    """Where a refusal's `type` leads: every code with its meaning."""
    rows = "".join(
        f'<dt id="{code}"><code>{code}</code> ({kind.status})</dt><dd>{escape(kind.text())}</dd>'
        for code, kind in sorted(Problem.registry.items())
    )
    page = f'<!doctype html><html lang="en"><title>Refusals</title><h1>Refusals</h1><dl>{rows}</dl></html>'
    return HTMLResponse(
        page, headers={"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"}
    )
