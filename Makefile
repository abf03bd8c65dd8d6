# Two commands on a bare machine (Python 3.11 or newer, make):
#   make demo   sets up everything and runs the study on the simulated demo cohort
#   make test   sets up everything and runs the tests
PYTHON ?= python3
CORES ?= $(shell nproc 2>/dev/null || echo 2)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
ORACLE := $(VENV)/.oracle
CLUSTER := $(VENV)/.cluster
UV := $(shell sed -n 's/^\(uv==[^ \\]*\).*/\1/p' requirements.lock)

# real images and tables for the tests that need them; those tests skip where the folder is absent
HER2RADIOMICS_DATA ?= $(realpath ../shared/data)
export HER2RADIOMICS_DATA

.PHONY: demo site test test-cluster test-determinism test-security test-faults test-compiler resume audit-dependencies setup cluster lint lock envs clean

demo: $(READY)
	$(BIN)/snakemake --cores $(CORES)

# the documentation as pages with a search, into site/; a warning is an error
site: $(READY)
	$(BIN)/python scripts/build_site.py

# go on after Snakemake itself was killed; nobody else may be running it in this folder
resume: $(READY)
	$(BIN)/snakemake --cores 1 --unlock
	$(BIN)/snakemake --cores $(CORES)

# a library may reset the locale of a process; files of other libraries are UTF-8 all the same.
# The files with the longest tests come first (tests/conftest.py): else one core works through them alone at the end.
# One thread for each of the processes, of which there are as many as cores.
test: $(ORACLE)
	PYTHONUTF8=1 OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n $(CORES) --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

# a real Slurm of three nodes on this machine, for the time of the tests (Debian, root; docs/cluster.md).
# CLUSTER_TESTS=quick leaves out those that wait for Slurm's own time-outs; CLUSTER_REQUIRED=no passes where no Slurm can be had
CLUSTER_TESTS ?= all
CLUSTER_REQUIRED ?= yes
CLUSTER_MARKS = $(if $(filter quick,$(CLUSTER_TESTS)),cluster and not cluster_slow,cluster)
test-cluster: $(CLUSTER)
	$(BIN)/python tests/cluster/slurm.py $(if $(filter no,$(CLUSTER_REQUIRED)),--or-skip) \
	  $(BIN)/python -m pytest tests/cluster -m '$(CLUSTER_MARKS)' $(PYTEST_ARGS)

# a small study run in four ways; other Pythons get environments of their own: OTHER_PYTHONS="/path/to/python3.12 …"
OTHER_PYTHONS ?=
OTHERS = $(foreach python,$(OTHER_PYTHONS),$(VENV)/others/$(shell $(python) -c 'import platform; print(platform.python_version())'))
space := $(subst ,, )
test-determinism: $(READY)
	$(foreach python,$(OTHER_PYTHONS),$(MAKE) setup PYTHON=$(python) \
	  VENV=$(VENV)/others/$$($(python) -c 'import platform; print(platform.python_version())') &&) true
	HER2RADIOMICS_DETERMINISM=1 HER2RADIOMICS_PYTHONS="$(subst $(space),:,$(abspath $(addsuffix /bin/python,$(OTHERS))))" \
	  $(BIN)/python -m pytest tests/determinism $(PYTEST_ARGS)

# a hostile cohort, and a small study run on it
test-security: $(READY)
	HER2RADIOMICS_SECURITY=1 $(BIN)/python -m pytest tests/security $(PYTEST_ARGS)

# faults caused on purpose (docs/faults.md): FAULTS=quick tries three of them; those of full disks mount a file system (root)
FAULTS ?= all
test-faults: $(READY)
	HER2RADIOMICS_FAULTS=$(FAULTS) $(BIN)/python -m pytest tests/faults $(PYTEST_ARGS)

# PyRadiomics built by the compiler of the lock file and by this machine's, and their features compared
test-compiler: $(READY)
	HER2RADIOMICS_COMPILER=1 $(BIN)/python -m pytest tests/test_compile_radiomics.py $(PYTEST_ARGS)

# known vulnerabilities of the locked packages; asks the advisory database, so that it needs a network
PIP_AUDIT ?= pip-audit==2.10.1
audit-dependencies: $(READY)
	for lock in requirements*.lock; do $(BIN)/uv tool run --from '$(PIP_AUDIT)' pip-audit --strict --progress-spinner off --require-hashes --disable-pip -r $$lock || exit 1; done

setup: $(READY)

# what submitting to Slurm needs beyond the study's own packages
cluster: $(CLUSTER)

INSTALL = $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r

# PyRadiomics comes as source alone: where there is no C compiler, one from the package index builds it, and is removed.
# uv installs the locked files many times faster; pip does where uv cannot reach the package index.
# Byte code is compiled once, here: hundreds of short jobs would else compile their imports again and again.
$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit(f"Python 3.11 or newer is needed, found {v[0]}.{v[1]}: call make with PYTHON=/path/to/python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python scripts/compile_radiomics.py
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

$(CLUSTER): $(READY) requirements.cluster.lock
	$(INSTALL) requirements.cluster.lock --no-deps || $(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements.cluster.lock
	touch $@

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow/rules
	$(BIN)/snakemake --lint
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tests/dead_code.py

# renew the lock files from pyproject.toml, and what is made from them
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url
lock:
	$(LOCK) --extra dev pyproject.toml -o requirements.lock
	$(LOCK) --extra oracle --constraints requirements.lock pyproject.toml -o requirements.oracle.lock
	$(LOCK) --group cluster --no-deps -o requirements.cluster.lock
	$(LOCK) --group compiler --no-deps -o requirements.compiler.lock
	$(MAKE) envs

envs:
	$(BIN)/python envs/generate.py

clean:
	rm -rf results/[!R]* .snakemake logs
