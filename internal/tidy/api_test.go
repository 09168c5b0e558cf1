package tidy

import "testing"

// withHidden returns two packages: one whose types outsiders cannot name, and one that is made for outsiders.
func withHidden(text string) map[string]string {
	return map[string]string{
		"internal/box/a.go":   `package box; type Box struct{ N int }; func (Box) Open() Box { return Box{} }`,
		"pbft/wire/a.go":      `package wire; type Seq uint64`,
		"statemachine/a.go":   `package statemachine; type Caller interface{ Call(op []byte) []byte }`,
		"client/a.go":         "package client; import (\"context\"; \"tagma/internal/box\"; \"tagma/pbft/wire\"; \"tagma/statemachine\")\n" + text,
		"internal/other/a.go": `package other; import "tagma/internal/box"; func Free() box.Box { return box.Box{} }`,
	}
}

func TestPublicTypes_AllowsWhatOutsidersCanName(t *testing.T) {
	wantComplaints(t, publicTypes(of(t, withHidden(`
type Client struct { box box.Box; at wire.Seq }
func (c *Client) Do(ctx context.Context, op []byte) (statemachine.Caller, error) { return nil, nil }
func (c *Client) inside() box.Box { return c.box }
func inside(wire.Seq) {}
const Most = uint64(wire.Seq(7))
var Err error
type Option func(*options)
type options struct { box box.Box }
`))))
}

func TestPublicTypes_ComplainsOfEveryWayToShowAHiddenType(t *testing.T) {
	for name, text := range map[string]string{
		"parameter":          `func F(b box.Box) {}`,
		"result":             `func F() (int, *box.Box) { return 0, nil }`,
		"protocol":           `func F() wire.Seq { return 0 }`,
		"method":             `type C struct{}; func (c *C) M(s []wire.Seq) {}`,
		"field":              `type C struct { At map[string]wire.Seq }`,
		"embedded":           `type C struct { box.Box }`,
		"promoted":           `type C struct { inner }; type inner struct { Boxes []box.Box }`,
		"method of embedded": `type C struct { inner }; type inner struct{}; func (inner) M() wire.Seq { return 0 }`,
		"alias":              `type C = box.Box`,
		"function":           `type Option func(*box.Box)`,
		"unexported result":  `func F() *inner { return nil }; type inner struct { N wire.Seq }`,
		"interface":          `type C interface { M(chan box.Box) }`,
		"variable":           `var V = box.Box{}`,
		"constant":           `const C = wire.Seq(7)`,
		"argument":           `type L[T any] struct { v T }; func F() L[box.Box] { return L[box.Box]{} }`,
	} {
		t.Run(name, func(t *testing.T) {
			got := publicTypes(of(t, withHidden(text)))
			if len(got) == 0 {
				t.Fatal("no complaint")
			}
			for _, complaint := range got {
				wantComplaints(t, []string{complaint}, "client/a.go:2: ")
			}
		})
	}
}
