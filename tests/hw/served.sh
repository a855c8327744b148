#!/bin/sh
# hello on a machine of two nodes: what it says of its memory, what the kernel says, and that it serves.
count=0
address=127.0.0.1:8080

# tell NAME COMMAND...: one case, passed when the command succeeds.
tell() {
	count=$((count + 1))
	name=$1
	shift
	if "$@"; then
		echo "ok $count - $name"
	else
		echo "not ok $count - $name"
		sed 's/^/# /' log
	fi
}

start() {
	rm -f page threads
	hello --listen $address "$@" >log 2>&1 &
	pid=$!
	tries=100
	until grep -q 'serving on' log || [ $tries -eq 0 ] || ! kill -0 $pid 2>/dev/null; do
		usleep 100000
		tries=$((tries - 1))
	done
}

stop() {
	kill -TERM $pid
	wait $pid
}

log_has() {
	grep -q "$1" log
}

serves() {
	[ "$(wget -q -O - http://$address/)" = Hello ]
}

refused() {
	! hello --listen $address "$@" >log 2>&1
}

# The threads keep to one processor each, and not to the same.
threads_are_apart() {
	grep -h Cpus_allowed_list /proc/$pid/task/*/status | sort | uniq -c | tr -s ' \t' ' ' |
		grep -v 0-1 >threads
	[ "$(cat threads)" = " 1 Cpus_allowed_list: 0
 1 Cpus_allowed_list: 1" ]
}

# By the kernel's own list: what prefers a node has pages there and nowhere else.
pages_are_apart() {
	grep -q 'prefer[^ ]*:0 .*N0=' /proc/$pid/numa_maps &&
		grep -q 'prefer[^ ]*:1 .*N1=' /proc/$pid/numa_maps &&
		! grep 'prefer[^ ]*:0 .*N1=' /proc/$pid/numa_maps &&
		! grep 'prefer[^ ]*:1 .*N0=' /proc/$pid/numa_maps
}

all_pages_are_on_their_node() {
	log_has '2 NUMA nodes, \([1-9][0-9]*\) of \1 pages on their own$'
}

page_tells_both_nodes() {
	wget -q -O page http://$address/memory &&
		grep -q 'shards of node 0: ' page && grep -q 'shards of node 1: ' page &&
		grep -q 'node: asked: 1; obtained: \([0-9]*\) of \1 pages by move_pages$' page
}

plan_is_what_is_resident() {
	planned=$(sed -n 's/^planned  *\([0-9]*\) bytes/\1/p' page)
	[ -n "$planned" ] || return 1
	resident=$(sed -n 's/^resident now  *\([0-9]*\) bytes/\1/p' page)
	difference=$((resident > planned ? resident - planned : planned - resident))
	[ $((difference * 100)) -lt "$planned" ]
}

explicit_plan_is_what_is_resident() {
	wget -q -O page http://$address/memory && plan_is_what_is_resident
}

echo "1..21"
for io in uring epoll; do
	start --io $io
	tell "$io: serves from memory on two nodes" serves
	tell "$io: says that all pages are on their node" all_pages_are_on_their_node
	tell "$io: threads keep to their node" threads_are_apart
	tell "$io: the kernel says the same of the pages" pages_are_apart
	tell "$io: the page tells of each node" page_tells_both_nodes
	tell "$io: the plan is what is resident" plan_is_what_is_resident
	tell "$io: ends in order" stop
done

start --huge-pages explicit-only --lock-memory must
tell "explicit pages are obtained on both nodes" log_has ' \([0-9.]*\) of \1 MiB on huge pages;'
tell "all of it is locked" log_has ' \([0-9.]*\) of \1 MiB locked;'
tell "serves from explicit pages" serves
tell "explicit pages are planned and resident" explicit_plan_is_what_is_resident
stop

start --numa off
tell "with --numa off nothing is bound" log_has 'not bound to NUMA nodes: not asked for'
stop

tell "explicit pages that are too few are refused" refused --huge-pages explicit-only --exchanges 8192
tell "the refusal names what to change" log_has 'raise vm.nr_hugepages, or use --huge-pages explicit$'
