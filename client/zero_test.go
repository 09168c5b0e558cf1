package client_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"tagma/client"
	"tagma/client/clienttest"
	"tagma/client/status"
	"tagma/statemachine"
	"tagma/statemachine/bank"
	"tagma/statemachine/kv"
)

// zeros holds zero values of the types that have methods, by directory.
var zeros = map[string][]any{
	".": {
		&client.Client{}, (*client.Client)(nil), &client.Call{}, (*client.Call)(nil), &client.Cluster{}, (*client.Cluster)(nil),
		&client.Key{}, (*client.Key)(nil),
		client.Result{},
		client.RequestID{},
		client.Semantics(99), &client.UnknownError{},
		(*client.UnknownError)(nil), &client.NoReceiptError{}, (*client.NoReceiptError)(nil),
	},
	"clienttest":              {&clienttest.Client{}, (*clienttest.Client)(nil)},
	"status":                  {&status.Status{}, (*status.Status)(nil), &status.Replica{}, (*status.Replica)(nil)},
	"../statemachine/kv":      {kv.Client{}, kv.Code(99), &kv.RangeResult{}, kv.Machine{}, kv.EventType(99)},
	"../statemachine/bank":    {bank.Client{}, bank.Code(99), bank.Kind(99), bank.Machine{}, bank.InFlight{}},
	"../statemachine/nothing": {statemachine.For(nil, "kv")},
}

// Only replicas call machines, and they always pass a transaction.
var replicasCall = []string{"kv.Machine", "bank.Machine"}

func TestZeroValues_NoMethodPanics(t *testing.T) {
	for dir, values := range zeros {
		var known []string
		for _, v := range values {
			name := strings.TrimPrefix(reflect.TypeOf(v).String(), "*")
			known = append(known, name[strings.Index(name, ".")+1:])
			if !slices.Contains(replicasCall, name) {
				callAll(t, v)
			}
		}
		for _, name := range withMethods(t, dir) {
			if !slices.Contains(known, name) {
				t.Errorf("%s: no zero value of %s is tried", dir, name)
			}
		}
	}
}

// callAll calls every method with zero arguments, and iterates over sequences to their ends. The test fails if a call
// panics, or returns an error without text.
func callAll(t *testing.T, v any) {
	value := reflect.ValueOf(v)
	for i := range value.NumMethod() {
		name := fmt.Sprintf("%#v.%s", v, value.Type().Method(i).Name)
		method := value.Method(i)
		var in []reflect.Value
		for j := range method.Type().NumIn() {
			in = append(in, reflect.Zero(method.Type().In(j)))
		}
		func() {
			defer func() {
				if p := recover(); p != nil {
					t.Errorf("%s panics: %v", name, p)
				}
			}()
			call := method.Call
			if method.Type().IsVariadic() {
				call = method.CallSlice
			}
			for _, out := range call(in) {
				if err, ok := out.Interface().(error); ok && (err.Error() == "" || strings.Contains(err.Error(), "\n")) {
					t.Errorf("%s gives an error that is no line: %q", name, err)
				}
				if out.Kind() == reflect.Func && out.Type().CanSeq2() {
					for _, err := range out.Seq2() {
						if err.IsNil() {
							t.Errorf("%s yields something", name)
						}
					}
				}
			}
		}()
	}
}

// withMethods lists the exported types of a package that have exported methods.
func withMethods(t *testing.T, dir string) (names []string) {
	t.Helper()
	if strings.HasSuffix(dir, "nothing") {
		return nil
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: no files, %v", dir, err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv == nil || !f.Name.IsExported() {
				continue
			}
			of := f.Recv.List[0].Type
			if star, ok := of.(*ast.StarExpr); ok {
				of = star.X
			}
			if id, ok := of.(*ast.Ident); ok && id.IsExported() && !slices.Contains(names, id.Name) {
				names = append(names, id.Name)
			}
		}
	}
	return names
}

// A call with a nil context or another nil argument returns an error that says so.
func TestZeroValues_FunctionsOfThePackageRefuseNothing(t *testing.T) {
	for name, call := range map[string]func() error{
		"Dial":        func() error { _, err := client.Dial(t.Context(), "", ""); return err },
		"DialCluster": func() error { _, err := client.DialCluster(t.Context(), nil, nil); return err },
		// It is what is tried.
		"no context":     func() error { _, err := client.DialCluster(nil, nil, nil); return err }, //nolint:staticcheck
		"Inquire":        func() error { _, err := client.Inquire(t.Context(), nil, &client.Key{}); return err },
		"NewCluster":     func() error { _, err := client.NewCluster(client.ClusterConfig{}); return err },
		"ParseCluster":   func() error { _, err := client.ParseCluster(nil); return err },
		"LoadCluster":    func() error { _, err := client.LoadCluster(""); return err },
		"ParseKey":       func() error { _, err := client.ParseKey(nil, nil); return err },
		"NewKey":         func() error { _, err := client.NewKey(nil); return err },
		"ReadKey":        func() error { _, err := client.ReadKey(""); return err },
		"ParseSemantics": func() error { _, err := client.ParseSemantics(""); return err },
		"no machine":     func() error { _, err := clienttest.New("", nil).Do(t.Context(), nil); return err },
	} {
		if err := call(); err == nil || err.Error() == "" || strings.Contains(err.Error(), "\n\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
