#!/bin/bash
# help: hw [NAME ...]          tests on emulated machines (QEMU): tests/hw/NAME.json, or each of them
need "${packages_hw[@]}"
build_release
exec /usr/bin/python3 tools/test/hw.py "$@"
