#!/bin/sh
# What the lab's node and the image need of the distribution: installed where this is root on Debian, named elsewhere.
missing=
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
[ "$(uname -s)" = Linux ] || exit 0
need runc runc
need nft nftables
need conntrack conntrack
need ip iproute2
need musl-gcc musl-tools
need libdeflate-gzip libdeflate-tools
python3 -c 'import venv, ensurepip' 2>/dev/null || missing="$missing python3-venv"
[ -e /etc/ssl/certs/ca-certificates.crt ] || missing="$missing ca-certificates"
[ -x /opt/cni/bin/ptp ] || [ -x /usr/lib/cni/ptp ] || [ -x /usr/libexec/cni/ptp ] || missing="$missing containernetworking-plugins"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && [ -e /etc/debian_version ] && command -v apt-get >/dev/null; then
	echo "parts: installing$missing"
	log=$(mktemp)
	# shellcheck disable=SC2086
	if { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
		rm -f "$log"
		exit 0
	fi
	tail -n 20 "$log" >&2
	rm -f "$log"
fi
echo "parts: the lab and the image need, by their names in Debian:$missing" >&2
if [ "$CI" = true ]; then
	echo "parts: with CI=true this is a failure" >&2
	exit 1
fi
