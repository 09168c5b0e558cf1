package node

import (
	"context"
	"os"
	"runtime/debug"
	rt "runtime/metrics"
	"strconv"
	"strings"
	"time"
)

// heapFloor is the memory, heap and stacks together, that is never worth collecting garbage for: with the program and the
// mapped tables, which the runtime does not count, a replica with 100,000 keys stays below 150 MiB.
const heapFloor = 112 << 20

// BoundMemory keeps the memory of this process, a replica, under load close to what it uses. Garbage is collected when it is
// half of what is in use, and memory that bursts of it leave behind is given back above heapFloor or half as much again as
// is in use, whichever is larger. The limit follows the live heap, because a fixed one would make a replica with much state
// collect garbage all the time; a limit of a third more costs a fifth of its processor time already. GOGC and GOMEMLIMIT
// have the last word.
func BoundMemory(ctx context.Context) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	go func() {
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		for {
			debug.SetMemoryLimit(memoryLimit(readMemory()))
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return
			}
		}
	}()
}

// readMemory returns the bytes of the heap that the last collection found in use, and what the runtime takes beside heap
// objects.
func readMemory() (live, beside uint64) {
	read := []rt.Sample{
		{Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/stacks:bytes"},
		{Name: "/memory/classes/metadata/mcache/inuse:bytes"},
		{Name: "/memory/classes/metadata/mspan/inuse:bytes"},
		{Name: "/memory/classes/metadata/other:bytes"},
		{Name: "/memory/classes/profiling/buckets:bytes"},
		{Name: "/memory/classes/other:bytes"},
	}
	rt.Read(read)
	for _, s := range read[1:] {
		beside += s.Value.Uint64()
	}
	return read[0].Value.Uint64(), beside
}

// memoryLimit is the soft limit for a heap of that many bytes in use.
func memoryLimit(live, beside uint64) int64 {
	return int64(max(heapFloor, live+live/2+beside))
}

// resident is how much of the machine's memory this process has: anonymous memory, which the machine cannot take back
// without a swap, and mapped pages of files, which it takes back when it needs the room. Both are 0 where the system does
// not tell.
func resident() (anonymous, mapped int64) {
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, 0
	}
	fields := strings.Fields(string(data)) // all, resident, and what of that is of files, in pages
	if len(fields) < 3 {
		return 0, 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0, 0
	}
	of, err := strconv.ParseInt(fields[2], 10, 64)
	if err != nil {
		return 0, 0
	}
	return (pages - of) * int64(os.Getpagesize()), of * int64(os.Getpagesize())
}
