"""The server under load, in a process of its own: the application as `onhand serve` runs it, on the bench's database.

python -m bench.serve DATABASE_URL PORT FOLDER
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import uvicorn
import uvloop
from pydantic import SecretStr

from onhand.doors import http
from onhand.kit import telemetry
from onhand.kit.settings import Settings


async def serve(url: str, port: int, folder: str) -> None:
    """Serve until a signal."""
    settings = Settings(
        database_url=SecretStr(url), app_database_url=SecretStr(url), data_dir=Path(folder), port=port, log_level="warning",
        jobs_concurrency=1, self_check_seconds=0,  # the ground's stock has no moves behind it
    )  # fmt: skip
    telemetry.setup_logging(settings)
    config = uvicorn.Config(
        http.create_app(settings),
        host="127.0.0.1",
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )
    server = uvicorn.Server(config)
    asyncio.get_running_loop().add_signal_handler(
        signal.SIGTERM, lambda: setattr(server, "should_exit", True)
    )
    await server._serve()  # without its signal handling, which would end us before a profile is written


async def profiled(url: str, port: int, folder: str, to: str) -> None:
    """The same under cProfile, for the curious: ONHAND_BENCH_PROFILE names the file."""
    import cProfile

    profile = cProfile.Profile()
    profile.enable()
    try:
        await serve(url, port, folder)
    finally:
        profile.disable()
        profile.dump_stats(to)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        target = os.environ.get("ONHAND_BENCH_PROFILE")
        address, at, where = sys.argv[1], int(sys.argv[2]), sys.argv[3]
        runner.run(profiled(address, at, where, target) if target else serve(address, at, where))
