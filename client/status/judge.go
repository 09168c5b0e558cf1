package status

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Status is what the replicas' reports mean together.
type Status struct {
	Cluster  string    `json:"cluster"`    // its id
	Durable  string    `json:"durability"` // whether votes wait until they are durable
	Quorum   int       `json:"quorum"`
	Answered int       `json:"answered"`
	Healthy  bool      `json:"healthy"`
	Problem  string    `json:"problem,omitempty"` // why it is not healthy
	MayFail  int       `json:"may_fail"`          // how many more replicas may fail before service stops
	Replicas []Replica `json:"replicas"`          // by number
}

// Replica is a replica's report, or the reason why there is none.
type Replica struct {
	Replica   int    `json:"replica"` // its number
	Reachable bool   `json:"reachable"`
	Error     string `json:"error,omitempty"`
	*Report          // nil if the replica is not reachable
	// Document is the report as it was received, in JSON. A replica of a later release may report more than Report holds.
	Document []byte `json:"-"`
}

// Unreachable says why there is no report. The replica's name, which begins an error, is left out.
func (r *Replica) Unreachable() string {
	if r == nil {
		return ""
	}
	why := r.Error
	if _, after, named := strings.Cut(why, ") "); named && strings.HasPrefix(why, "replica ") {
		why = after
	}
	return strings.TrimPrefix(why, "cannot be reached at ")
}

// Answer is what one replica answered.
type Answer struct {
	Replica  int    // its number
	Document []byte // its report, in JSON
	Err      error  // why there is none
}

// Cluster is what Judge must know about a cluster.
type Cluster struct {
	ID         string
	Durability string
	Quorum     int // how many replicas are needed to execute anything
}

// Judge reads the answers of a cluster's replicas, of all of them in the order of their numbers, and says what they mean.
func Judge(of Cluster, answers []Answer) *Status {
	s := &Status{Cluster: of.ID, Durable: of.Durability, Quorum: of.Quorum}
	for _, a := range answers {
		r := Replica{Replica: a.Replica}
		report := new(Report)
		err := a.Err
		if err == nil {
			if err = json.Unmarshal(a.Document, report); err != nil {
				err = fmt.Errorf("replica %d: its report is unreadable: %w", a.Replica, err)
			}
		}
		if err == nil {
			r.Reachable, r.Report, r.Document = true, report, a.Document
			s.Answered++
		} else {
			r.Error = err.Error()
		}
		s.Replicas = append(s.Replicas, r)
	}
	s.judge()
	return s
}

// Err returns why the cluster is not healthy, or nil.
func (s *Status) Err() error {
	switch {
	case s == nil:
		return errors.New("no status")
	case s.Problem == "":
		return nil
	}
	return errors.New("the cluster is not healthy: " + s.Problem)
}

// Upgrade says what an upgrade of the application's state to a version would do. The answer relies on what replicas
// report about themselves, which nobody confirms.
type Upgrade struct {
	State   int   // the version of the state, as some correct replica has it; 0: too few replicas report one
	Known   bool  // some replica's program knows the version
	Stops   []int // replicas that would stop, because their programs do not know the version
	Unknown []int // replicas that did not report which versions their programs know
}

// Upgrade looks at what the replicas report of the versions that their programs know.
func (s *Status) Upgrade(to int) Upgrade {
	var u Upgrade
	var states []int
	if s == nil {
		return u
	}
	for i := range s.Replicas {
		switch r := &s.Replicas[i]; {
		case r.Report == nil || r.NewestVersion == 0:
			u.Unknown = append(u.Unknown, r.Replica)
			continue
		case r.NewestVersion < to:
			u.Stops = append(u.Stops, r.Replica)
		default:
			u.Known = true
		}
		states = append(states, s.Replicas[i].StateVersion)
	}
	slices.Sort(states)
	// Among so many replicas at least one is correct.
	if weak := len(s.Replicas) - s.Quorum + 1; weak > 0 && len(states) >= weak {
		u.State = states[len(states)-weak]
	}
	return u
}

