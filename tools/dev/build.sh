#!/bin/bash
# help: build                  compile everything into build/ (release, with debug symbols)
need "${packages_build[@]}"
build_release
