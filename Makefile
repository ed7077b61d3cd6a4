# Everything runs in .venv with the versions of constraints.txt; installation is repeated only when either file changes.
PYTHON ?= python3
PIP = .venv/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: test lint clean

test: .venv/installed-dev
	.venv/bin/pytest

lint: .venv/installed-dev
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports

clean:
	rm -rf .venv

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "dragon needs Python >= 3.11; set PYTHON=/path/to/python and run make again." >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/installed-dev: pyproject.toml constraints.txt | .venv/bin/python
	$(PIP) --editable '.[dev]'
	@touch $@
