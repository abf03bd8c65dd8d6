# Two commands on a bare machine (Python 3.11 or newer, a C compiler, make):
#   make demo   sets up everything and runs the study on the simulated demo cohort
#   make test   sets up everything and runs the tests
PYTHON ?= python3
CORES ?= $(shell nproc 2>/dev/null || echo 2)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
ORACLE := $(VENV)/.oracle
UV := $(shell sed -n 's/^\(uv==[^ \\]*\).*/\1/p' requirements.lock)

# real images and tables for the tests that need them; those tests skip where the folder is absent
HER2RADIOMICS_DATA ?= $(realpath ../shared/data)
export HER2RADIOMICS_DATA

.PHONY: demo test setup lint lock envs clean

demo: $(READY)
	$(BIN)/snakemake --cores $(CORES)

test: $(ORACLE)
	$(BIN)/python -m pytest $(PYTEST_ARGS)

setup: $(READY)

INSTALL = $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r

# uv installs the locked files many times faster; pip does where uv cannot reach the package index.
# Byte code is compiled once, here: hundreds of short jobs would else compile their imports again and again.
$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit(f"Python 3.11 or newer is needed, found {v[0]}.{v[1]}: call make with PYTHON=/path/to/python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	($(BIN)/python -m pip install --quiet '$(UV)' \
	  && $(INSTALL) requirements.lock) \
	  || $(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --no-index --editable .
	$(BIN)/python -m compileall -q src
	touch $@

# what only the tests need
$(ORACLE): $(READY) requirements.oracle.lock
	$(INSTALL) requirements.oracle.lock || $(BIN)/python -m pip install --quiet --require-hashes -r requirements.oracle.lock
	touch $@

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow/rules
	$(BIN)/snakemake --lint
	$(BIN)/mypy

# renew the lock files from pyproject.toml, and what is made from them
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url
lock:
	$(LOCK) --extra dev pyproject.toml -o requirements.lock
	$(LOCK) --extra oracle --constraints requirements.lock pyproject.toml -o requirements.oracle.lock
	$(MAKE) envs

envs:
	$(BIN)/python envs/generate.py

clean:
	rm -rf results/[!R]* .snakemake logs
