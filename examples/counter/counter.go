// Command counter replicates a counter: "add" raises it and "get" reads it. Both return its value.
package main

import (
	"strconv"

	"tagma/node"
	"tagma/statemachine"
)

type counter struct{}

var key = []byte("counter")

// Apply executes an operation that may change the state.
func (counter) Apply(tx statemachine.Txn, op []byte) []byte {
	if string(op) != "add" {
		return counter{}.Query(tx, op)
	}
	old, _ := tx.Get(key)
	n, _ := strconv.Atoi(string(old)) // 0 before the first one
	next := []byte(strconv.Itoa(n + 1))
	tx.Put(key, next)
	return next
}

// Query answers an operation that changes nothing.
func (counter) Query(r statemachine.Reader, op []byte) []byte {
	if string(op) != "get" {
		return []byte("unknown operation")
	}
	n, _ := r.Get(key)
	return n
}

func newCounter() statemachine.Machine { return counter{} }

func main() { node.Main("counter", newCounter) }
