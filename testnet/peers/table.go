package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// spread is the median and the range of some figures.
type spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

func spreadOf(values []float64) spread {
	s := slices.Sorted(slices.Values(values))
	return spread{Median: s[(len(s)-1)/2], Min: s[0], Max: s[len(s)-1]}
}

func (s spread) String() string { return fmt.Sprintf("%.2f [%.2f–%.2f]", s.Median, s.Min, s.Max) }

// ratio divides a figure of Tagma by etcd's, pair by pair. Only of throughput is a higher ratio better.
func (r *rowResult) ratio(of func(*figures) float64) spread {
	values := make([]float64, len(r.Tagma))
	for i := range r.Tagma {
		values[i] = of(&r.Tagma[i]) / of(&r.Etcd[i])
	}
	return spreadOf(values)
}

func medianOf(runs []figures, of func(*figures) float64) float64 {
	values := make([]float64, len(runs))
	for i := range runs {
		values[i] = of(&runs[i])
	}
	return spreadOf(values).Median
}

// columns of the table, and fields of the document.
var columns = []struct {
	name, unit, format string
	of                 func(*figures) float64
}{
	{"throughput", "/s", "%.0f", func(f *figures) float64 { return f.OpsPerSecond }},
	{"p50", "ms", "%.2f", func(f *figures) float64 { return f.P50 }},
	{"p99", "ms", "%.1f", func(f *figures) float64 { return f.P99 }},
	{"CPU an operation", "ms", "%.3f", func(f *figures) float64 { return f.CPU }},
	{"memory", "MiB", "%.0f", func(f *figures) float64 { return f.Resident }},
}

func printRow(w io.Writer, r *rowResult, first bool) {
	if first {
		fmt.Fprintf(w, "%-18s %12s %12s  Tagma to etcd, median [range]\n", "", "Tagma", "etcd")
	}
	fmt.Fprintf(w, "%s\n", r.Name)
	for _, c := range columns {
		fmt.Fprintf(w, "  %-16s %12s %12s  %s\n", c.name, fmt.Sprintf(c.format+" "+c.unit, medianOf(r.Tagma, c.of)),
			fmt.Sprintf(c.format+" "+c.unit, medianOf(r.Etcd, c.of)), r.ratio(c.of))
	}
}

func printJSON(w io.Writer, all []*rowResult) error {
	type document struct {
		*rowResult
		Ratios map[string]spread `json:"ratios"`
	}
	var out []document
	for _, r := range all {
		d := document{rowResult: r, Ratios: map[string]spread{}}
		for _, c := range columns {
			d.Ratios[c.name] = r.ratio(c.of)
		}
		out = append(out, d)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(map[string]any{"rows": out})
}
