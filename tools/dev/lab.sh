#!/bin/bash
# help: lab [ARGS]             the article's tables, measured: zerog beside its peers (try: ./dev lab --quick)
need "${packages_lab[@]}"
build_release
exec /usr/bin/python3 bench/lab/lab.py "$@"
