package replica

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"tagma/pbft/driver"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// ErrBack says that the journal of a replica that waited for the others is there again, because its disk was mounted.
// The process must end; its next start continues as if nothing had happened (D8.12).
var ErrBack = errors.New("the journal is there again: start this replica again, it goes on as if nothing had happened")

// Asking is a replica that may have forgotten what it signed, until n−f others have answered. From their answers it
// knows from which view on its votes cannot contradict earlier ones (D8.6). It writes nothing to the disk: otherwise it
// could hide a disk that is mounted later.
type Asking struct {
	driver.Asker
	home  *Home
	Why   string        // what the start found
	Every time.Duration // how often Waits returns a text
	had   bool          // there is an intact journal of the right life already, from which a start has led here
	said  time.Duration
	told  string // the last text that was returned
}

// NewAsking returns the Asking of a home in which a start found an Amnesia.
func NewAsking(h *Home, why string) *Asking {
	a := &Asking{Asker: driver.NewAsker(h.Config, h.newNonce()), home: h, Why: why, Every: sayEvery}
	a.had = a.isThere()
	return a
}

// Take gives the replica an event and performs the effects. It returns true once the journal of a new life is written;
// the replica must then be started again, from that journal.
func (a *Asking) Take(ev port.Event, out driver.Transport, observers ...driver.Observer) (again bool, err error) {
	if err := a.Asker.Take(ev, out, observers...); err != nil {
		return false, err
	}
	rec, told := a.Recovery()
	if !told {
		return false, nil
	}
	return true, Begin(a.home, rec)
}

// sayEvery is how often an Asking reports what it waits for, and looks for its journal.
const sayEvery = time.Minute

// Waits returns a text that says which replicas have answered and which of them also lost data. It does so from time to
// time, and soon after that has changed; otherwise it returns "". Waits also checks whether the journal is there again;
// in that case the error is ErrBack.
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

// isThere reports whether there is an intact journal from which a start would continue.
func (a *Asking) isThere() bool {
	life, err := readMark(a.home.Life)
	if err != nil {
		return false
	}
	_, err = new(Disk).look(a.home, life)
	return err == nil
}

// Proven is the reason given for a replica to which another one showed a statement that its journal lacks (D8.5).
func Proven(said string, witness wire.ReplicaID) string {
	return fmt.Sprintf("replica %d holds what this replica signed and its journal lacks: %s: an old copy of its disk", witness, said)
}

// Describe returns one line that says which replicas have answered, which of them also lost data, and what an operator
// can do.
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
		cfg.Remaining(), list(whole), list(lost), list(silent), a.help(len(lost)))
}

func (a *Asking) help(lost int) string {
	if lost+1 <= a.home.Config.N()-a.home.Config.Remaining() {
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
