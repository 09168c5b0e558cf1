package stubs_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"tagma/internal/stubs"
	"tagma/internal/stubs/testdata/shop"
	"tagma/statemachine"
	"tagma/statemachine/memstore"
)

var update = flag.Bool("update", false, "write the generated files anew")

// Generating the repository's generated files again from their interfaces gives the same files.
func TestGenerate_GivesTheFilesThatAreThere(t *testing.T) {
	for dir, face := range map[string]string{"testdata/shop": "Shop", "../../examples/auction": "House"} {
		code, err := stubs.Generate(dir, face)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, strings.ToLower(face)+"_stubs.go")
		if *update {
			if err := os.WriteFile(path, code, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if old, err := os.ReadFile(path); err != nil || !bytes.Equal(old, code) {
			t.Errorf("%s is not what would be written now; run go test ./internal/stubs -update", path)
		}
	}
}

func TestGenerate_RefusesInOneLineWithItsPlace(t *testing.T) {
	const head = "package p\n\ntype S interface {\n"
	for want, source := range map[string]string{
		"in.go:4: S.F: a parameter is a float64, which has no encoding":                                head + "F(tx statemachine.Txn, x float64)\n}",
		"in.go:4: S.F: a parameter is an int, whose size differs between machines; use int64":          head + "F(tx statemachine.Txn, x int)\n}",
		"in.go:4: S.F: a result has a type that has no encoding":                                       head + "F(r statemachine.Reader) map[string]bool\n}",
		"in.go:4: S.F: a result is a error":                                                            head + "F(r statemachine.Reader) (error, bool)\n}",
		"in.go:4: S.F: a parameter is an array of something else than bytes":                           head + "F(tx statemachine.Txn, x [3]bool)\n}",
		"in.go:4: S.F: a parameter is an array whose length is no plain number":                        head + "F(tx statemachine.Txn, x [n]byte)\n}",
		"in.go:4: S.F: a parameter has a type that has no encoding":                                    head + "F(tx statemachine.Txn, x ...bool)\n}",
		"in.go:4: S.F: begin it with a capital, and its parameters with a statemachine.Txn":            head + "F(x bool)\n}",
		"in.go:4: S.f: begin it with a capital":                                                        head + "f(tx statemachine.Txn)\n}",
		"in.go:4: S has something in it that is no method":                                             head + "error\n}",
		"in.go:3: S has no methods":                                                                    head + "}",
		"in.go:3: S is no interface":                                                                   "package p\n\ntype S struct{}",
		"package p has no type S":                                                                      "package p\n",
		"in.go:4: S.F: a parameter is a T: in.go:6: T: a field is a T, which holds itself":             head + "F(tx statemachine.Txn, t T)\n}\ntype T struct { T []T }",
		"in.go:4: S.F: a parameter is a slice of T, which takes no bytes":                              head + "F(tx statemachine.Txn, t []T)\n}\ntype T struct{}",
		"in.go:4: S.F: a parameter is a T: in.go:6: T: a field without a name":                         head + "F(tx statemachine.Txn, t T)\n}\ntype T struct { U }\ntype U bool",
		"in.go:4: S.F: a parameter is a T: in.go:6: T: a field that cannot be written; give it a name": head + "F(tx statemachine.Txn, t T)\n}\ntype T struct { _ bool }",
		"in.go:4: S.F: a parameter is a D, which has a type that has no encoding":                      head + "F(tx statemachine.Txn, d D)\n}\ntype D time.Duration",
		"in.go:1:8: expected": "package",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "in.go"), []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := stubs.Generate(dir, "S")
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v\nwant %s", err, want)
		}
	}
	if _, err := stubs.Generate(t.TempDir(), "S"); err == nil || !strings.Contains(err.Error(), "no Go files") {
		t.Errorf("an empty folder: %v", err)
	}
}

// direct is a Caller that lets a service execute each call at once.
type direct struct {
	*statemachine.Service
	spoil func([]byte) []byte
}

