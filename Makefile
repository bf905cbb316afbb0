# Without make: python lib/make_environment.py, then .venv/bin/python -m eldercare run

ifeq ($(OS),Windows_NT)
VENV_PYTHON := .venv/Scripts/python.exe
else
VENV_PYTHON := .venv/bin/python
endif

# The first that runs and is new enough; a shim of pyenv may be found and still fail.
FIND_PYTHON = for p in python3.13 python3.12 python3.11 python3 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' </dev/null >/dev/null 2>&1 && echo "$$p" && break; done

.DEFAULT_GOAL := help
.PHONY: help run site test bench lab desk environment clean

help:  ## show this list
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do printf 'make %-12s %s\n' "$$name" "$$text"; done

run: environment  ## run all notebooks (CITY=lincang: those that show cities, with that one)
	@$(VENV_PYTHON) -m eldercare run $(addprefix --city ,$(CITY))

site: environment  ## build the pages of all notebooks and reports into site/
	@$(VENV_PYTHON) -m eldercare site

test: environment  ## run all tests, and the notebooks against their stored outputs
	@$(VENV_PYTHON) -m eldercare test

bench: environment  ## measure speed, memory and how near the draws come to many more
	@$(VENV_PYTHON) -m eldercare bench

lab: environment  ## open JupyterLab
	@$(VENV_PYTHON) -m eldercare lab

desk: environment  ## open the what-if desk as an app
	@$(VENV_PYTHON) -m eldercare desk

environment:  ## make .venv from the lock (nothing to do if it is up to date)
	@python=$$($(FIND_PYTHON)); \
	if [ -z "$$python" ]; then echo "No working Python 3.11 or newer was found: install one (3.11, 3.12 or 3.13)."; exit 1; fi; \
	"$$python" lib/make_environment.py

clean:  ## remove .venv and all caches
	rm -rf .venv lib/build lib/*.egg-info .pytest_cache lib/.pytest_cache .hypothesis lib/.hypothesis .ruff_cache lib/.ruff_cache .mypy_cache lib/.mypy_cache
	find . -name .git -prune -o \( -name __pycache__ -o -name .ipynb_checkpoints \) -type d -prune -exec rm -rf {} +
