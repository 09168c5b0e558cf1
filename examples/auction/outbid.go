package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"tagma/client"
	"tagma/statemachine"
)

// outbid bids for an item until the caller leads, and never more than most. It tells whether the caller leads, whose key in
// hex is who. An answer that is lost may have been to a bid that counts, so it looks before it bids again.
func outbid(ctx context.Context, c client.Interface, who, item string, most int) (bool, error) {
	for {
		a, err := look(ctx, c, item)
		switch {
		case err != nil:
			return false, err
		case a.Bidder == who:
			return true, nil
		case a.Least > most:
			return false, nil
		}
		r, err := c.Do(ctx, fmt.Appendf(nil, "bid %s %d", item, a.Least))
		switch {
		case errors.Is(err, client.ErrUnknown) && ctx.Err() == nil: // look, and see
		case err != nil:
			return false, fmt.Errorf("bid for %s: %w", item, err)
		default:
			if err := r.Err(0); err != nil && !refusedWith(err, bidTooLow) { // too low: somebody was faster
				return false, fmt.Errorf("bid for %s: %w", item, err)
			}
		}
	}
}

func look(ctx context.Context, c client.Interface, item string) (a auction, err error) {
	r, err := c.Query(ctx, []byte("show "+item))
	if err == nil {
		err = r.Err(0)
	}
	if err == nil {
		err = json.Unmarshal(r.Output(), &a)
	}
	if err != nil {
		return auction{}, fmt.Errorf("look at %s: %w", item, err)
	}
	return a, nil
}

// refusedWith reports whether the machine refused an operation with a code.
func refusedWith(err error, code uint32) bool {
	var refused *statemachine.Refusal
	return errors.As(err, &refused) && refused.Code == code
}
