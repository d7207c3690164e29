# Everything a fresh machine needs: Python 3.11 or newer, and make. uv is used where it is there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# What running needs is installed, and what the tests and linters need besides.
RUNS := $(VENV)/.runs
READY := $(VENV)/.ready

.PHONY: demo test mutants nights check install install-dev bare lint lint-containers types system lock bench docs clean

demo: $(RUNS)
	$(BIN)/lumos-ingest demo

test: $(READY) system
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(TESTS)

# How many small changes of the code that bears the laws the unit tests notice: see docs/testing.md.
mutants: $(READY)
	$(BIN)/python -m tests.mutation_score $(ONLY)

# A night on a Prefect server with two workers, in which run, worker and server are killed: five minutes.
nights: $(READY) system
	$(BIN)/python -m pytest tests/e2e/nights_of_workers.py

check: lint types test

# The demonstration on a bare Debian, which has Python and make and nothing else; as root.
bare:
	./tests/bare_machine.sh make demo

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

# The container file, the manifests and the systemd units, with tools of an environment of their own.
lint-containers:
	./containers/lint.sh $(PYTHON)

types: $(READY)
	$(BIN)/mypy

install: $(RUNS)

install-dev: $(READY)

# The pins are whole, so that nothing is left to resolve; a module is compiled when it is imported.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile
INSTALL := $(if $(shell command -v uv 2>/dev/null),uv pip install --python $(BIN)/python --quiet --no-deps,$(PIP))

$(RUNS): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "lumos-ingest needs Python 3.11 or newer; say which: make PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
ifeq ($(INSTALL),$(PIP))
	awk '/^[^ ]/ {is_pip = /^pip==/} is_pip' requirements.lock > $(VENV)/pip.lock
	$(PIP) --require-hashes -r $(VENV)/pip.lock    # twice as fast as the one that Python brings
endif
	$(INSTALL) --require-hashes -r requirements.lock
	$(INSTALL) --no-build-isolation --editable .
	touch $@

$(READY): $(RUNS) requirements-dev.lock
	$(INSTALL) --require-hashes -r requirements-dev.lock
	touch $@

# The servers and the browser that the tests run against.
system: $(READY)
	./tests/system_packages.sh
	$(BIN)/python -m tests.npm_packages
	$(BIN)/python -m tests.connector_servers
	$(BIN)/python -m tests.kerberos_package

COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links --group build pyproject.toml

lock:
	$(COMPILE) --output-file requirements.lock
	$(COMPILE) --extra dev --constraints requirements.lock --output-file requirements-dev.lock

bench: $(READY)
	$(BIN)/python -m benchmarks.all

# The pages that are made from the code.
docs: $(READY)
	$(BIN)/python docs/source_file_reference.py
	$(BIN)/python docs/architecture_tree.py
	PYTHONPATH=. $(BIN)/python docs/guards_table.py

clean:
	rm -rf mutants $(VENV) .venv-lint .venv-emulators .venv-connector .venv-kerberos .mypy_cache .ruff_cache .pytest_cache .hypothesis
