// Command auction replicates auctions: the client that opens an auction is the seller, and the client that has bid
// most when its time is over is the winner.
//
// Its operations are the methods of House. The code that turns them into bytes and back is generated: see
// house_stubs.go.
package main

import (
	"strconv"
	"time"

	"tagma/node"
	"tagma/statemachine"
	"tagma/statemachine/codec"
)

// Codes of refusals.
const (
	noSuchItem uint32 = iota + 1
	itemExists
	auctionOver
	bidTooLow
	ownItem
	badItem
)

// House is what an auction house does.
type House interface {
	// Open begins an auction of an item; the caller is the seller.
	Open(tx statemachine.Txn, item string, least uint64, seconds uint32) (Auction, error)
	// Bid bids for an item.
	Bid(tx statemachine.Txn, item string, amount uint64) (Auction, error)
	// Show returns the auction of an item.
	Show(r statemachine.Reader, item string) (Auction, error)
	// Newest returns the auctions that were opened last, newest first.
	Newest(r statemachine.Reader, most uint8) []Auction
}

//go:generate go run tagma/cmd/tagma-stubs --type House --out house_stubs.go

// Auction is the state of one auction. Sellers and bidders are public keys.
type Auction struct {
	Item   string
	Seller [32]byte
	Least  uint64 // the next bid must be at least this high
	Closes int64  // nanoseconds since 1970
	Bidder [32]byte
	Bid    uint64 // the highest bid; 0 if there is none yet
}

// house stores each auction under "item" and its name, and the name under "opened" and a rising number.
type house struct{}

// Apply executes an operation that may change the state.
func (h house) Apply(tx statemachine.Txn, op []byte) []byte { return HouseApply(h, tx, op) }

// Query answers an operation that changes nothing.
func (h house) Query(r statemachine.Reader, op []byte) []byte { return HouseQuery(h, r, op) }

func (house) Open(tx statemachine.Txn, item string, least uint64, seconds uint32) (Auction, error) {
	if item == "" || len(item) > 100 {
		return Auction{}, refuse(badItem, "an item has a name of 1 to 100 bytes")
	}
	if _, err := load(tx, item); err == nil {
		return Auction{}, refuse(itemExists, "there is an auction of this item already")
	}
	a := Auction{Item: item, Seller: tx.Client(), Least: max(least, 1)}
	a.Closes = tx.Time().Add(time.Duration(seconds) * time.Second).UnixNano()
	tx.Put(openedKey(tx), []byte(item))
	save(tx, a)
	return a, nil
}

func (house) Bid(tx statemachine.Txn, item string, amount uint64) (Auction, error) {
	a, err := load(tx, item)
	switch {
	case err != nil:
		return a, err
	case tx.Time().UnixNano() >= a.Closes:
		return a, refuse(auctionOver, "the auction is over")
	case tx.Client() == a.Seller:
		return a, refuse(ownItem, "nobody bids for an item of their own")
	case amount < a.Least || amount+1 == 0:
		return a, refuse(bidTooLow, "the next bid is at least "+strconv.FormatUint(a.Least, 10))
	}
	a.Bidder, a.Bid, a.Least = tx.Client(), amount, amount+1
	save(tx, a)
	return a, nil
}

func (house) Show(r statemachine.Reader, item string) (Auction, error) { return load(r, item) }

func (house) Newest(r statemachine.Reader, most uint8) (newest []Auction) {
	for _, item := range r.RangeDown([]byte("opened"), []byte("openee")) {
		if len(newest) == int(most) {
			break
		}
		if a, err := load(r, string(item)); err == nil {
			newest = append(newest, a)
		}
	}
	return newest
}

// openedKey returns a key above the keys of all earlier operations.
func openedKey(tx statemachine.Txn) []byte {
	key := append([]byte("opened"), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	for i := range 8 {
		key[6+i] = byte(tx.Seq() >> (56 - 8*i))
	}
	for i := range 4 {
		key[14+i] = byte(tx.Index() >> (24 - 8*i))
	}
	return key
}

func itemKey(item string) []byte { return append([]byte("item"), item...) }

func load(r statemachine.Reader, item string) (Auction, error) {
	b, found := r.Get(itemKey(item))
	if !found {
		return Auction{}, refuse(noSuchItem, "there is no such item")
	}
	in := codec.NewReader(b)
	a := readHouseAuction(in)
	if err := in.End(); err != nil { // only this program writes the state, so this is a bug
		panic(err)
	}
	return a, nil
}

func save(tx statemachine.Txn, a Auction) { tx.Put(itemKey(a.Item), appendHouseAuction(nil, a)) }

func refuse(code uint32, text string) error { return &statemachine.Refusal{Code: code, Text: text} }

func newHouse() statemachine.Machine { return house{} }

func main() { node.Main("auction", newHouse) }
