#!/bin/bash
# help: layout [STRUCT ...]    draw the cache lines of structs; without names, of all that have marks
need "${packages_layout[@]}"
build_release
exec /usr/bin/python3 tools/layout/layout.py build "$@"
