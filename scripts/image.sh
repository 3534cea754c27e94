#!/bin/sh
# Writes cotter's image as an OCI layout: $1 the folder, $2 the architecture (amd64 or arm64; this machine's by default).
#
# The same binary and the same CA roots give the same digest. No daemon: crane, and a registry in crane's own memory.
set -eu
cd "$(dirname "$0")/.."
layout=$1
case "${2:-$(uname -m)}" in
amd64 | x86_64) architecture=amd64 ;;
*) architecture=arm64 ;;
esac
roots=/etc/ssl/certs/ca-certificates.crt
parts=${COTTER_PARTS:-target/parts/bin}
crane=$([ -x "$parts/crane" ] && echo "$parts/crane" || echo crane)
command -v "$crane" >/dev/null || { echo "image: crane is missing; run make parts" >&2 && exit 1; }
command -v libdeflate-gzip >/dev/null || { echo "image: libdeflate-gzip is missing (Debian: libdeflate-tools)" >&2 && exit 1; }
[ -e "$roots" ] || { echo "image: $roots is missing (Debian: ca-certificates)" >&2 && exit 1; }
binary=$(sh scripts/static.sh "$architecture")

work=$(mktemp -d) registry=
trap '[ -z "$registry" ] || kill "$registry"; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
mkdir -p "$work/root/etc/ssl/certs"
install -m 755 "$binary" "$work/root/cotter"
install -m 644 "$roots" "$work/root/$roots"
chmod 755 "$work/root" "$work/root/etc" "$work/root/etc/ssl" "$work/root/etc/ssl/certs"
tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$work/root" -cf - cotter etc | libdeflate-gzip -12 >"$work/layer.tar.gz"

# HOME: nobody's credentials are needed, and none are read.
export HOME="$work"
"$crane" registry serve --address 127.0.0.1:0 >"$work/log" 2>&1 &
registry=$!
tries=0
until port=$(sed -n 's/.*serving on port \([0-9]*\).*/\1/p' "$work/log") && [ -n "$port" ]; do
	[ $tries -lt 100 ] || { cat "$work/log" >&2 && exit 1; }
	tries=$((tries + 1))
	sleep 0.05
done
image=127.0.0.1:$port/cotter:new
value() { sed -n "s/^$1 = \"\(.*\)\"/\1/p" Cargo.toml | head -1; }
"$crane" append --oci-empty-base -f "$work/layer.tar.gz" -t "$image" >"$work/append" 2>&1 || { cat "$work/append" >&2 && exit 1; }
"$crane" mutate "$image" -t "$image" --set-platform "linux/$architecture" --user 65532:65532 --entrypoint /cotter --workdir / \
	--label "org.opencontainers.image.title=$(value name)" \
	--label "org.opencontainers.image.description=$(value description)" \
	--label "org.opencontainers.image.licenses=$(value license)" \
	--label "org.opencontainers.image.version=$(value version)" \
	--label "org.opencontainers.image.revision=${REVISION:-$(git rev-parse HEAD 2>/dev/null || echo unknown)}" >"$work/mutate" 2>&1 ||
	{ cat "$work/mutate" >&2 && exit 1; }
rm -rf "$layout"
"$crane" pull --format=oci "$image" "$layout" >&2
size=$(find "$layout/blobs" -type f -exec cat {} + | wc -c)
echo "image: $layout, linux/$architecture, $("$crane" digest "$image"), $((size / 1024)) KiB compressed"
