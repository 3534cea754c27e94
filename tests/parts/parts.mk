# The real parts that the tests start. Each folder beside this file is a Go module of its own whose `tool` lines name what
# is built from it. A new part: a folder with go.mod and go.sum, its name in PARTS, a line PACKAGE_<name>.
#
# PARTS       what `make parts` builds
# PARTS_MORE  what nothing needs yet: move a name to PARTS, or `make parts PARTS_ALSO="kubelet kube-proxy"`

GO ?= go
PARTS_BIN := target/parts/bin
PARTS := etcd kube-apiserver kube-controller-manager kubectl registry crane
PARTS_MORE := kube-scheduler kube-proxy kubelet
PARTS_ALL := $(PARTS) $(PARTS_MORE)

KUBERNETES := kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubectl
KUBERNETES_VERSION := v1.36.2

PACKAGE_etcd := go.etcd.io/etcd/server/v3
PACKAGE_registry := github.com/distribution/distribution/v3/cmd/registry
PACKAGE_crane := github.com/google/go-containerregistry/cmd/crane
$(foreach tool,$(KUBERNETES),$(eval PACKAGE_$(tool) := k8s.io/kubernetes/cmd/$(tool)))

VERSION := k8s.io/component-base/version
LDFLAGS_KUBERNETES := -X $(VERSION).gitVersion=$(KUBERNETES_VERSION) -X $(VERSION).gitMajor=1 -X $(VERSION).gitMinor=36 \
	-X $(VERSION).gitTreeState=clean

# Go 1.26 is what the go.mod of Kubernetes 1.36 asks for. The module's folder matters: a Go that may fetch toolchains does it there.
go-is-there = case "$$(cd tests/parts/etcd && $(GO) env GOVERSION 2>/dev/null)" in \
	go1.2[6-9]*|go1.[3-9][0-9]*|go[2-9].*) true ;; *) false ;; esac

.PHONY: parts parts-build
# Builds the real parts that tests start (etcd, Kubernetes, registry, crane) into target/parts/bin; needs Go 1.26
parts: ## build the real parts that tests start, into target/parts/bin; needs Go 1.26
	@if [ -n "$$COTTER_PARTS" ]; then echo "parts: taken from $$COTTER_PARTS"; \
	elif $(go-is-there); then $(MAKE) --no-print-directory -f $(firstword $(MAKEFILE_LIST)) parts-build; \
	else sh tests/parts/without-go.sh $(PARTS) $(PARTS_ALSO); fi

parts-build: $(addprefix $(PARTS_BIN)/,$(PARTS) $(PARTS_ALSO))

# module of a tool: its own folder, or kubernetes
module = $(if $(filter $(1),$(KUBERNETES)),kubernetes,$(1))

define part
$(PARTS_BIN)/$(1): tests/parts/$(call module,$(1))/go.mod tests/parts/$(call module,$(1))/go.sum
	@mkdir -p $(PARTS_BIN)
	@echo "parts: building $(1)"
	@cd tests/parts/$(call module,$(1)) && GOFLAGS= GOWORK=off CGO_ENABLED=0 $(GO) build -mod=readonly -buildvcs=false -trimpath \
		-ldflags '-s -w $(if $(filter $(1),$(KUBERNETES)),$(LDFLAGS_KUBERNETES))' -o $(abspath $(PARTS_BIN))/$(1) $(PACKAGE_$(1))
	@touch $$@
endef
$(foreach tool,$(PARTS_ALL),$(eval $(call part,$(tool))))
