# Needs make and Python 3.11 or newer. Everything else is installed into .venv, at the versions of requirements/*.txt.
# PYTHON names another interpreter: make demo PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)
ifeq ($(UV),)
UV := $(BIN)/uv
endif

# Two test processes suit a small CI machine; `make test JOBS=8` suits a large one.
JOBS ?= 2

# With it set, every command would compile its imports anew: seconds each time.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ What people run

.PHONY: demo
demo: $(VENV)/.demo ## Real models, real data, real verdicts, in ./demo
	@$(BIN)/gate demo

.PHONY: test
test: $(VENV)/.dev ## The tests
	$(BIN)/pytest -n $(JOBS) --dist loadfile

.PHONY: check
check: format-check lint types layers test ## Everything that CI asks for

.PHONY: bench
bench: $(VENV)/.dev ## Time and memory on a million rows a side, beside Evidently's presets
	$(BIN)/python bench/speed.py

.PHONY: chaos
chaos: $(VENV)/.dev ## kill -9 at random moments: what a server loses, repeats or leaves stuck
	$(BIN)/python bench/chaos.py

.PHONY: load
load: $(VENV)/.dev ## A hundred clients for a minute, on SQLite and on PostgreSQL
	$(BIN)/python bench/load.py

.PHONY: fuzz
fuzz: $(VENV)/.dev ## Thousands of odd requests to every operation of the API
	$(BIN)/python bench/fuzz.py

##@ The parts of make check

.PHONY: format
format: $(VENV)/.dev ## Format the code
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

.PHONY: format-check
format-check: $(VENV)/.dev
	$(BIN)/ruff format --check

.PHONY: lint
lint: $(VENV)/.dev ## Lint
	$(BIN)/ruff check

.PHONY: types
types: $(VENV)/.dev ## Check types
	$(BIN)/mypy

.PHONY: layers
layers: $(VENV)/.dev ## Check that imports go one way
	$(BIN)/lint-imports

.PHONY: dashboards
dashboards: $(VENV)/.dev ## Build dashboards/grafana/*.json from dashboards/src
	$(BIN)/python -m dashboards.src

##@ The environment

# `make demo` installs what the demo needs, `make test` the tools as well; what `make test` installed serves the demo.
# The stamps remember what is there, so that a second run starts at once.
$(VENV)/.demo: requirements/demo.txt pyproject.toml | $(VENV)/.python
	@$(call install,$(if $(wildcard $(VENV)/.dev),dev,demo))
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(VENV)/.python
	@$(call install,dev)
	@touch $@

$(VENV)/.python:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not installed; gate needs Python 3.11 or newer (PYTHON=... names it)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(None if v >= (3, 11) else "gate needs Python 3.11 or newer, $(PYTHON) is %d.%d; name another with PYTHON=..." % v[:2])'
	$(PYTHON) -m venv $(VENV)
	@touch $@

# Every file that is installed has its hash in the lock; then gate itself, from here, with nothing fetched for it.
define install
	{ test -x "$(UV)" || { echo "fetching uv"; $(BIN)/python -m pip install --quiet --disable-pip-version-check uv; }; } && \
	echo "installing requirements/$(1).txt" && \
	"$(UV)" pip install --quiet --python $(BIN)/python --require-hashes --requirements requirements/$(1).txt && \
	"$(UV)" pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
endef

LOCK := pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate --quiet

# `make lock UPGRADE=` keeps every version that still fits, and resolves only what is new.
UPGRADE ?= --upgrade

.PHONY: lock
lock: $(VENV)/.dev ## Resolve requirements/*.txt anew from pyproject.toml
	"$(UV)" $(LOCK) $(UPGRADE) pyproject.toml requirements/build.in --extra demo --extra server --group dev --output-file requirements/dev.txt
	"$(UV)" $(LOCK) pyproject.toml requirements/build.in --extra demo --extra server --constraints requirements/dev.txt --output-file requirements/demo.txt
	"$(UV)" $(LOCK) pyproject.toml requirements/build.in --extra server --constraints requirements/dev.txt --output-file requirements/server.txt
	"$(UV)" $(LOCK) requirements/mlflow.in --constraints requirements/dev.txt --output-file requirements/mlflow.txt
	"$(UV)" $(LOCK) requirements/image.in --output-file requirements/image.txt

.PHONY: clean
clean: ## Remove what was built, the caches and the demo; keep .venv
	rm -rf build dist demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find gate tests bench -name __pycache__ -type d -prune -exec rm -rf {} +
