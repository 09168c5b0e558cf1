package client

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// Client is a client that misbehaves. It has no clock, link or goroutine: its host tells it the time and the answers,
// and sends what it returns. It signs only with its own key.
type Client interface {
	// Tick tells the time since the beginning, which never goes back.
	Tick(now time.Duration) []Parcel
	// Replied tells the client a replica's answer, on which it acts at the next Tick. The link proves that it is from From.
	Replied(from wire.ReplicaID, m *wire.Reply)
	// Told returns the counts of what the client has sent and received so far.
	Told() Tally
}

// Reader is a client that reads past states.
type Reader interface {
	// Asked tells the client a replica's answer to a read.
	Asked(from wire.ReplicaID, m *wire.QueryReply, now time.Duration)
}

// Parcel is a frame for one replica. It may be any bytes, also ones that are no message.
type Parcel struct {
	To    wire.ReplicaID
	Frame []byte
}

// Tally is counts of what a client did. If an experiment has told no lies, it proves nothing (I18), so every client
// counts its lies.
type Tally struct {
	Parcels  uint64                  `json:"parcels"` // frames for one replica each
	Lies     uint64                  `json:"lies"`    // how many of the parcels no correct client would send
	Outcomes map[wire.Outcome]uint64 `json:"replies"` // by outcome, counted for every replica
	Reads    uint64                  `json:"reads"`   // answered reads of past states
}

// Config is what a client knows about its cluster.
type Config struct {
	Cluster     wire.Digest
	Replicas    int
	Key         wire.PublicKey
	Session     wire.Session  // the first session that it opens; later ones are higher, like those of correct clients
	ViewTimeout time.Duration // T
	// Operation returns the n-th operation, which the machine executes. All operations differ.
	Operation func(n uint64) []byte
	Burdens   Burdens
}

// Burdens are operations that cost much. Operations that the machine does not have are nil.
type Burdens struct {
	Count []byte // reads every key
	// 64 operations, of which half are counts and half are writes of operation n.
	Transaction func(n uint64) []byte
	Value       func(n uint64, bytes int) []byte // writes so many bytes
	Past        []byte                           // like Count, but 64 counts in one operation without writes
	Gone        Gone
}

// Gone returns operations on keys of their own. The keys are put and deleted, and then counted.
type Gone struct {
	Put, Delete func(n uint64) []byte // of the n-th key
	Count       []byte                // reads all of those keys
}

// caller is what all malicious clients have in common. Each of them embeds it.
type caller struct {
	Config
	sign   tamper.Sign
	number uint64 // number of the session's last request
	made   uint64 // number of operations made
	opened bool
	views  []wire.View // the view in the last reply of each replica
	tally  Tally
	out    []Parcel
}

func (c *caller) take(cfg Config, sign tamper.Sign) {
	c.Config, c.sign, c.views = cfg, sign, make([]wire.View, cfg.Replicas)
	c.tally.Outcomes = map[wire.Outcome]uint64{}
}

// ready makes the checks that the tags of a behaviour's struct cannot express.
func (*caller) ready() error { return nil }

// Told returns a copy of the tally.
func (c *caller) Told() Tally {
	t := c.tally
	t.Outcomes = maps.Clone(t.Outcomes)
	return t
}

// Replied counts a reply, and uses it as a hint about which replica is the primary.
func (c *caller) Replied(from wire.ReplicaID, m *wire.Reply) {
	if m.ID.Client == c.Key {
		c.tally.Outcomes[m.Outcome]++
		c.views[from] = m.View
	}
}

// primary returns the primary of the highest view that f+1 replicas have named, so that one liar cannot mislead the
// client.
func (c *caller) primary() wire.ReplicaID {
	named := slices.Clone(c.views)
	slices.Sort(named)
	slices.Reverse(named)
	return wire.ReplicaID(uint64(named[(c.Replicas-1)/3]) % uint64(c.Replicas))
}

// attach tells the replicas to send replies over this client's links, also the replicas to which it sends no request of
// the session.
func (c *caller) attach(s wire.Session) {
	c.spread(false, wire.Encode(&wire.Attach{Session: s}))
}

// open announces the first session to the replicas. It does so once.
func (c *caller) open() {
	if !c.opened {
		c.opened = true
		c.attach(c.Session)
	}
}

// kept is how many replies the replicas should keep, so that the client can ask for some of them again.
const kept = 64

// request makes and signs a request for a new operation.
func (c *caller) request(session wire.Session, number uint64) *wire.Request {
	c.made++
	m := &wire.Request{
		ID:  wire.RequestID{Client: c.Key, Session: session, T: number},
		Ops: [][]byte{c.Operation(c.made)},
	}
	if number > kept {
		m.AckedBelow = number - kept
	}
	wire.SignRequest(c.Cluster, m, c.sign)
	return m
}

// next makes a request with the next number of the first session.
func (c *caller) next() *wire.Request {
	c.number++
	return c.request(c.Session, c.number)
}

// send adds a frame to those that Tick returns.
func (c *caller) send(to wire.ReplicaID, lie bool, frame []byte) {
	c.tally.Parcels++
	if lie {
		c.tally.Lies++
	}
	c.out = append(c.out, Parcel{To: to, Frame: frame})
}

// spread sends a frame to all replicas.
func (c *caller) spread(lie bool, frame []byte) {
	for to := range c.Replicas {
		c.send(wire.ReplicaID(to), lie, frame)
	}
}

// flush returns the frames that were added since the last call.
func (c *caller) flush() []Parcel {
	out := c.out
	c.out = nil
	return out
}

// catalogue is sorted by name.
var catalogue = []tamper.Behaviour{
	absurdSessions, burstClient, clientEquivocation, clientFlood, emptyClient, exhaustClient, heavyClient, malformedClient, partialClient,
}

// Catalogue lists all behaviours of clients by name.
func Catalogue() []tamper.Behaviour { return slices.Clone(catalogue) }

// New makes a malicious client.
func New(c tamper.Choice, cfg Config, sign tamper.Sign) (Client, error) {
	made, err := tamper.Make(catalogue, "behaviour of clients", c,
		&wire.Config{Members: make([]wire.PublicKey, cfg.Replicas), ViewTimeout: cfg.ViewTimeout})
	if err != nil {
		return nil, err
	}
	client := made.(interface {
		Client
		take(Config, tamper.Sign)
		ready() error
	})
	client.take(cfg, sign)
	if err := client.ready(); err != nil {
		return nil, fmt.Errorf("behaviour %s: %w", c.Name, err)
	}
	return client, nil
}
