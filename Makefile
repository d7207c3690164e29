# Everything a fresh machine needs: Python 3.11 or newer, and make. uv is used where it is there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test mutants check install lint types system lock bench docs clean

demo: $(READY)
	$(BIN)/lumos-ingest demo

test: $(READY) system
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(TESTS)

# How many small changes of the code that bears the laws the unit tests notice: see docs/testing.md.
mutants: $(READY)
	$(BIN)/python -m tests.mutation_score $(ONLY)

check: lint types test

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(READY)
	$(BIN)/mypy

install: $(READY)

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "lumos-ingest needs Python 3.11 or newer; say which: make PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	if command -v uv >/dev/null; then VIRTUAL_ENV=$(CURDIR)/$(VENV) uv pip install --quiet -r requirements.lock; \
	else $(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock; fi
	if command -v uv >/dev/null; then VIRTUAL_ENV=$(CURDIR)/$(VENV) uv pip install --quiet --no-deps --editable .; \
	else $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .; fi
	touch $(READY)

# The servers and the browser that the tests run against.
system: $(READY)
	./tests/system_packages.sh
	$(BIN)/python -m tests.snowflake_emulator
	$(BIN)/python -m tests.kerberos_package

lock:
	uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate --no-emit-index-url \
		--extra dev pyproject.toml --output-file requirements.lock

bench: $(READY)
	$(BIN)/python -m benchmarks.csv_to_bodies

# The pages that are made from the code.
docs: $(READY)
	$(BIN)/python docs/source_file_reference.py

clean:
	rm -rf mutants $(VENV) .venv-emulators .venv-kerberos .mypy_cache .ruff_cache .pytest_cache .hypothesis
