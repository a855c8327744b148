#!/bin/bash
# help: run [ARGS]             build, then run build/storefront ARGS; `./dev run hello ARGS`: build/hello
need "${packages_build[@]}"
build_release
program=storefront
if [[ ${1:-} == hello ]]; then
	program=hello
	shift
fi
if [[ ! -x build/$program ]]; then
	fail "build/$program was not built: apps/$program/meson.build is missing"
fi
if [[ $program == storefront && " $* " != *" --store"* ]]; then
	set -- --store "journal:$ZEROG_ROOT/build/storefront-data" "$@"
fi
cd "$caller_folder"
exec "$ZEROG_ROOT/build/$program" "$@"
