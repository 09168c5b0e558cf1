package byzantine

import (
	"math"
	"math/rand/v2"
	"time"

	"tagma/pbft"
)

// absurdSessions chooses numbers that evict its own sessions or lie beyond every window (C1, C2).
var absurdSessions = ClientBehaviour{
	Name:    "absurd-sessions",
	Summary: "numbers its sessions and requests absurdly: 0, 2⁶⁴−1, falling, a new session for every request",
	Bound:   "it harms its own key only",
	Parameters: []Parameter{
		{"numbers", "mixed", "sessions: highest (2⁶⁴−1 and down), rising, falling, or mixed (any, with absurd request numbers too)"},
		{"every", "0.1T", "time between two requests, a duration or a multiple of T"},
		{"seed", "0", "decides which numbers, where they are mixed"},
	},
	build: newNumberer,
}

type numberer struct {
	caller
	numbers string
	beat    metronome
	dice    *rand.Rand
	asked   uint64
}

func newNumberer(v values, cfg ClientConfig, sign Sign) (Client, error) {
	c := &numberer{caller: newCaller(cfg, sign)}
	var err error
	if c.numbers, err = v.oneOf("numbers", "highest", "rising", "falling", "mixed"); err != nil {
		return nil, err
	}
	if c.beat.every, err = v.delay("every", cfg.protocol()); err != nil {
		return nil, err
	}
	seed, err := v.number("seed")
	if err != nil {
		return nil, err
	}
	c.dice = rand.New(rand.NewPCG(seed, 1))
	return c, nil
}

// Tick asks under the next absurd number when it is time to.
func (c *numberer) Tick(now time.Duration) []Parcel {
	for range c.beat.beats(now) {
		c.asked++
		session, number := c.choose()
		c.attach(session)
		c.spread(true, pbft.Encode(c.request(session, number)))
	}
	return c.flush()
}

func (c *numberer) choose() (pbft.Session, uint64) {
	switch c.numbers {
	case "highest":
		return pbft.Session(math.MaxUint64 - c.asked + 1), 1
	case "rising":
		return c.Session + pbft.Session(c.asked), 1
	case "falling":
		return c.Session - pbft.Session(c.asked), 1
	default:
		return pbft.Session(c.absurd()), max(1, c.absurd())
	}
}

// absurd is a number near one of the ends or in the middle of nowhere.
func (c *numberer) absurd() uint64 {
	near := c.dice.Uint64N(4)
	switch c.dice.IntN(5) {
	case 0:
		return near
	case 1:
		return math.MaxUint64 - near
	case 2:
		return 1<<63 - near
	case 3:
		return uint64(c.Session) + near
	default:
		return c.dice.Uint64()
	}
}
