package tidy

import (
	"fmt"
	"go/ast"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// anything lets a package import every other one.
const anything = "*"

// mayImport is the import graph of the module: which parts each part may import, in addition to itself. A part is a
// directory with everything below it that has no entry of its own. It must not be extended for convenience: a new edge
// is a decision, and needs a record in docs/adr.
var mayImport = map[string][]string{
	"pbft/wire":    {},
	"pbft/port":    {"pbft/wire"},
	"pbft/msglog":  {"pbft/wire", "pbft/port"},
	"pbft/pool":    {"pbft/wire"},
	"pbft/budget":  {},
	"pbft/amnesia": {"pbft/wire", "pbft/port"},
	"pbft/follow":  {"pbft/wire"},
	"pbft/driver":  {"pbft/wire", "pbft/port", "pbft/amnesia"},
	"pbft":         {"pbft/wire", "pbft/port", "pbft/msglog", "pbft/pool", "pbft/follow", "pbft/amnesia", "pbft/budget"},
	"crypto":       {},
	"network":      {},
	"statemachine": {"crypto"}, // operations verify signatures by the one rule
	"checkpoint":   {"statemachine"},

	"statemachine/attest": {"crypto"},
	"statemachine/codec":  {},

	"statemachine/commit": {"statemachine", "statemachine/codec", "statemachine/attest", "crypto"},

	"statemachine/kv":   {"statemachine", "statemachine/attest", "statemachine/commit", "internal/quote"},
	"statemachine/bank": {"statemachine", "statemachine/attest", "statemachine/commit", "internal/quote"},

	"client/status":     {},
	"client/clienttest": {"client", "client/status", "statemachine", "statemachine/memstore"},
	"client": {
		"client/status", "internal/session", "pbft/wire", "crypto", "network", "statemachine", "internal/cluster", "internal/passphrase",
		"internal/proof", "statemachine/attest",
	},

	"txn": {"internal/driver", "statemachine/attest", "statemachine/commit"},

	// What programs outside this module build on. These packages only give names to what other packages do.
	"node": {"internal/command", "internal/machines", "internal/node", "internal/operate", "statemachine"},

	"internal/alone":      {},
	"internal/tidy":       {},
	"internal/rules":      {},
	"internal/driver":     {"statemachine/attest", "statemachine/commit"},
	"internal/session":    {"pbft/wire", "statemachine", "statemachine/attest", "internal/proof"},
	"internal/proof":      {"pbft/wire", "statemachine", "statemachine/attest", "checkpoint"},
	"internal/watch":      {"pbft/wire", "statemachine"},
	"internal/reach":      {"client", "client/status", "crypto", "internal/cluster"},
	"internal/trace":      {"pbft/wire", "pbft/port"},
	"internal/page":       {"internal/trace"},
	"internal/bench":      {"client", "statemachine/kv", "internal/terminal"},
	"internal/passphrase": {"crypto"},
	"internal/nearest":    {},
	"internal/stubs":      {},
	"internal/sigbus":     {},
	"internal/quote":      {},
	"internal/command":    {"internal/nearest", "internal/quote"},
	"internal/terminal":   {},
	"internal/manual":     {},
	"internal/kvtext":     {"statemachine/kv", "internal/nearest", "internal/terminal"},
	"internal/inspect": {
		"pbft/wire", "crypto", "checkpoint", "internal/cluster", "internal/command", "internal/node", "internal/replica", "internal/terminal",
		"client", "internal/proof", "internal/reach", "statemachine/attest", "statemachine/commit", "statemachine/kv",
	},
	"internal/operate": {
		"client/status", "crypto", "internal/cluster", "internal/command", "internal/machines", "internal/node",
		"internal/passphrase", "internal/reach", "internal/sigbus", "internal/terminal", "checkpoint", "internal/rescue", "internal/inspect",
		"client", "statemachine",
	},
	"scenarios":        {},
	"internal/strict":  {"internal/nearest"},
	"internal/cluster": {"pbft/wire", "crypto", "network", "statemachine", "internal/machines", "internal/strict"},
	"internal/replica": {"pbft", "pbft/budget", "pbft/wire", "pbft/port", "pbft/amnesia", "pbft/driver", "crypto", "checkpoint", "statemachine", "statemachine/attest", "internal/proof"},
	"internal/rescue": {
		"pbft/wire", "pbft/port", "crypto", "network", "checkpoint", "statemachine", "internal/cluster", "internal/replica",
		"client", "internal/reach", "internal/terminal",
	},
	"internal/machines": {"statemachine", "statemachine/kv", "statemachine/bank"},
	"internal/node": {
		"client/status", "internal/replica", "internal/cluster", "internal/passphrase", "internal/strict", "pbft", "pbft/driver", "pbft/wire", "pbft/port", "crypto", "network",
		"checkpoint", "statemachine", "internal/machines", "internal/trace", "internal/page",
		"internal/watch",
	},

	"testnet/byzantine":        {"testnet/byzantine/tamper", "testnet/byzantine/replica", "testnet/byzantine/client"},
	"testnet/byzantine/tamper": {"pbft", "pbft/wire", "pbft/port", "statemachine"},
	"testnet/byzantine/client": {"pbft/wire", "testnet/byzantine/tamper"},
	// A donor that lies alters the answers of checkpoint/transfer.
	"testnet/byzantine/replica": {"pbft", "pbft/budget", "pbft/wire", "pbft/port", "checkpoint", "testnet/byzantine/tamper"},
	"testnet/byzantine/link": {
		"pbft/wire", "crypto", "network", "internal/cluster", "testnet/byzantine/tamper", "testnet/byzantine/client",
	},
	"testnet/check": {"pbft", "pbft/wire", "pbft/port"},
	"testnet/links": {"pbft/wire", "testnet/byzantine/tamper"}, // rules on links read messages as attackers do
	"testnet":       {anything},

	// Tests of applications, which may be outside this module.
	"tagmatest": {anything},

	"cmd/tagma":         {anything},
	"cmd/tagma-stubs":   {"internal/stubs"},
	"cmd/tagma-testnet": {anything},
}

// attackers are the parts that nothing which ships may import; testnetUsers are the parts that may import them.
var attackers = []string{"testnet", "tagmatest"}

var testnetUsers = []string{"testnet", "tagmatest", "cmd/tagma-testnet"}

// importGraph complains about an edge that mayImport does not have, and about a package that it does not know. Tests
// may import more than what they test, except attackers.
func importGraph(t *tree) []string {
	var complaints []string
	for _, dir := range t.packages() {
		if partOf(dir) == "" {
			complaints = append(complaints, fmt.Sprintf(
				"%s: the package has no place in the import graph; give it one in internal/tidy/imports.go", dir))
		}
	}
	for _, s := range t.sources {
		for i, name := range s.imports() {
			target, ours := strings.CutPrefix(name, module+"/")
			if !ours {
				continue
			}
			if why := forbidden(&s, target); why != "" {
				complaints = append(complaints, t.at(s.syntax.Imports[i].Pos(), "%s", why))
			}
		}
	}
	return complaints
}

// forbidden returns why a file must not import a package of the module, or "".
func forbidden(s *source, target string) string {
	from, to := partOf(s.dir), partOf(target)
	attack := slices.ContainsFunc(attackers, func(a string) bool { return within(target, a) })
	if attack && !slices.ContainsFunc(testnetUsers, func(u string) bool { return within(s.dir, u) }) {
		return fmt.Sprintf("%s must not import %s: nothing that ships links the attackers", s.dir, target)
	}
	if s.test || from == "" || from == to {
		return ""
	}
	allowed := mayImport[from]
	if slices.Contains(allowed, anything) || slices.Contains(allowed, to) {
		return ""
	}
	return fmt.Sprintf("%s must not import %s: it may import %s of the module", s.dir, target, list(allowed))
}

// mostNames is how many names of each package of the protocol the shipping packages may use; those of pbft are counted
// separately. A number may only shrink, so that other packages depend on few details of the protocol. `go test
// ./internal/tidy -run Names -v` lists the names.
var mostNames = map[string]int{"pbft": 4, "pbft/amnesia": 1, "pbft/budget": 1, "pbft/driver": 10, "pbft/port": 20, "pbft/wire": 82}

// protocolNames complains about a package of the protocol of which more names are used than allowed.
func protocolNames(t *tree, most map[string]int) []string {
	var complaints []string
	used := namesUsed(t)
	for _, pkg := range slices.Sorted(maps.Keys(used)) {
		if names := slices.Sorted(maps.Keys(used[pkg])); len(names) > most[pkg] {
			complaints = append(complaints, fmt.Sprintf("%s: packages that ship use %d of its names, at most %d: %s",
				pkg, len(names), most[pkg], strings.Join(names, ", ")))
		}
	}
	return complaints
}

// namesUsed returns the names that shipping packages use of each of the protocol's packages.
func namesUsed(t *tree) map[string]map[string]bool {
	used := map[string]map[string]bool{}
	for _, s := range t.sources {
		if s.test || within(s.dir, "pbft") || slices.ContainsFunc(testnetUsers, func(u string) bool { return within(s.dir, u) }) {
			continue
		}
		from := map[string]string{} // the package, by the name under which the file imports it
		for _, path := range s.imports() {
			if pkg, ours := strings.CutPrefix(path, module+"/"); ours && within(pkg, "pbft") {
				from[s.nameOf(path)] = pkg
			}
		}
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			if sel, is := n.(*ast.SelectorExpr); is {
				if x, is := sel.X.(*ast.Ident); is && from[x.Name] != "" {
					pkg := from[x.Name]
					if used[pkg] == nil {
						used[pkg] = map[string]bool{}
					}
					used[pkg][sel.Sel.Name] = true
				}
			}
			return true
		})
	}
	return used
}

