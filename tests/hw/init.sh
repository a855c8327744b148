#!/bin/busybox sh
# The first process of a machine that was made for tests: it runs what /tests lists, one after the
# other, tells of each on the second serial port, and turns the machine off. The kernel's own
# words go to the first.
/bin/busybox --install -s /bin
export PATH=/bin:/zerog
mkdir -p /proc /sys /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
exec </dev/null >/dev/ttyS1 2>&1
stty -F /dev/ttyS1 -opost
ip link set lo up
ulimit -n 20000
while read -r module; do
	insmod "/modules/$module" || echo "@lost $module"
done </modules/list
cd /zerog || poweroff -f
while read -r name seconds; do
	echo "@begin $name"
	status=0
	CMOCKA_MESSAGE_OUTPUT=TAP timeout "$seconds" "/zerog/$name" || status=$?
	echo
	echo "@end $name $status"
done </tests
echo "@done"
sync
poweroff -f
