package tidy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// simulator is the part that runs shipping code over simulated ports; shipped are packages that it must link, so that
// it runs what ships.
const simulator = "testnet/sim"

var shipped = []string{"internal/session", "pbft", "statemachine", "checkpoint/journal", "checkpoint/transfer", "pbft/driver", "internal/replica"}

// realNetwork are packages that a simulator does not need. If it links one, some shipping package mixes decisions with
// how they are transmitted.
const realNetwork = "libp2p"

// simulatorLinks complains if the simulator links a package that uses the real network, or does not link one of the
// shipped packages.
func simulatorLinks(t *tree) []string {
	linked := t.links(simulator)
	var complaints []string
	for _, dir := range slices.Sorted(maps.Keys(linked)) {
		for name := range t.imported(dir) {
			if strings.Contains(name, realNetwork) {
				complaints = append(complaints, fmt.Sprintf("%s links %s, which imports %s", simulator, dir, name))
			}
		}
	}
	for _, dir := range shipped {
		if !linked[dir] {
			complaints = append(complaints, fmt.Sprintf("%s does not run %s: what is simulated is what ships", simulator, dir))
		}
	}
	return complaints
}

// links returns the packages of the module that one of them links, including itself.
func (t *tree) links(dir string) map[string]bool {
	linked, todo := map[string]bool{dir: true}, []string{dir}
	for len(todo) > 0 {
		next := todo[0]
		todo = todo[1:]
		for name := range t.imported(next) {
			if target, ours := strings.CutPrefix(name, module+"/"); ours && !linked[target] {
				linked[target] = true
				todo = append(todo, target)
			}
		}
	}
	return linked
}

// imported returns what a package imports, without its tests.
func (t *tree) imported(dir string) map[string]bool {
	names := map[string]bool{}
	for _, s := range t.sources {
		if s.dir == dir && !s.test {
			for _, name := range s.imports() {
				names[name] = true
			}
		}
	}
	return names
}
