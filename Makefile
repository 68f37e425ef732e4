# Everything runs in .venv, which these commands make themselves. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := bash
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
BIN := .venv/bin
T ?= tests
NAME ?=
CSV ?=
SERVE ?=

.PHONY: help demo test lint types imports check format bench serve browser lock clean

help: ## List the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12

demo: .venv/runtime ## Publish a shop to sandboxes of eBay, Etsy and Vinted (CSV=file.csv, SERVE=1)
	@$(BIN)/stoflow demo $(if $(CSV),--csv "$(CSV)") $(if $(SERVE),--serve)

test: .venv/dev ## Run the tests on real parts, in random order (T=tests/tenancy for some)
	@$(BIN)/python -m pytest -n auto --dist loadgroup $(T)

lint: .venv/dev ## Style and formatting
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: .venv/dev ## mypy, strict
	@$(BIN)/mypy

imports: .venv/dev ## The house: imports go down only
	@$(BIN)/lint-imports

check: lint types imports ## All that is checked without running the product

format: .venv/dev ## Mend what can be mended
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

bench: .venv/dev ## Answer a question with figures (NAME=provisioning; without a name: all)
	@$(BIN)/python -m benchmarks $(NAME)

serve: .venv/runtime ## API with a worker beside it, on the embedded database
	@$(BIN)/stoflow serve --with-worker

browser: ## Install Chromium, in which the tests try the browser extension (Debian, as root)
	@command -v chromium chromium-browser google-chrome >/dev/null || $(if $(filter 0,$(shell id -u)),DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null,{ echo "Install Chromium with your system's package manager."; exit 1; })

lock: .venv/dev ## Pin all dependencies anew
	@$(BIN)/pip-compile -q --upgrade --strip-extras --no-header --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --extra dev -o requirements-dev.lock pyproject.toml
	@$(BIN)/pip-compile -q --strip-extras --no-header --no-emit-index-url --no-emit-find-links --no-emit-trusted-host -c requirements-dev.lock -o requirements.lock pyproject.toml

clean: ## Remove .venv and all data of the demo
	rm -rf .venv .data

.venv/bin/pip:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; none was found."; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $(PYTHON) is older."; exit 1; }
	@echo "Making .venv with $$("$(PYTHON)" --version) …"
	@"$(PYTHON)" -m venv .venv

.venv/runtime: .venv/bin/pip requirements.lock pyproject.toml
	@echo "Installing what StoFlow runs on …"
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

.venv/dev: .venv/runtime requirements-dev.lock
	@echo "Installing what the tests need …"
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	@touch $@
