# Each target is a plain command or two; README names them without make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help install demo test prove-crash prove-syscalls prove-power lint types laws coverage covered-state covered-wire docs docs-check format fuzz bench bench-million lock build clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

$(STAMP): requirements/dev.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

install: $(STAMP) ## make .venv with everything, from the hashed lock file

demo: $(STAMP) ## the main job against the embedded sandbox, in a temporary copy
	$(BIN)/python -m tests.demo

test: $(STAMP) lint types laws docs-check ## everything that must hold
	$(BIN)/python -m pytest -q -n 2 --dist worksteal

prove-crash: $(STAMP) ## 10,000 killed histories, every failpoint, engines broken on purpose
	$(BIN)/python -m tests.proofs.crash $(if $(FIGURES),--figures $(FIGURES))

prove-syscalls: $(STAMP) ## every storage and network call killed and failed, and a full disk; FIGURES=FILE keeps the figures
	$(BIN)/python -m tests.proofs_storage syscalls full-disk $(if $(FIGURES),--figures $(FIGURES))

prove-power: $(STAMP) ## the power cut at every step of a run, what is left opened; FIGURES=FILE keeps the figures
	$(BIN)/python -m tests.proofs_storage power $(if $(FIGURES),--figures $(FIGURES))

fuzz: $(STAMP) ## the fuzzers, long: FUZZ_EXAMPLES=20000 for each
	HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest -q -n 2 tests/fuzz tests/wire tests/engine/test_wishes.py

lint: $(STAMP) ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP) ## mypy, strict
	$(BIN)/mypy

laws: $(STAMP) ## the import laws
	$(BIN)/lint-imports

coverage: $(STAMP) ## every branch of engine, states, provider and wire is reached by a test of its room
	$(BIN)/coverage erase
	$(MAKE) --no-print-directory --jobs 2 covered-state covered-wire
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

covered-state:
	$(BIN)/coverage run --parallel-mode -m pytest -q tests/engine tests/states

covered-wire:
	$(BIN)/coverage run --parallel-mode -m pytest -q tests/provider tests/wire

docs: $(STAMP) ## generate what is generated in README and docs
	$(BIN)/cog -r -P README.md docs/*.md

docs-check: $(STAMP) ## what is generated must be current
	$(BIN)/cog --check -P README.md docs/*.md

format: $(STAMP) ## let ruff format and fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP) ## figures as ratios to floor scripts measured in the same run
	$(BIN)/python -m benchmarks

bench-million: $(STAMP) ## the same for a million recipients, and what else a national campaign needs
	$(BIN)/python -m benchmarks.million $(if $(ROWS),--rows $(ROWS))

lock: $(STAMP) ## renew the hashed lock files, without any address
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile -q --upgrade pyproject.toml --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-header --no-annotate -o requirements/runtime.txt
	$(BIN)/uv pip compile -q --upgrade pyproject.toml --group dev --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-header --no-annotate -o requirements/dev.txt

build: $(STAMP) ## the wheel
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation -w dist .

clean: ## remove what was made
	rm -rf $(VENV) dist build .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
