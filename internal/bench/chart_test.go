package bench

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

// wellFormed returns how many elements of each kind a document has.
func wellFormed(t *testing.T, svg string) map[string]int {
	t.Helper()
	found := map[string]int{}
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, svg)
		}
		if start, ok := token.(xml.StartElement); ok {
			found[start.Name.Local]++
		}
	}
}

func TestChart_DrawsEveryLineToScale(t *testing.T) {
	var svg strings.Builder
	c := chart{
		title: "a < b", x: axis{name: "second"}, y: axis{name: "ops & more"},
		lines: []line{{"run 1", []point{{0, 0}, {10, 90}}}, {"run 2", []point{{5, 45}}}},
	}
	if err := c.write(&svg); err != nil {
		t.Fatal(err)
	}
	if found := wellFormed(t, svg.String()); found["polyline"] != 2 {
		t.Errorf("%v", found)
	}
	// The value axis ends at 100, which is the first round number above 90. The other axis ends at the last point.
	for _, want := range []string{
		"a &lt; b", "ops &amp; more", ">100<", `points="70.0,350.0 780.0,71.0 "`, `points="425.0,210.5 "`, "run 2",
	} {
		if !strings.Contains(svg.String(), want) {
			t.Errorf("no %s in\n%s", want, svg.String())
		}
	}
	if strings.Contains(svg.String(), ">120<") {
		t.Error("the axis goes on beyond its values")
	}
}

func TestChart_WithoutValuesIsADocumentAllTheSame(t *testing.T) {
	for _, runs := range []Runs{{{Histogram: newRecorder(time.Time{}).took}}} {
		for _, plot := range []func(io.Writer) error{runs.PlotThroughput, runs.PlotLatency} {
			var svg strings.Builder
			if err := plot(&svg); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(svg.String(), "NaN") || strings.Contains(svg.String(), "Inf") {
				t.Error(svg.String())
			}
			wellFormed(t, svg.String())
		}
	}
}

func TestRound125(t *testing.T) {
	for x, want := range map[float64]float64{0: 1, 0.3: 0.5, 1: 1, 1.1: 2, 4: 5, 7: 10, 2000: 2000, 2001: 5000} {
		if got := round125(x); got != want {
			t.Errorf("%g: %g, want %g", x, got, want)
		}
	}
}
