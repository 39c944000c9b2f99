# The two commands of the README; everything happens in the virtual environment .venv.
PYTHON ?= python3
BIN := .venv/bin
# Large pages for torch's tensors on a CPU: the same numbers in less time.
export THP_MEM_ALLOC_ENABLE := 1

.PHONY: demo test quick thorough lint clean

demo: .venv/installed
	$(BIN)/python benchmarks/run_all.py --quick

test: quick
	$(BIN)/python -m pytest -m slow

# Every record, also those whose networks and trainings are like others: an hour and a half.
thorough: .venv/installed
	$(BIN)/python -m pytest -m thorough

# Quick tests compute in one thread each, slow ones in as many as the recorded runs.
quick: .venv/installed
	$(BIN)/python -m pytest -m quick -n 2 --dist worksteal

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.venv/installed: setup.cfg pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch .venv/installed

clean:
	rm -rf .venv build *.egg-info