// judge decides how many more replicas may fail, and why the cluster is not in order. If f replicas lie about
// themselves or about others, the worst result is that no more replicas may fail. Different states at the same
// checkpoint are the exception: they always raise an alarm, because one of the replicas is at fault in any case.
func (s *Status) judge() {
	standing, why := s.standing()
	more := s.spare(standing)
	if one, other := s.differ(); one != other { // one of the two lies
		more--
		s.Problem = fmt.Sprintf("replicas %d and %d name different states at checkpoint %d: one of them lies or is damaged; %d more may fail",
			one, other, s.Replicas[one].StableCheckpoint, max(0, more))
	}
	s.MayFail = max(0, more)
	if split := s.split(); split != nil && s.Problem == "" {
		s.Problem = fmt.Sprintf("replica %d: %s; %d more may fail", split.Replica, split.Health, s.MayFail)
	}
	if s.Problem == "" || s.Answered < s.Quorum {
		s.Problem = s.stopped()
	}
	switch {
	case s.Problem != "":
	case more < 0:
		s.Problem = fmt.Sprintf("nothing gets done: fewer than %d replicas are in order and linked with each other: %s", s.Quorum, why)
	case more == 0:
		s.Problem = "service is at its edge, 0 more replicas may fail: " + why
	}
	s.Healthy = s.Problem == ""
}

// differ finds two replicas that name different states at the same checkpoint. If there are none, it returns the same
// replica twice.
func (s *Status) differ() (one, other int) {
	states := make(map[uint64]int)
	for i := range s.Replicas {
		r := &s.Replicas[i]
		if !r.Reachable {
			continue
		}
		if first, known := states[r.StableCheckpoint]; !known {
			states[r.StableCheckpoint] = i
		} else if s.Replicas[first].StateDigest != r.StateDigest {
			return first, i
		}
	}
	return 0, 0
}

// split is the first replica that reports a checkpoint that can never be stable.
func (s *Status) split() *Replica {
	for i := range s.Replicas {
		if r := &s.Replicas[i]; r.Reachable && r.Split > 0 {
			return r
		}
	}
	return nil
}

// stopped returns why the cluster executes nothing, or "" if the views show no reason.
func (s *Status) stopped() string {
	if s.Answered < s.Quorum {
		return fmt.Sprintf("%d of %d replicas answer, and %d are needed to get anything done: start the others, or mend the way to them",
			s.Answered, len(s.Replicas), s.Quorum)
	}
	if unclean := s.unclean(); len(unclean) > len(s.Replicas)-s.Quorum {
		return fmt.Sprintf("power cut: not durable: replicas %s stopped before their last votes were durable, more than the cluster can do"+
			" without: it stays halted, and what was acknowledged last may be gone; only a restore as a new cluster helps",
			strings.Join(unclean, ", "))
	}
	_, most := s.view()
	if lost := s.lost(); most < s.Quorum && len(lost) > 0 {
		return fmt.Sprintf("replicas %s lost data, more than the cluster can do without: nobody serves; mount their data disks and"+
			" start them again", strings.Join(lost, ", "))
	}
	if most < s.Quorum {
		return fmt.Sprintf("no view is active on %d replicas (on %d at most): they are changing views; look again in a moment",
			s.Quorum, most)
	}
	return ""
}

// view returns the view that is active on most replicas, and the number of these replicas.
func (s *Status) view() (view uint64, most int) {
	active := make(map[uint64]int)
	for i := range s.Replicas {
		if r := &s.Replicas[i]; r.Reachable && r.Active {
			if active[r.View]++; active[r.View] > most {
				view, most = r.View, active[r.View]
			}
		}
	}
	return view, most
}

