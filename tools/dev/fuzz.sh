#!/bin/bash
# help: fuzz [NAME] [SECONDS]  run one fuzz target, or each of them (60 seconds each)
need "${packages_test[@]}"
build_fuzz
exec /usr/bin/python3 tools/test/fuzz.py "$@"
