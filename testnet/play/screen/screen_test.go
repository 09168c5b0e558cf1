package screen

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"tagma/internal/terminal"
	"tagma/testnet/play"
	"tagma/testnet/report"
)

func state() play.State {
	return play.State{
		At: 2 * time.Second, Acknowledged: 500, Goal: 2000, OpsPerSecond: 1234,
		Replicas: []play.Replica{
			{Replica: report.Replica{ID: 0, Role: "malicious"}, Up: true, View: 3, Health: "ok"},
			{Replica: report.Replica{ID: 1, Role: "correct", Executed: 1234, Stable: 1230}, Up: true, Primary: true, Active: true, View: 4, Health: "ok"},
			{Replica: report.Replica{ID: 2, Role: "correct"}, View: 9, Health: "down"},
		},
	}
}

func TestPicture_ShowsReplicasWorkAndPhase(t *testing.T) {
	p := &picture{title: "a liar"}
	p.Update(phase{"load", "mixed", time.Now()})
	p.Update(state())
	text := p.draw()
	for _, part := range []string{"a liar", "load", "replica 0    malicious", "1,234", "ok, primary", "down", "500 of 2,000", "██████░"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in\n%s", part, text)
		}
	}
	if strings.Contains(text, "\x1b[3") {
		t.Error("without colour there are colours")
	}
	p.Update(done{})
	if p.draw() != "" {
		t.Error("the picture stays when the run is over")
	}
}

// Before the first phase the picture shows no time.
func TestPicture_TellsNoTimeBeforeARunHasBegun(t *testing.T) {
	p := &picture{title: "a liar"}
	if text := p.draw(); strings.Contains(text, " s") || !strings.Contains(text, "a liar") {
		t.Errorf("%q", text)
	}
}

func TestPicture_KeepsWithinTheTerminal(t *testing.T) {
	p := &picture{title: strings.Repeat("long ", 50), width: 40, style: terminal.Style{Redraws: true}}
	p.Update(state())
	for line := range strings.SplitSeq(p.draw(), "\n") {
		if utf8.RuneCountInString(line) > 40 {
			t.Errorf("%q is wider than the terminal", line)
		}
	}
}

func TestSparkline_IsAsHighAsTheRates(t *testing.T) {
	if got := strings.TrimRight(sparkline([]float64{0, 50, 100}), " "); got != "▁▄█" {
		t.Error(got)
	}
	if got := strings.TrimRight(sparkline([]float64{0, 0}), " "); got != "▁▁" {
		t.Error(got)
	}
}

func TestPlain_IsLinesWithoutControlCharacters(t *testing.T) {
	var out strings.Builder
	p := NewPlain(&out, terminal.Style{})
	p.Phase("load", "mixed")
	p.State(state()) // too soon after the phase to be printed
	p.last = p.last.Add(-repeatEvery)
	p.State(state())
	for _, k := range []play.Kind{play.Fired, play.Recovered, play.Note, play.Bad} {
		p.Happened(play.Happening{At: time.Second, Kind: k, What: "it is " + string(k)})
	}
	want := "load       mixed\n" +
		"     2.0 s 500 of 2,000 operations, 1,234 a second, view 4\n" +
		"     1.0 s * it is fired\n     1.0 s ✓ it is recovered\n     1.0 s   it is note\n     1.0 s ! it is bad\n"
	if out.String() != want {
		t.Errorf("%q", out.String())
	}
}
