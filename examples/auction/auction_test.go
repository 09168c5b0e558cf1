package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"tagma/statemachine"
	"tagma/tagmatest"
)

func TestDeterministic(t *testing.T) {
	tagmatest.Deterministic(t, newHouse, [][]byte{
		HouseShowOp("vase"), HouseOpenOp("vase", 10, 5), HouseOpenOp("vase", 1, 1), HouseBidOp("vase", 12), // of one client
		// Of the next request, and so on.
		HouseBidOp("vase", 11), HouseBidOp("vase", 13), HouseBidOp("lamp", 1), HouseOpenOp("lamp", 0, 1),
		HouseBidOp("vase", 14), HouseBidOp("lamp", 7), HouseShowOp("vase"), []byte("sell vase"),
		HouseBidOp("vase", 15), HouseBidOp("lamp", 9), HouseShowOp("lamp"), HouseNewestOp(3),
		HouseBidOp("vase", 20), HouseOpenOp("", 1, 1), HouseBidOp("vase", 1<<64-1), HouseNewestOp(1),
	})
}

func FuzzDeterministic(f *testing.F) {
	tagmatest.Fuzz(f, newHouse, HouseOpenOp("vase", 10, 60), HouseBidOp("vase", 12), HouseShowOp("vase"), HouseNewestOp(2))
}

func TestSimulated(t *testing.T) {
	tagmatest.Simulate(t, newHouse, tagmatest.Workload{Next: func(r *rand.Rand) tagmatest.Op {
		switch item := fmt.Sprint("item", r.IntN(3)); r.IntN(5) {
		case 0:
			return tagmatest.Op{Bytes: HouseOpenOp(item, r.Uint64N(10), r.Uint32N(20))}
		case 1:
			return tagmatest.Op{Bytes: HouseShowOp(item), Query: true}
		case 2:
			return tagmatest.Op{Bytes: HouseNewestOp(2), Query: true}
		default:
			return tagmatest.Op{Bytes: HouseBidOp(item, r.Uint64N(50))}
		}
	}, Model: func() func(tagmatest.Executed) []byte {
		b := book{auctions: map[string]*Auction{}}
		return func(o tagmatest.Executed) []byte {
			if o.Query {
				return HouseQuery(&b, nil, o.Bytes)
			}
			return HouseApply(&b, seen{o: o}, o.Bytes)
		}
	}}, 20)
}

// book is the model of a house. It keeps auctions in a map, and does not encode anything.
type book struct {
	auctions map[string]*Auction
	opened   []string
}

// seen is what the model may ask about the operation that is being executed.
type seen struct {
	statemachine.Txn
	o tagmatest.Executed
}

func (s seen) Client() [32]byte { return s.o.Client }
func (s seen) Time() time.Time  { return s.o.Time }

func (b *book) Open(tx statemachine.Txn, item string, least uint64, seconds uint32) (Auction, error) {
	if b.auctions[item] != nil {
		return Auction{}, refuse(itemExists, "there is an auction of this item already")
	}
	closes := tx.Time().Add(time.Duration(seconds) * time.Second)
	b.auctions[item] = &Auction{Item: item, Seller: tx.Client(), Least: max(least, 1), Closes: closes.UnixNano()}
	b.opened = append(b.opened, item)
	return *b.auctions[item], nil
}

func (b *book) Bid(tx statemachine.Txn, item string, amount uint64) (Auction, error) {
	a := b.auctions[item]
	switch {
	case a == nil:
		return Auction{}, refuse(noSuchItem, "there is no such item")
	case !tx.Time().Before(time.Unix(0, a.Closes)):
		return Auction{}, refuse(auctionOver, "the auction is over")
	case tx.Client() == a.Seller:
		return Auction{}, refuse(ownItem, "nobody bids for an item of their own")
	case amount < a.Least:
		return Auction{}, refuse(bidTooLow, fmt.Sprint("the next bid is at least ", a.Least))
	}
	a.Bidder, a.Bid, a.Least = tx.Client(), amount, amount+1
	return *a, nil
}

func (b *book) Show(_ statemachine.Reader, item string) (Auction, error) {
	if a := b.auctions[item]; a != nil {
		return *a, nil
	}
	return Auction{}, refuse(noSuchItem, "there is no such item")
}

func (b *book) Newest(_ statemachine.Reader, most uint8) (newest []Auction) {
	for i := len(b.opened) - 1; i >= 0 && len(newest) < int(most); i-- {
		newest = append(newest, *b.auctions[b.opened[i]])
	}
	return newest
}

// done returns the auction that a call returned, and fails the test if the call failed.
func done(t *testing.T) func(Auction, error) Auction {
	return func(a Auction, err error) Auction {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
		return a
	}
}

// refused fails the test unless a call was refused with this code.
func refused(t *testing.T, code uint32) func(Auction, error) {
	return func(_ Auction, err error) {
		t.Helper()
		var why *statemachine.Refusal
		if !errors.As(err, &why) || why.Code != code {
			t.Errorf("%v, want a refusal with code %d", err, code)
		}
	}
}

func TestCluster(t *testing.T) {
	cluster, ctx := tagmatest.Start(t, newHouse), t.Context()
	client := func(i int) HouseClient { return HouseClient{Caller: cluster.ClientAs(i)} }
	seller, ann, bob := client(0), client(1), client(2)
	done(t)(seller.Open(ctx, "vase", 10, 100000))
	refused(t, itemExists)(ann.Open(ctx, "vase", 1, 1))
	refused(t, ownItem)(seller.Bid(ctx, "vase", 12))
	refused(t, bidTooLow)(ann.Bid(ctx, "vase", 9))
	first := done(t)(ann.Bid(ctx, "vase", 12))
	cluster.Malicious(1, "lying-reply")
	refused(t, bidTooLow)(bob.Bid(ctx, "vase", 12))
	done(t)(bob.Bid(ctx, "vase", 13))
	cluster.Crash(0, 2, 3)
	cluster.Restart(0, 2, 3)
	last := done(t)(ann.Show(ctx, "vase"))
	if last.Bid != 13 || last.Bidder == first.Bidder || last.Seller != first.Seller || first.Bid != 12 {
		t.Errorf("%+v, after %+v", last, first)
	}
	done(t)(seller.Open(ctx, "lamp", 0, 0)) // the auction is over at the moment when it is opened
	refused(t, auctionOver)(bob.Bid(ctx, "lamp", 1))
	refused(t, noSuchItem)(bob.Bid(ctx, "chair", 1))
	newest, err := bob.Newest(ctx, 5)
	if err != nil || len(newest) != 2 || newest[0].Item != "lamp" || newest[1].Item != "vase" {
		t.Errorf("the newest are %+v, %v", newest, err)
	}
}
