#!/bin/bash
# help: test [NAME ...]        all tests; or lint, unit, integration, fuzz, or those whose name has NAME
need "${packages_test[@]}"
exec /usr/bin/python3 tools/test/run.py "$@"
