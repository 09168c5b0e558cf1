// Package shop has a method of every form that stubs can be written for.
package shop

import (
	"strconv"

	"tagma/statemachine"
)

// Money is a number with a name.
type Money int64

// Line is a part of an order.
type Line struct {
	Item   string
	Pieces uint16
	Price  Money
}

// Bill is Line under another name.
type Bill Line

// Order has all that has an encoding.
type Order struct {
	By     [32]byte
	Lines  []Line
	Notes  [][]byte
	Marks  []bool
	Signed bool
	Delta  int8
}

// Shop is the interface for which the test generates stubs.
type Shop interface {
	Place(tx statemachine.Txn, o Order, v, codec string) (number uint64, total Money, err error)
	Close(statemachine.Txn)
	Find(r statemachine.Reader, number uint64, _ []byte) (Order, []Bill, error)
	Words(r statemachine.Reader, most uint32) []string
}

// Store is a Shop that keeps the last order in the state.
type Store struct{}

// Place implements Shop.
func (Store) Place(tx statemachine.Txn, o Order, v, codec string) (number uint64, total Money, err error) {
	if len(o.Lines) == 0 {
		return 0, 0, &statemachine.Refusal{Code: 7, Text: "an order of nothing"}
	}
	tx.Put([]byte("order"), appendShopOrder(nil, o))
	tx.Put([]byte("words"), []byte(v+codec))
	for _, l := range o.Lines {
		total += l.Price * Money(l.Pieces)
	}
	return tx.Seq(), total, nil
}

// Close implements Shop.
func (Store) Close(tx statemachine.Txn) { tx.Delete([]byte("order")) }

// Find implements Shop.
func (Store) Find(r statemachine.Reader, number uint64, _ []byte) (o Order, bills []Bill, err error) {
	b, found := r.Get([]byte("order"))
	if !found {
		_, err = strconv.Atoi("no order")
		return o, nil, err
	}
	return orderOf(b), []Bill{{Item: "first", Pieces: uint16(number)}}, nil
}

// Words implements Shop.
func (Store) Words(r statemachine.Reader, most uint32) []string {
	w, _ := r.Get([]byte("words"))
	return []string{string(w), strconv.Itoa(int(most))}
}
