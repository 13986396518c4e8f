# make help lists the commands. Each makes what it needs, says what it does, and is quick when nothing changed.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
WEB := docs/hooks/press/web
TESTS := # for pytest; -m "not course" leaves out what this course asks of its own chapters
PRESS := PYTHONPATH=docs/hooks $(BIN)/python -m press

.PHONY: help site test serve lab kit record bench mutants links lighthouse clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

site: .venv/ready ## run the chapters that changed and build the site into site/
	@$(PRESS) build

test: site ## run every check: code, chapters against their records, the site in a browser
	@$(BIN)/python -m pytest $(TESTS)

serve: .venv/ready ## serve the site with live reload, at http://127.0.0.1:8000/
	@$(PRESS) serve

lab: .venv/lab/ready ## open the chapters in JupyterLab; a double click opens one as a notebook
	@cd chapters && JUPYTER_PATH="$(CURDIR)/.venv/share/jupyter" JUPYTER_CONFIG_PATH="$(CURDIR)/.venv/etc/jupyter" \
	  ../.venv/lab/bin/jupyter-lab

kit: site ## pack site, notebooks and wheels into dist/, for machines without a network
	@echo "Gathering the wheels of the course and of JupyterLab"
	@$(PRESS) kit

record: .venv/ready ## renew what nbval compares the chapters with, and show what changed
	@$(PRESS) record

bench: .venv/ready ## measure the operators against PyTorch and the bare matrix product, and the pasture
	@for bench in tests/bench/*.py; do echo "$$bench"; $(BIN)/python $$bench || exit 1; done

mutants: .venv/mutants/ready ## change dtwin/ref in 2,500 places, one at a time, and name the changes that no test notices
	@rm -rf mutants
	@# one thread: children of a process whose threads have computed may wait for them for ever
	@OMP_NUM_THREADS=1 .venv/mutants/bin/mutmut run && .venv/mutants/bin/mutmut results

lighthouse: site ## score the first page and three chapters (installs Lighthouse, 180 MB, for this alone; needs Chromium or Chrome)
	@cd tests/bench/lighthouse && PATH="$(CURDIR)/$(BIN):$$PATH" && npm ci --silent --no-audit --no-fund --ignore-scripts \
	  && node run.mjs

links: site ## ask every external link of the site whether it still answers (this one needs a network)
	@$(PRESS) links

clean: ## remove all that these commands made
	rm -rf .venv .cache site dist mutants $(WEB)/node_modules tests/bench/lighthouse/node_modules *.egg-info .pytest_cache .hypothesis
	find chapters dtwin docs tests -name __pycache__ -exec rm -rf {} +

.venv/ready: pyproject.toml constraints.txt $(WEB)/package-lock.json
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "This course needs Python 3.11 to 3.13; name one: make PYTHON=python3.13 site"; exit 1; }
	@echo "Making the virtual environment .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv .venv \
	  || { echo "Python's venv module is missing; on Debian and Ubuntu: sudo apt install python3-venv"; exit 1; }
	@echo "Installing the packages pinned in constraints.txt (PyTorch is large: this takes minutes, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[site,test]'
	@echo "Installing KaTeX, which sets the formulas, and the typeface"
	@cd $(WEB) && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --silent --no-audit --no-fund
	@touch $@

# A tool in a room of its own sees the packages of .venv, but they do not see its: some of them make every start of the press slow
packages := import sysconfig; print(sysconfig.get_path("purelib"))
define install
@echo "Installing $(1)"
@$(BIN)/python -m venv $(@D)
@echo "import site; site.addsitedir('$$($(BIN)/python -c '$(packages)')')" \
  > "$$($(@D)/bin/python -c '$(packages)')/course.pth"
@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt $(1)
endef

.venv/lab/ready: .venv/ready docs/hooks/press/lab.json
	$(call install,jupyterlab)
	@mkdir -p .venv/lab/share/jupyter/lab/settings
	@cp docs/hooks/press/lab.json .venv/lab/share/jupyter/lab/settings/overrides.json
	@touch $@

.venv/mutants/ready: .venv/ready
	$(call install,mutmut)
	@touch $@
