#!/bin/bash
# help: bench NAME [ARGS]      measure: bench/NAME.py (see ./dev bench for the names)
name=${1:-}
if [[ ! $name =~ ^[a-z_]+$ || ! -f bench/$name.py ]]; then
	say "usage: ./dev bench NAME [ARGS]; the names:"
	for script in bench/*.py; do
		if [[ -f $script ]]; then
			echo "  $(basename "$script" .py)" >&2
		fi
	done
	exit 2
fi
shift
need "${packages_bench[@]}"
build_release
export ZEROG_BUILD=$ZEROG_ROOT/build
cd "$caller_folder"
exec /usr/bin/python3 "$ZEROG_ROOT/bench/$name.py" "$@"
