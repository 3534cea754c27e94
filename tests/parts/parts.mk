# The real parts that the tests start. Each folder beside this file is a Go module of its own whose `tool` lines name what
# is built from it, but for moto, which is Python's. A new part: a folder with go.mod and go.sum, its name in PARTS, a line PACKAGE_<name>.

GO ?= go
PARTS_BIN := target/parts/bin
PARTS := etcd kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubectl \
	registry crane helm kustomize containerd containerd-shim-runc-v2 ctr pause

KUBERNETES := kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubectl
KUBERNETES_VERSION := v1.36.2
CONTAINERD := containerd containerd-shim-runc-v2 ctr
CONTAINERD_VERSION := v2.4.2
HELM_VERSION := v4.3.1

PACKAGE_etcd := go.etcd.io/etcd/server/v3
PACKAGE_registry := github.com/distribution/distribution/v3/cmd/registry
PACKAGE_crane := github.com/google/go-containerregistry/cmd/crane
PACKAGE_helm := helm.sh/helm/v4/cmd/helm
PACKAGE_kustomize := sigs.k8s.io/kustomize/kustomize/v5
PACKAGE_pause := .
$(foreach tool,$(KUBERNETES),$(eval PACKAGE_$(tool) := k8s.io/kubernetes/cmd/$(tool)))
$(foreach tool,$(CONTAINERD),$(eval PACKAGE_$(tool) := github.com/containerd/containerd/v2/cmd/$(tool)))

VERSION := k8s.io/component-base/version
LDFLAGS_kubernetes := -X $(VERSION).gitVersion=$(KUBERNETES_VERSION) -X $(VERSION).gitMajor=1 -X $(VERSION).gitMinor=36 \
	-X $(VERSION).gitTreeState=clean
LDFLAGS_containerd := -X github.com/containerd/containerd/v2/version.Version=$(CONTAINERD_VERSION)
LDFLAGS_helm := -X helm.sh/helm/v4/internal/version.version=$(HELM_VERSION)

# Go 1.26 is what the go.mod of containerd 2.4 asks for. The module's folder matters: a Go that may fetch toolchains does it there.
go-is-there = case "$$(cd tests/parts/containerd && $(GO) env GOVERSION 2>/dev/null)" in \
	go1.2[6-9]*|go1.[3-9][0-9]*|go[2-9].*) true ;; *) false ;; esac

.PHONY: parts parts-build
# Builds the real parts that tests start (etcd, Kubernetes, containerd, registry, crane, helm, kustomize) into target/parts/bin; needs Go 1.26
parts: ## build the real parts that tests start, into target/parts/bin; needs Go 1.26
	@sh tests/parts/debian.sh
	@if [ -n "$$COTTER_PARTS" ]; then echo "parts: taken from $$COTTER_PARTS"; \
	elif $(go-is-there); then $(MAKE) --no-print-directory -f $(firstword $(MAKEFILE_LIST)) parts-build; \
	else sh tests/parts/without-go.sh $(PARTS); fi
	@if [ -z "$$COTTER_PARTS" ]; then sh tests/parts/moto/install.sh $(PARTS_BIN); fi

parts-build: $(addprefix $(PARTS_BIN)/,$(PARTS))

# module of a tool: its own folder, or the one of its family
module = $(if $(filter $(1),$(KUBERNETES)),kubernetes,$(if $(filter $(1),$(CONTAINERD)),containerd,$(1)))

define part
$(PARTS_BIN)/$(1): tests/parts/$(call module,$(1))/go.mod tests/parts/$(call module,$(1))/go.sum $(wildcard tests/parts/$(1)/*.go)
	@mkdir -p $(PARTS_BIN)
	@echo "parts: building $(1)"
	@cd tests/parts/$(call module,$(1)) && GOFLAGS= GOWORK=off CGO_ENABLED=0 $(GO) build -mod=readonly -buildvcs=false -trimpath \
		-ldflags '-s -w $(LDFLAGS_$(call module,$(1)))' -o $(abspath $(PARTS_BIN))/$(1) $(PACKAGE_$(1))
	@touch $$@
endef
$(foreach tool,$(PARTS),$(eval $(call part,$(tool))))
