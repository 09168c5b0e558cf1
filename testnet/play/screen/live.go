package screen

import (
	"io"
	"time"

	tea "charm.land/bubbletea/v2"

	"tagma/testnet/play"
	"tagma/testnet/report"
)

// Live shows a run on a terminal: what happens as lines that stay, and below them a picture that is redrawn in place.
type Live struct {
	program *tea.Program
	style   report.Style
	ended   chan struct{}
}

// NewLive begins to draw on out, which must be a terminal, for a run of this title. Close ends it.
func NewLive(out io.Writer, title string, style report.Style) *Live {
	l := &Live{style: style, ended: make(chan struct{})}
	// No input and no signal handler: keys and signals stay what they are without a picture.
	l.program = tea.NewProgram(&picture{title: title, style: style}, tea.WithOutput(out), tea.WithInput(nil), tea.WithoutSignalHandler())
	go func() {
		defer close(l.ended)
		_, _ = l.program.Run() // a terminal that cannot be drawn on is no reason to end a run
	}()
	return l
}

// Close takes the picture away. The lines stay.
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
