# Everything a contributor does. `make run` needs only python3 >= 3.11; uv is used when it is there.
PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8501
INSTALL = $(if $(shell command -v uv),uv pip install -q --python $(BIN)/python,$(BIN)/python -m pip install -q --disable-pip-version-check)
VENV = $(if $(shell command -v uv),uv venv -q --python $(PYTHON) .venv,$(PYTHON) -m venv .venv)

.PHONY: run lint test test-slow e2e format

run: .venv/installed
	@$(BIN)/python -m cifar_core.serve --port $(PORT)

lint: .venv/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright

# Processes of one torch thread each: two with all threads stop each other. Three on two cores, since
# a third of the time is spent waiting for workers. A file's tests stay together, in the order of
# tests/conftest.py.
test: .venv/installed-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder \
	  -m "not slow"

# Two sessions side by side: that of the plain workers mostly waits.
test-slow: .venv/installed-dev
	@rm -rf .slow && mkdir .slow
	$(BIN)/python -m pytest -q tests/reliability --ignore tests/reliability/test_torch_runs.py \
	  --full --counts .slow/plain.json & plain=$$!; \
	$(BIN)/python -m pytest -q tests/reliability/test_torch_runs.py tests/e2e/test_survival.py \
	  tests/training/test_compile.py tests/explain/test_pointing_game.py tests/augment \
	  tests/checkpoints/test_checkpoint_sealed.py tests/report/test_shipped.py \
	  --full --counts .slow/torch.json; torch=$$?; \
	wait $$plain && [ $$torch = 0 ]; ended=$$?; \
	$(BIN)/python -m tests.reliability.report .slow/plain.json .slow/torch.json; exit $$ended

e2e: .venv/installed-dev
	$(BIN)/python -m pytest -q tests/e2e

format: .venv/installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version). Name another: make PYTHON=python3.12"; exit 1; }
	$(VENV)

.venv/installed: requirements.txt | .venv/bin/python
	@echo "Installing what the app needs; the first time takes a minute or two."
	$(INSTALL) -r requirements.txt
	@touch $@

.venv/installed-dev: requirements-dev.txt requirements.txt | .venv/bin/python
	$(INSTALL) -r requirements-dev.txt
	@touch $@ .venv/installed
