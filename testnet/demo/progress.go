package demo

// Progress is shown what happens as it happens. Its methods are called from several goroutines.
type Progress interface {
	// Begin starts a phase.
	Begin(name, what string)
	// Advance says how far the phase is.
	Advance(done, total int, unit string)
	// Note says something in between.
	Note(line string)
	// End ends the phase with what came of it.
	End(format string, args ...any)
	// Fail ends the phase with what went wrong.
	Fail(err error)
}

// Silent shows nothing.
type Silent struct{}

// Begin implements Progress.
func (Silent) Begin(string, string) {}

// Advance implements Progress.
func (Silent) Advance(int, int, string) {}

// Note implements Progress.
func (Silent) Note(string) {}

// End implements Progress.
func (Silent) End(string, ...any) {}

// Fail implements Progress.
func (Silent) Fail(error) {}
