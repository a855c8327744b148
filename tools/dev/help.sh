#!/bin/bash
# help: help                   this list
echo "usage: ./dev VERB [ARGS]"
for verb in build run test bench lab layout fuzz hw lint docs help; do
	sed -n 's/^# help: /  /p' "tools/dev/$verb.sh"
done
echo "Each verb installs what it lacks (apt, through sudo when not root)."
