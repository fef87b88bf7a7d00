# Each target makes .venv from the first Python 3.11 or newer on PATH, and installs into it what it needs.
# Another Python: make PYTHON=/path/to/python3.12 test

VENV := .venv
STAMP := $(VENV)/.installed

.PHONY: demo test bench scenes lint types check clean machine

demo: $(STAMP) ## a real little cluster, broken and repaired before your eyes
	@$(VENV)/bin/watchdog demo

test: $(STAMP) ## all tests; against real Redis, Celery and Flower
	@$(VENV)/bin/python -m pytest $(ARGS)

bench: $(STAMP) ## what it costs, beside the floor: docs/performance.md; ARGS="cycle latency" for some of it
	@$(VENV)/bin/python -m bench $(ARGS)

proof-%: $(STAMP) ## one proof of docs/reliability.md, with its figures; COUNT=500 repeats more often than CI does
	@$(VENV)/bin/python -m pytest tests/proofs/test_$*.py $(if $(COUNT),--count $(COUNT)) $(ARGS)

scenes: $(STAMP) ## minutes of real cluster life against what should be told: docs/reliability.md; ARGS="healthy crash_loop" for some
	@$(VENV)/bin/python -m tests.scenes $(ARGS)

machine: ## what proof-systemd needs to boot a Debian, from Debian's own packages; as root
	@apt-get update -qq
	@DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends mmdebstrap systemd-container

lint: $(STAMP)
	@$(VENV)/bin/python -m ruff check .
	@$(VENV)/bin/python -m ruff format --check .

types: $(STAMP)
	@$(VENV)/bin/python -m mypy

check: lint types test

clean:
	rm -rf $(VENV) .venvs dist build

$(STAMP): pyproject.toml .ci/venv
	@sh .ci/venv $(VENV) $(PYTHON)
	@touch $@
