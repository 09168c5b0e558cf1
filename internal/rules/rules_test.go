package rules

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/rules.md")

const root = "../.."

// cited finds rules in prose: a letter of a group, a number, and for D8 a part of it.
var cited = regexp.MustCompile(`\b(?:TX|[CDEFIKMNSTVX])\d+(?:\.\d+)?\b`)

// named finds rules in the name of a test: TestD8_4_AnAnswer, TestPaper42_N1_WhatABackup, TestX6_X7_ACrash.
var named = regexp.MustCompile(`(?:^Test|^Fuzz|^Benchmark|_)((?:TX|[CDEFIKMNSTVX])\d+)(?:_(\d+))?`)

// notBuilt are rules that the documentation mentions as not implemented.
var notBuilt = []string{"T2"}

// source is a Go file of the module.
type source struct {
	path   string
	text   string
	syntax *ast.File
}

// parsed are the Go files of the checkout, once they were read.
var (
	files  = token.NewFileSet()
	parsed []source
)

// sources are all Go files of the checkout.
func sources(t *testing.T) []source {
	t.Helper()
	if parsed != nil {
		return parsed
	}
	walk(t, ".go", func(name, text string) {
		syntax, err := parser.ParseFile(files, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, source{name, text, syntax})
	})
	if len(parsed) < 500 {
		t.Fatalf("found only %d Go files", len(parsed))
	}
	return parsed
}

// walk visits the files of the checkout whose names end with ext, nested modules and testdata included.
func walk(t *testing.T, ext string, visit func(name, text string)) {
	t.Helper()
	tree := os.DirFS(root)
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") && name != "." || d.Name() == "node_modules"):
			return fs.SkipDir
		case d.IsDir() || path.Ext(name) != ext:
			return nil
		}
		text, err := fs.ReadFile(tree, name)
		if err == nil {
			visit(filepath.ToSlash(name), string(text))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTable_EveryRuleThatIsCitedIsThere(t *testing.T) {
	for _, s := range sources(t) {
		for _, group := range s.syntax.Comments {
			for _, id := range cited.FindAllString(group.Text(), -1) {
				if Sentence(id) == "" {
					t.Errorf("%s: a comment cites %s, which internal/rules/rules.go does not have", files.Position(group.Pos()), id)
				}
			}
		}
		for _, f := range s.functions() {
			for _, id := range rulesOf(f.Name.Name) {
				if Sentence(id) == "" {
					t.Errorf("%s: %s cites %s, which internal/rules/rules.go does not have", files.Position(f.Pos()), f.Name.Name, id)
				}
			}
		}
	}
	for _, ext := range []string{".md", ".diff", ".toml", ".txt"} {
		walk(t, ext, func(name, text string) {
			for _, id := range cited.FindAllString(text, -1) {
				if Sentence(id) == "" && !slices.Contains(notBuilt, id) {
					t.Errorf("%s cites %s, which internal/rules/rules.go does not have", name, id)
				}
			}
		})
	}
}

func TestTable_WhatItNamesIsThere(t *testing.T) {
	known := map[string]source{}
	tests := map[string]*ast.FuncDecl{}
	in := map[*ast.FuncDecl]source{}
	for _, s := range sources(t) {
		known[s.path] = s
		for _, f := range s.functions() {
			tests[path.Dir(s.path)+"."+f.Name.Name], in[f] = f, s
		}
	}
	seen := map[string]bool{}
	for _, r := range all {
		switch kept, there := known[r.File]; {
		case seen[r.ID]:
			t.Errorf("%s is there twice", r.ID)
		case !there || strings.HasSuffix(r.File, "_test.go"):
			t.Errorf("%s: no file %s keeps it", r.ID, r.File)
		case !slices.ContainsFunc(kept.syntax.Comments, func(c *ast.CommentGroup) bool { return cites(c.Text(), r.ID) }):
			t.Errorf("%s: no comment of %s cites it", r.ID, r.File)
		case !slices.ContainsFunc(groups, func(g group) bool { return r.group() == g.letter }):
			t.Errorf("%s: no group has its letter", r.ID)
		}
		seen[r.ID] = true
		f := tests[r.Test]
		if f == nil {
			t.Errorf("%s: there is no test %s", r.ID, r.Test)
			continue
		}
		text := in[f].text[files.Position(f.Pos()).Offset:files.Position(f.End()).Offset]
		if !slices.Contains(rulesOf(f.Name.Name), r.ID) && !cites(text+f.Doc.Text(), r.ID) {
			t.Errorf("%s: neither the name of %s nor its text cites it", r.ID, r.Test)
		}
	}
}

func TestPage_IsFresh(t *testing.T) {
	where := map[string]string{}
	for _, s := range sources(t) {
		for _, f := range s.functions() {
			where[path.Dir(s.path)+"."+f.Name.Name] = s.path
		}
	}
	want := page(func(test string) string { return where[test] })
	name := filepath.Join(root, "docs", "rules.md")
	if *update {
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(name); err != nil || string(got) != want {
		t.Errorf("docs/rules.md is not what internal/rules/rules.go says (%v); run `make rules`", err)
	}
}

func TestExplain_IsOfTheRuleThatAReportBeginsWith(t *testing.T) {
	for report, want := range map[string]string{
		"I17: replica 1 at 3s: I1: another": "I17 says: no new view dropped what had committed\n",
		"panic: I17":                        "", "I99: unknown": "", "": "",
	} {
		if got := Explain(report); got != want {
			t.Errorf("%q is explained as %q, want %q", report, got, want)
		}
	}
}

// rulesOf are the rules that the name of a test cites.
func rulesOf(test string) (ids []string) {
	for rest := test; ; {
		at := named.FindStringSubmatchIndex(rest)
		if at == nil {
			return ids
		}
		id := rest[at[2]:at[3]]
		if at[4] >= 0 {
			id += "." + rest[at[4]:at[5]]
		}
		ids, rest = append(ids, id), rest[max(at[3], at[5]):]
	}
}

func cites(text, id string) bool { return slices.Contains(cited.FindAllString(text, -1), id) }

// functions are the tests, benchmarks and fuzz targets of a file.
func (s *source) functions() (found []*ast.FuncDecl) {
	if !strings.HasSuffix(s.path, "_test.go") {
		return nil
	}
	for _, d := range s.syntax.Decls {
		f, is := d.(*ast.FuncDecl)
		if is && f.Recv == nil && slices.ContainsFunc([]string{"Test", "Fuzz", "Benchmark"}, func(p string) bool {
			return strings.HasPrefix(f.Name.Name, p)
		}) {
			found = append(found, f)
		}
	}
	return found
}
