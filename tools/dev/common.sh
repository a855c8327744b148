#!/bin/bash
# What the verbs share: telling, installing what is missing, setting up a build folder.

packages_build=(gcc libc6-dev meson ninja-build pkg-config liburing-dev libnuma-dev libpmem-dev
	libseccomp-dev libcmocka-dev systemtap-sdt-dev zlib1g-dev libjs-chart.js)
# libclang-rt-dev stands for the one that belongs to the installed clang: libclang-rt-14-dev.
packages_test=("${packages_build[@]}" binutils clang llvm libclang-rt-dev clang-format
	python3 curl valgrind libc6-dbg gdb)
packages_lint=("${packages_test[@]}" clang-tidy)
packages_hw=("${packages_build[@]}" python3 qemu-system-x86 busybox-static cpio e2fsprogs)
packages_bench=("${packages_build[@]}" python3 wrk nginx-light h2o strace curl gnuplot-nox
	libmimalloc2.0 libjemalloc2 libtcmalloc-minimal4 libjansson-dev libcjson-dev
	libsqlite3-dev postgresql libpq-dev)
# The peers that Debian has; those in Rust, Go and JavaScript are left out where their tools are missing.
packages_lab=("${packages_bench[@]}" libmicrohttpd-dev libnginx-mod-http-echo
	libnginx-mod-http-headers-more-filter)
packages_layout=("${packages_build[@]}" python3 dwarves)

say() {
	echo "dev: $*" >&2
}

fail() {
	say "$@"
	exit 1
}

# Replaces the stand-in by the package that goes with the installed clang.
package_name() {
	local version

	if [[ $1 != libclang-rt-dev ]]; then
		echo "$1"
		return
	fi
	version=$(dpkg-query -W -f '${Version}' clang 2>/dev/null) || true
	if [[ $version =~ ^([0-9]+:)?([0-9]+) ]]; then
		echo "libclang-rt-${BASH_REMATCH[2]}-dev"
	else
		echo "$1"
	fi
}

# need PACKAGE...: installs those that are missing; quick when none is.
need() {
	local -a wanted=() missing=()
	local -A installed=()
	local package state as_root=()

	if ! command -v dpkg-query >/dev/null; then
		say "not a Debian: please see to it yourself that these are there: $*"
		return
	fi
	for package in "$@"; do
		wanted+=("$(package_name "$package")")
	done
	while read -r package state; do
		if [[ $state == installed ]]; then
			installed[$package]=1
		fi
	done < <(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null)
	for package in "${wanted[@]}"; do
		if [[ ! -v installed[$package] ]]; then
			missing+=("$package")
		fi
	done
	if ((${#missing[@]} == 0)); then
		return
	fi

	say "installing: ${missing[*]}"
	if ((EUID != 0)); then
		if ! command -v sudo >/dev/null; then
			fail "missing packages, and neither root nor sudo. As root: apt-get install ${missing[*]}"
		fi
		as_root=(sudo)
		if [[ ! -t 0 ]]; then
			as_root=(sudo -n)
		fi
	fi
	"${as_root[@]}" bash tools/dev/install.sh "${missing[@]}" ||
		fail "could not install: ${missing[*]}"
}

# setup FOLDER COMPILER [MESON OPTION...]: makes the build folder when it is
# missing, half made, moved, or was made with other options.
setup() {
	local folder=$1 compiler=$2
	local recipe
	shift 2

	recipe="$ZEROG_ROOT $compiler $*"
	if [[ -f $folder/build.ninja && -f $folder/recipe && $(<"$folder/recipe") == "$recipe" ]]; then
		return
	fi
	say "setting up $folder ($compiler)"
	rm -rf "${folder:?}"
	if ! CC=$compiler /usr/bin/meson setup "$folder" "$@" >"$folder.log" 2>&1; then
		cat "$folder.log" >&2
		rm -f "$folder.log"
		fail "meson setup failed"
	fi
	mv "$folder.log" "$folder/setup.log"
	echo "$recipe" >"$folder/recipe"
}

# compile FOLDER [TARGET...]: quiet when all goes well.
compile() {
	local folder=$1
	shift

	say "building $folder/"
	if ! ninja -C "$folder" --quiet "$@" >"$folder/ninja.log" 2>&1; then
		cat "$folder/ninja.log" >&2
		fail "$folder/ does not build"
	fi
}

# The build that is run and measured.
build_release() {
	setup build gcc -Dbuildtype=release -Ddebug=true
	compile build
}

# The build in which ASan and UBSan watch; clang's warnings are errors here.
build_asan() {
	setup build-asan clang -Dbuildtype=debugoptimized -Db_sanitize=address,undefined \
		-Db_lundef=false -Dtracked=on
	compile build-asan
}

# The build that tells Valgrind what its pools and arenas do.
build_valgrind() {
	setup build-valgrind gcc -Dbuildtype=debugoptimized -Doptimization=1 -Dvalgrind=true
	compile build-valgrind
}

# The build in which each allocation of an arena is a malloc of its own, so that ASan sees all that
# the packing hides; only what uses arenas is built.
build_arena() {
	setup build-arena clang -Dbuildtype=debugoptimized -Db_sanitize=address,undefined \
		-Db_lundef=false -Darena=malloc
	compile build-arena arena_malloc_test arena_model_test arena_resize_test arena_test \
		arena_text_test connection_test exchange_test hello json_exchange_test \
		json_write_test parser_test reply_test request_test scratch_test test_service
}

# What drives the browser, at the versions of the lock file. Where there is no node, no browser or no
# registry the browser tests are skipped, which is no failure.
build_browser() {
	local folder=tests/browser

	if ! command -v node >/dev/null || ! command -v npm >/dev/null || ! command -v chromium >/dev/null; then
		return
	fi
	if [[ $folder/node_modules/.package-lock.json -nt $folder/package-lock.json ]]; then
		return
	fi
	say "installing what drives the browser"
	if ! npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund >build/npm.log 2>&1; then
		say "npm ci failed, see build/npm.log: no browser tests"
	fi
}

# The build that is fuzzed.
build_fuzz() {
	setup build-fuzz clang -Dbuildtype=debugoptimized -Db_sanitize=address,undefined \
		-Db_lundef=false -Dfuzz=true -Dtests=disabled
	compile build-fuzz
}
