// Package stubs writes the code between an application's methods and its operations as bytes: typed calls for clients,
// and the dispatch of operations to methods for replicas. It reads one interface of a package as source, without
// loading the packages that it imports.
//
// It knows the encoding (statemachine/codec), but nothing about flags or about the file that is written.
package stubs

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// method is one operation.
type method struct {
	name     string
	readOnly bool // its first parameter is a Reader
	params   []value
	results  []value // without the error
	fails    bool    // its last result is an error
}

// value is a parameter, a result or a field.
type value struct {
	name string
	typ  *typ
}

// kind says how a type is encoded.
type kind int

const (
	isUint kind = iota
	isInt
	isBool
	isString
	isBytes
	isArray // of bytes
	isSlice
	isStruct
)

// typ is a type that can be encoded.
type typ struct {
	text   string // its name in Go
	kind   kind
	bits   int  // of a number
	elem   *typ // element type of a slice
	fields []value
	least  int // the least number of bytes that a value takes
}

// source is the package that is being read.
type source struct {
	files *token.FileSet
	name  string
	types map[string]*ast.TypeSpec
	known map[string]*typ
	under []string // the types that are being read, outermost first
	used  []*typ   // structs, in the order in which they were found
}

var basic = map[string]typ{
	"uint8": {kind: isUint, bits: 8}, "byte": {kind: isUint, bits: 8}, "uint16": {kind: isUint, bits: 16},
	"uint32": {kind: isUint, bits: 32}, "uint64": {kind: isUint, bits: 64},
	"int8": {kind: isInt, bits: 8}, "int16": {kind: isInt, bits: 16}, "int32": {kind: isInt, bits: 32}, "rune": {kind: isInt, bits: 32},
	"int64": {kind: isInt, bits: 64}, "bool": {kind: isBool}, "string": {kind: isString},
}

const usable = "use bool, string, numbers of a fixed size such as int64, []byte, [N]byte, slices, and structs of these in this package"

// open parses the files of a package, except tests.
func open(dir string) (*source, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	s := &source{files: token.NewFileSet(), types: map[string]*ast.TypeSpec{}, known: map[string]*typ{}}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		f, err := parser.ParseFile(s.files, filepath.Base(path), text, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		s.name = f.Name.Name
		for _, d := range f.Decls {
			if g, is := d.(*ast.GenDecl); is {
				for _, spec := range g.Specs {
					if t, is := spec.(*ast.TypeSpec); is {
						s.types[t.Name.Name] = t
					}
				}
			}
		}
	}
	if s.name == "" {
		return nil, fmt.Errorf("%s: there are no Go files here; name the folder of the package", dir)
	}
	return s, nil
}

// refuse is an error about a place in the source, in one line.
func (s *source) refuse(at token.Pos, format string, args ...any) error {
	p := s.files.Position(at)
	return fmt.Errorf("%s:%d: %s", filepath.Base(p.Filename), p.Line, fmt.Sprintf(format, args...))
}

