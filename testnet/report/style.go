package report

// Style says how much may be used beside plain text.
type Style struct {
	Terminal bool // lines may be redrawn
	Colour   bool
}

func (s Style) paint(code, text string) string {
	if !s.Colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// Bold is for names.
func (s Style) Bold(text string) string { return s.paint("1", text) }

// Dim is for what matters less.
func (s Style) Dim(text string) string { return s.paint("2", text) }

// Red is for what is wrong.
func (s Style) Red(text string) string { return s.paint("31", text) }

// Green is for what is well.
func (s Style) Green(text string) string { return s.paint("32", text) }
