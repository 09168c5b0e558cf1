package budget

import (
	"testing"
	"time"
)

const timeout = time.Second

// draw sends messages of one size until the budget refuses one, and returns how many bytes were sent.
func draw(b *Budget, size int) (sum int) {
	for ; b.Left(); sum += size {
		b.Spend(size)
	}
	return sum
}

// S4: a peer takes as much as it can get at every moment. In k timeouts, it gets no more from both budgets together than
// the bound in the package comment, and not much less.
func TestS4_WhoDrawsAllTheTimeIsSentNoMoreThanTheBound(t *testing.T) {
	const (
		k, log, perTick = 5, 8 << 20, 1 << 10
		ticks           = k * 1000
		size            = 100_000
	)
	var help, bulk Budget
	got, ordered := 0, 0
	for i := range ticks + 1 {
		now := time.Hour + time.Duration(i)*timeout/1000
		help.Help(now, timeout, ordered, func() int { return log })
		bulk.Bulk(now, timeout)
		got += draw(&help, size) + draw(&bulk, size)
		ordered += perTick
	}
	most := (k+2)*log + 2*ordered + k*BulkBytes + BulkBytes/4
	if got > most+2*size || got < most*98/100 {
		t.Errorf("%d bytes in %d timeouts, want %d", got, k, most)
	}
}

// S4: a peer that has asked for nothing for a long time has only a full budget. A peer that was sent more than its
// budget must wait longer.
func TestS4_ABudgetIsNeverMoreThanFullAndOverdraftsArePaid(t *testing.T) {
	var b Budget
	if b.Left() {
		t.Fatal("there is something before anything was granted")
	}
	b.Bulk(0, timeout)
	if got := draw(&b, 1<<20); got != BulkBytes/4 {
		t.Errorf("%d bytes at first", got)
	}
	b.Bulk(time.Hour, timeout)
	if got := draw(&b, BulkBytes); got != BulkBytes {
		t.Errorf("%d bytes after an hour", got)
	}
	if b.Bulk(time.Hour+timeout*3/4, timeout); b.Left() {
		t.Error("what was sent beyond the bound is not paid for")
	}
	if b.Bulk(time.Hour+timeout*4/5, timeout); !b.Left() {
		t.Error("nothing is left though time has paid for it")
	}
}

// S4: however often a peer asks, the log is measured only a bounded number of times in a timeout.
func TestS4_TheLogIsLookedAtSoManyTimesInATimeout(t *testing.T) {
	var b Budget
	looks := 0
	for i := range 10_000 {
		b.Help(timeout+time.Duration(i)*timeout/10_000, timeout, 0, func() int { looks++; return 1 << 20 })
	}
	if looks > parts+1 || looks < parts-1 {
		t.Errorf("looked %d times in a timeout, want %d", looks, parts)
	}
}
