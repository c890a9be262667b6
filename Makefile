# Each target is one line a person could type. PORT and MICROSITE_INSTANCE are read from the environment.
PYTHON ?= python3
BIN = .venv/bin

.PHONY: run quality gallery observatory fuzz audit screenshots test test-postgres chaos machines check install-dev conformance
.PHONY: costs texts lock clean drill

run: .venv/.run
	@$(BIN)/python -m microsite.cli serve

# A real coach: some questions, each asked again where its answer cannot be used.
.PHONY: init
init: .venv/.run
	@$(BIN)/python -m microsite.cli init

# Three on two cores: a third of the time a test waits for something. The files that take longest come first.
SIDE_BY_SIDE = -n 3 --dist loadfile --no-loadscope-reorder

test: .venv/.dev
	$(BIN)/python -m tests.machine
	$(BIN)/python -m pytest $(SIDE_BY_SIDE)

# The short form: make test-postgres PARTS="store jobs machines"
PARTS ?= store jobs work web flow desk cli life backup weather canary/test_forgetting.py canary/test_logs.py machines
test-postgres: .venv/.dev
	$(BIN)/python -m tests.machine
	MICROSITE_TEST_DATABASE=postgres $(BIN)/python -m pytest $(SIDE_BY_SIDE) $(addprefix tests/,$(PARTS))

check: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@# B608 is left to ruff (S608), which reads lines of SQL that go on over several.
	$(BIN)/bandit -q -ll -s B608 -r microsite wsgi.py

# Backups from end to end, on both databases: made, restored a day later, opened with the plain age tool.
drill: .venv/.dev
	$(BIN)/python -m tests.machine
	$(BIN)/python -m pytest tests/backup
	MICROSITE_TEST_DATABASE=postgres $(BIN)/python -m pytest tests/backup

# Any CalDAV server: make conformance SERVER="--url https://… --user … --password …"
# The long form of the proofs about a booking's life; `make test` runs the short one.
life: .venv/.dev
	LIFE=long $(BIN)/python -m pytest tests/life

# Two web and two worker processes, any one killed at random, for five minutes; `make test-postgres` runs a short form.
chaos: .venv/.dev
	$(BIN)/python -m tests.machine
	MICROSITE_TEST_DATABASE=postgres CHAOS=300 $(BIN)/python -m pytest -s tests/machines/test_chaos.py

conformance: .venv/.dev
	@$(BIN)/python -m tests.calendars.conformance $(SERVER)

# What keeping step costs at 20,000 events, in requests and bytes; some minutes.
costs: .venv/.dev
	TMPDIR=$(firstword $(wildcard /dev/shm /tmp)) MICROSITE_TEST_EVENTS=20000 $(BIN)/python -m pytest tests/calendars/test_costs.py

# What the site costs, as ratios; about two minutes, the full form about half an hour. See docs/benchmarks.md.
.PHONY: bench bench-full bench-check soak
bench: .venv/.dev
	@$(BIN)/python -m bench

bench-full: .venv/.dev
	@$(BIN)/python -m bench --full

# Exits with 1 where a goal of bench/goals.toml is missed. On a quiet machine only: some goals are of the wall clock.
bench-check: .venv/.dev
	@$(BIN)/python -m bench --check

# Ten minutes of mixed load: memory, file handles and the slowest looks must stay flat.
soak: .venv/.dev
	@$(BIN)/python -m bench.soak

# Needs Node 20 or newer, npm and Java; about ten minutes.
quality: .venv/.dev build/quality/.done
	$(BIN)/python -m tests.quality

# Rules of our own over the source (semgrep), and five minutes of schemathesis and of hypothesis over every form.
audit: .venv/.dev build/audit/.done
	$(BIN)/python -m tests.audit.rules

fuzz: .venv/.dev build/audit/.done
	FUZZ=long $(BIN)/python -m pytest tests/web/test_fuzz.py
	$(BIN)/python -m tests.audit.walk

# Mozilla's HTTP Observatory over the site on loopback: A+ with at least 125 points. Needs Node 20 or newer and npm.
observatory: .venv/.dev build/observatory/.done
	$(BIN)/python -m tests.observatory

# Every state of every page and every letter as a picture: make gallery ONLY=desk WIDTHS="360 1200"
gallery: .venv/.dev
	$(BIN)/python -m tests.quality.pictures

screenshots: .venv/.dev
	$(BIN)/python -m tests.quality.screenshots

texts: .venv/.dev
	mkdir -p build
	$(BIN)/pybabel -q extract -F microsite/translations/babel.cfg -k lazy_gettext --no-location --sort-output -o build/messages.pot .
	$(BIN)/pybabel -q update --no-fuzzy-matching --ignore-obsolete -w 118 -i build/messages.pot -d microsite/translations -l id
	sed -i -E '/^"(Report-Msgid-Bugs-To|POT-Creation-Date|PO-Revision-Date|Last-Translator|Language-Team|Generated-By):/d' microsite/translations/id/LC_MESSAGES/messages.po
	$(BIN)/pybabel -q compile -d microsite/translations

lock: .venv/.dev
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --extra postgres --extra redis -c requirements.txt pyproject.toml -o requirements-machines.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --all-extras -c requirements.txt pyproject.toml -o requirements-dev.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 tests/audit/requirements.in -o tests/audit/requirements.txt

clean:
	rm -rf .venv build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

build/quality/.done: tests/quality/package.json tests/quality/package-lock.json
	mkdir -p build/quality
	cp tests/quality/package.json tests/quality/package-lock.json tests/quality/.npmrc build/quality/
	cd build/quality && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

build/audit/.done: tests/audit/requirements.txt
	$(PYTHON) -m venv build/audit
	build/audit/bin/pip install -q --disable-pip-version-check --require-hashes -r tests/audit/requirements.txt
	@touch $@

build/observatory/.done: tests/observatory/package.json tests/observatory/package-lock.json
	mkdir -p build/observatory
	cp tests/observatory/package.json tests/observatory/package-lock.json tests/observatory/.npmrc build/observatory/
	cd build/observatory && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

.venv/.run: requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -c "import pathlib, sysconfig; pathlib.Path(sysconfig.get_path('purelib'), 'microsite.pth').write_text('$(CURDIR)')"
	@printf '#!/bin/sh\nexec "$(CURDIR)/.venv/bin/python" -m microsite.cli "$$@"\n' > $(BIN)/microsite && chmod +x $(BIN)/microsite
	@touch $@

# What several machines need besides: the libraries for PostgreSQL and Redis.
machines: .venv/.run
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-machines.txt

.venv/.dev: requirements-dev.txt .venv/.run
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@
