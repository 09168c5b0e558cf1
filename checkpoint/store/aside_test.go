package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestAStoreIsSetAside(t *testing.T) {
	dir := t.TempDir() + "/state"
	if to, err := SetAside(dir); to != "" || err != nil {
		t.Fatalf("nothing was set aside as %q: %v", to, err)
	}
	for i := range 2 {
		s := openPlain(t, dir)
		load(t, s, 0)
		write(t, s, set(uint64(i+1), put("a", strings.Repeat("x", i))))
		if _, err := SetAside(dir); !errors.Is(err, ErrLocked) {
			t.Fatalf("an open store was set aside: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if to, err := SetAside(dir); to != dir+".aside" || err != nil {
			t.Fatalf("set aside as %q: %v", to, err)
		}
		if s := openPlain(t, dir); !s.Fresh() {
			t.Error("what took the place of the store is not empty")
		} else if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := SetAside(dir); err != nil { // the empty one replaces it
			t.Fatal(fmt.Errorf("again: %w", err))
		}
	}
}
