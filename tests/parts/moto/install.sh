#!/bin/sh
# moto's server, which answers as AWS does: in an environment of its own below target/parts, by its pinned requirements.
here=$(dirname "$0")
bin=$1
venv=$(dirname "$bin")/moto
[ "$bin/moto_server" -nt "$here/requirements.txt" ] && exit 0
log=$(mktemp)
echo "parts: installing moto"
if { python3 -m venv "$venv" && "$venv/bin/pip" install --quiet --requirement "$here/requirements.txt"; } >"$log" 2>&1; then
	mkdir -p "$bin"
	printf '#!/bin/sh\nexec "%s" "$@"\n' "$(cd "$venv/bin" && pwd)/moto_server" >"$bin/moto_server"
	chmod 755 "$bin/moto_server"
	rm -f "$log"
	exit 0
fi
tail -n 5 "$log" >&2
rm -f "$log"
echo "parts: moto_server needs Python 3.10 or newer with venv (Debian: python3-venv) and PyPI; tests that need it are skipped" >&2
if [ "$CI" = true ]; then
	echo "parts: with CI=true this is a failure" >&2
	exit 1
fi
