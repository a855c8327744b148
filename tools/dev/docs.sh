#!/bin/bash
# help: docs                   write docs/reference/ and the README's figures
need "${packages_build[@]}" python3
build_release
PYTHONPATH=tools/lint exec /usr/bin/python3 -c '
import measured, reference
reference.write(".")
measured.write(".")'
