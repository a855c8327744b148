#!/bin/bash
# help: docs                   write docs/reference/options.md from the program's own table
need "${packages_build[@]}" python3
build_release
PYTHONPATH=tools/lint exec /usr/bin/python3 -c 'import reference; reference.write(".")'
