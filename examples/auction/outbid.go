package main

import (
	"context"
	"errors"
	"fmt"

	"tagma/client"
	"tagma/statemachine"
)

// outbid bids for an item until the caller leads, and never more than most. It tells whether the caller leads, who is the
// caller's public key. An answer that is lost may have been to a bid that counts, so it looks before it bids again.
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
		case err == nil, refusedWith(err, bidTooLow): // too low: somebody was faster
		case errors.Is(err, client.ErrUnknown) && ctx.Err() == nil: // look, and see
		default:
			return false, fmt.Errorf("bid for %s: %w", item, err)
		}
	}
}

// refusedWith reports whether the machine refused an operation with a code.
func refusedWith(err error, code uint32) bool {
	var refused *statemachine.Refusal
	return errors.As(err, &refused) && refused.Code == code
}
