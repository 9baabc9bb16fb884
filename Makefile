# voxtrace. `make run` and `make test` do all the set-up they need.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
TESTS ?= tests
# test files at the same time: each starts servers and processes of its own
JOBS ?= 2
# tasks of bench-stats
N ?= 10000

.PHONY: help run test check backends bench bench-stats bench-correlate regressions chaos chaos-traces chaos-stats pictures lint types layers unit clean

help: ## Show what can be made.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.run ## Install, migrate, start web, worker and duties on SQLite, print the address.
	@exec $(BIN)/voxtrace up

test: $(VENV)/.dev ## Run every test that can run here; what is missing is said and skipped.
	@[ "$(TESTS)" != tests ] || $(BIN)/python -m tests.backends || true
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(TESTS)

check: $(VENV)/.dev lint types layers unit ## Lint, types, layers and unit tests (under a minute).

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

layers: $(VENV)/.dev
	$(BIN)/lint-imports

unit: $(VENV)/.dev
	$(BIN)/python -m pytest -q tests/unit

backends: $(VENV)/.dev ## Get a real collector and a real Jaeger for the tests (built once, with Go).
	@$(BIN)/python -m tests.backends

bench-stats: $(VENV)/.dev ## Measure statistics and lists among N tasks; DATABASES="sqlite postgres", kept in var/bench/stats.
	$(BIN)/python -m tests.bench.stats --count $(N) $(DATABASES:%=--database %) $(ARGS)

bench-correlate: $(VENV)/.dev ## Judge the search for causes among planted ones and nulls; SEED=, SUITES=pair,triple.
	$(BIN)/python -m tests.bench.correlate $(SEED:%=--seed %) $(SUITES:%=--suites %) $(ARGS)

bench: $(VENV)/.dev ## Measure; prints tables and writes var/bench/*.json.
	$(BIN)/python -m tests.bench $(ARGS)

regressions: $(VENV)/.dev ## Put each of the report's problems back, and see its test fail.
	$(BIN)/python -m tests.acceptance.regressions

chaos: $(VENV)/.dev ## The crash test at full size: 300 tasks, everything killed at random.
	VOXTRACE_TEST_CHAOS_TASKS=300 $(BIN)/python -m pytest -q tests/acceptance/test_chaos.py

chaos-traces: $(VENV)/.dev ## The same with a real collector and Jaeger killed too: twice 2000 tasks.
	VOXTRACE_TEST_CHAOS_TRACES=2000 $(BIN)/python -m pytest -q -s tests/acceptance/test_chaos_traces.py

chaos-stats: $(VENV)/.dev ## Statistics are true while all is killed and removed: 10 000 answers on each database.
	VOXTRACE_TEST_CHAOS_STATS=10000 $(BIN)/python -m pytest -q -s tests/acceptance/test_stats_truth.py

pictures: $(VENV)/.dev ## Draw docs/images/traces: task pages beside what Jaeger's API returns.
	VOXTRACE_TEST_PICTURES=docs/images/traces $(BIN)/python -m pytest -q tests/browser/test_traces_beside_jaeger.py

clean: ## Remove the virtual environment and caches (not ./var: that is your data).
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# The virtual environment, in two sizes. Each stamp is newer than what it was made from.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "voxtrace needs Python 3.11 or newer as $(PYTHON); on Debian: apt-get install python3 (or: make run PYTHON=python3.12)" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "voxtrace needs Python's venv module; on Debian: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: $(VENV)/bin/python requirements.txt pyproject.toml
	@echo "installing into $(VENV) (the first time takes a minute)"
	@$(PIP) install -r requirements.txt
	@$(PIP) install --no-deps -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.txt
	@$(PIP) install -r requirements-dev.txt
	@touch $@
