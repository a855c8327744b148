#!/bin/bash
# help: lint                   all source checks, and clang-tidy
need "${packages_lint[@]}"
build_release
build_asan
exec /usr/bin/python3 tools/lint/all.py --tidy
