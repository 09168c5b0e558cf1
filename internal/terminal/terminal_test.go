package terminal

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestStyle_OnlyATerminalGetsMoreThanText(t *testing.T) {
	t.Setenv("TERM", "xterm")
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // nothing was written
	for name, w := range map[string]io.Writer{"file": file, "buffer": new(bytes.Buffer)} {
		if s := StyleOf(w); s != (Style{}) {
			t.Errorf("a %s gets %+v", name, s)
		}
		bar := NewBar(w, false)
		bar.Show("working", 0.5, "half")
		bar.Clear()
		if bar.Live() {
			t.Errorf("a bar is drawn on a %s", name)
		}
	}
	if info, err := file.Stat(); err != nil || info.Size() > 0 {
		t.Errorf("a bar was written to a file: %v, %v", info, err)
	}
}

// A character device stands for a terminal. Its TERM and NO_COLOR determine which codes are used on it.
func TestStyle_HeedsTheEnvironment(t *testing.T) {
	device, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close() //nolint:errcheck // nothing is kept
	for _, c := range []struct {
		term, noColour string
		want           Style
	}{
		{"xterm", "", Style{Redraws: true, Colour: true}},
		{"xterm", "1", Style{Redraws: true}},
		{"dumb", "", Style{}},
		{"", "", Style{}},
	} {
		t.Setenv("TERM", c.term)
		t.Setenv("NO_COLOR", c.noColour)
		if got := StyleOf(device); got != c.want {
			t.Errorf("TERM=%q NO_COLOR=%q: %+v, want %+v", c.term, c.noColour, got, c.want)
		}
	}
	t.Setenv("TERM", "xterm")
	if bar := NewBar(device, true); bar.Live() {
		t.Error("a silent bar is drawn")
	}
}

func TestCells_AreAsManyWhateverTheShare(t *testing.T) {
	for share, full := range map[float64]int{-1: 0, 0: 0, 0.5: 12, 1: 24, 7: 24} {
		cells := Cells(share, false)
		if strings.Count(cells, "█") != full || strings.Count(cells, "░") != 24-full {
			t.Errorf("%v: %s", share, cells)
		}
	}
	if cells := Cells(0.5, true); !strings.HasPrefix(cells, "\x1b[32m█") {
		t.Errorf("coloured: %q", cells)
	}
}

func TestTable_LinesItsColumnsUp(t *testing.T) {
	var out strings.Builder
	if err := Table(&out, [][]string{{"NAME", "N"}, {"a", "1"}, {"longer", "22"}}); err != nil {
		t.Fatal(err)
	}
	if want := "NAME    N\na       1\nlonger  22\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

func TestFooter_StaysBelowWhatIsWritten(t *testing.T) {
	var out bytes.Buffer
	f := &Footer{out: &out, Style: Style{Redraws: true}}
	for _, step := range []func(){
		func() { _, _ = f.Write([]byte("one\n")) }, // a buffer takes everything
		func() { f.Set("half") },
		func() { f.Set("half") },
		func() { _, _ = f.Write([]byte("two\n")) },
		func() { f.Set("") },
		func() { _, _ = f.Write([]byte("three\n")) },
	} {
		step()
	}
	if want := "one\n" + eraseLine + "half" + eraseLine + "two\nhalf" + eraseLine + "three\n"; out.String() != want {
		t.Errorf("the terminal is sent %q, want %q", out.String(), want)
	}
	out.Reset()
	f = NewFooter(&out)
	f.Set("half")
	if _, err := f.Write([]byte("one\n")); err != nil || out.String() != "one\n" {
		t.Errorf("what is no terminal is sent %q, %v", out.String(), err)
	}
}
