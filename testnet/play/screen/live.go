package screen

import (
	"fmt"
	"io"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"tagma/internal/terminal"
	"tagma/testnet/play"
	"tagma/testnet/report"
)

// Live shows a run on a terminal: events as lines that remain, and below them a picture that is redrawn in place.
type Live struct {
	program *tea.Program
	style   terminal.Style
	ended   chan struct{}
}

// NewLive begins to draw on out, which must be a terminal, for a run of this title. Close ends it.
func NewLive(out io.Writer, title string, style terminal.Style) *Live {
	l := &Live{style: style, ended: make(chan struct{})}
	// The library gets no input and no signal handler, so keys and signals have their usual effect.
	l.program = tea.NewProgram(&picture{title: title, style: style}, tea.WithOutput(out), tea.WithInput(nil), tea.WithoutSignalHandler())
	go func() {
		defer close(l.ended)
		_, _ = l.program.Run() // a run does not end because its terminal cannot be drawn on
	}()
	return l
}

// Close removes the picture. The lines remain.
func (l *Live) Close() {
	l.program.Send(done{})
	<-l.ended
}

// Phase implements play.Show.
func (l *Live) Phase(name, what string) { l.program.Send(phase{name, what, time.Now()}) }

// State implements play.Show.
func (l *Live) State(s play.State) { l.program.Send(s) }

// Happened implements play.Show.
func (l *Live) Happened(h play.Happening) { l.program.Send(h) }

// done ends the picture.
type done struct{}

type phase struct {
	name, what string
	at         time.Time
}

// lasted is how long the phase has run, as text; "" before the first phase.
func (p *phase) lasted() string {
	if p.at.IsZero() {
		return ""
	}
	return seconds(time.Since(p.at))
}

// Init implements tea.Model.
func (p *picture) Init() tea.Cmd { return nil }

// Update implements tea.Model.
func (p *picture) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		p.width = msg.Width
	case phase:
		p.phase = msg
	case play.State:
		p.take(msg)
	case play.Happening:
		return p, tea.Println(cut(happening(msg, p.style), p.width))
	case done:
		p.over = true
		return p, tea.Quit
	}
	return p, nil
}

// View implements tea.Model.
func (p *picture) View() tea.View { return tea.NewView(p.draw()) }

// picture is how a run looks at one moment.
type picture struct {
	title   string
	style   terminal.Style
	width   int // of the terminal; 0: unknown
	phase   phase
	state   play.State
	rates   []float64 // operations a second, oldest first
	sampled time.Duration
	over    bool
}

const (
	samples     = 48 // bars of the throughput's history
	sampleEvery = 250 * time.Millisecond
)

// take keeps a state, and every sampleEvery also its throughput.
func (p *picture) take(s play.State) {
	if s.At < p.state.At { // a new run began
		p.rates, p.sampled = nil, 0
	}
	p.state = s
	if s.At-p.sampled >= sampleEvery {
		p.sampled = s.At
		if p.rates = append(p.rates, s.OpsPerSecond); len(p.rates) > samples {
			p.rates = p.rates[1:]
		}
	}
}

// draw returns the picture as text. It is empty when the run is over.
func (p *picture) draw() string {
	if p.over {
		return ""
	}
	lines := []string{
		"",
		p.style.Bold(p.title),
		fmt.Sprintf("%-10s %s  %s", p.phase.name, p.phase.what, p.style.Dim(p.phase.lasted())),
	}
	if len(p.state.Replicas) > 0 {
		lines = append(lines, "", p.style.Bold(fmt.Sprintf(rowFormat, "", "role", "view", "executed", "stable", "state")))
		for _, r := range p.state.Replicas {
			lines = append(lines, p.row(r))
		}
	}
	if p.state.At > 0 {
		lines = append(lines, "",
			fmt.Sprintf("throughput %s %s a second", sparkline(p.rates), report.Thousands(int(p.state.OpsPerSecond))),
			fmt.Sprintf("%s %s  %s", terminal.Cells(share(p.state), p.style.Colour), progress(p.state), p.style.Dim(seconds(p.state.At))))
	}
	for i := range lines {
		lines[i] = cut(lines[i], p.width)
	}
	return strings.Join(lines, "\n")
}

const rowFormat = "%-12s %-10s %5s %10s %8s  %s"

func (p *picture) row(r play.Replica) string {
	name := fmt.Sprintf("replica %d", r.ID)
	state := r.Health
	switch {
	case !r.Up:
		state = p.style.Red(state)
	case r.Primary && r.Active && state == "ok":
		state = p.style.Green("ok, primary")
	case state == "ok":
		state = p.style.Green(state)
	}
	text := fmt.Sprintf(rowFormat, name, r.Role, fmt.Sprint(r.View), report.Thousands(int(r.Executed)),
		report.Thousands(int(r.Stable)), state)
	if r.Role != "correct" {
		return strings.Replace(text, r.Role, p.style.Red(r.Role), 1)
	}
	return text
}

// sparkline draws rates as bars, from 0 to the highest rate.
func sparkline(rates []float64) string {
	const bars = "▁▂▃▄▅▆▇█"
	heights := []rune(bars)
	most := 0.0
	for _, r := range rates {
		most = max(most, r)
	}
	line := make([]rune, 0, samples)
	for _, r := range rates {
		i := 0
		if most > 0 {
			i = int(r / most * float64(len(heights)-1))
		}
		line = append(line, heights[i])
	}
	return string(line) + strings.Repeat(" ", samples-len(rates))
}

// share returns which part of the run is done.
func share(s play.State) float64 {
	switch {
	case s.Goal > 0:
		return float64(s.Acknowledged) / float64(s.Goal)
	case s.End > 0:
		return float64(s.At) / float64(s.End)
	}
	return 0
}

// cut shortens a line to the terminal's width: a line that is wrapped would destroy the picture. Colour codes do not
// count.
func cut(line string, width int) string {
	if width <= 0 {
		return line
	}
	return lipgloss.NewStyle().MaxWidth(width).Render(line)
}

// On shows a run with a title on an output: on a terminal as a picture that is redrawn, elsewhere as lines. The function
// end removes the picture.
func On(out io.Writer, title string) (show play.Show, end func()) {
	style := terminal.StyleOf(out)
	if style.Redraws {
		live := NewLive(out, title, style)
		return live, live.Close
	}
	return NewPlain(out, style), func() {}
}
