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

// heapFloor is an amount of memory, heap and stacks together, below which collecting garbage is not worth the work. With the
// program and the mapped tables, which the runtime does not count, a replica with 100,000 keys stays below 150 MiB.
const heapFloor = 112 << 20

// BoundMemory keeps the memory of this process, a replica, close to what it uses under load. Garbage is collected when
// it reaches half of the memory in use. After bursts, memory is returned to the system until heapFloor remains, or one
// and a half times the memory in use if that is more. The limit grows with the live heap, because with a fixed limit a
// replica with a large state would collect garbage all the time. A limit of four thirds of the memory in use would cost
// a fifth of the processor time. GOGC and GOMEMLIMIT take precedence.
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

// readMemory returns the bytes of the heap that the last collection found in use, and the memory that the runtime takes
// in addition to heap objects.
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

// memoryLimit is the soft memory limit if this many bytes of the heap are in use.
func memoryLimit(live, beside uint64) int64 {
	return int64(max(heapFloor, live+live/2+beside))
}

// resident is how much of the machine's memory this process takes: anonymous memory, which the system cannot reclaim without
// swap, and mapped pages of files, which it reclaims when it needs the room. Both are 0 if the system does not tell.
func resident() (anonymous, mapped int64) {
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, 0
	}
	fields := strings.Fields(string(data)) // in pages: total, resident, and how much of resident belongs to files
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
