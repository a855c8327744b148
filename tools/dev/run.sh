#!/bin/bash
# help: run [ARGS]             build, then run build/hello ARGS (try: ./dev run --help)
need "${packages_build[@]}"
build_release
if [[ ! -x build/hello ]]; then
	fail "build/hello was not built: apps/hello/meson.build is missing"
fi
cd "$caller_folder"
exec "$ZEROG_ROOT/build/hello" "$@"
