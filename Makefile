# Needs Python 3.11 or newer and make, nothing else: the first step of run and test sets up the rest in .venv.
PYTHON ?= python3
PREPARE := $(PYTHON) -I merchant/embedded/prepare.py
EMBEDDED := .venv/bin/python -m merchant.embedded

.DEFAULT_GOAL := help
.PHONY: help run test coverage soak fuzz guide bench lint format audit

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

run: ## Start the dashboard with a sandbox of PaySuper; PORT=8000 and SANDBOX_PORT=8077 can be changed
	@$(PREPARE) run
	@$(EMBEDDED) run

test: ## Run every check and test; ARGS="tests/merchant -k money" runs only these tests
	@$(PREPARE) test
	@$(EMBEDDED) test $(ARGS)

coverage: ## Run the tests, or those of ARGS, and list the lines and branches that none of them ran
	@$(PREPARE) test
	@$(EMBEDDED) coverage $(ARGS)

soak: ## Mixed load for MINUTES=30 while everything dies again and again, then proofs, into docs/soak.md
	@$(PREPARE) test
	@.venv/bin/python -m tests.faults.soak --minutes $(or $(MINUTES),30) $(ARGS)

fuzz: ## Send REQUESTS=50000 requests that nobody should send to every address, and count the answers
	@$(PREPARE) test
	@FUZZ_REQUESTS=$(or $(REQUESTS),50000) $(EMBEDDED) test tests/security/test_fuzz.py

guide: ## Take the pictures of the user's guide anew, into docs/guide/images
	@$(PREPARE) test
	@GUIDE=write $(EMBEDDED) test tests/browser/test_guide.py -n 0

bench: ## Measure speed and memory beside peers, into docs/benchmarks.md; SCALE=full takes long
	@$(PREPARE) test
	@$(EMBEDDED) bench $(ARGS)

lint: ## Run the checks without the tests
	@$(PREPARE) test
	@$(EMBEDDED) lint

format: ## Bring Python and templates into shape
	@$(PREPARE) test
	@$(EMBEDDED) format

audit: ## Ask PyPI whether anything in .venv has known holes; needs the network, so it is no part of test
	@$(PREPARE) test
	@$(PYTHON) -m venv .data/pip-audit
	@.data/pip-audit/bin/pip install --quiet --disable-pip-version-check pip-audit==2.9.0
	@.data/pip-audit/bin/pip-audit --path "$$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
