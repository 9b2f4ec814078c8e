"""One bit flips on the disk: page checksums notice it, in every page tried, and no backup is made of a broken page."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from onhand.kit import backup
from onhand.kit.migrate import upgrade
from onhand.kit.postgres import SUPERUSER, EmbeddedPostgres
from onhand.kit.settings import Settings

pytestmark = pytest.mark.faults

PAGES = 500 if os.environ.get("ONHAND_TORTURE") else 40
SEED = int(os.environ.get("ONHAND_SEED", "0")) or random.SystemRandom().randrange(1 << 32)
PAGE = 8192


@pytest.fixture
def settings() -> Iterator[Settings]:
    with tempfile.TemporaryDirectory(prefix="onhand-rot-") as folder:
        Path(folder).chmod(0o711)
        yield Settings(data_dir=Path(folder) / "data", database_url=None)


def test_every_flipped_bit_is_noticed(settings: Settings) -> None:
    print(f"\nseed {SEED}, {PAGES} pages")
    pick = random.Random(SEED)
    postgres = backup.server_of(settings)
    postgres.start()
    upgrade(postgres.url())
    with psycopg.connect(postgres.url(SUPERUSER), autocommit=True) as conn:
        conn.execute(
            "CREATE TABLE goods AS SELECT n, repeat(md5(n::text), 8) AS text FROM generate_series(1, 40000) n"
        )
        conn.execute("CHECKPOINT")
        row = conn.execute("SELECT pg_relation_filepath('goods')").fetchone()
        assert row is not None
    postgres.stop()
    _check(postgres, broken=0)
    path = postgres.data_dir / row[0]
    content = path.read_bytes()
    written = [n for n in range(len(content) // PAGE) if any(content[n * PAGE : (n + 1) * PAGE])]
    pages = pick.sample(written, PAGES)  # pages laid in stock for later hold nothing, not even a checksum
    with path.open("r+b") as file:
        for page in pages:
            at = page * PAGE + pick.randrange(PAGE)
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ (1 << pick.randrange(8))]))
    _check(postgres, broken=PAGES)
    postgres.start()
    try:
        with psycopg.connect(postgres.url(SUPERUSER), autocommit=True) as conn:
            with pytest.raises(psycopg.errors.DataCorrupted, match="invalid page"):
                conn.execute("SELECT sum(length(text)) FROM goods")
        with pytest.raises(backup.BackupFailed, match="checksum"):
            backup.take(settings)
        assert backup.bases_of(settings.backups) == []
    finally:
        postgres.stop()


def _check(postgres: EmbeddedPostgres, *, broken: int) -> None:
    """PostgreSQL's own look at every page of a stopped cluster."""
    done = postgres.run(
        [str(postgres.bin_dir / "pg_checksums"), "--check", "-D", str(postgres.data_dir)], check=False
    )
    assert (done.returncode == 0) == (broken == 0), done.stdout
    assert f"Bad checksums:  {broken}" in done.stdout
