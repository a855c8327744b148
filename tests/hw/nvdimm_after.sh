#!/bin/sh
# After the power failure of nvdimm_cut.sh: what had been published is there.
echo "1..2"
mkdir -p /pmem
if mount -t ext4 -o dax /dev/pmem0 /pmem; then
	echo "ok 1 - the file system is there"
else
	echo "not ok 1 - the file system is there"
fi
found=$(nvdimm_test find)
if [ "$found" = "found 1000, whole 1000" ]; then
	echo "ok 2 - every object is there that had been published, and whole"
else
	echo "not ok 2 - every object is there that had been published, and whole: $found"
fi
