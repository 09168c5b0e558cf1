package bench

import (
	"bufio"
	"fmt"
	"html"
	"io"
	"math"
	"strconv"
)

// chart is a plot of lines, written as SVG. It can do only what this package's two plots need. It is used instead of
// a charting library because those depend on fonts and rasterizers.
type chart struct {
	title string
	x, y  axis
	lines []line
}

type axis struct {
	name  string
	ticks []tick // nil: chosen to fit the values
}

// tick is a labelled place on an axis.
type tick struct {
	at   float64
	text string
}

type line struct {
	name   string
	points []point
}

type point struct{ x, y float64 }

// The size of the picture, and the position of the plot in it.
const (
	width, height            = 800.0, 400.0
	left, right, top, bottom = 70.0, 780.0, 40.0, 350.0
)

// colors are the colours of lines. Colour-blind people can tell them apart, too. If there are more lines than
// colours, the colours repeat.
var colors = [...]string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"}

// nines are the ticks of the percentile axis. Each has its depth as its position.
var nines = []tick{
	{0, "0"},
	{depth(50), "50"},
	{depth(90), "90"},
	{depth(99), "99"},
	{depth(99.9), "99.9"},
	{depth(99.99), "99.99"},
	{depth(99.999), "99.999"},
}

// depth is the number of nines of a percentile: 1 for 90, 2 for 99.
func depth(percentile float64) float64 { return -math.Log10(1 - percentile/100) }

// write writes the chart. Both axes begin at 0.
func (c *chart) write(w io.Writer) error {
	far := point{}
	for _, l := range c.lines {
		for _, p := range l.points {
			far = point{max(far.x, p.x), max(far.y, p.y)}
		}
	}
	xs, ys := c.x.upTo(far.x), c.y.upTo(far.y)
	const something = 1e-9 // avoids dividing by 0 if there are no values
	far = point{max(far.x, something), max(far.y, ys[len(ys)-1].at, something)}
	at := func(p point) (x, y float64) { return left + p.x/far.x*(right-left), bottom - p.y/far.y*(bottom-top) }

	out := bufio.NewWriter(w)
	put := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) } // Flush returns the error
	put(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" font-family="sans-serif" font-size="12">`, width, height)
	put(`<rect width="100%%" height="100%%" fill="#ffffff"/>`)
	put(`<text x="%g" y="24" font-size="16">%s</text>`, left, html.EscapeString(c.title))
	for _, t := range ys {
		_, y := at(point{0, t.at})
		put(`<line x1="%g" y1="%.1f" x2="%g" y2="%.1f" stroke="#dddddd"/>`, left, y, right, y)
		put(`<text x="%g" y="%.1f" text-anchor="end">%s</text>`, left-6, y+4, t.text)
	}
	for _, t := range xs {
		x, _ := at(point{t.at, 0})
		put(`<line x1="%.1f" y1="%g" x2="%.1f" y2="%g" stroke="#dddddd"/>`, x, top, x, bottom)
		put(`<text x="%.1f" y="%g" text-anchor="middle">%s</text>`, x, bottom+16, t.text)
	}
	put(`<text x="%g" y="%g" text-anchor="middle">%s</text>`, (left+right)/2, bottom+38, html.EscapeString(c.x.name))
	put(`<text transform="translate(14 %g) rotate(-90)" text-anchor="middle">%s</text>`,
		(top+bottom)/2, html.EscapeString(c.y.name))
	for i, l := range c.lines {
		color := colors[i%len(colors)]
		_, _ = fmt.Fprintf(out, `<polyline fill="none" stroke="%s" stroke-width="1.5" points="`, color)
		for _, p := range l.points {
			x, y := at(p)
			_, _ = fmt.Fprintf(out, "%.1f,%.1f ", x, y)
		}
		put(`"/>`)
		if len(c.lines) > 1 {
			x := right - 60*float64(len(c.lines)-1-i)
			put(`<text x="%g" y="24" fill="%s" text-anchor="end">%s</text>`, x, color, html.EscapeString(l.name))
		}
	}
	put(`</svg>`)
	return out.Flush()
}

// upTo returns the ticks from 0 to most. If the axis has no ticks of its own, they are chosen so that the last one is
// at least most.
func (a *axis) upTo(most float64) []tick {
	if a.ticks != nil {
		n := 1
		for n < len(a.ticks) && a.ticks[n].at <= most {
			n++
		}
		return a.ticks[:n]
	}
	step := round125(most / 5)
	var ticks []tick
	for i := 0; ; i++ {
		at := float64(i) * step
		ticks = append(ticks, tick{at, strconv.FormatFloat(at, 'g', 6, 64)})
		if at >= most {
			return ticks
		}
	}
}

// round125 rounds up to 1, 2 or 5 times a power of ten.
func round125(x float64) float64 {
	if x <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(x)))
	for _, digit := range []float64{1, 2, 5} {
		if x <= digit*power*(1+1e-9) {
			return digit * power
		}
	}
	return 10 * power
}