// partOf returns the longest entry of mayImport that holds dir, or "".
func partOf(dir string) string {
	best := ""
	for part := range mayImport {
		if within(dir, part) && len(part) > len(best) {
			best = part
		}
	}
	return best
}

func list(parts []string) string {
	if len(parts) == 0 {
		return "nothing"
	}
	return "only " + strings.Join(parts, ", ")
}

// graphDoc is the page that shows mayImport to readers, between these two lines.
const (
	graphDoc   = "docs/architecture.md"
	graphBegin = "<!-- From internal/tidy/imports.go; `make graph` writes it. -->\n"
	graphEnd   = "<!-- Here it ends. -->\n"
)

// importTable complains if the page shows another graph than mayImport.
func importTable(t *tree) []string {
	text, err := fs.ReadFile(t.root, graphDoc)
	if err != nil {
		return []string{fmt.Sprintf("read the import graph for readers: %v", err)}
	}
	want, err := withImportTable(string(text))
	if err != nil {
		return []string{err.Error()}
	}
	if want != string(text) {
		return []string{graphDoc + " shows another graph than internal/tidy/imports.go; run `make graph`"}
	}
	return nil
}

// withImportTable returns the page with the present graph.
func withImportTable(text string) (string, error) {
	before, rest, began := strings.Cut(text, graphBegin)
	_, after, ended := strings.Cut(rest, graphEnd)
	if !began || !ended {
		return "", fmt.Errorf("%s has no place for the import graph: a line %q and a line %q", graphDoc, graphBegin, graphEnd)
	}
	var table strings.Builder
	table.WriteString("| folder, with all below it that has no row | may import of this module |\n|---|---|\n")
	for _, part := range slices.Sorted(maps.Keys(mayImport)) {
		fmt.Fprintf(&table, "| `%s` | %s |\n", part, cell(part))
	}
	return before + graphBegin + table.String() + graphEnd + after, nil
}

func cell(part string) string {
	parts := mayImport[part]
	switch {
	case len(parts) == 0:
		return "nothing"
	case slices.Contains(parts, anything) && slices.Contains(testnetUsers, part):
		return "everything"
	case slices.Contains(parts, anything):
		return "everything but `" + strings.Join(attackers, "`, `") + "`"
	}
	return "`" + strings.Join(slices.Sorted(slices.Values(parts)), "`, `") + "`"
}
