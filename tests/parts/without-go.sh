#!/bin/sh
# Called with the names of parts where no Go can build them: what is not on the PATH either is said.
missing=
for part in "$@"; do
	command -v "$part" >/dev/null 2>&1 || [ -x "target/parts/bin/$part" ] || missing="$missing $part"
done
[ -z "$missing" ] && exit 0
echo "parts: Go 1.26 or newer is needed to build:$missing" >&2
echo "parts: install it (go.dev/dl), or set COTTER_PARTS to a folder that holds these programs" >&2
if [ "$CI" = true ]; then
	echo "parts: with CI=true this is a failure" >&2
	exit 1
fi
echo "parts: the tests that need them will be skipped, by name" >&2
