# All that is done with this project, a line each: `make`.
CARGO ?= cargo
TOOLS := target/tools/bin
DENY_VERSION := 0.20.2
SHELL := /bin/bash

include tests/parts/parts.mk

# The folder of cotter's image, and what it is built for: amd64 or arm64.
IMAGE := target/image
ARCH :=
# Tests on a real node need root on Linux, and cotter's image there.
IMAGE_TO_TEST := $(if $(filter true,$(CI))$(filter Linux-0,$(shell uname -s)-$(shell id -u)),image)

.PHONY: help
help: ## list these targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'
.DEFAULT_GOAL := help

.PHONY: try
try: ## the main job in a minute, with embedded parts; F=my-pod.yaml takes your own manifest
	@$(CARGO) build --quiet --bin cotter --example try
	@$(CARGO) run --quiet --example try -- $(if $(F),'$(F)')

.PHONY: test
test: parts $(IMAGE_TO_TEST) ## all tests, the real parts included; as root on Linux also on a real node
	$(CARGO) test --all-targets
	$(CARGO) test --doc

.PHONY: check
check: $(TOOLS)/cargo-deny ## format, lints, documentation, dependencies
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --no-deps --document-private-items
	PATH="$(CURDIR)/$(TOOLS):$$PATH" $(CARGO) deny --all-features check bans licenses sources

.PHONY: bench
bench: parts $(IMAGE_TO_TEST) ## one table of ratios, measured in one run (release build)
	$(CARGO) bench --bench admission

.PHONY: image
image: parts ## cotter's container image as an OCI layout in target/image, no daemon; ARCH=arm64 for the other one
	@sh scripts/image.sh $(IMAGE)$(if $(ARCH),-$(ARCH) $(ARCH))

.PHONY: lab
lab: parts image ## a small Kubernetes with a real node on this machine, cotter in it; root on Linux
	@$(CARGO) build --quiet --example lab
	@target/debug/examples/lab up

.PHONY: lab-shell
lab-shell: ## a shell in the lab with kubectl, helm and crane; C='kubectl get pods' runs that
	@target/debug/examples/lab shell $(if $(C),'$(C)')

.PHONY: lab-down
lab-down: ## end the lab; nothing is left behind
	@target/debug/examples/lab down

.PHONY: build
build: ## the release binary, target/release/cotter
	$(CARGO) build --release

$(TOOLS)/cargo-deny:
	$(CARGO) install --locked --root target/tools cargo-deny@$(DENY_VERSION)
