package comeback

import (
	"strings"
	"testing"
)

func TestLedger_TellsWhatMayBeRead(t *testing.T) {
	const key = 1
	l := newLedger(3, 20)
	write := func(acknowledged bool) uint32 {
		n, ok := l.next(key)
		if !ok {
			t.Fatal("the key takes no more writes")
		}
		l.settle(key, n, acknowledged)
		return n
	}
	if err := l.judge(key, nil); err != nil {
		t.Errorf("a key that nobody wrote: %v", err)
	}
	first, second := write(true), write(true)
	other := append([]byte{}, l.value(key, second)...)
	other[len(other)-1] ^= 1
	for name, c := range map[string]struct {
		read []byte
		want string // in the error; "": none
	}{
		"the last write":      {l.value(key, second), ""},
		"an older one":        {l.value(key, first), "holds its write 1"},
		"none":                {nil, "is gone"},
		"a later one":         {l.value(key, second+1), "nobody wrote"},
		"another key's":       {l.value(key+1, second), "nobody wrote"},
		"a bit turned":        {other, "nobody wrote"},
		"too short":           {[]byte("x"), "nobody wrote"},
		"no number before it": {[]byte("zzzzzzzz____________"), "nobody wrote"},
	} {
		err := l.judge(key, c.read)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if n := l.acknowledged(); n != 1 {
		t.Errorf("%d keys are acknowledged, want 1", n)
	}
}

func TestLedger_AnUnknownOutcomeMayShowOrNot(t *testing.T) {
	l := newLedger(1, 8)
	first, _ := l.next(0)
	l.settle(0, first, true)
	second, _ := l.next(0)
	l.settle(0, second, false)
	for _, n := range []uint32{first, second} {
		if err := l.judge(0, l.value(0, n)); err != nil {
			t.Errorf("write %d: %v", n, err)
		}
	}
	if err := l.judge(0, nil); err == nil {
		t.Error("the acknowledged write may not be gone")
	}
	if _, ok := l.next(0); ok {
		t.Error("a key is written on though an earlier write may still take effect")
	}
}
