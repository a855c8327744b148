#!/bin/bash
# Runs as root: installs packages without starting a service by accident.
#
# Debian starts a service as soon as its package is unpacked. While we install,
# /usr/sbin/policy-rc.d forbids that, and a service that came with this install
# is also kept from starting at the next boot: nginx is wanted here as a peer
# to measure against, not as this machine's web server.
set -euo pipefail

export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
policy=/usr/sbin/policy-rc.d
apt_options=(-y -q -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)

# Tells what apt said only when it failed.
quietly() {
	local log

	log=$(mktemp)
	if "$@" >"$log" 2>&1; then
		rm -f "$log"
		return 0
	fi
	cat "$log" >&2
	rm -f "$log"
	return 1
}

quietly apt-get update -q || echo "dev: apt-get update failed; trying with what is known" >&2

packages=()
for package in "$@"; do
	if [[ $package == libclang-rt-dev ]]; then
		# The run-time libraries carry clang's major version in their name.
		version=$(apt-cache show --no-all-versions clang | sed -n 's/^Version: //p')
		version=${version#*:}
		package=libclang-rt-${version%%[!0-9]*}-dev
	fi
	packages+=("$package")
done

services=()
for service in nginx h2o postgresql; do
	if [[ ! -e /etc/init.d/$service && ! -e /lib/systemd/system/$service.service ]]; then
		services+=("$service")
	fi
done

if [[ ! -e $policy ]]; then
	trap 'rm -f "$policy"' EXIT
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
fi
quietly apt-get install "${apt_options[@]}" --no-install-recommends "${packages[@]}"

for service in "${services[@]}"; do
	if [[ -e /etc/init.d/$service || -e /lib/systemd/system/$service.service ]]; then
		update-rc.d "$service" disable >/dev/null 2>&1 || true
		echo "dev: $service is installed, neither started nor enabled" >&2
	fi
done
