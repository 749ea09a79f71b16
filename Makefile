# `make run` serves the demo, `make test` proves it, `make help` lists the rest. Needs Python 3.11 or newer and make.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON ?= python3
PORT ?= 8000
WORKERS ?= 3
MINUTES ?= 10
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check --no-input

.PHONY: help run test soak check format bench texts lock wheel clean
.DEFAULT_GOAL := help

help: ## list what can be made
	@sed -nE 's/^([a-z]+):.*## (.*)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

run: .venv/run.stamp .venv/vendor.stamp .venv/texts.stamp ## serve the demo on PORT (8000), with SQLite in var/
	@mkdir -p var
	@SWARM_SERVER__PORT=$(PORT) exec $(BIN)/swarm serve --demo

test: .venv/test.stamp .venv/vendor.stamp .venv/texts.stamp ## run every test, on SQLite and on PostgreSQL with Redis, browser included (ARGS="-k word")
	@tools/system.sh
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) $(ARGS)

check: .venv/test.stamp ## formatting, lint, types, import contracts, templates, catalogues
	@$(BIN)/ruff format --check --quiet --output-format concise || { echo "Not formatted: run make format" >&2; exit 1; }
	@$(BIN)/ruff check --quiet
	@$(BIN)/mypy
	@found=$$($(BIN)/lint-imports --no-logo 2>&1) || { echo "$$found" >&2; exit 1; }
	@$(BIN)/python -m tests.architecture.templates
	@$(BIN)/python tools/catalogue.py --check

format: .venv/test.stamp ## format the Python files
	@$(BIN)/ruff format --quiet
	@$(BIN)/ruff check --fix --quiet

soak: .venv/test.stamp .venv/vendor.stamp .venv/texts.stamp ## strike with every fault for MINUTES (10); seed and history stay in var/soak
	@tools/system.sh
	@$(BIN)/python -m tests.faults.soak --minutes $(MINUTES) $(ARGS)

bench: .venv/test.stamp .venv/vendor.stamp .venv/texts.stamp ## measure, each figure beside its reference
	@$(BIN)/python -m bench

texts: .venv/test.stamp ## collect the texts to translate into swarm/locale, in every language
	@$(BIN)/python tools/catalogue.py

lock: .venv/run.stamp ## remake the locks with the newest versions allowed
	@$(INSTALL) --target .venv/lock uv
	@tools/lock.sh .venv/lock/bin/uv tools/npm.sh

wheel: .venv/run.stamp .venv/vendor.stamp .venv/texts.stamp ## build the wheel, with templates, styles and scripts inside
	@$(BIN)/python -m hatchling build -t wheel

clean: ## remove what was built and installed; keeps var/
	@rm -rf .venv node_modules static/vendor dist var/cache

.venv/run.stamp: requirements/run.txt requirements/build.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "swarm needs Python 3.11 or newer: make PYTHON=/path/to/python3" >&2; exit 1; }
	@[ -x $(BIN)/python ] || { echo "Installing…"; $(PYTHON) -m venv .venv; }
	@$(INSTALL) --require-hashes --requirement requirements/run.txt --requirement requirements/build.txt
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@mkdir -p var && touch $@

.venv/test.stamp: requirements/test.txt .venv/run.stamp
	@$(INSTALL) --require-hashes --requirement requirements/test.txt
	@touch $@

.venv/vendor.stamp: package-lock.json .npmrc tools/vendor.py tools/icons.txt | .venv/run.stamp
	@tools/npm.sh ci --ignore-scripts --silent
	@$(BIN)/python tools/vendor.py
	@touch $@

.venv/texts.stamp: $(wildcard swarm/locale/*/LC_MESSAGES/swarm.po) | .venv/run.stamp
	@$(BIN)/python tools/catalogue.py --compile
	@touch $@
