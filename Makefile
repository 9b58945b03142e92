# Two commands do everything, set-up included: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# One thread a process: parallelism comes from workers, and two busy processes with two threads each crawl.
export OMP_NUM_THREADS ?= 1
export MKL_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1
# Compiled files are kept: without them every worker and every process that a test starts compiles all of fusearch and the tests again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install demo picture reference docs sizes test lint test-slow bench clean

help:  ## Show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: $(INSTALLED)  ## Create .venv and install fusearch with the pinned versions; a no-op the second time

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("fusearch needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.11 ...") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing fusearch into $(VENV) (a few minutes the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: install  ## Search an embedded real data set, write the report, export the recommended design
	@rm -rf runs/demo
	@$(BIN)/fusearch search digits --objective accuracy --objective macs --trials 24 --folds 3 --epochs 20 --out runs/demo
	@$(BIN)/fusearch export runs/demo --pick simplest --seeds 1 --out runs/demo/export
	@echo
	@echo "Open runs/demo/report.html in a browser: the Pareto front, every design, and how to reproduce it."
	@echo "runs/demo/export/ runs without fusearch: start with runs/demo/export/model_card.md."

test: install lint  ## Lint, format, types and the whole default suite
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile --durations=10

lint: install
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

test-slow: install  ## The checks that take minutes
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "slow and not ray"
	@$(BIN)/python -m pytest -q -m "slow and ray"
	@FUSEARCH_EXAMPLES=300 $(BIN)/python -m pytest -q -n 2 tests/search_space tests/evaluators/network/test_one_function_one_digest.py

bench: install  ## Run every benchmark
	@for script in $(filter-out benchmarks/record.py,$(wildcard benchmarks/*.py)); do echo "== $$script"; $(BIN)/python $$script || exit 1; done

clean:  ## Remove .venv, caches and runs/demo
	@rm -rf $(VENV) runs/demo .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist site
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

reference: $(INSTALLED)  ## Write the pages that are made from the code: commands, manifest, operators, encoders, words, figures, signatures, decision 0033, benchmarks, peers
	@$(BIN)/python -m fusearch.cli.help_page > docs/cli.md
	@$(BIN)/python -m fusearch.cli.published_page > docs/published.md
	@$(BIN)/python -m fusearch.cli.published_page figure > docs/published.svg
	@$(BIN)/python -m fusearch.data.manifest.manifest_page > docs/manifest.md
	@$(BIN)/python -m fusearch.search_space.operators.operator_page > docs/operators.md
	@$(BIN)/python -m fusearch.search_space.encoders.encoder_page > docs/encoders.md
	@$(BIN)/python -m fusearch.reports.glossary_page > docs/glossary.md
	@$(BIN)/python docs/figures.py
	@$(BIN)/python docs/signatures.py
	@$(BIN)/python docs/names_page.py
	@$(BIN)/python docs/as_published.py
	@$(BIN)/python docs/benchmarks_page.py
	@$(BIN)/python docs/peers_page.py

docs: install  ## Build the site of docs/ into site/; the tutorial is run, and a link that leads nowhere is an error
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[docs]'
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -W ignore -m mkdocs build --strict --quiet
	@echo "Open site/index.html in a browser. Its search needs a server: $(BIN)/python -m http.server --directory site --bind 127.0.0.1"

sizes: install  ## Print what the packages of the core take on disk, without torch and what torch brings
	@$(BIN)/python benchmarks/sizes.py

picture: $(INSTALLED)  ## Draw the README's front from runs/demo
	@$(BIN)/python -c "from pathlib import Path; from fusearch.reports import front_svg; Path('docs/front.svg').write_text(front_svg('runs/demo'), encoding='utf-8')"
