package tidy

import (
	"fmt"
	"go/ast"
	"strings"
	"unicode/utf8"
)

const (
	// lineLimit is the length above which a file probably holds more than one idea.
	lineLimit = 400
	// columnLimit is how wide a line of comment may be; aim at 120. A tab counts for tabWidth.
	columnLimit = 125
	tabWidth    = 4
)

// longFiles are the files that were above lineLimit when they were listed, with their length. A length may only shrink.
// A file leaves the list when it is short enough; a new entry needs a reason in a comment beside it.
var longFiles = map[string]int{}

// fileLengths complains about a hand-written file that is too long, and about an entry of listed that is out of date.
func fileLengths(t *tree, listed map[string]int) []string {
	var complaints []string
	seen := map[string]bool{}
	for _, s := range t.sources {
		n, most := len(s.lines()), lineLimit
		if was, ok := listed[s.path]; ok {
			most, seen[s.path] = was, true
		}
		switch {
		case s.generated:
		case n > most:
			complaints = append(complaints, fmt.Sprintf("%s: %d lines, at most %d; split it", s.path, n, most))
		case n < most && most != lineLimit:
			complaints = append(complaints, fmt.Sprintf(
				"%s: %d lines, listed with %d; lower the entry in internal/tidy/files.go (remove it below %d)",
				s.path, n, most, lineLimit+1))
		}
	}
	for name := range listed {
		if !seen[name] {
			complaints = append(complaints, name+": listed in internal/tidy/files.go, but there is no such file")
		}
	}
	return complaints
}

// packageDocs complains about a package whose documentation does not begin as godoc expects.
func packageDocs(t *tree) []string {
	documented, names := map[string]bool{}, map[string]string{}
	for _, s := range t.sources {
		if s.test {
			continue
		}
		name := s.syntax.Name.Name
		names[s.dir] = name
		start := "Package " + name + " "
		if name == "main" {
			start = "Command "
		}
		if strings.HasPrefix(s.syntax.Doc.Text(), start) {
			documented[s.dir] = true
		}
	}
	var complaints []string
	for _, dir := range t.packages() {
		if name := names[dir]; name != "" && !documented[dir] {
			complaints = append(complaints, fmt.Sprintf(
				"%s: package %s has no doc comment; say what it owns and what it must not do", dir, name))
		}
	}
	return complaints
}

// comments complains about comments that are too wide to read beside the code, and about comments that only promise.
func comments(t *tree) []string {
	var complaints []string
	for _, s := range t.sources {
		if s.generated {
			continue
		}
		lines := s.lines()
		for _, group := range s.syntax.Comments {
			for _, comment := range group.List {
				complaints = append(complaints, badComment(t, lines, comment)...)
			}
		}
	}
	return complaints
}

func badComment(t *tree, lines []string, c *ast.Comment) []string {
	var complaints []string
	if strings.HasPrefix(c.Text, "//go:") {
		return nil
	}
	for _, word := range []string{"TO" + "DO", "FIX" + "ME", "X" + "XX"} {
		if strings.Contains(c.Text, word) {
			complaints = append(complaints, t.at(c.Pos(), "%s: do it, or open an issue", word))
		}
	}
	first, last := t.files.Position(c.Pos()).Line, t.files.Position(c.End()).Line
	for n := first; n <= last && n <= len(lines); n++ {
		line := lines[n-1]
		if n == first && !strings.HasPrefix(strings.TrimSpace(line), "/") {
			continue // a comment beside code, whose place the formatter decides
		}
		width := utf8.RuneCountInString(line) + (tabWidth-1)*strings.Count(line, "\t")
		// A word longer than a line, such as an address, cannot be wrapped.
		if width > columnLimit && strings.Count(strings.TrimSpace(line), " ") > 1 {
			complaints = append(complaints, t.at(t.files.File(c.Pos()).LineStart(n),
				"%d columns of comment, at most %d", width, columnLimit))
		}
	}
	return complaints
}
