# cotter's image: one static binary and the roots that it trusts. `make image` builds the same without a daemon.
#   docker build --build-arg REVISION=$(git rev-parse HEAD) --platform linux/arm64 .
ARG RUST=1.95
FROM --platform=$BUILDPLATFORM docker.io/library/rust:${RUST}-bookworm AS build
ARG TARGETARCH
# The build machine compiles for the other architecture itself: nothing is emulated.
RUN dpkg --add-architecture amd64 && dpkg --add-architecture arm64 && apt-get update \
	&& apt-get install -y --no-install-recommends ca-certificates musl-tools \
	gcc-x86-64-linux-gnu gcc-aarch64-linux-gnu musl-dev:amd64 musl-dev:arm64
WORKDIR /cotter
COPY . .
ARG REVISION=
RUN install -D "$(sh scripts/static.sh "$TARGETARCH")" /out/cotter

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/cotter /cotter
ARG REVISION=unknown
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="cotter" \
	org.opencontainers.image.description="A Kubernetes admission webhook that canonicalises image references, pins tags to digests and injects pull secrets" \
	org.opencontainers.image.licenses="Apache-2.0" \
	org.opencontainers.image.version="$VERSION" \
	org.opencontainers.image.revision="$REVISION"
USER 65532:65532
WORKDIR /
ENTRYPOINT ["/cotter"]
