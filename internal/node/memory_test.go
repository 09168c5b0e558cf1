package node

import "testing"

func TestMemoryLimitFollowsWhatIsInUse(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct{ live, beside, want uint64 }{
		{0, 10, heapFloor / mib},
		{60, 10, heapFloor / mib},
		{90, 10, 145},
		{600, 40, 940},
	} {
		if got := memoryLimit(c.live*mib, c.beside*mib); got != int64(c.want*mib) {
			t.Errorf("%d MiB in use, %d beside: %d MiB, want %d", c.live, c.beside, got/mib, c.want)
		}
	}
	if live, beside := readMemory(); beside == 0 || live > 1<<40 {
		t.Errorf("read %d and %d bytes", live, beside)
	}
}
