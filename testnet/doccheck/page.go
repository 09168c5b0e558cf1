package main

import (
	"fmt"
	"regexp"
	"strings"
)

// step is one command of a page, with the output that the page shows.
type step struct {
	line    int
	command string
	prints  []string
}

// fileEnd is a line that no file of a page has.
const fileEnd = "the end of the file of the page"

// read finds the steps of a page.
func read(page string) (steps []step, err error) {
	inside, file := false, false
	for i, text := range strings.Split(page, "\n") {
		name, named := strings.CutPrefix(text, "```go ")
		switch {
		case named:
			file = true
			steps = append(steps, step{line: i + 1, command: "cat > '" + name + "' <<'" + fileEnd + "'"})
		case strings.HasPrefix(text, "```"):
			if file {
				steps[len(steps)-1].command += "\n" + fileEnd
			}
			inside, file = text == "```console", false
		case file:
			steps[len(steps)-1].command += "\n" + text
		case !inside:
		case strings.HasPrefix(text, "$ "):
			steps = append(steps, step{line: i + 1, command: text[2:]})
		case len(steps) == 0:
			return nil, fmt.Errorf("line %d: a console block begins with what is printed, not with a command", i+1)
		default:
			last := &steps[len(steps)-1]
			if strings.HasSuffix(last.command, "\\") && len(last.prints) == 0 {
				last.command += "\n" + text
				continue
			}
			last.prints = append(last.prints, text)
		}
	}
	if len(steps) == 0 {
		return nil, fmt.Errorf("there is no console block with a command")
	}
	return steps, nil
}

// anything stands for text that differs from run to run.
const anything = "…"

// matches reports whether lines are what was to be printed.
func matches(want, got []string) bool {
	if len(want) == 0 {
		return len(got) == 0
	}
	if want[0] == anything {
		for skip := 0; skip <= len(got); skip++ {
			if matches(want[1:], got[skip:]) {
				return true
			}
		}
		return false
	}
	return len(got) > 0 && pattern(want[0]).MatchString(got[0]) && matches(want[1:], got[1:])
}

// pattern returns a pattern that matches a line. The number of blanks may differ, because the width of a column depends
// on its content.
func pattern(line string) *regexp.Regexp {
	parts := strings.Split(strings.TrimRight(line, " "), anything)
	for i, part := range parts {
		words := regexp.MustCompile(` +`).Split(part, -1)
		for j, word := range words {
			words[j] = regexp.QuoteMeta(word)
		}
		parts[i] = strings.Join(words, " +")
	}
	return regexp.MustCompile("^" + strings.Join(parts, ".*") + " *$")
}
