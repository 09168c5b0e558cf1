package page

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"tagma/internal/page"
	"tagma/internal/trace"
	"tagma/pbft/wire"
	"tagma/testnet/links"
)

// members converts numbers of replicas to the protocol's type.
func members(ids []int) []wire.ReplicaID {
	out := make([]wire.ReplicaID, len(ids))
	for i, id := range ids {
		out[i] = wire.ReplicaID(id) //nolint:gosec // it was checked
	}
	return out
}

func partition(ctx context.Context, l *Live, a *page.Act) (*page.Done, error) {
	c := links.Command{Do: links.DoPartition, ID: "page"}
	var words []string
	all := slices.Concat(a.Groups...)
	for i, id := range all {
		if id < 0 || id >= len(l.cluster.File.Replicas) || slices.Contains(all[:i], id) {
			return nil, page.Refusef(http.StatusBadRequest, "bad", "groups %v: name replicas of 0 to %d, each once", a.Groups, len(l.cluster.File.Replicas)-1)
		}
	}
	for _, g := range a.Groups {
		c.Groups = append(c.Groups, members(g))
		words = append(words, fmt.Sprint(g))
	}
	if len(words) == 0 {
		return l.said(trace.Healed, "the partition ends"), l.cluster.Order(ctx, c)
	}
	return l.said(trace.Fired, "partition %s", strings.Join(words, " | ")), l.cluster.Order(ctx, c)
}

func link(ctx context.Context, l *Live, a *page.Act) (*page.Done, error) {
	if a.From == nil || a.To == nil || *a.From == *a.To {
		return nil, page.Refusef(http.StatusBadRequest, "bad", "a link is from one replica to another one; name both")
	}
	for _, id := range []int{*a.From, *a.To} {
		if id < 0 || id >= len(l.cluster.File.Replicas) {
			return nil, page.Refusef(http.StatusBadRequest, "bad", "there is no replica %d; there are 0 to %d", id, len(l.cluster.File.Replicas)-1)
		}
	}
	properties := links.Link{Delay: time.Duration(a.DelayMS * float64(time.Millisecond)), Loss: a.Loss}
	var words []string
	if a.Cut {
		properties, words = links.Link{Loss: 1}, append(words, "cut")
	} else {
		if properties.Delay > 0 {
			words = append(words, fmt.Sprintf("late by %v", properties.Delay))
		}
		if properties.Loss > 0 {
			words = append(words, fmt.Sprintf("losing %.0f%%", 100*properties.Loss))
		}
	}
	if err := properties.Check(); err != nil {
		return nil, page.Refusef(http.StatusBadRequest, "bad", "%w", err)
	}
	arrow, ways := "→", [][2]int{{*a.From, *a.To}}
	if a.Both {
		arrow, ways = "↔", append(ways, [2]int{*a.To, *a.From})
	}
	c := links.Command{Do: links.DoLink, ID: "page", Link: properties}
	step := trace.Fired
	if len(words) == 0 {
		c.Do, step, words = links.DoHealLink, trace.Healed, []string{"whole again"}
	}
	for _, w := range ways {
		c.From, c.To = members(w[:1]), members(w[1:])
		if err := l.cluster.Order(ctx, c); err != nil {
			return nil, err
		}
	}
	return l.said(step, "link %d %s %d: %s", *a.From, arrow, *a.To, strings.Join(words, ", ")), nil
}

func clock(ctx context.Context, l *Live, a *page.Act) (*page.Done, error) {
	if err := l.replicas(a.Replicas, true); err != nil {
		return nil, err
	}
	by := time.Duration(a.ByMS * float64(time.Millisecond))
	if by == 0 || by.Abs() > mostJump {
		return nil, page.Refusef(http.StatusBadRequest, "bad", "a clock jumps by 1 ms to %v, forwards or backwards", mostJump)
	}
	for _, id := range a.Replicas {
		l.skew[id] += by
	}
	return l.said(trace.Fired, "the clock of %s jumps by %v", named(a.Replicas), by), l.cluster.JumpClocks(ctx, by, a.Replicas...)
}

// mostJump bounds the jump of a clock. It is far more than the protocol tolerates.
const mostJump = 24 * time.Hour

// heal ends all faults: of links, processes, replicas and clocks. If a disk lost something, its replica fetches it from
// the others.
func heal(ctx context.Context, l *Live, _ *page.Act) (*page.Done, error) {
	errs := []error{l.cluster.Order(ctx, links.Command{Do: links.DoHeal, ID: "page"})}
	for id := range l.cluster.File.Replicas {
		if l.paused[id] && l.cluster.Pid(id) != 0 {
			errs = append(errs, l.resume([]int{id}))
		}
		if l.liars[id] {
			errs = append(errs, l.cluster.Reform(ctx, id))
			delete(l.liars, id)
		}
		if by := l.skew[id]; by != 0 {
			errs = append(errs, l.cluster.JumpClocks(ctx, -by, id))
			delete(l.skew, id)
		}
		if l.full[id] && l.cluster.Pid(id) != 0 { // only another life can write
			l.end([]int{id})
		}
	}
	return l.said(trace.Healed, "everything heals: links, processes, liars and clocks"), errors.Join(append(errs, l.cluster.Start())...)
}
