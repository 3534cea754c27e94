#!/bin/sh
# Builds the static binary of one architecture (amd64 or arm64; this machine's by default) and prints its path.
#
# The C parts of the dependencies are compiled against musl's headers: musl-gcc here, for the other architecture a GNU
# cross compiler with the musl-dev package of that architecture.
set -eu
cd "$(dirname "$0")/.."

name() {
	case "$1" in
	amd64 | x86_64) echo x86_64 ;;
	arm64 | aarch64) echo aarch64 ;;
	*) echo "static: no such architecture: $1 (amd64, arm64)" >&2 && exit 2 ;;
	esac
}
here=$(name "$(uname -m)")
cpu=$(name "${1:-$here}")
triple=$cpu-unknown-linux-musl
cargo=${CARGO:-cargo}

if [ ! -d "$(rustc --print sysroot)/lib/rustlib/$triple" ]; then
	command -v rustup >/dev/null || { echo "static: Rust's target $triple is missing" >&2 && exit 1; }
	rustup target add "$triple" >&2
fi
if [ "$cpu" = "$here" ]; then
	command -v musl-gcc >/dev/null || { echo "static: musl-gcc is missing (Debian: musl-tools)" >&2 && exit 1; }
else
	gcc=$cpu-linux-gnu-gcc specs=/usr/lib/$cpu-linux-musl/musl-gcc.specs
	if ! command -v "$gcc" >/dev/null || [ ! -e "$specs" ]; then
		debian=$([ "$cpu" = aarch64 ] && echo arm64 || echo amd64)
		echo "static: $gcc or $specs is missing (Debian: dpkg --add-architecture $debian, gcc-$(echo "$cpu" | tr _ -)-linux-gnu, musl-dev:$debian)" >&2
		exit 1
	fi
	flags="-specs=$specs"
	# Their helpers stand in a libgcc that is not linked.
	[ "$cpu" = aarch64 ] && flags="$flags -mno-outline-atomics"
	under=$(echo "$triple" | tr - _)
	export "CC_$under=$gcc" "CFLAGS_$under=$flags"
	export "CARGO_TARGET_$(echo "$under" | tr a-z A-Z)_LINKER=$gcc"
fi
export COTTER_REVISION="${REVISION:-$(git rev-parse HEAD 2>/dev/null || true)}"
"$cargo" build --release --locked --bin cotter --target "$triple" >&2
echo "target/$triple/release/cotter"
