package replica

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"tagma/pbft/amnesia"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// ErrBack says that the journal of a replica that waited for others is there again: its disk was mounted. The process
// ends and starts as if nothing had happened (D8.12).
var ErrBack = errors.New("the journal is there again: start this replica again, it goes on as if nothing had happened")

// Asking is a replica that may have forgotten what it signed, until n−f others have told it from where on it
// contradicts nothing (D8.6). It writes nothing: a disk that is mounted later must not be hidden.
type Asking struct {
	*amnesia.Amnesiac
	home  *Home
	Why   string        // what was found
	Every time.Duration // how often Waits says something
	// Stepped, if not nil, is called with each event and its effects.
	Stepped func(ev port.Event, effects []port.Effect)
	had     bool // there is a sound journal of the right life already, and it does not help
	said    time.Duration
	told    string // what was said last
}

// NewAsking returns one for a home in which a start found an amnesia.
func NewAsking(h *Home, why string) *Asking {
	a := &Asking{Amnesiac: amnesia.New(h.Config, h.newNonce()), home: h, Why: why, Every: sayEvery}
	a.had = a.isThere()
	return a
}

// Outlet carries what one that asks may do.
type Outlet interface {
	// Send sends a message to another replica. It never blocks and may lose it.
	Send(to wire.ReplicaID, m wire.Message)
	// Respond answers a client.
	Respond(reply *wire.Reply)
	// Observe takes a port.Dropped.
	Observe(e port.Effect)
}

// Take gives it an event and does what comes of it. It reports true once the journal of a new life is written: then the
// replica starts again from it.
func (a *Asking) Take(ev port.Event, out Outlet) (again bool, err error) {
	effects := a.Step(ev)
	if a.Stepped != nil {
		a.Stepped(ev, effects)
	}
	for _, effect := range effects {
		switch e := effect.(type) {
		case port.Send:
			out.Send(e.To, e.Msg)
		case port.Respond:
			out.Respond(e.Reply)
		case port.Dropped:
			out.Observe(e)
		default:
			return false, fmt.Errorf("a replica that asks what it signed does more than that: %T", effect)
		}
	}
	rec, told := a.Recovery()
	if !told {
		return false, nil
	}
	return true, Begin(a.home, rec)
}

// sayEvery is how often it says what it waits for, and looks for its journal.
const sayEvery = time.Minute

// Waits says who has answered and who lost data too, from time to time and soon after that has changed, and looks
// whether the journal has come back. The text is empty when it is not time to say anything.
func (a *Asking) Waits(now time.Duration) (text string, err error) {
	patience := min(2*a.home.Config.ViewTimeout, a.Every)
	if a.said > 0 && now-a.said < patience {
		return "", nil
	}
	text = a.Describe()
	if a.said > 0 && now-a.said < a.Every && text == a.told {
		return "", nil
	}
	a.said, a.told = max(now, 1), text
	if !a.had && a.isThere() {
		return "", ErrBack
	}
	return text, nil
}

// isThere reports whether there is a sound journal that a start would go on from.
func (a *Asking) isThere() bool {
	life, err := readMark(a.home.Life)
	if err != nil {
		return false
	}
	_, err = new(Disk).look(a.home, life)
	return err == nil
}

// Proven is the reason of a replica to which another one showed a statement that its journal lacks (D8.5).
func Proven(f port.Forgot) string {
	return fmt.Sprintf("replica %d holds what this replica signed and its journal lacks: a %s for view %d, sequence number %d:"+
		" an old copy of its disk", f.Witness, f.Said.Type, f.Said.View, f.Said.Seq)
}

// Describe says in a line who has answered, who lost data too, and what helps.
func (a *Asking) Describe() string {
	var whole, lost, silent []string
	for id, answer := range a.Answers() {
		name := fmt.Sprint(id)
		switch {
		case wire.ReplicaID(id) == a.home.Config.Self:
		case answer.Whole:
			whole = append(whole, name)
		case answer.Heard:
			lost = append(lost, name)
		default:
			silent = append(silent, name)
		}
	}
	cfg := a.home.Config
	return fmt.Sprintf("waits for %d other replicas that lost nothing; answered: %s; lost data too: %s; no answer: %s%s",
		cfg.N()-cfg.F(), list(whole), list(lost), list(silent), a.help(len(lost)))
}

func (a *Asking) help(lost int) string {
	if lost+1 <= a.home.Config.F() {
		return ""
	}
	return "; more replicas lost data than the cluster masks: mount their data disks and start them again; if the data are gone" +
		" for good, only a restore as a new cluster helps"
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
