package tidy

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"sync"
)

// core is the part that must be a pure state machine, so that a run can be replayed from its events alone.
const core = "pbft"

// pure are the packages that the core may use. None of them reads a clock, a device, randomness or an address, or
// starts a goroutine; time is allowed only for its Duration, see impureNames. Package maps is missing, because its
// iterators have no order.
var pure = []string{
	"bytes", "cmp", "container/heap", "container/list", "crypto/sha256", "encoding/binary", "encoding/hex", "errors",
	"fmt", "hash", "hash/crc32", "iter", "math", "math/big", "math/bits", "slices", "sort", "strconv", "strings",
	"time", "unicode/utf8",
}

// impureNames are the names in pure packages that the core must not use.
var impureNames = map[string][]string{
	"time": {
		"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTicker", "NewTimer", "Local", "LoadLocation",
	},
	"fmt": {"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"},
}

// corePurity complains about everything in the core, except tests, that could make two runs with the same events differ.
func corePurity(t *tree) []string {
	var complaints []string
	for _, dir := range t.packages() {
		if !within(dir, core) {
			continue
		}
		for _, s := range t.sources {
			if s.dir == dir && !s.test {
				complaints = append(complaints, impureImports(t, &s)...)
			}
		}
		_, info := check(t, dir)
		for _, file := range filesOf(t, dir) {
			complaints = append(complaints, impureCode(t, info, file)...)
		}
	}
	return complaints
}

func impureImports(t *tree, s *source) []string {
	var complaints []string
	for i, name := range s.imports() {
		switch spec := s.syntax.Imports[i]; {
		case !slices.Contains(pure, name) && !isCore(name):
			complaints = append(complaints, t.at(spec.Pos(), "the core must not import %s", name))
		case spec.Name != nil && spec.Name.Name == ".":
			complaints = append(complaints, t.at(spec.Pos(), "a dot import hides what the core uses of %s", name))
		}
	}
	return complaints
}

// isCore reports whether an import path belongs to the core itself.
func isCore(name string) bool { return within(name, module+"/"+core) }

// filesOf lists the syntax of a package, tests apart.
func filesOf(t *tree, dir string) []*ast.File {
	var files []*ast.File
	for _, s := range t.sources {
		if s.dir == dir && !s.test {
			files = append(files, s.syntax)
		}
	}
	return files
}

// check finds the types of a package's expressions. If a package does not compile, the compiler complains about it;
// here some types are then unknown.
func check(t *tree, dir string) (*types.Package, *types.Info) {
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: pureImporter{t}, Error: func(error) {}}
	// the error is the first of those passed to config.Error
	pkg, _ := config.Check(module+"/"+dir, t.files, filesOf(t, dir), info)
	return pkg, info
}

// standard reads packages of the standard library from their source, each one once.
var standard = sync.OnceValue(func() types.Importer {
	return importer.ForCompiler(token.NewFileSet(), "source", nil)
})

// pureImporter imports what the core may import. Other imports were already complained about, and may have any types.
type pureImporter struct{ tree *tree }

// Import implements types.Importer.
func (p pureImporter) Import(name string) (*types.Package, error) {
	if isCore(name) {
		pkg, _ := check(p.tree, strings.TrimPrefix(name, module+"/"))
		return pkg, nil
	}
	if !slices.Contains(pure, name) {
		return nil, fmt.Errorf("%s is no package for the core", name)
	}
	return standard().Import(name)
}

func impureCode(t *tree, info *types.Info, file *ast.File) []string {
	var complaints []string
	complain := func(n ast.Node, format string, args ...any) {
		complaints = append(complaints, t.at(n.Pos(), format, args...))
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			complain(n, "the core must not start a goroutine")
		case *ast.SelectStmt:
			complain(n, "the core must not select: which case runs is chosen at random")
		case *ast.ChanType:
			complain(n, "the core must not use a channel")
		case *ast.RangeStmt:
			if why := unordered(info.TypeOf(n.X)); why != "" {
				complain(n, "the core must not range over %s", why)
			}
		case *ast.Ident:
			if o := info.Uses[n]; o != nil && o.Pkg() != nil && o.Parent() == o.Pkg().Scope() &&
				slices.Contains(impureNames[o.Pkg().Path()], o.Name()) {
				complain(n, "the core must not use %s.%s", o.Pkg().Path(), o.Name())
			}
		}
		return true
	})
	return complaints
}

// unordered returns what is wrong with ranging over a type, or "".
func unordered(t types.Type) string {
	if t == nil {
		return "a value of unknown type: the package does not compile"
	}
	if p, ok := t.(*types.TypeParam); ok {
		return unorderedConstraint(p)
	}
	switch t.Underlying().(type) {
	case *types.Map:
		return "a map: its order differs from run to run; keep a slice, or sort the keys as they are inserted"
	case *types.Chan:
		return "a channel"
	}
	if t.Underlying() == types.Typ[types.Invalid] {
		return "a value of unknown type: the package does not compile"
	}
	return ""
}

// unorderedConstraint is unordered for the types for which a type parameter may stand.
func unorderedConstraint(p *types.TypeParam) string {
	constraint, ok := p.Constraint().Underlying().(*types.Interface)
	if !ok {
		return ""
	}
	for embedded := range constraint.EmbeddedTypes() {
		union, ok := embedded.(*types.Union)
		if !ok {
			union = types.NewUnion([]*types.Term{types.NewTerm(false, embedded)})
		}
		for term := range union.Terms() {
			if why := unordered(term.Type()); why != "" {
				return why
			}
		}
	}
	return ""
}
