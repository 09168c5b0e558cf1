package main

import (
	"fmt"
	"strings"
	"time"

	"tagma/internal/node"
)

// recoveryText says in some words how a replica comes back, "" if it is back or its health says enough.
func recoveryText(r *node.Report) string {
	rec := r.Recovery
	if rec == nil {
		return ""
	}
	switch rec.Phase {
	case node.PhaseForgotten:
		text := fmt.Sprintf("has lost data: %d of the %d others it needs have answered", len(rec.Whole), rec.Needed)
		if len(rec.LostToo) > 0 {
			text += "; lost data too: " + numbers(rec.LostToo)
		}
		return text
	case node.PhaseAsking:
		return "asks others what it signed"
	case node.PhaseFetching:
		return transferText(rec.Transfer)
	case node.PhaseSilent:
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
	text := fmt.Sprintf("fetches the state at %d: %.0f%%, %s at %s/s", t.Checkpoint, 100*t.Share, bytesText(int64(t.Bytes)),
		bytesText(int64(t.BytesPerSecond)))
	if left := time.Duration(t.RemainingMillis) * time.Millisecond; left > 0 {
		text += ", " + left.Round(time.Second).String() + " left"
	}
	return text
}

func numbers(ids []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(ids), " ", ", "), "[]")
}
