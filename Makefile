# Needs only make, git and Python 3.11 or newer. `make help` lists what there is.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --no-input
# The pages are built into the package: a change of theirs installs it anew.
UI := $(shell find ui -name node_modules -prune -o -type f -print 2>/dev/null)
COMPILE = $(BIN)/pip-compile --quiet --no-header --generate-hashes --allow-unsafe --strip-extras \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options

.PHONY: serve
serve: $(VENV)/.installed ## set up and start; without a config, the demo home (ARGS="--config my.toml")
	@exec $(BIN)/casawatt serve $(ARGS)

.PHONY: test
test: test-packages $(VENV)/.tools check check-ui ## set up and run every check and test (TESTS="tests/engine -k gap")
	@echo "== tests"
	@$(BIN)/python -m pytest -q $(TESTS)

.PHONY: check
check: $(VENV)/.tools ## only format, lint, types and import contracts
	@echo "== format"
	@$(BIN)/ruff format --check --quiet --output-format concise . || { echo "Run: make format"; exit 1; }
	@echo "== lint"
	@$(BIN)/ruff check --quiet .
	@echo "== types"
	@$(BIN)/mypy --no-error-summary
	@echo "== import contracts"
	@$(BIN)/lint-imports --no-logo >$(VENV)/said || { cat $(VENV)/said; exit 1; }

.PHONY: check-ui
check-ui: ui/node_modules/.tools ## only the pages: types, lint and tests
	@echo "== pages"
	@for step in check lint test; do scripts/npm run --silent $$step >$(VENV)/said 2>&1 || { cat $(VENV)/said; exit 1; }; done

.PHONY: format
format: $(VENV)/.tools ## put the code into the agreed form
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --fix --quiet .

.PHONY: acceptance
acceptance: $(VENV)/.tools ## replay real recordings against their exact energy (DATA=folder)
	@test -d "$(DATA)" || { echo "Say where the recordings are: make acceptance DATA=../shared/data"; exit 2; }
	@$(BIN)/python -m pytest -q tests/acceptance --data "$(DATA)" $(TESTS)

.PHONY: bench
bench: $(VENV)/.tools ## measure, beside the peers, what docs/benchmarks.md reports (ARGS="--help")
	@scripts/system-packages bench
	@$(BIN)/python -m benchmarks $(ARGS)

.PHONY: lock
lock: $(VENV)/.tools ## choose the newest versions of all packages and lock them (ARGS="--upgrade-package numpy")
	@$(COMPILE) $(or $(ARGS),--upgrade) --output-file requirements.txt pyproject.toml
	@$(COMPILE) $(or $(ARGS),--upgrade) --all-extras --constraint requirements.txt \
		--output-file requirements-dev.txt pyproject.toml

.PHONY: clean
clean: ## remove what was built and installed; recorded data is not touched
	@rm -rf $(VENV) build dist ui/node_modules src/casawatt/web/pages .mypy_cache .ruff_cache .pytest_cache \
		.import_linter_cache .hypothesis
	@find src tests -name __pycache__ -type d -exec rm -rf {} +

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name what; do printf '  make %-11s %s\n' "$$name" "$$what"; done

.PHONY: test-packages
test-packages:
	@scripts/system-packages test

# ---------------------------------------------------------------- what has been set up, as files with a date

$(VENV)/.made:
	@scripts/make-venv $(VENV) $(PYTHON)
	@touch $@

$(VENV)/.running: requirements.txt | $(VENV)/.made
	@echo "Installing the libraries (a minute or two the first time)"
	@$(PIP) install --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.installed: pyproject.toml hatch_build.py src/casawatt/__init__.py $(UI) $(VENV)/.running
	@echo "Building the pages and installing casawatt"
	@$(PIP) install --no-deps --editable .
	@touch $@

$(VENV)/.tools: requirements-dev.txt $(VENV)/.installed
	@echo "Installing the tools for tests and checks"
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $@

ui/node_modules/.tools: ui/package-lock.json $(VENV)/.tools
	@echo "Installing the tools for the pages"
	@scripts/npm ci --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@
