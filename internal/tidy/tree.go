package tidy

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// module is the path with which imports of this module begin.
const module = "tagma"

// source is one Go file.
type source struct {
	path      string // from the root of the module, with slashes
	dir       string // of the package; "." for the root
	test      bool   // a _test.go file
	generated bool
	text      []byte
	syntax    *ast.File
}

// tree holds the module's Go files, in the order of their paths, and the other files beside them.
type tree struct {
	root    fs.FS
	files   *token.FileSet
	sources []source
}

// load parses the Go files of the module at root. It skips nested modules, testdata and hidden directories.
func load(root fs.FS) (*tree, error) {
	t := &tree{root: root, files: token.NewFileSet()}
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && foreign(root, name):
			return fs.SkipDir
		case entry.IsDir() || path.Ext(name) != ".go":
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		syntax, err := parser.ParseFile(t.files, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		t.sources = append(t.sources, source{
			path: name, dir: path.Dir(name), test: strings.HasSuffix(name, "_test.go"),
			generated: ast.IsGenerated(syntax), text: text, syntax: syntax,
		})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load the source tree: %w", err)
	}
	return t, nil
}

// foreign reports whether a directory belongs to another module or to no package.
func foreign(root fs.FS, dir string) bool {
	base := path.Base(dir)
	if base == "testdata" || base == "vendor" || base[0] == '.' || base[0] == '_' {
		return true
	}
	_, err := fs.Stat(root, path.Join(dir, "go.mod"))
	return err == nil
}

// imports returns the import paths of a file.
func (s *source) imports() []string {
	var paths []string
	for _, spec := range s.syntax.Imports {
		// The parser has checked the quotes.
		name, _ := strconv.Unquote(spec.Path.Value)
		paths = append(paths, name)
	}
	return paths
}

// nameOf returns the name under which the file imports a package, or "" if it does not. A dot import has the name ".".
func (s *source) nameOf(importPath string) string {
	for i, spec := range s.syntax.Imports {
		if s.imports()[i] != importPath {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(importPath)
	}
	return ""
}

// lines returns the lines of a file without their ends.
func (s *source) lines() []string {
	return strings.Split(string(bytes.TrimSuffix(s.text, []byte("\n"))), "\n")
}

// at formats a complaint about a place in the tree.
func (t *tree) at(pos token.Pos, format string, args ...any) string {
	p := t.files.Position(pos)
	return fmt.Sprintf("%s:%d: %s", p.Filename, p.Line, fmt.Sprintf(format, args...))
}

// packages returns the directories that hold Go files, in order.
func (t *tree) packages() []string {
	var dirs []string
	for _, s := range t.sources {
		dirs = append(dirs, s.dir)
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

// within reports whether dir is top or below it.
func within(dir, top string) bool {
	return dir == top || strings.HasPrefix(dir, top+"/")
}
