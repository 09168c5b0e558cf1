package nearest

import "testing"

func TestTo_FindsWhatWasMeant(t *testing.T) {
	words := []string{"status", "start", "stop", "equivocate", "view_timeout", "demo", "phase"}
	for given, want := range map[string]string{
		"staus":        "status",
		"equivocat":    "equivocate",
		"viewtimeout":  "view_timeout",
		"view-timeout": "view_timeout",
		"statr":        "start", // a swap is one edit
		"demmo":        "demo",
		"phas":         "phase",
		"DEMO":         "demo",
		"equi":         "equivocate", // a beginning
		"stop":         "stop",
		"xyzzy":        "",
		"":             "",
	} {
		if got := To(given, words); got != want {
			t.Errorf("%q is taken for %q, not %q", given, got, want)
		}
	}
}

func TestTo_TheFirstOfEquallyNearOnes(t *testing.T) {
	if got := To("bat", []string{"cat", "hat"}); got != "cat" {
		t.Errorf("got %q", got)
	}
}

func TestEditDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"kitten", "sitting", 3}, {"ab", "ba", 1}, {"abcd", "badc", 2}} {
		if got := editDistance(c.a, c.b); got != c.want {
			t.Errorf("from %q to %q: %d edits, not %d", c.a, c.b, got, c.want)
		}
	}
}
