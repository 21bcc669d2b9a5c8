# Guidepost's tasks. Each sets up what it needs; `make` alone lists them.

PORT ?= 50051
BASE ?= HEAD
RUN := .venv/bin

.PHONY: help serve test check lint types proto-check generate schema golden bench lock clean

help:  ## list the tasks
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

serve: .setup-server  ## serve the shipped policies on 127.0.0.1:50051; PORT sets the port
	$(RUN)/guidepost serve --port $(PORT)

test: .setup-test  ## run the tests, except those that only .ci/run runs
	$(RUN)/python -m pytest -n 2 --dist worksteal -q

check: .setup-server  ## check the shipped policies and run their cases
	$(RUN)/guidepost check policies

lint: .setup-dev  ## ruff: rules and format; import-linter: the order of the folders; plain words
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/lint-imports --no-logo
	$(RUN)/python scripts/plain-words

types: .setup-dev  ## mypy, strict
	$(RUN)/mypy

proto-check: .setup-dev  ## buf lint, buf breaking against BASE, and the generated code
	PYTHON=$(RUN)/python sh scripts/proto-check $(BASE)

generate: .setup-dev  ## generate the wire code from proto/, and the synchronous client from the asynchronous one
	$(RUN)/python scripts/generate
	$(RUN)/python scripts/generate-client

schema: .setup-server  ## write the JSON Schemas of the policies
	$(RUN)/guidepost schema

golden: .setup-test  ## update the golden files with the current output
	$(RUN)/python -m pytest -q --update-golden

bench: .setup-dev  ## run the benchmarks
	sh scripts/install $(RUN)/python requirements/bench.txt
	$(RUN)/python -m benchmarks

lock: .setup-dev  ## update the lock files of the requirements
	sh scripts/lock

clean:  ## remove the environment, caches and builds
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist *.egg-info

.PHONY: .setup-server .setup-test .setup-dev
.setup-server:
	@sh scripts/setup requirements/server.txt
.setup-test:
	@sh scripts/setup requirements/test.txt
.setup-dev:
	@sh scripts/setup requirements/dev.txt
