package scenario

import (
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"tagma/internal/strict"
)

// Orders of a block.
const (
	Random  = "random"  // a different order for each repetition, drawn from the seed
	Written = "written" // the order in the file
)

// Block is a list of events that are done one after the other, several times over.
type Block struct {
	Line   int
	At     time.Duration `toml:"at"`     // when the first event is done
	Every  time.Duration `toml:"every"`  // the time from one event to the next
	Repeat int           `toml:"repeat"` // how often each event is done
	Order  string        `toml:"order"`
	acts   []blockAct
}

// blockAct is an event with the duration of its effect; 0: for ever.
type blockAct struct {
	Event
	lasts time.Duration
}

// mostBlockEvents bounds the number of events of a block, repetitions included.
const mostBlockEvents = 10000

// takeBlock takes one block.
func (s *Scenario) takeBlock(t *strict.Table) {
	b := Block{Line: t.Line(""), Repeat: 1, Order: Random}
	text := struct {
		*Block
		Repeat int             `toml:"repeat" range:"1..1000"`
		Events []*strict.Table `toml:"event"`
	}{Block: &b, Repeat: 1}
	if !t.Into(&text) || !t.Word("order", b.Order, Random, Written) {
		return
	}
	b.Repeat = text.Repeat
	if !t.Needs("at", `at = "1s", when the first of its events is done`) || !t.Needs("every", `every = "500ms", the time from one event to the next`) {
		return
	}
	switch {
	case b.Every == 0:
		t.Refuse("every", "\"0s\": all would be done at once; write for instance \"500ms\"")
	case len(text.Events) == 0:
		t.Refuse("", `it has no events; write [[block.event]] with do = "kill", targets = [1] and for = "200ms"`)
	case len(text.Events)*b.Repeat > mostBlockEvents:
		t.Refuse("repeat", "%d events %d times are more than %d; repeat it less often", len(text.Events), b.Repeat, mostBlockEvents)
	}
	for _, one := range text.Events {
		e, lasts, ok := s.readEvent(one)
		if !ok || !one.Only(strings.Fields("do "+e.act().keys+" for")...) {
			continue
		}
		if lasts.For >= b.Every {
			one.Refuse("for", "%v is not shorter than the block's every = %v, when the next event comes", lasts.For, b.Every)
		}
		b.acts = append(b.acts, blockAct{e, lasts.For})
	}
	s.Blocks = append(s.Blocks, b)
}

// Reseed gives the scenario another seed. All random choices depend on it, including the order of events in blocks.
func (s *Scenario) Reseed(seed uint64) {
	s.Seed = seed
	for i, c := range s.Clusters {
		c.Reseed(SeedOf(seed, i))
	}
	s.Events = slices.Clone(s.single)
	for i := range s.Blocks {
		s.Events = append(s.Events, s.Blocks[i].events(rand.New(rand.NewPCG(seed, uint64(s.Blocks[i].Line))))...)
	}
}

// events returns all events of the block, including repetitions, and after each the event that ends it.
func (b *Block) events(dice *rand.Rand) (all []Event) {
	at, order := b.At, make([]int, len(b.acts))
	for i := range order {
		order[i] = i
	}
	for range b.Repeat {
		if b.Order == Random {
			dice.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		}
		for _, i := range order {
			e := b.acts[i].Event
			e.At = at
			all = append(all, e)
			if lasts := b.acts[i].lasts; lasts > 0 {
				all = append(all, e.end(lasts))
			}
			at += b.Every
		}
	}
	return all
}