// standing returns the replicas that count: each of them answers, reports itself healthy, is active in the view in
// which most replicas are active, and is not considered a liar. The texts that it also returns say what is wrong with
// the others, and which links are missing.
func (s *Status) standing() (standing map[int]*Replica, why string) {
	view, _ := s.view()
	liars, proofs := s.liars()
	standing = make(map[int]*Replica)
	var wrong []string
	for i := range s.Replicas {
		r := &s.Replicas[i]
		switch {
		case !r.Reachable:
			wrong = append(wrong, fmt.Sprintf("replica %d does not answer", r.Replica))
		case r.Health != Healthy:
			wrong = append(wrong, fmt.Sprintf("replica %d: %s", r.Replica, r.Health))
		case !r.Active:
			wrong = append(wrong, fmt.Sprintf("replica %d is changing views", r.Replica))
		case r.View != view:
			wrong = append(wrong, fmt.Sprintf("replica %d is in view %d, and most are in view %d", r.Replica, r.View, view))
		case !liars[r.Replica]:
			standing[r.Replica] = r
		}
	}
	for _, i := range slices.Sorted(maps.Keys(standing)) {
		for j := i + 1; j < len(s.Replicas); j++ {
			if other := standing[j]; other != nil && !linked(standing[i], other) {
				wrong = append(wrong, fmt.Sprintf("replicas %d and %d are not linked", i, j))
			}
		}
	}
	return standing, some(append(wrong, proofs...))
}

// some joins the first few reasons into one text.
func some(reasons []string) string {
	const few = 6
	if more := len(reasons) - few; more > 0 {
		reasons = append(reasons[:few:few], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(reasons, "; ")
}

// liars is the smallest set of replicas whose lies explain every reported proof and every reported double use of a key:
// either those that are accused, or those that accuse them.
func (s *Status) liars() (liars map[int]bool, proofs []string) {
	accused, accusers := make(map[int]bool), make(map[int]bool)
	for i := range s.Replicas {
		r := &s.Replicas[i]
		if !r.Reachable {
			continue
		}
		for _, c := range r.Convicted {
			accused[c.Replica], accusers[r.Replica] = true, true
			proofs = append(proofs, fmt.Sprintf("replica %d has proof against replica %d: %s", r.Replica, c.Replica, c.Kind))
		}
		for _, id := range r.Twice {
			accused[id], accusers[r.Replica] = true, true
			proofs = append(proofs, fmt.Sprintf("replica %d sees two processes under the key of replica %d", r.Replica, id))
		}
	}
	if len(accusers) < len(accused) {
		return accusers, proofs
	}
	return accused, proofs
}

// spare returns how many of the standing replicas may fail without stopping the service. After that many failures,
// the others must still contain a quorum of replicas, each of which is linked with a quorum. It returns -1 if there
// is no such quorum even now.
func (s *Status) spare(standing map[int]*Replica) int {
	links := make(map[int]int)
	for i, r := range standing {
		for _, other := range standing {
			if linked(r, other) {
				links[i]++
			}
		}
	}
	more := -1
	for k := 0; s.Quorum+k <= len(standing); k++ {
		enough := 0
		for _, n := range links {
			if n >= s.Quorum+k {
				enough++
			}
		}
		if enough >= s.Quorum+k {
			more = k
		}
	}
	return more
}

// settling is how long replicas that have just started may take until they are linked.
const settling = 10_000 // ms

// linked reports whether both replicas report a link with each other, or one of them has just started.
func linked(a, b *Replica) bool {
	return a.Replica == b.Replica || min(a.UptimeMillis, b.UptimeMillis) < settling ||
		slices.Contains(a.Connected, b.Replica) && slices.Contains(b.Connected, a.Replica)
}

// lost lists the replicas that may have forgotten what they signed. unclean lists those that are silent because an
// unclean stop may have lost their votes.
func (s *Status) lost() []string {
	return s.coming(func(r *Recovery) bool { return r.Phase == PhaseForgotten })
}

func (s *Status) unclean() []string {
	return s.coming(func(r *Recovery) bool { return r.Unclean })
}

// coming lists the replicas that are recovering and whose recovery meets a condition.
func (s *Status) coming(so func(*Recovery) bool) (ids []string) {
	for i := range s.Replicas {
		if r := &s.Replicas[i]; r.Reachable && r.Recovery != nil && so(r.Recovery) {
			ids = append(ids, fmt.Sprint(r.Replica))
		}
	}
	return ids
}
