package mutants

import (
	"fmt"
	"regexp"
	"strings"
)

// Parse reads one mutant. The file begins with the lines name, what, hunter, flags (may be missing) and expect, each
// `key: value`, a value going on in lines that begin with a blank. Then come edits, each
//
//	file: pbft/newview.go
//	old:
//	whole lines as they stand in the file
//	new:
//	whole lines to stand there
//	end
//
// Lines between edits are empty or begin with #. The new text may be empty. For the hunter test, flags is the folder of a
// package and expect the name of one of its tests.
func Parse(text string) (Mutant, error) {
	p := &parser{lines: strings.Split(text, "\n")}
	var m Mutant
	for p.at < len(p.lines) {
		line := p.next()
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			return m, p.errorf("%q is no `key: value`", line)
		}
		value = strings.TrimSpace(value)
		for p.at < len(p.lines) && strings.HasPrefix(p.lines[p.at], " ") {
			value += " " + strings.TrimSpace(p.next())
		}
		switch key {
		case "name":
			m.Name = value
		case "what":
			m.What = value
		case "hunter":
			m.Hunter = Hunter(value)
		case "flags":
			m.Flags = strings.Fields(value)
		case "expect":
			m.Expect = value
		case "file":
			e, err := p.edit(value)
			if err != nil {
				return m, err
			}
			m.Edits = append(m.Edits, e)
		default:
			return m, p.errorf("there is no key %q; the keys are name, what, hunter, flags, expect and file", key)
		}
	}
	return m, m.validate()
}

// parser walks over the lines of a file.
type parser struct {
	lines []string
	at    int // the next line
}

func (p *parser) next() string {
	p.at++
	return p.lines[p.at-1]
}

func (p *parser) errorf(format string, args ...any) error {
	return fmt.Errorf("line %d: "+format, append([]any{p.at}, args...)...)
}

func (p *parser) edit(file string) (Edit, error) {
	e := Edit{File: file}
	if p.at == len(p.lines) || p.next() != "old:" {
		return e, p.errorf("after `file: %s` comes `old:`", file)
	}
	var err error
	if e.Old, err = p.until("new:"); err != nil {
		return e, err
	}
	e.New, err = p.until("end")
	return e, err
}

// until gathers the lines before an end mark.
func (p *parser) until(mark string) (string, error) {
	begin := p.at
	for p.at < len(p.lines) {
		if p.next() == mark {
			text := strings.Join(p.lines[begin:p.at-1], "\n")
			if text != "" {
				text += "\n"
			}
			return text, nil
		}
	}
	return "", p.errorf("`%s` is missing after line %d", mark, begin)
}

var testName = regexp.MustCompile(`^Test\w+$`)

func (m Mutant) validate() error {
	switch {
	case m.Name == "" || m.What == "" || m.Expect == "":
		return fmt.Errorf("name, what and expect: one is missing or empty")
	case m.Hunter != Explore && m.Hunter != Sim && m.Hunter != Test:
		return fmt.Errorf("hunter: %q is none of %s, %s and %s", m.Hunter, Explore, Sim, Test)
	case m.Hunter == Test && (len(m.Flags) != 1 || !strings.HasPrefix(m.Flags[0], "./")):
		return fmt.Errorf("flags: %q; for the hunter %s give the folder of one package, such as ./pbft", m.Flags, Test)
	case m.Hunter == Test && !testName.MatchString(m.Expect):
		return fmt.Errorf("expect: %q; for the hunter %s name one test", m.Expect, Test)
	case len(m.Edits) == 0:
		return fmt.Errorf("there is no edit: give at least one `file:`")
	}
	for _, e := range m.Edits {
		if e.Old == "" || e.Old == e.New {
			return fmt.Errorf("%s: the old text is empty or the same as the new one", e.File)
		}
	}
	return nil
}
