# All that is done with this project, a line each: `make`.
CARGO ?= cargo
TOOLS := target/tools/bin
DENY_VERSION := 0.20.2
SHELL := /bin/bash

include tests/parts/parts.mk

.PHONY: help
help: ## list these targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'
.DEFAULT_GOAL := help

.PHONY: try
try: ## the main job in a minute, with embedded parts; F=my-pod.yaml takes your own manifest
	@$(CARGO) build --quiet --bin cotter --example try
	@$(CARGO) run --quiet --example try -- $(if $(F),'$(F)')

.PHONY: test
test: parts ## all tests, the real parts included
	$(CARGO) test --all-targets
	$(CARGO) test --doc

.PHONY: check
check: $(TOOLS)/cargo-deny ## format, lints, documentation, dependencies
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --no-deps --document-private-items
	PATH="$(CURDIR)/$(TOOLS):$$PATH" $(CARGO) deny --all-features check bans licenses sources

.PHONY: bench
bench: ## one table of ratios, measured in one run (release build)
	$(CARGO) bench --bench admission

.PHONY: build
build: ## the release binary, target/release/cotter
	$(CARGO) build --release

$(TOOLS)/cargo-deny:
	$(CARGO) install --locked --root target/tools cargo-deny@$(DENY_VERSION)
