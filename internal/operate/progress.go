package operate

import (
	"context"
	"fmt"
	"time"

	"tagma/internal/node"
	"tagma/internal/terminal"
)

const lookRecovery = 500 * time.Millisecond

// follow shows in a footer on the terminal how the replica's recovery proceeds, until the context ends.
func follow(ctx context.Context, last *terminal.Footer, report func() node.Report) {
	if !last.Redraws {
		return
	}
	next := time.NewTicker(lookRecovery)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			last.Set("")
			return
		case <-next.C:
			r := report()
			last.Set(recoveryLine(&r, last.Colour))
		}
	}
}

// recoveryLine shows a transfer as a bar, and anything else as text.
func recoveryLine(r *node.Report, colour bool) string {
	text := recoveryText(r)
	if text == "" || r.Recovery.Transfer == nil {
		return text
	}
	return terminal.Cells(r.Recovery.Transfer.Share, colour) + "  " + text
}

// recoveryText describes a replica's recovery in a few words. It is "" if the replica has recovered or its health
// already says enough.
func recoveryText(r *node.Report) string {
	rec := r.Recovery
	if rec == nil || rec.Halted {
		return ""
	}
	switch rec.Phase {
	case node.PhaseForgotten:
		text := fmt.Sprintf("has lost data: %d of the %d others it needs have answered", len(rec.Whole), rec.Needed)
		if len(rec.LostToo) > 0 {
			text += "; lost data too: " + terminal.Numbers(rec.LostToo)
		}
		return text
	case node.PhaseAsking:
		return "asks others what it signed"
	case node.PhaseFetching:
		return transferText(rec.Transfer)
	case node.PhaseSilent:
		if rec.Unclean { // its health says so
			return ""
		}
		return fmt.Sprintf("silent until checkpoint %d, votes from view %d", rec.SilentUntil, rec.FromView)
	case node.PhaseFollowing:
		if rec.FromView > r.View {
			return fmt.Sprintf("follows, votes from view %d", rec.FromView)
		}
	}
	return ""
}

func transferText(t *node.Transfer) string {
	if t == nil || t.Checkpoint == 0 {
		return "fetches the state"
	}
	text := fmt.Sprintf("fetches the state at %d: %.0f%%, %s at %s/s", t.Checkpoint, 100*t.Share, terminal.Bytes(int64(t.Bytes)),
		terminal.Bytes(int64(t.BytesPerSecond)))
	if left := time.Duration(t.RemainingMillis) * time.Millisecond; left > 0 {
		text += ", " + left.Round(time.Second).String() + " left"
	}
	return text
}
