# Two commands on a fresh machine (Python 3.11+, pip, make, git):
#   make demo    sets up everything and goes the whole way on embedded data with the embedded model
#   make test    sets up everything and passes the tests
# A second call sets nothing up again.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
# One worker a core; each test process computes with one thread.
WORKERS ?= auto
DEMO ?= runs/demo

.PHONY: demo test lint format slow clean help

help:
	@sed -n '1,5p' Makefile; echo "#   make lint    style, types, import order"; echo "#   make slow    the tests that take minutes"

$(VENV)/.core: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "mto needs Python 3.11 or newer, this is " + sys.version.split()[0] + "; call make PYTHON=python3.12")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing mto and what it needs (a few minutes, once)"
	$(PIP) install -c constraints.txt -e '.[semantic,prepare]'
	@touch $@

$(VENV)/.test: $(VENV)/.core
	@echo "installing what the tests and checks need (once)"
	$(PIP) install -c constraints.txt -e '.[semantic,tagger,prepare,ray,peft,test,lint]'
	@touch $@

demo: $(VENV)/.core
	$(BIN)/mto run --config configs/demo.yaml --out $(DEMO)

test: $(VENV)/.test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) -m "not slow"

slow: $(VENV)/.test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m slow

lint: $(VENV)/.test
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.test
	$(BIN)/ruff format src tests benchmarks
	$(BIN)/ruff check --fix src tests benchmarks

clean:
	rm -rf $(VENV) runs .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
