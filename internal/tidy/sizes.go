package tidy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// smallLimit is the length below which a file rarely holds a whole idea; aim at 100 to 400 lines.
const smallLimit = 100

// mostSmall is how many files below smallLimit each top-level folder may have. A number may only shrink: lower it when
// files that belong together were joined.
var mostSmall = map[string]int{
	"checkpoint": 27, "client": 5, "cmd": 9, "crypto": 4, "internal": 40,
	"network": 10, "pbft": 22, "statemachine": 22, "testnet": 47,
}

// mostLines is how many lines a part may have, without tests. A number may only shrink: whoever adds lines to a part
// must remove as many. A part that ends with a slash includes everything below it; any other part is a single package.
var mostLines = map[string]int{
	"cmd/":     4042,
	"pbft":     2873,
	"testnet/": 38808,
}

// smallFiles complains about a folder that has more small files than allowed. A file counts only if its package has
// other files into which it could be merged. Generated files, and a file that only documents a package, do not count.
func smallFiles(t *tree, most map[string]int) []string {
	files := map[string]int{}
	for _, s := range t.sources {
		if countsAsCode(&s) {
			files[s.dir]++
		}
	}
	small := map[string]int{}
	for _, s := range t.sources {
		if countsAsCode(&s) && files[s.dir] > 1 && len(s.lines()) < smallLimit {
			top, _, _ := strings.Cut(s.dir, "/")
			small[top]++
		}
	}
	var complaints []string
	for _, top := range slices.Sorted(maps.Keys(small)) {
		if small[top] > most[top] {
			complaints = append(complaints, fmt.Sprintf(
				"%s: %d files below %d lines beside others of their package, at most %d; join those that are one idea",
				top, small[top], smallLimit, most[top]))
		}
	}
	return complaints
}

func countsAsCode(s *source) bool {
	return !s.test && !s.generated && !strings.HasSuffix(s.path, "/doc.go")
}

// sizes complains about a part that has more lines than allowed.
func sizes(t *tree, most map[string]int) []string {
	var complaints []string
	for _, part := range slices.Sorted(maps.Keys(most)) {
		lines := 0
		for _, s := range t.sources {
			if !s.test && (s.dir == part || strings.HasPrefix(s.dir+"/", part) && strings.HasSuffix(part, "/")) {
				lines += len(s.lines())
			}
		}
		if lines > most[part] {
			complaints = append(complaints, fmt.Sprintf("%s: %d lines that are no tests, at most %d; remove as many as you add",
				part, lines, most[part]))
		}
	}
	return complaints
}
