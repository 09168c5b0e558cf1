package page

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"tagma/internal/machines"
	"tagma/internal/page"
	"tagma/internal/trace"
	"tagma/testnet/byzantine"
	"tagma/testnet/play/processes"
)

// act is one action that a page can perform on a cluster. It returns a text that follows the names of the replicas and
// says what was done.
type act struct {
	name string
	only string // the machine that the cluster must run; "": any
	do   func(context.Context, *Live, *page.Act) (*page.Done, error)
}

var acts = []act{
	{"kill", "", kill},
	{"start", "", start},
	{"restart", "", restart},
	{"pause", "", pause},
	{"resume", "", resume},
	{"wipe", "", wipe},
	{"disk-full", "", fillDisk},
	{"flip-bit", "", flipBit},
	{"malicious", "", malicious},
	{"honest", "", honest},
	{"partition", "", partition},
	{"link", "", link},
	{"heal", "", heal},
	{"clock", "", clock},
	{"load", machines.KV, load},
	{"put", machines.KV, put},
	{"get", machines.KV, get},
	{"delete", machines.KV, remove},
	{"card", "", card},
}

// orderPatience is how long replicas may take to carry out an order.
const orderPatience = 10 * time.Second

// Act performs the action that the page asks for. Actions on the cluster are performed one after the other. Requests and
// cards do not wait for them.
func (l *Live) Act(ctx context.Context, a *page.Act) (*page.Done, error) {
	i := slices.IndexFunc(acts, func(known act) bool { return known.name == a.Act && known.suits(l.cluster.File.Machine) })
	if i < 0 {
		return nil, page.Refusef(http.StatusBadRequest, "bad", "there is no act %q here; there are %s", a.Act, strings.Join(l.acts(), ", "))
	}
	if !slices.Contains([]string{"put", "get", "delete", "card"}, a.Act) {
		l.acting.Lock()
		defer l.acting.Unlock()
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, orderPatience)
		defer cancel()
	}
	return acts[i].do(ctx, l, a)
}

func (a *act) suits(machine string) bool { return a.only == "" || a.only == machine }

// acts are the actions, by name.
func (l *Live) acts() (names []string) {
	for _, a := range acts {
		if a.suits(l.cluster.File.Machine) {
			names = append(names, a.name)
		}
	}
	return names
}

// said describes what was done. The same text is in the timeline.
func (l *Live) said(step, format string, args ...any) *page.Done {
	text := fmt.Sprintf(format, args...)
	l.watch.own.Emit(&trace.Fault{Step: step, Does: text})
	return &page.Done{Said: text}
}

// noted records an action that is not a fault.
func (l *Live) noted(format string, args ...any) *page.Done {
	text := fmt.Sprintf(format, args...)
	l.watch.frame(page.Frame{Frame: "note", Text: text})
	return &page.Done{Said: text}
}

// replicas checks the replicas that an action names. The argument runs says whether they must be running or must not.
func (l *Live) replicas(ids []int, runs bool) error {
	if len(ids) == 0 {
		return page.Refusef(http.StatusBadRequest, "bad", "name at least one replica")
	}
	for i, id := range ids {
		switch {
		case id < 0 || id >= len(l.cluster.File.Replicas) || slices.Contains(ids[:i], id):
			return page.Refusef(http.StatusBadRequest, "bad", "replicas %v: name some of 0 to %d, each once", ids, len(l.cluster.File.Replicas)-1)
		case runs && l.cluster.Pid(id) == 0:
			return page.Refusef(http.StatusConflict, "state", "replica %d does not run; start it first", id)
		case !runs && l.cluster.Pid(id) != 0:
			return page.Refusef(http.StatusConflict, "state", "replica %d runs already", id)
		}
	}
	return nil
}

// named are replicas in words.
func named(ids []int) string {
	words := make([]string, len(ids))
	for i, id := range ids {
		words[i] = fmt.Sprint(id)
	}
	if len(ids) == 1 {
		return "replica " + words[0]
	}
	return "replicas " + strings.Join(words[:len(ids)-1], ", ") + " and " + words[len(ids)-1]
}

// end kills running replicas and reports that.
func (l *Live) end(ids []int) {
	l.cluster.Kill(ids...)
	for _, id := range ids {
		delete(l.paused, id)
		delete(l.full, id)
		l.watch.taps[id].Emit(&trace.Process{Step: trace.Crashed, Why: "killed on the page"})
	}
}

func kill(_ context.Context, l *Live, a *page.Act) (*page.Done, error) {
	if err := l.replicas(a.Replicas, true); err != nil {
		return nil, err
	}
	l.end(a.Replicas)
	return l.said(trace.Fired, "kill %s", named(a.Replicas)), nil
}

func start(_ context.Context, l *Live, a *page.Act) (*page.Done, error) {
	if err := l.replicas(a.Replicas, false); err != nil {
		return nil, err
	}
	return l.said(trace.Healed, "start %s", named(a.Replicas)), l.cluster.Start(a.Replicas...)
}