// methods reads an interface.
func (s *source) methods(name string) ([]method, error) {
	spec := s.types[name]
	if spec == nil {
		return nil, fmt.Errorf("package %s has no type %s; name an interface of it", s.name, name)
	}
	face, is := spec.Type.(*ast.InterfaceType)
	if !is || spec.TypeParams != nil {
		return nil, s.refuse(spec.Pos(), "%s is no interface without type parameters", name)
	}
	var all []method
	for _, f := range face.Methods.List {
		signature, is := f.Type.(*ast.FuncType)
		if !is || len(f.Names) != 1 {
			return nil, s.refuse(f.Pos(), "%s has something in it that is no method; write its methods out", name)
		}
		m, err := s.method(name+"."+f.Names[0].Name, f.Names[0], signature)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	if len(all) == 0 {
		return nil, s.refuse(spec.Pos(), "%s has no methods", name)
	}
	return all, nil
}

func (s *source) method(full string, name *ast.Ident, f *ast.FuncType) (m method, err error) {
	m.name = name.Name
	first := ""
	if len(f.Params.List) > 0 && len(f.Params.List[0].Names) < 2 {
		if sel, is := f.Params.List[0].Type.(*ast.SelectorExpr); is {
			first = sel.Sel.Name
		}
	}
	if !name.IsExported() || first != "Txn" && first != "Reader" {
		return m, s.refuse(name.Pos(), "%s: begin it with a capital, and its parameters with a statemachine.Txn, or a statemachine.Reader"+
			" if it changes nothing", full)
	}
	m.readOnly = first == "Reader"
	if m.params, err = s.values(full, "parameter", f.Params.List[1:]); err != nil || f.Results == nil {
		return m, err
	}
	results := f.Results.List
	if last := results[len(results)-1]; isError(last.Type) && len(last.Names) < 2 {
		m.fails, results = true, results[:len(results)-1]
	}
	m.results, err = s.values(full, "result", results)
	return m, err
}

func isError(e ast.Expr) bool {
	id, is := e.(*ast.Ident)
	return is && id.Name == "error"
}

// values reads a list of fields. Fields without names get one.
func (s *source) values(full, what string, list []*ast.Field) (all []value, err error) {
	for _, f := range list {
		t, err := s.typeOf(f.Type)
		if err != nil {
			return nil, s.refuse(f.Pos(), "%s: a %s %v", full, what, err)
		}
		names := []string{""}
		if len(f.Names) > 0 {
			names = nil
			for _, n := range f.Names {
				names = append(names, n.Name)
			}
		}
		for _, n := range names {
			if what == "field" && n == "" {
				return nil, s.refuse(f.Pos(), "%s: a field without a name; give it one", full)
			}
			if n == "_" && what == "field" {
				return nil, s.refuse(f.Pos(), "%s: a field that cannot be written; give it a name", full)
			}
			all = append(all, value{n, t})
		}
	}
	return all, nil
}

// typeOf reads a type. Its error continues a sentence that begins with "a parameter".
func (s *source) typeOf(e ast.Expr) (*typ, error) {
	switch e := e.(type) {
	case *ast.Ident:
		return s.named(e)
	case *ast.ArrayType:
		if id, is := e.Elt.(*ast.Ident); is && s.types[id.Name] == nil && (id.Name == "byte" || id.Name == "uint8") {
			return bytesOf(e)
		}
		if e.Len != nil {
			return nil, errors.New("is an array of something else than bytes; " + usable)
		}
		elem, err := s.typeOf(e.Elt)
		if err != nil {
			return nil, err
		}
		if elem.least == 0 {
			return nil, fmt.Errorf("is a slice of %s, which takes no bytes, or of itself; %s", elem.text, usable)
		}
		return &typ{text: "[]" + elem.text, kind: isSlice, elem: elem, least: 1}, nil
	}
	return nil, fmt.Errorf("has a type that has no encoding; %s", usable)
}

func bytesOf(e *ast.ArrayType) (*typ, error) {
	if e.Len == nil {
		return &typ{text: "[]byte", kind: isBytes, least: 1}, nil
	}
	if lit, is := e.Len.(*ast.BasicLit); is && lit.Kind == token.INT {
		if n, err := strconv.Atoi(lit.Value); err == nil && n > 0 {
			return &typ{text: "[" + lit.Value + "]byte", kind: isArray, least: n}, nil
		}
	}
	return nil, errors.New("is an array whose length is no plain number above 0; write the number")
}

func (s *source) named(id *ast.Ident) (*typ, error) {
	if t := s.known[id.Name]; t != nil {
		return t, nil
	}
	spec := s.types[id.Name]
	if spec == nil {
		t, is := basic[id.Name]
		switch {
		case id.Name == "int" || id.Name == "uint":
			return nil, fmt.Errorf("is an %s, whose size differs between machines; use %s64", id.Name, id.Name)
		case !is:
			return nil, fmt.Errorf("is a %s, which has no encoding; %s", id.Name, usable)
		}
		t.text, t.least = id.Name, 1
		return &t, nil
	}
	if slices.Contains(s.under, id.Name) {
		return nil, fmt.Errorf("is a %s, which holds itself; %s", id.Name, usable)
	}
	s.under = append(s.under, id.Name)
	defer func() { s.under = s.under[:len(s.under)-1] }()
	t := &typ{text: id.Name}
	if st, is := spec.Type.(*ast.StructType); is && spec.TypeParams == nil {
		fields, err := s.values(id.Name, "field", st.Fields.List)
		if err != nil {
			return nil, fmt.Errorf("is a %s: %w", id.Name, err)
		}
		t.kind, t.fields = isStruct, fields
		for _, f := range fields {
			t.least += f.typ.least
		}
		s.used = append(s.used, t)
	} else {
		under, err := s.typeOf(spec.Type)
		if err != nil {
			return nil, fmt.Errorf("is a %s, which %w", id.Name, err)
		}
		*t = *under
		if t.text = id.Name; t.kind == isStruct {
			s.used = append(s.used, t)
		}
	}
	s.known[id.Name] = t
	return t, nil
}
