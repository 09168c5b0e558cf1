package tidy

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// public are the packages on which programs outside this module are built. hidden are packages whose types such
// programs cannot name, or that may change any day.
var (
	public = []string{"client", "node", "statemachine", "tagmatest"}
	hidden = []string{"pbft", "testnet", "cmd"}
)

// publicTypes complains about a hidden type in what a public package exports.
func publicTypes(t *tree) []string {
	check := &checker{tree: t, packages: map[string]*types.Package{}}
	var complaints []string
	for _, dir := range t.packages() {
		if !slices.ContainsFunc(public, func(p string) bool { return within(dir, p) }) || isHidden(dir) {
			continue
		}
		pkg, _ := check.Import(module + "/" + dir) // it never fails
		scope := pkg.Scope()
		for _, name := range scope.Names() {
			if o := scope.Lookup(name); o.Exported() {
				w := &walk{tree: t, where: pkg, seen: map[types.Type]bool{}}
				w.object(o)
				complaints = append(complaints, w.complaints...)
			}
		}
	}
	return complaints
}

// isHidden reports whether outside programs cannot build on a package.
func isHidden(dir string) bool {
	return slices.Contains(strings.Split(dir, "/"), "internal") || slices.ContainsFunc(hidden, func(h string) bool { return within(dir, h) })
}

// checker type-checks the packages of the tree. Other packages are only known to exist: their types do not matter for
// this rule, so errors about them are ignored.
type checker struct {
	tree     *tree
	packages map[string]*types.Package
}

// Import implements types.Importer.
func (c *checker) Import(path string) (*types.Package, error) {
	if known := c.packages[path]; known != nil {
		return known, nil
	}
	var files []*ast.File
	name := path[strings.LastIndex(path, "/")+1:]
	for _, s := range c.tree.sources {
		if module+"/"+s.dir == path && !s.test {
			files = append(files, s.syntax)
			name = s.syntax.Name.Name
		}
	}
	if len(files) == 0 {
		stranger := types.NewPackage(path, name)
		stranger.MarkComplete()
		c.packages[path] = stranger
		return stranger, nil
	}
	config := types.Config{Importer: c, IgnoreFuncBodies: true, FakeImportC: true, Error: func(error) {}}
	pkg, _ := config.Check(path, c.tree.files, files, nil) // errors are about types of other packages
	c.packages[path] = pkg
	return pkg, nil
}

// walk visits the types that one exported object shows.
type walk struct {
	tree       *tree
	where      *types.Package
	what       string
	at         token.Pos
	seen       map[types.Type]bool
	complaints []string
}

// object visits what an object shows: its type, and for a type its exported fields and methods.
func (w *walk) object(o types.Object) {
	w.what, w.at = o.Name(), o.Pos()
	declared, isType := o.(*types.TypeName)
	if !isType || declared.IsAlias() {
		w.visit(o.Type())
		return
	}
	w.parts(o.Type())
}

// parts visits the parts of a type of the package itself.
func (w *walk) parts(t types.Type) {
	if w.seen[t] {
		return
	}
	w.seen[t] = true
	what := w.what
	methods := types.NewMethodSet(types.NewPointer(t))
	for i := range methods.Len() {
		if m := methods.At(i).Obj(); m.Exported() {
			w.what = what + "." + m.Name()
			w.visit(m.Type())
		}
	}
	w.what = what
	w.visit(t.Underlying())
}

// visit visits a type that is written somewhere.
func (w *walk) visit(t types.Type) {
	switch t := types.Unalias(t).(type) {
	case *types.Named:
		for arg := range t.TypeArgs().Types() {
			w.visit(arg)
		}
		w.named(t)
	case *types.Pointer:
		w.visit(t.Elem())
	case *types.Slice:
		w.visit(t.Elem())
	case *types.Array:
		w.visit(t.Elem())
	case *types.Chan:
		w.visit(t.Elem())
	case *types.Map:
		w.visit(t.Key())
		w.visit(t.Elem())
	case *types.Signature:
		for v := range t.Params().Variables() {
			w.visit(v.Type())
		}
		for v := range t.Results().Variables() {
			w.visit(v.Type())
		}
	case *types.Struct:
		w.fields(t)
	case *types.Interface:
		for m := range t.Methods() {
			if m.Exported() {
				w.visit(m.Type())
			}
		}
	default: // a basic type, or a type parameter
	}
}

func (w *walk) named(t *types.Named) {
	o := t.Obj()
	if o.Pkg() == nil { // error
		return
	}
	dir, ours := strings.CutPrefix(o.Pkg().Path(), module+"/")
	switch {
	case ours && isHidden(dir):
		w.complaints = append(w.complaints, w.tree.at(w.at, "%s of package %s shows the type %s.%s, which programs outside this module"+
			" cannot build on; give it a type of its own", w.what, w.where.Name(), dir, o.Name()))
	case o.Pkg() == w.where && !o.Exported(): // no other package can look into it
		w.parts(t)
	}
}

// fields visits the exported fields of a struct, and what embedded fields promote.
func (w *walk) fields(t *types.Struct) {
	what := w.what
	for f := range t.Fields() {
		if f.Exported() {
			w.what = what + "." + f.Name()
		}
		if f.Exported() || f.Embedded() {
			w.visit(f.Type())
		}
	}
	w.what = what
}