func restart(_ context.Context, l *Live, a *page.Act) (*page.Done, error) {
	if err := l.replicas(a.Replicas, true); err != nil {
		return nil, err
	}
	l.end(a.Replicas)
	return l.said(trace.Fired, "kill %s, and start again on the same disk", named(a.Replicas)), l.cluster.Start(a.Replicas...)
}

func pause(_ context.Context, l *Live, a *page.Act) (*page.Done, error) {
	if err := l.replicas(a.Replicas, true); err != nil {
		return nil, err
	}
	if err := l.cluster.Pause(a.Replicas...); err != nil {
		return nil, err
	}
	for _, id := range a.Replicas {
		l.paused[id] = true
		l.watch.taps[id].Emit(&trace.Process{Step: trace.Paused})
	}
	return l.said(trace.Fired, "pause %s", named(a.Replicas)), nil
}

func resume(_ context.Context, l *Live, a *page.Act) (*page.Done, error) {
	if err := l.replicas(a.Replicas, true); err != nil {
		return nil, err
	}
	return l.said(trace.Healed, "resume %s", named(a.Replicas)), l.resume(a.Replicas)
}

func (l *Live) resume(ids []int) error {
	if err := l.cluster.Resume(ids...); err != nil {
		return err
	}
	for _, id := range ids {
		delete(l.paused, id)
		l.watch.taps[id].Emit(&trace.Process{Step: trace.GoesOn})
	}
	return nil
}

// wipe deletes the data of replicas. They run again afterwards, with the same keys.
func wipe(_ context.Context, l *Live, a *page.Act) (*page.Done, error) {
	for _, id := range a.Replicas {
		if id >= 0 && id < len(l.cluster.File.Replicas) && l.cluster.Pid(id) == 0 {
			continue
		}
		if err := l.replicas([]int{id}, true); err != nil {
			return nil, err
		}
	}
	if len(a.Replicas) == 0 {
		return nil, l.replicas(nil, true)
	}
	l.end(slices.DeleteFunc(slices.Clone(a.Replicas), func(id int) bool { return l.cluster.Pid(id) == 0 }))
	for _, id := range a.Replicas {
		if err := processes.Wipe(l.cluster.Home(id)); err != nil {
			return nil, fmt.Errorf("wipe the disk of replica %d: %w", id, err)
		}
	}
	return l.said(trace.Fired, "wipe the data of %s, and start again with the same key", named(a.Replicas)), l.cluster.Start(a.Replicas...)
}

func fillDisk(ctx context.Context, l *Live, a *page.Act) (*page.Done, error) {
	if err := l.replicas(a.Replicas, true); err != nil {
		return nil, err
	}
	for _, id := range a.Replicas {
		l.full[id] = true
	}
	return l.said(trace.Fired, "fill the disk of %s", named(a.Replicas)), l.cluster.FillDisks(ctx, a.Replicas...)
}

func flipBit(ctx context.Context, l *Live, a *page.Act) (*page.Done, error) {
	if err := l.replicas(a.Replicas, true); err != nil {
		return nil, err
	}
	what := "the next value that is written"
	if a.Key != "" {
		what = fmt.Sprintf("the next value of %q", a.Key)
	}
	return l.said(trace.Fired, "flip a bit in %s, in the state of %s", what, named(a.Replicas)), l.cluster.FlipState(ctx, a.Key, a.Replicas...)
}

func malicious(ctx context.Context, l *Live, a *page.Act) (*page.Done, error) {
	if a.Replica == nil {
		return nil, l.replicas(nil, true)
	}
	id := *a.Replica
	if err := l.replicas([]int{id}, true); err != nil {
		return nil, err
	}
	choice := byzantine.Choice{Name: a.Behaviour, Values: map[string]string{}}
	for name, value := range a.Parameters {
		if value != "" {
			choice.Values[name] = value
		}
	}
	if err := byzantine.Check(choice, len(l.cluster.File.Replicas)); err != nil {
		return nil, page.Refusef(http.StatusBadRequest, "bad", "replica %d cannot be malicious like this: %w", id, err)
	}
	if err := l.cluster.Corrupt(ctx, id, choice); err != nil {
		return nil, err
	}
	l.liars[id] = true
	return l.said(trace.Fired, "replica %d turns malicious: %v", id, choice), nil
}

func honest(ctx context.Context, l *Live, a *page.Act) (*page.Done, error) {
	if a.Replica == nil || *a.Replica < 0 || *a.Replica >= len(l.cluster.File.Replicas) {
		return nil, l.replicas(nil, true)
	}
	delete(l.liars, *a.Replica)
	return l.said(trace.Healed, "replica %d is honest again", *a.Replica), l.cluster.Reform(ctx, *a.Replica)
}
