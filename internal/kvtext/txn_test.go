package kvtext

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"tagma/statemachine/kv"
)

func TestTxnText_IsWhatItSays(t *testing.T) {
	text := "# a comment\r\n" +
		"version a = 0\n  # between compares\ncreate \"a b\" != 1\nmod c < 2\nvalue d > \"x\\n\\x00\"\n" +
		"\n" +
		"put a 1\nput \"\\\"q\\\"\" \"\"\nget  a\t\nprefix p\nprefix \"\" 7\n" +
		"\n" +
		"range a b\nrange a \"\" 3\ndelete a\ndelete-prefix p\ndelete-range a \"\"\n# the end\n\n\n"
	got, err := ParseTxn(text)
	if err != nil {
		t.Fatal(err)
	}
	b := func(s string) []byte { return []byte(s) }
	want := kv.Txn(
		[]kv.Compare{
			kv.Version(b("a"), kv.Equal, 0), kv.CreateRevision(b("a b"), kv.NotEqual, 1), kv.ModRevision(b("c"), kv.Less, 2),
			kv.Value(b("d"), kv.Greater, b("x\n\x00")),
		},
		[][]byte{kv.Put(b("a"), b("1")), kv.Put(b(`"q"`), nil), kv.Get(b("a")), kv.Prefix(b("p"), 0), kv.Prefix(nil, 7)},
		[][]byte{
			kv.Range(b("a"), b("b"), 0), kv.Range(b("a"), nil, 3), kv.Delete(b("a")), kv.DeleteRange(b("p"), b("q")),
			kv.DeleteRange(b("a"), nil),
		},
	)
	if encoded := got.Operation(); !bytes.Equal(encoded, want) {
		t.Errorf("%+v", got)
	}
}

func TestTxnText_PartsMayBeEmptyOrLeftOut(t *testing.T) {
	for text, want := range map[string][3]int{
		"version a = 0":                 {1, 0, 0},
		"version a = 0\n\nput a 1":      {1, 1, 0},
		"\nput a 1\nput b 1":            {0, 2, 0},
		"version a = 0\n\n\nget a":      {1, 0, 1},
		"# only\n\n# comments\nput a 1": {0, 1, 0},
	} {
		got, err := ParseTxn(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if have := [3]int{len(got.compares), len(got.then), len(got.orElse)}; have != want {
			t.Errorf("%q: parts of %v lines, want %v", text, have, want)
		}
	}
}

func TestTxnText_FaultsNameTheirLine(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "line 1: there is no compare and no operation",
		"# nothing\n\n":                    "line 1: there is no compare and no operation",
		"put a 1":                          `line 1: "put" is an operation`,
		"version a = 0\n\nversion a = 0":   `line 3: "version" is a compare`,
		"verison a = 0":                    "did you mean version?",
		"version a 0":                      "line 1: a compare is version KEY = N, four words; this has 3",
		"value a = b c":                    "a compare is value KEY = VALUE",
		"version a == 0":                   `line 1: "==" is no relation`,
		"version a = -1":                   `line 1: "-1" is no whole number`,
		"version a = 18446744073709551616": "no whole number",
		`version "" = 0`:                   "line 1: the key must have 1 to 1024 bytes; this one has 0",
		"\nptu a 1":                        "line 2: there is no operation \"ptu\"; did you mean put?",
		"\nxyzzy a":                        "use put, get, prefix",
		"\nput a":                          "line 2: an operation is put KEY VALUE; this has 2 words",
		"\nput a b c":                      "this has 4 words",
		"\nget a 1":                        "an operation is get KEY",
		"\nprefix a x":                     `line 2: "x" is no limit`,
		"\nrange a b 0":                    `"0" is no limit`,
		"\nput \"a 1":                      "line 2: a quote is not closed",
		"\nput \"a\\q\" 1":                 "a quote is not closed, or holds a \\ that means nothing",
		"\nput \"a\"b 1":                   "needs a space behind it",
		"\nput a\"b 1":                     "has a quote in it",
		"\nput " + strings.Repeat("k", 1025) + " 1":           "this one has 1025",
		"\nget a\n\nget b\n\nget c":                           "line 6: it stands behind the third part",
		"\n" + strings.Repeat("get a\n", kv.MaxTxnOps+1):      fmt.Sprintf("line %d: a part has at most 128 lines", kv.MaxTxnOps+2),
		strings.Repeat("mod a = 1\n", kv.MaxTxnOps) + "mod a": "line 129: a compare is",
	} {
		if _, err := ParseTxn(text); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.40q: %v; want %q in one line", text, err, want)
		}
	}
}

func FuzzTxnText(f *testing.F) {
	f.Add("version a = 0\n\nput \"a\\x00\" 1\n\nrange a \"\" 3")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ParseTxn(text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "line ") {
				t.Errorf("%q: %v does not name its line", text, err)
			}
			return
		}
		if n := max(len(got.compares), len(got.then), len(got.orElse)); n == 0 || n > kv.MaxTxnOps {
			t.Errorf("%q: a part of %d lines", text, n)
		}
	})
}
