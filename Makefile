# Everything a developer or a reviewer runs. Needs Python 3.11 and make; `make` alone lists the targets.
# On another Python: make PYTHON=/path/to/python3.11 setup

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup demo up test lint types unit generate bench bench-spark lock add-object clean
MAKEFLAGS += --no-print-directory

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
LOCKS := requirements/run.lock requirements/dev.lock

# Stamps carry checksums, not times: a fresh clone, a copy or a touched file does no work twice, a change always does.
checksum = $(firstword $(shell cat $(1) | cksum))
PLACE := .venv/.place-$(firstword $(shell printf '%s' '$(CURDIR)' | cksum))
PACKAGES := .venv/.packages-$(call checksum,$(LOCKS))
PROJECT := .venv/.project-$(call checksum,pyproject.toml)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' Makefile

setup: $(PROJECT) ## install the locked packages into .venv (does nothing when nothing changed)

# A virtual environment knows its own path, so one that was moved or copied is made anew.
$(PLACE):
	@echo "setup: making .venv with $(PYTHON)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "sif-pipeline needs Python 3.11 or newer.")'
	@$(PYTHON) -m venv --clear .venv
	@touch $@

# --compile: an environment without bytecode makes every Airflow process parse its 400 MB of sources again.
$(PACKAGES): | $(PLACE)
	@echo "setup: installing $$(cat $(LOCKS) | sort -u | wc -l) locked packages (a minute or two the first time)"
	@$(BIN)/python -m pip install --disable-pip-version-check --no-input --no-deps --compile --only-binary :all: \
		$(LOCKS:%=-r %)
	@$(BIN)/python -m pip --no-input check
	@rm -f .venv/.packages-*; touch $@

$(PROJECT): $(PACKAGES)
	@$(BIN)/python -m pip install --disable-pip-version-check --no-input --no-deps --no-build-isolation --quiet -e .
	@rm -f .venv/.project-*; touch $@
	@echo 'setup: ready; export PATH="$(CURDIR)/$(BIN):$$PATH" lets you say sif-pipeline without its folder'

demo: setup ## five synthetic districts through the whole pipeline, and what became of it; then stop everything
	@$(BIN)/sif-pipeline demo

up: setup ## the same, and keep it running until Ctrl-C
	@exec $(BIN)/sif-pipeline up

test: lint types ## lint, format, types, import contracts, then every test
	$(BIN)/pytest --durations=10

lint: setup ## ruff's rules, ruff's format and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo

types: setup ## mypy --strict
	$(BIN)/mypy

unit: setup ## the unit and contract tests
	$(BIN)/pytest tests/unit tests/contract

generate: setup ## write the generated reference pages anew; a test fails when they are stale
	$(BIN)/sif-pipeline generate

bench: setup ## measure, and print ratios; ARGS="--quick" for a first look
	@test -f .venv/bench/ready || $(BIN)/python -m venv .venv/bench
	@cmp -s requirements/bench.lock .venv/bench/ready || { .venv/bench/bin/python -m pip install --quiet --no-input \
		--disable-pip-version-check --no-deps --only-binary :all: -r requirements/bench.lock \
		&& cp requirements/bench.lock .venv/bench/ready; } || echo "bench: going on without the peer xml2db"
	$(BIN)/python -m benchmarks $(ARGS)

# PySpark is published as sources only: the one package here that is built.
bench-spark: setup ## the same beside Spark; needs Java 17 and the JDBC driver of PostgreSQL
	@test -f .venv/bench-spark/ready || $(BIN)/python -m venv .venv/bench-spark
	@cmp -s requirements/bench-spark.lock .venv/bench-spark/ready || { .venv/bench-spark/bin/python -m pip install --quiet \
		--no-input --disable-pip-version-check --no-deps -r requirements/bench-spark.lock \
		&& cp requirements/bench-spark.lock .venv/bench-spark/ready; } || echo "bench: going on without the peer Spark"
	@$(MAKE) bench ARGS="--spark $(ARGS)"

lock: setup ## resolve requirements/*.in anew (needs uv on the PATH)
	uv pip compile requirements/run.in -o requirements/run.lock $(RESOLVE)
	uv pip compile requirements/dev.in -o requirements/dev.lock $(RESOLVE) -c requirements/run.lock

# No index address may enter a lock: pip's own settings say where packages come from.
RESOLVE := --upgrade --quiet --python-version 3.11 --no-header --no-annotate --no-emit-index-url --no-emit-find-links

add-object: setup ## begin a new SIF object: make add-object NAME=StudentContact
	@$(BIN)/python -m sif_pipeline.scaffold $(NAME)

clean: ## remove .venv, builds and caches; data under var/ stay
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
