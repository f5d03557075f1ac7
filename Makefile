# Needs GNU make and Python 3.11 or newer; another interpreter than python3: make PYTHON=python3.13 serve
PYTHON ?= python3
UV ?= uv
ARGS ?=

BIN := .venv/bin
RUN_READY := .venv/.ready-to-run
DEV_READY := .venv/.ready-to-develop

.DEFAULT_GOAL := help
.PHONY: help serve test check format lint types imports spell house interop chaos bench bench-quick fix lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

serve: $(RUN_READY) ## run the server on http://127.0.0.1:8888, its data in .data (ARGS="--workers 2")
	@MONOMETER_DATA_DIR=$${MONOMETER_DATA_DIR:-.data} exec $(BIN)/monometer serve $(ARGS)

test: $(DEV_READY) ## run every test (ARGS="tests/unit -k windows" for some)
	$(BIN)/python tests/interop/install.py
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

check: format lint types imports spell house ## everything that can be said without running the server

format: $(DEV_READY) ## is everything formatted
	$(BIN)/ruff format --check

lint: $(DEV_READY) ## ruff's rules
	$(BIN)/ruff check

types: $(DEV_READY) ## mypy, strict
	$(BIN)/mypy

imports: $(DEV_READY) ## imports point down, the core is pure
	$(BIN)/lint-imports

spell: $(DEV_READY) ## spelling
	$(BIN)/codespell

house: $(DEV_READY) ## the house rules: sizes, where SQL may stand, documented settings
	$(BIN)/pytest -q tests/house

interop: $(DEV_READY) ## only the tests with the vendors' own client libraries
	$(BIN)/python tests/interop/install.py
	$(BIN)/pytest tests/interop $(ARGS)

chaos: $(DEV_READY) ## kill the server and crash its database, twenty times each, under load: half an hour
	CHAOS_RUNS=$${CHAOS_RUNS:-20} $(BIN)/pytest tests/chaos -k 'kill_nine or crash' $(ARGS)

bench: $(DEV_READY) ## measure limits and the server side by side, up to 20 million events (ARGS="--only empty")
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	$(BIN)/python -m bench $(ARGS)

bench-quick: ## the same with 300 000 events, in three minutes
	@$(MAKE) --no-print-directory bench ARGS=--quick

fix: $(DEV_READY) ## format, and repair what ruff can repair
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

lock: ## pin the newest versions that pyproject.toml allows (needs uv)
	$(UV) pip compile --universal --python-version 3.11 --all-extras --upgrade \
	  --no-header --no-annotate --output-file constraints.txt pyproject.toml

clean: ## remove the environment and the caches; .data stays
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache \
	  .schemathesis build dist

# The environment is set up again only when the pins or the project change. Running needs less than
# developing, so a first `make serve` is quick.
$(RUN_READY): pyproject.toml constraints.txt | .venv/bin/pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[all]'
	@touch $@

$(DEV_READY): pyproject.toml constraints.txt | .venv/bin/pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[all,dev]'
	@touch $(RUN_READY) $@

.venv/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "monometer needs Python 3.11 or newer; $(PYTHON) is" \
	    "$$($(PYTHON) --version 2>/dev/null || echo missing). Try: make PYTHON=python3.13 ..." >&2; \
	  exit 1; }
	$(PYTHON) -m venv .venv
