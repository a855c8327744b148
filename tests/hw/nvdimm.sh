#!/bin/sh
# Makes a DAX file system on the machine's NVDIMM, mounted on /pmem, for the tests that follow.
count=0
nd=/sys/bus/nd

# tell NAME COMMAND...: one case, passed when the command succeeds.
tell() {
	count=$((count + 1))
	name=$1
	shift
	if "$@" >log 2>&1; then
		echo "ok $count - $name"
	else
		echo "not ok $count - $name"
		sed 's/^/# /' log
	fi
}

# What ndctl create-namespace --mode=fsdax does: pages for the memory, which DAX asks for.
make_fsdax() {
	seed=$(cat $nd/devices/region0/pfn_seed) || return 1
	echo namespace0.0 >$nd/drivers/nd_pmem/unbind || return 1
	echo ram >$nd/devices/"$seed"/mode || return 1
	cat /proc/sys/kernel/random/uuid >$nd/devices/"$seed"/uuid || return 1
	echo namespace0.0 >$nd/devices/"$seed"/namespace || return 1
	echo "$seed" >$nd/drivers/nd_pmem/bind || return 1
	[ -b /dev/pmem0 ]
}

make_file_system() {
	/programs/mke2fs -q -t ext4 -b 4096 -F /dev/pmem0
}

mount_dax() {
	mkdir -p /pmem /ordinary && mount -t ext4 -o dax /dev/pmem0 /pmem && grep -q 'dax' /proc/mounts
}

echo "1..3"
tell "the NVDIMM becomes a device with DAX" make_fsdax
tell "a file system is made on it" make_file_system
tell "it is mounted with DAX" mount_dax
