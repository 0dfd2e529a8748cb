# `make help` lists what there is. Everything runs from `.venv`, which `deploy/setup.sh` makes and keeps current.
SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev setup-test setup-gpu demo run test test-all chaos mutations check translations clean

PHOTOS ?=
OUT ?= out
PORT ?=
JOBS ?= 2
ARGS ?=

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo '  options:        PHOTOS=dir (one subfolder per employee) and OUT=dir for demo; JOBS=n and ARGS="-k name" for test'

demo: setup ## the main job, start to finish: make demo [PHOTOS=dir] [OUT=out]
	@.venv/bin/headshots demo $(if $(PHOTOS),--photos "$(PHOTOS)") --out "$(OUT)"

run: setup ## everything on this machine, until Ctrl-C; prints the addresses: make run [PORT=8000]
	@.venv/bin/headshots up $(if $(PORT),--port "$(PORT)")

test: setup-test ## all tests but the slow ones
	@.venv/bin/pytest -n $(JOBS) --dist loadgroup -m "not slow" $(ARGS)

test-all: setup-test ## all tests
	@.venv/bin/pytest -o faulthandler_timeout=0 -n $(JOBS) --dist loadgroup $(ARGS)

chaos: setup-test ## processes killed and cables pulled under load, 5 minutes; ARGS="--seed 7 --minutes 20 --outage 600"
	@PYTHONPATH=tests .venv/bin/python -m chaos $(ARGS)

mutations: setup-test ## break each promise in a copy and see that a test notices, about 5 minutes; ARGS=words for some
	@PYTHONPATH=tests .venv/bin/python -m mutations --jobs $(JOBS) $(ARGS)

check: setup-dev ## format, lint, types, import directions, migrations equal models
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/python -m deploy.check_migrations

translations: setup-dev ## find texts to translate, bring the catalogues up to date, compile them
	@mkdir -p build
	.venv/bin/pybabel -q extract -F core/web/babel.cfg -k N_ -k _l -k _ln:1,2 --no-wrap --sort-by-file \
		--add-location file --project Headshots --version 1 -o build/messages.pot .
	.venv/bin/pybabel -q update -i build/messages.pot -d core/web/translations --no-wrap --no-fuzzy-matching \
		--ignore-obsolete --ignore-pot-creation-date
	.venv/bin/pybabel -q compile -d core/web/translations --statistics
	.venv/bin/python -m deploy.formal

setup: ## the virtual environment and system libraries
	@deploy/setup.sh

setup-dev:
	@deploy/setup.sh --dev

setup-test:
	@deploy/setup.sh --dev --browser

setup-gpu: ## also torch, diffusers and peft, for the diffusion engine
	@deploy/setup.sh --gpu

clean: ## remove .venv and caches; keeps OUT and the data in .headshots
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
