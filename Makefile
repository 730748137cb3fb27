# Everything runs from .venv, made from the committed lock; no root, no Docker, no service.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo test check lint format types layers lock docs bench quality evidence serving audit clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: $(STAMP) ## create .venv with the locked dependencies

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f"Tiercast needs Python 3.11 or newer; {sys.executable} is {v[0]}.{v[1]}. Try: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	@echo "Creating $(VENV) from requirements.lock; this takes a minute or two."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(STAMP) ## the whole loop on generated videos, in a fresh home
	$(BIN)/tiercast demo

test: $(STAMP) ## run every test
	$(BIN)/python -m pytest -n 2

lint: $(STAMP) ## style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(STAMP) ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(STAMP) ## strict type check
	$(BIN)/mypy

layers: $(STAMP) ## imports point one way
	$(BIN)/lint-imports

check: lint types layers test ## what CI runs

COMPILE := uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11
lock: $(STAMP) ## renew the locks: of this folder, and of what deploy/ installs (needs uv)
	$(COMPILE) --all-extras --group dev pyproject.toml -o requirements.lock
	$(COMPILE) --all-extras --constraints requirements.lock pyproject.toml -o deploy/requirements.lock
	$(COMPILE) --constraints requirements.lock --group build -o deploy/build.lock

audit: $(STAMP) ## known vulnerabilities of what the locks install
	$(BIN)/python .ci/audit.py requirements.lock

bench: $(STAMP) ## print every number the README claims
	$(BIN)/python benchmarks/run.py

quality: $(STAMP) ## how good forecasts are on real videos
	$(BIN)/python benchmarks/quality.py

evidence: $(STAMP) ## which features carry a forecast, on real videos
	$(BIN)/python benchmarks/evidence.py

replay: $(STAMP) ## how long a replayed year takes
	$(BIN)/python benchmarks/replay.py

serving: $(STAMP) ## how fast and how small the service is, load included
	$(BIN)/python benchmarks/serve.py

docs: $(STAMP) ## write the tables in the docs that mirror the code
	$(BIN)/python docs/tables.py

clean: ## remove the environment and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
