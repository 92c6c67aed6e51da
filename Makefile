# Every target but `setup` runs in .venv. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
HOST_TESTS ?= tests/hosts
SOURCES := infra simcloud tests tools bench plugins roles

.PHONY: help setup setup-hosts demo demo-hosts check test test-hosts bench format clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /|/' | awk -F'|' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: ## make .venv with the locked packages, the fleetyard command and a Pulumi engine
	@$(PYTHON) tools/setup.py

demo: setup ## bring both environments up on the simulated cloud and take them down again
	@$(BIN)/fleetyard demo

setup-hosts: setup ## also what booting simulated instances needs: programs, images, wheels (Linux, root)
	@$(BIN)/python tools/setup_hosts.py

demo-hosts: setup-hosts ## both environments with booted hosts: a training job outlives a lost host (Linux, root)
	@$(BIN)/fleetyard demo-hosts --layer "$$($(BIN)/python tools/setup_hosts.py --layer)"

check: setup ## linters and types
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/mypy
	@$(BIN)/yamllint --strict .
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/ansible-lint -q

test: setup ## the test suite, fast tests first
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile

# Where hosts cannot boot (status 77) every test is skipped with the reason.
test-hosts: setup ## tests on booted hosts and one virtual machine (Linux, root)
	@$(BIN)/python tools/setup_hosts.py || test $$? = 77
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadscope --no-loadscope-reorder $(HOST_TESTS)

bench: setup ## speed as ratios of one run
	@$(BIN)/python -m bench

format: setup ## let ruff format and mend what it can
	@$(BIN)/ruff check --fix $(SOURCES)
	@$(BIN)/ruff format $(SOURCES)

clean: ## remove .venv and what tools leave behind; caches in the user's folder stay
	rm -rf .venv build .mypy_cache .ruff_cache .pytest_cache .hypothesis ./*.egg-info
