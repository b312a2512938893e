# The workflow as commands. `make run`, `make demo` and `make test` set up what they need.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STATE ?= var/state
# Registries want to know who asks; public hosts are not asked without it.
CONTACT ?= $(shell git config user.email 2>/dev/null || echo "$$(id -un)@$$(hostname)")
# make test ONLY=pypi runs the tests whose names hold "pypi".
ONLY ?=
WORKERS ?= $(shell nproc 2>/dev/null || echo 2)

.DEFAULT_GOAL := help
.PHONY: help setup system-demo system-test run demo test coverage lint format bench docs lock clean

help: ## show this
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/.ready: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14) and "Python 3.11, 3.12 or 3.13 is needed; say make PYTHON=/path/to/python3.12")'
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) || $(MAKE) --no-print-directory venv-by-apt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

.PHONY: venv-by-apt
venv-by-apt: # Debian keeps what `python3 -m venv` needs in a package of its own
	rm -rf $(VENV)
	$$(test "$$(id -u)" = 0 || echo sudo -n) apt-get update -qq
	$$(test "$$(id -u)" = 0 || echo sudo -n) apt-get install -y -qq --no-install-recommends python3-venv
	$(PYTHON) -m venv $(VENV)

setup: $(VENV)/.ready ## make the virtual environment with the locked dependencies

system-demo: setup
	@$(BIN)/python -m tests.system demo

system-test: setup
	@$(BIN)/python -m tests.system test

run: setup ## watch the public upstreams of config/, with the state in var/state
	MONITOR_NETWORK__CONTACT="$(CONTACT)" $(BIN)/monitor --config config --state $(STATE) run

demo: system-demo ## the whole story against local upstreams, offline
	$(BIN)/python -m demo

# Tests wait for real processes and servers, which a busy machine can starve: what failed beside
# others is tried once more, alone. What fails then has failed.
ALONE = $(BIN)/python -m pytest -q --last-failed --last-failed-no-failures none

test: system-test ## run the tests; ONLY=word for some of them
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal -m "not serial" $(if $(ONLY),-k "$(ONLY)") || $(ALONE) -m "not serial"
	$(BIN)/python -m pytest -q -m serial $(if $(ONLY),-k "$(ONLY)") || test $$? -eq 5 || $(ALONE) -m serial

coverage: system-test ## run the tests and show what they do not reach
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest -q
	$(BIN)/python -m coverage combine -q
	$(BIN)/python -m coverage report --skip-covered

lint: setup ## style, types, imports, dependencies, spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/codespell --quiet-level 2 .

format: setup ## put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup ## measure, side by side with peers and limits; one JSON object per line
	$(BIN)/python -m bench $(ONLY)

docs: setup ## write the pages that are made from the code
	$(BIN)/python -m monitor.settings docs > docs/settings.md
	$(BIN)/python -m monitor.settings config > config/monitor.toml
	$(BIN)/python -m monitor.cli.manual docs > docs/commands.md
	$(BIN)/python -m monitor.cli.manual man > docs/monitor.1

lock: setup ## choose the newest allowed versions of all dependencies (needs uv)
	uv pip compile pyproject.toml --group dev --extra notify --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links -o requirements.lock

clean: ## remove what the other targets made
	rm -rf $(VENV) var .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage*
