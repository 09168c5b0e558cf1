// Command auction replicates auctions: who opens one sells, and who has bid most when its time is over has won.
//
// Operations are lines of words: "open ITEM LEAST SECONDS", "bid ITEM AMOUNT" and "show ITEM". The result is the auction as
// a line of JSON, or a refusal.
package main

import (
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"tagma/node"
	"tagma/statemachine"
)

// Codes of refusals.
const (
	unknownOperation uint32 = iota + 1
	noSuchItem
	itemExists
	auctionOver
	bidTooLow
	ownItem
)

// auction is what the state holds under an item's name. Sellers and bidders are public keys in hex.
type auction struct {
	Seller string    `json:"seller"`
	Least  int       `json:"least"` // the next bid must be at least so much
	Closes time.Time `json:"closes"`
	Bidder string    `json:"bidder,omitempty"`
	Bid    int       `json:"bid,omitempty"`
}

type house struct{}

// Apply executes an operation that may change the state.
func (h house) Apply(tx statemachine.Txn, op []byte) []byte {
	words := strings.Fields(string(op))
	caller := tx.Client()
	who := hex.EncodeToString(caller[:])
	switch {
	case len(words) == 4 && words[0] == "open":
		return open(tx, who, words[1], number(words[2]), number(words[3]))
	case len(words) == 3 && words[0] == "bid":
		return bid(tx, who, words[1], number(words[2]))
	}
	return h.Query(tx, op)
}

// Query answers an operation that changes nothing.
func (house) Query(r statemachine.Reader, op []byte) []byte {
	words := strings.Fields(string(op))
	if len(words) != 2 || words[0] != "show" {
		return statemachine.Refuse(unknownOperation, "use: open ITEM LEAST SECONDS, bid ITEM AMOUNT, or show ITEM")
	}
	text, found := r.Get([]byte(words[1]))
	if !found {
		return statemachine.Refuse(noSuchItem, "there is no such item")
	}
	return text
}

func open(tx statemachine.Txn, who, item string, least, seconds int) []byte {
	if _, found := tx.Get([]byte(item)); found {
		return statemachine.Refuse(itemExists, "there is an auction of this item already")
	}
	closes := tx.Time().Add(time.Duration(seconds) * time.Second)
	return save(tx, item, auction{Seller: who, Least: least, Closes: closes})
}

func bid(tx statemachine.Txn, who, item string, amount int) []byte {
	text, found := tx.Get([]byte(item))
	if !found {
		return statemachine.Refuse(noSuchItem, "there is no such item")
	}
	var a auction
	if err := json.Unmarshal(text, &a); err != nil { // nobody else writes the state
		panic(err)
	}
	switch {
	case !tx.Time().Before(a.Closes):
		return statemachine.Refuse(auctionOver, "the auction is over")
	case who == a.Seller:
		return statemachine.Refuse(ownItem, "nobody bids for an item of their own")
	case amount < a.Least:
		return statemachine.Refuse(bidTooLow, "the next bid is at least "+strconv.Itoa(a.Least))
	}
	a.Bidder, a.Bid, a.Least = who, amount, amount+1
	return save(tx, item, a)
}

func save(tx statemachine.Txn, item string, a auction) []byte {
	text, err := json.Marshal(a)
	if err != nil { // all of it can be written
		panic(err)
	}
	tx.Put([]byte(item), text)
	return text
}

// number reads a number from 0 to a million; anything else is 0.
func number(word string) int {
	n, err := strconv.Atoi(word)
	if err != nil || n < 0 || n > 1_000_000 {
		return 0
	}
	return n
}

func newHouse() statemachine.Machine { return house{} }

func main() { node.Main("auction", newHouse) }
