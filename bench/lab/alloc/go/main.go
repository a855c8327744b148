// What allocation costs in Go: a slice of bytes in place of another, 8,192 live. There is no
// free: what a replaced slice costs, the collector takes from the allocations and from the
// processor meanwhile. The article's sync.Pool is the second subject.
//
// The trace, the timer and the figures are those of bench/alloc (see its trace.c).
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	liveCount     = 8192
	doublingCount = 9
)

func begin() uint64
func end() uint64

type random uint64

func (state *random) below(limit uint32) uint32 {
	x := uint64(*state)
	x ^= x >> 12
	x ^= x << 25
	x ^= x >> 27
	*state = random(x)
	return uint32((x * 2685821657736338717 >> 32) * uint64(limit) >> 32)
}

func (state *random) size(fixed int) int {
	if fixed > 0 {
		return fixed
	}
	size := uint32(16) << state.below(doublingCount)
	return int(size + 1 + state.below(size))
}

type op struct{ slot, size int }

type subject struct {
	name string
	take func(size int) []byte
	give func(bytes []byte)
}

// Buffers of the largest size, as a service that pools them has.
var pool = sync.Pool{New: func() any {
	bytes := make([]byte, 8192)
	return &bytes
}}

type readings struct{ take, give []uint32 }

func timed(s subject, ops []op, slots [][]byte, seen readings) {
	for index, o := range ops {
		old := slots[o.slot]
		slots[o.slot] = nil
		started := begin()
		s.give(old)
		seen.give[index] = uint32(end() - started)
		started = begin()
		bytes := s.take(o.size)
		seen.take[index] = uint32(end() - started)
		bytes[0], bytes[o.size-1] = 1, 1
		slots[o.slot] = bytes
	}
}

func replace(s subject, ops []op, slots [][]byte) {
	for _, o := range ops {
		s.give(slots[o.slot])
		bytes := s.take(o.size)
		bytes[0], bytes[o.size-1] = 1, 1
		slots[o.slot] = bytes
	}
}

// dump writes readings in tenths of a nanosecond, for the lab to look at.
func dump(path string, ticks []uint32, nsPerTick float64) {
	bytes := make([]byte, 0, 4*len(ticks))
	for _, one := range ticks {
		bytes = binary.LittleEndian.AppendUint32(bytes, uint32(float64(one)*nsPerTick*10))
	}
	if err := os.WriteFile(path, bytes, 0o600); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func faults() int {
	text, _ := os.ReadFile("/proc/self/stat")
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	count, _ := strconv.Atoi(fields[7])
	return count
}

func measure(s subject, fixed, opCount int, folder string) {
	state := random(0x9e3779b97f4a7c15)
	sizes := make([]int, liveCount)
	for index := range sizes {
		sizes[index] = state.size(fixed)
	}
	ops := make([]op, opCount)
	for index := range ops {
		ops[index].slot = int(state.below(liveCount))
		ops[index].size = state.size(fixed)
	}
	seen := readings{make([]uint32, opCount), make([]uint32, opCount)}
	timer := make([]uint32, opCount)
	clock, ticks := time.Now(), begin()
	for index := range timer {
		started := begin()
		timer[index] = uint32(end() - started)
		seen.take[index], seen.give[index] = 1, 1 // Touched before they are needed.
	}
	slots := make([][]byte, liveCount)
	for index := range slots {
		slots[index] = s.take(sizes[index])
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	faultsBefore := faults()
	timed(s, ops, slots, seen)
	faultsAfter := faults()
	runtime.ReadMemStats(&after)
	loop := time.Now()
	replace(s, ops, slots)
	mean := float64(time.Since(loop).Nanoseconds()) / float64(opCount)
	nsPerTick := float64(time.Since(clock).Nanoseconds()) / float64(end()-ticks)
	dump(folder+"/timer", timer, nsPerTick)
	dump(folder+"/take", seen.take, nsPerTick)
	dump(folder+"/give", seen.give, nsPerTick)
	fmt.Printf("{\"mean_ns\": %.2f, \"failures\": 0, \"minor_faults\": %d, \"collections\": %d}\n",
		mean, faultsAfter-faultsBefore, after.NumGC-before.NumGC)
}

func exhaust() {
	var held [][]byte
	for {
		bytes := make([]byte, 1024)
		bytes[0], bytes[1023] = 1, 1
		held = append(held, bytes)
	}
}

var subjects = []subject{
	{"Go", func(size int) []byte { return make([]byte, size) }, func([]byte) {}},
	{"sync.Pool", func(size int) []byte {
		return (*pool.Get().(*[]byte))[:size]
	}, func(bytes []byte) {
		bytes = bytes[:cap(bytes)]
		pool.Put(&bytes)
	}},
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "exhaust" {
		exhaust()
	}
	for _, s := range subjects {
		if len(os.Args) == 5 && os.Args[1] == s.name {
			size, _ := strconv.Atoi(os.Args[2])
			opCount, _ := strconv.Atoi(os.Args[3])
			measure(s, size, opCount, os.Args[4])
			return
		}
	}
	fmt.Fprintln(os.Stderr, "usage: alloc Go|sync.Pool SIZE OPERATIONS FOLDER | exhaust")
	os.Exit(2)
}
