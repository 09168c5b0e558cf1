package main

import (
	"context"
	"errors"
	"fmt"

	"tagma/client"
	"tagma/statemachine"
)

// outbid bids for an item until the caller leads, but never more than most. It reports whether the caller leads; who
// is the caller's public key. If an answer was lost, the bid may have been executed nevertheless, so outbid reads the
// auction before it bids again.
func outbid(ctx context.Context, house HouseClient, who [32]byte, item string, most uint64) (bool, error) {
	for {
		a, err := house.Show(ctx, item)
		switch {
		case err != nil:
			return false, fmt.Errorf("look at %s: %w", item, err)
		case a.Bidder == who:
			return true, nil
		case a.Least > most:
			return false, nil
		}
		_, err = house.Bid(ctx, item, a.Least)
		switch {
		case err == nil, refusedWith(err, bidTooLow): // too low: somebody else was faster
		case errors.Is(err, client.ErrUnknown) && ctx.Err() == nil: // look again whether the bid counts
		default:
			return false, fmt.Errorf("bid for %s: %w", item, err)
		}
	}
}

// refusedWith reports whether the machine refused an operation with this code.
func refusedWith(err error, code uint32) bool {
	var refused *statemachine.Refusal
	return errors.As(err, &refused) && refused.Code == code
}
