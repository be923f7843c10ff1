# make demo · make test · make check · make bench: each sets up what it needs.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo up setup setup-dev frontend test test-arq25 faults check audit format bench bench-huge lock clean

PORT ?=
LIVE ?= 2
BIN := .venv/bin
ARGS ?=
# Where it is set, as in many images, each process would compile all it loads anew: seconds each.
unexport PYTHONDONTWRITEBYTECODE
# Files of tests that run beside each other in `make test`.
BESIDE ?= 3
# What the queue is a part of.
QUEUE_TESTS = $(wildcard tests/integration/test_worker*.py tests/faults)

help:
	@echo "make demo [PORT=8000]  everything on this machine, with a local Shopify to connect to"
	@echo "          [LIVE=2]     orders that arrive there in a minute; 0 for none"
	@echo "make up   [PORT=8000]  the same with your own Shopify app (see README.md)"
	@echo "make test [ARGS=...]   the whole test suite (REQUIRE_ALL=1: nothing may be skipped)"
	@echo "make faults            the long fault suite, 40 minutes (its table: docs/reliability.md)"
	@echo "make check             style, types, import contracts, dependencies and their advisories"
	@echo "make bench             the benchmarks"
	@echo "make bench-huge        stores from empty to a million orders"

setup:
	@py=$$(tools/python.sh) && "$$py" tools/setup.py

setup-dev:
	@py=$$(tools/python.sh) && "$$py" tools/setup.py --dev

frontend: setup
	@$(BIN)/python -m brandmind.launch.frontend

demo: frontend
	@SIMULATOR_LIVE=$(LIVE) exec $(BIN)/python -m brandmind demo $(if $(PORT),--port $(PORT))

up: frontend
	@exec $(BIN)/python -m brandmind up $(if $(PORT),--port $(PORT))

# All of it in two lanes, the second also where the first failed; what ARGS names in one. What fails
# is told and must pass by itself.
test: setup-dev
	@$(BIN)/python -m brandmind.launch.frontend
ifeq ($(strip $(ARGS)),)
	@failed=0; \
	$(BIN)/python -m pytest -n $(BESIDE) --dist loadfile --lane together || failed=$$?; \
	if [ $$failed = 1 ]; then \
		echo 'Once more, by itself: what failed beside other tests.'; failed=0; \
		$(BIN)/python -m pytest --lane together --lf --lfnf none || failed=$$?; \
	fi; \
	alone=0; \
	$(BIN)/python -m pytest --lane alone || alone=$$?; \
	if [ $$alone = 1 ]; then \
		echo 'Once more: what failed among the stories of a whole house. Look into it all the same.'; \
		alone=0; \
		$(BIN)/python -m pytest --lane alone --lf --lfnf none || alone=$$?; \
	fi; \
	[ $$alone = 0 ] || failed=$$alone; \
	exit $$failed
else
	@$(BIN)/python -m pytest $(ARGS)
endif

# The queue as a plain `pip install brandmind` resolves it; docs/decisions/002 says why both.
# On SQLite alone: the queue never meets the database, and `make test` tries both of those.
test-arq25: setup-dev
	@py=$$(tools/python.sh) && "$$py" tools/setup.py --venv .venv-arq25 --lock requirements-arq25.lock
	@test -n '$(QUEUE_TESTS)' || { echo 'No queue tests found.' >&2; exit 1; }
	@tests() { .venv-arq25/bin/python -m pytest -o cache_dir=.pytest_cache/arq25 \
		-m "not postgres" "$$@" $(QUEUE_TESTS) $(ARGS); }; \
	failed=0; tests -n 2 --dist loadfile || failed=$$?; \
	if [ $$failed = 1 ]; then \
		echo 'Once more, by itself: what failed beside other tests.'; \
		failed=0; tests --lf --lfnf none || failed=$$?; \
	fi; \
	exit $$failed

# Hundreds of kills and other faults, 40 minutes at most; ARGS="--list" says them all.
faults: setup-dev
	@$(BIN)/python -m brandmind.launch.frontend
	@$(BIN)/python -m tests.faults $(ARGS)

check: setup-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/deptry .
	@$(BIN)/python tools/audit.py

# What is known against the versions in the locks; part of `make check`.
audit: setup-dev
	@$(BIN)/python tools/audit.py

format: setup-dev
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: setup-dev
	@$(BIN)/python -m bench $(ARGS)

# A million orders: an hour, and two gigabytes on the disk.
bench-huge: setup-dev
	@$(BIN)/python -m bench.huge $(ARGS)

# Needs uv. No index address is written: the machine's own configuration says where packages are.
lock:
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --extra build pyproject.toml -o requirements.lock
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --extra build --extra predict --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	cp requirements-dev.lock requirements-arq25.lock
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --extra build --extra predict --group dev -c tools/arq25.txt pyproject.toml -o requirements-arq25.lock

clean:
	rm -rf .venv .venv.lock .venv-arq25 .venv-arq25.lock .web .web.build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