func (d *direct) Call(_ context.Context, op []byte, readOnly bool) ([]byte, uint64, error) {
	seq := d.Executed() + 1
	replies, err := d.Apply(statemachine.Batch{Seq: seq, Time: 1, Requests: []statemachine.Request{
		{Session: 1, T: seq, Digest: [32]byte{byte(seq)}, ReadOnly: readOnly, Ops: [][]byte{op}},
	}})
	if err != nil {
		return nil, 0, err
	}
	result := replies[0].Results[0]
	if d.spoil != nil {
		result = d.spoil(result)
	}
	return result, seq, d.Flush()
}

func (d *direct) QueryAt(_ context.Context, op []byte, at uint64) ([]byte, error) {
	return d.Query(op, at)
}

func TestStubs_CarryValuesBothWays(t *testing.T) {
	service, err := statemachine.New(shop.Machine{}, memstore.New(), statemachine.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	caller, ctx := &direct{Service: service}, t.Context()
	c := shop.ShopClient{Caller: caller}
	order := shop.Order{
		By: [32]byte{31: 1}, Lines: []shop.Line{{Item: "nail", Pieces: 65535, Price: -3}, {Pieces: 1, Price: 1 << 62}}, Notes: [][]byte{[]byte("urgent"), nil},
		Marks: []bool{true, false}, Signed: true, Delta: -128,
	}
	number, total, err := c.Place(ctx, order, "a", "b")
	if err != nil || number != 1 || total != 1<<62-3*65535 {
		t.Errorf("%d, %d, %v", number, total, err)
	}
	found, bills, err := c.Find(ctx, 9, nil)
	if err != nil || !reflect.DeepEqual(found, order) || len(bills) != 1 || bills[0].Pieces != 9 {
		t.Errorf("%+v, %+v, %v", found, bills, err)
	}
	if words, err := c.Words(ctx, 5); err != nil || !reflect.DeepEqual(words, []string{"ab", "5"}) {
		t.Errorf("%q, %v", words, err)
	}
	if err := c.Close(ctx); err != nil {
		t.Error(err)
	}
	var refused *statemachine.Refusal
	if _, _, err := c.Place(ctx, shop.Order{}, "", ""); !errors.As(err, &refused) || refused.Code != 7 {
		t.Errorf("an order of nothing: %v", err)
	}
	if _, _, err := c.Find(ctx, 1, nil); !errors.As(err, &refused) || refused.Code != 0 {
		t.Errorf("a closed shop: %v", err)
	}
	if past, _, err := c.FindAt(ctx, 1, 1, nil); err != nil || !reflect.DeepEqual(past, order) {
		t.Errorf("at 1: %+v, %v", past, err)
	}
	caller.spoil = func(result []byte) []byte { return append(result, 0) }
	if _, err := c.Words(ctx, 5); err == nil {
		t.Error("a result with something behind it is taken")
	}
}

func TestStubs_AClientWithoutACallerSaysSo(t *testing.T) {
	var c shop.ShopClient
	if err := c.Close(t.Context()); err == nil {
		t.Error("a call that goes nowhere succeeds")
	}
	if _, _, err := c.FindAt(t.Context(), 1, 1, nil); err == nil {
		t.Error("a question that goes nowhere is answered")
	}
}

func TestStubs_BytesThatAreNoOperationAreRefused(t *testing.T) {
	good := shop.ShopFindOp(300, []byte("x"))
	for cut := range good {
		for _, op := range [][]byte{good[:cut], append(bytes.Clone(good), 0), {99}, append([]byte{0x83, 0}, good[1:]...)} {
			var refused *statemachine.Refusal
			if err := statemachine.Failure(shop.ShopQuery(shop.Store{}, nil, op)); !errors.As(err, &refused) || refused.Code != shop.ShopMalformed {
				t.Errorf("%x: %v", op, err)
			}
		}
	}
	// An operation that changes the state cannot be used as a query.
	if err := statemachine.Failure(shop.ShopQuery(shop.Store{}, nil, shop.ShopCloseOp())); err == nil {
		t.Error("a query closes the shop")
	}
}
