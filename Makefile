# Each target makes .venv from the first Python 3.11 or newer on PATH, and installs into it what it needs.
# Another Python: make PYTHON=/path/to/python3.12 test

VENV := .venv
STAMP := $(VENV)/.installed
DOCS := .venvs/docs
PYTEST := $(VENV)/bin/python -m pytest
IN_PARALLEL := -n auto --dist loadgroup

# The tests start hundreds of Pythons; without bytecode, each would compile what it imports.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test proofs bench scenes docs docs-reference screenshots lint types check clean machine peers

demo: $(STAMP) ## a small real cluster, broken and repaired before your eyes
	@$(VENV)/bin/watchdog demo

test: $(STAMP) ## everything but the proofs, in parallel, against real Redis, Celery and Flower; ARGS="tests/unit -n 0" for some, one by one
	@$(PYTEST) --ignore=tests/proofs $(IN_PARALLEL) $(ARGS)

proofs: $(STAMP) ## all proofs of docs/reliability.md: in parallel, then one by one those that measure or have short timeouts
	@$(PYTEST) tests/proofs -m "not alone" $(IN_PARALLEL) $(ARGS)
	@$(PYTEST) tests/proofs -m alone $(ARGS)

bench: $(STAMP) ## what it costs, beside the floor: docs/performance.md; ARGS="cycle latency" for some of it
	@$(VENV)/bin/python -m bench $(ARGS)

proof-%: $(STAMP) ## one proof of docs/reliability.md, with its figures; COUNT=500 repeats more often than CI does
	@$(PYTEST) tests/proofs/test_$*.py $(if $(COUNT),--count $(COUNT)) $(ARGS)

scenes: $(STAMP) ## minutes of real cluster life, and whether the notifications are right: docs/reliability.md; ARGS="healthy crash_loop" for some
	@$(VENV)/bin/python -m tests.scenes $(ARGS)

docs: $(DOCS)/.installed ## the site of docs/, into build/docs; a warning is an error
	@$(DOCS)/bin/sphinx-build --fail-on-warning --keep-going --quiet --fresh-env -c docs . build/docs
	@echo "watchdog: build/docs/index.html is written"

docs-reference: $(STAMP) ## the pages of docs/ that are made of the code: rules, tables, configuration, commands
	@$(VENV)/bin/python -m tests.docs.reference

screenshots: $(STAMP) ## the pictures of docs/images, of a small real cluster in trouble; needs Chromium (make peers)
	@$(VENV)/bin/python -m tests.docs.screenshots

machine: ## what proof-systemd needs to boot a Debian, from Debian's own packages; as root
	@apt-get update -qq
	@DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends mmdebstrap systemd-container

peers: ## Prometheus, Alertmanager, nginx and Chromium, which tests hold what [http] serves against, RabbitMQ, PostgreSQL and PgBouncer; from Debian's own packages, as root
	@apt-get update -qq
	@DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends prometheus prometheus-alertmanager nginx-light chromium fonts-dejavu-core rabbitmq-server postgresql pgbouncer

lint: $(STAMP)
	@$(VENV)/bin/python -m ruff check .
	@$(VENV)/bin/python -m ruff format --check .

types: $(STAMP)
	@$(VENV)/bin/python -m mypy

check: lint types test proofs

clean:
	rm -rf $(VENV) .venvs dist build

$(DOCS)/.installed: pyproject.toml .ci/venv
	@sh .ci/venv $(DOCS) "$(PYTHON)" docs
	@touch $@

$(STAMP): pyproject.toml .ci/venv
	@sh .ci/venv $(VENV) $(PYTHON)
	@touch $@
