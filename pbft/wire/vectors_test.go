package wire

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var updateWire = flag.Bool("update-wire", false, "write testdata/wire.golden and the example of docs/wire.md anew")

// vectors lists every sample with its encoding. Other implementations can test themselves with it. It must not change as
// long as FormatVersion does not.
func vectors() string {
	var out strings.Builder
	c := newWireCluster(4)
	for _, s := range c.samples() {
		fmt.Fprintf(&out, "message\t%s\t%x\t%x\n", s.name, Encode(s.m), Signable(&c.cfg, s.m))
	}
	for _, s := range c.records() {
		fmt.Fprintf(&out, "record\t%s\t%x\t\n", s.name, EncodeRecord(s.r))
	}
	for _, e := range c.evidence() {
		fmt.Fprintf(&out, "evidence\t%v\t%x\t\n", TypeOf(e.First), e.Encode())
	}
	return out.String()
}

func TestFormat_DoesNotChangeUnnoticed(t *testing.T) {
	const file = "testdata/wire.golden"
	got := vectors()
	if *updateWire {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	if len(gotLines) != len(wantLines) {
		t.Fatalf("%d vectors, want %d", len(gotLines), len(wantLines))
	}
	for i := range wantLines {
		if gotLines[i] != wantLines[i] {
			t.Errorf("line %d of %s: got\n%s\nwant\n%s", i+1, file, gotLines[i], wantLines[i])
		}
	}
}

// wireExample is the worked example of docs/wire.md: a signed request, the body that holds it alone, and a commit to it.
func wireExample() string {
	c := newWireCluster(4)
	r := &Request{
		ID:         RequestID{Client: PublicKey{0xcc, 1}, Session: 7, T: 1},
		AckedBelow: 1,
		Ops:        [][]byte{[]byte("put k v")},
	}
	c.sign(r)
	b := &Body{Time: 1_700_000_000_000_000_000, Requests: []*Request{r}}
	commit := c.commit(2, 11, b.Digest(), 3)

	var out strings.Builder
	section := func(title string, bytes []byte) {
		fmt.Fprintf(&out, "%s (%d bytes)\n", title, len(bytes))
		for len(bytes) > 0 {
			n := min(32, len(bytes))
			fmt.Fprintf(&out, "  %x\n", bytes[:n])
			bytes = bytes[n:]
		}
	}
	digest := func(d Digest) []byte { return d[:] }
	section("request, frame payload", Encode(r))
	section("request, content digest", digest(r.Digest()))
	section("request, signed string", Signable(&c.cfg, r))
	section("body, batch digest", digest(b.Digest()))
	section("null body, batch digest", digest(NullDigest))
	section("commit, frame payload", Encode(commit))
	section("commit, signed string", Signable(&c.cfg, commit))
	return out.String()
}

func TestFormat_TheDocumentedExampleIsTrue(t *testing.T) {
	const file = "../../docs/wire.md"
	doc, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- example -->\n```text\n", "```\n"
	before, rest, ok := strings.Cut(string(doc), begin)
	shown, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no example between %q and %q", file, begin, end)
	}
	want := wireExample()
	if *updateWire {
		if err := os.WriteFile(file, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if shown != want {
		t.Errorf("%s shows\n%s\nbut it is\n%s", file, shown, want)
	}
}
