# The two commands of the README, and others; everything happens in the virtual environment .venv.
PYTHON ?= python3
BIN := .venv/bin
# Large pages for torch's tensors on a CPU: the same numbers in less time.
export THP_MEM_ALLOC_ENABLE := 1

.PHONY: demo test quick thorough lint docs docs-serve pages clean

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
	$(BIN)/codespell

# The site, in build/docs. A warning is an error: a link that leads nowhere, a page that nothing leads to.
docs: .venv/installed
	$(BIN)/python -m sphinx --builder html --fail-on-warning --keep-going --quiet docs build/docs

docs-serve: docs
	$(BIN)/python -m webbrowser -t http://localhost:8000
	$(BIN)/python -m http.server --bind localhost --directory build/docs 8000

# The pages of docs/reference that programs write: of the pipelines, and of the benchmark results.
pages: .venv/installed
	$(BIN)/python docs/pipeline_pages.py
	$(BIN)/python docs/benchmark_page.py

.venv/installed: setup.cfg pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable ".[dev,docs]"
	touch .venv/installed

clean:
	rm -rf .venv build docs/pictures docs/how-to/gallery docs/reference/api *.egg-info
