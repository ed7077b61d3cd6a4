# Everything runs in .venv with the versions of constraints.txt; installation is repeated only when pyproject.toml or
# constraints.txt changes. `make PYTHON=/path/to/python ...` chooses the interpreter that .venv is made with.
.PHONY: demo ui stop clean-demo test lint clean

demo: .venv/installed-demo
	@.venv/bin/dragon demo

ui: .venv/installed-demo
	@.venv/bin/dragon ui

stop:
	@test ! -x .venv/bin/dragon || .venv/bin/dragon server stop

# The store, the server's database and its logs; what was downloaded elsewhere stays.
clean-demo: stop
	rm -rf .dragon

# Some tests read the real WordNet, which is part of what is installed for them.
test: .venv/installed-dev
	@.venv/bin/dragon wordnet >/dev/null || echo "Without it, the tests that read WordNet are skipped."
	.venv/bin/pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: .venv/installed-dev
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/dragon check

clean: stop
	rm -rf .venv

# The first that is new enough; a plain `python3` comes first since it is what the user chose.
.venv/bin/python:
	@for python in $(or $(PYTHON),python3 python3.13 python3.12 python3.11); do \
		if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			echo "Making .venv with $$($$python --version) ..."; exec $$python -m venv .venv; \
		fi; \
	done; \
	echo "dragon needs Python >= 3.11; install it, or name it: make PYTHON=/path/to/python" >&2; exit 1

.venv/installed-%: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing dragon[$*] into .venv; the first time this takes some minutes ..."
	@.venv/bin/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt --editable '.[$*]'
# Prefect's home (prefect.toml); Prefect itself makes only the last folder of a path.
	@mkdir -p .dragon/prefect
	@touch $@
