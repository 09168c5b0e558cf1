package page

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"tagma/client/status"
	"tagma/crypto"
	"tagma/internal/page"
	"tagma/internal/reach"
	"tagma/internal/trace"
	"tagma/testnet/byzantine"
	"tagma/testnet/concepts"
	"tagma/testnet/local"
	"tagma/testnet/play"
	"tagma/testnet/play/processes"
)

// Live is a cluster of processes with a page from which it can be changed.
type Live struct {
	cluster *local.Cluster
	hub     *page.Hub
	watch   *watch
	clients *clients
	title   string

	acting sync.Mutex // held while an action changes the cluster; guards the fields that follow
	paused map[int]bool
	full   map[int]bool // replicas whose disks are full, in a life that has not ended yet
	liars  map[int]bool
	skew   map[int]time.Duration

	showing sync.Mutex // held while a card is shown
	shown   sync.Map   // the files with the traces of cards, by name
}

// Options completes the options of a cluster so that it can have a page.
func Options(o local.Options) local.Options {
	o.Shown, o.Corruptible, o.Clients, o.Data = true, true, LoadClients, processes.DataDir
	return o
}

// NewLive makes the page of a cluster that was made with Options. The caller must call Close.
func NewLive(c *local.Cluster, title string) *Live {
	l := &Live{
		cluster: c, title: title, paused: make(map[int]bool), full: make(map[int]bool), liars: make(map[int]bool),
		skew: make(map[int]time.Duration),
	}
	l.hub = page.NewHub(page.Header(trace.Header{Engine: play.Processes, Replicas: len(c.File.Replicas), Name: title}), keptBytes, keptFor)
	l.clients = newClients(c, func(e trace.Event) { l.watch.own.Emit(e) })
	l.watch = newWatch(c, l.hub, 0, l.clients.loaded)
	return l
}

// Died must be called when a process has ended that was not told to.
func (l *Live) Died(d local.Death) { l.watch.died(d) }

// Close ends the load and the stream. The cluster continues to run.
func (l *Live) Close() {
	l.clients.close()
	l.watch.close()
	l.hub.End()
}

// Page is what is served.
func (l *Live) Page() *page.Page {
	return &page.Page{About: l.about, Stream: l.hub.Stream, Why: l.why, Act: l.Act, Card: l.cardTrace}
}

func (l *Live) about() page.About {
	a := aboutCluster(l.cluster)
	a.Mode, a.Title, a.Acts = page.Live, l.title, l.acts()
	a.Behaviours = slices.DeleteFunc(byzantine.Rows(), func(r byzantine.Row) bool { return r.Who != byzantine.OfReplica })
	a.Questions, a.Cards = concepts.Questions, cards()
	return a
}

// aboutCluster returns the description of a cluster of processes that the page shows.
func aboutCluster(c *local.Cluster) page.About {
	cfg, _ := c.File.Config(0) // the cluster runs with it
	a := page.About{
		Engine: play.Processes, Machine: c.File.Machine,
		CheckpointInterval: int(cfg.CheckpointInterval), Window: int(cfg.LogWindow), ViewTimeoutMillis: cfg.ViewTimeout.Milliseconds(),
	}
	for _, client := range c.File.Clients {
		a.Clients = append(a.Clients, client.Name)
	}
	return a.Sized(len(c.File.Replicas))
}

// whyPatience is how long replicas may take to send their reports. Dead replicas never send one.
const whyPatience = 3 * time.Second

// Why is the document that `tagma why --json` prints.
type Why struct {
	Cluster string         `json:"cluster"`
	Causes  []status.Cause `json:"causes"`
}

func (l *Live) why(ctx context.Context) (any, error) { return why(ctx, l.cluster) }

// why asks a cluster's replicas for their reports, as the command `tagma why` does.
func why(ctx context.Context, c *local.Cluster) (any, error) {
	key, err := crypto.ReadKey(c.ClientKey(0))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, whyPatience)
	defer cancel()
	s, err := reach.Inquire(ctx, c.File, key)
	if s == nil {
		return nil, err
	}
	return Why{s.Cluster, append([]status.Cause{}, s.Why()...)}, nil
}

// cards returns the cards of concepts of fault tolerance, for the page.
func cards() (all []page.Card) {
	for _, c := range concepts.Cards {
		all = append(all, page.Card{
			Name: c.Name, Question: c.Question, Title: c.Title, Text: c.Text, Look: c.Look, Code: c.Code, Scenario: c.Scenario,
			Live: c.Live != nil,
		})
	}
	return all
}

// card demonstrates a concept in a cluster of its own, and keeps the trace.
func card(ctx context.Context, l *Live, a *page.Act) (*page.Done, error) {
	c, known := concepts.Find(a.Name)
	if !known {
		return nil, page.Refusef(http.StatusBadRequest, "bad", "there is no card %q", a.Name)
	}
	if !l.showing.TryLock() {
		return nil, page.Refusef(http.StatusServiceUnavailable, "busy", "another card is being shown; wait until it is over")
	}
	defer l.showing.Unlock()
	dir, err := os.MkdirTemp("", "tagma-card-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // it is temporary
	file := filepath.Join(l.cluster.Dir, "card-"+c.Name+".jsonl")
	outcome, err := concepts.ShowTraced(ctx, c, dir, file)
	if err != nil {
		return nil, err
	}
	l.shown.Store(c.Name, file)
	said := "it happened: " + outcome.Saw
	if !outcome.Shown {
		said = "it did not happen as the card says: " + outcome.Why
	}
	return &page.Done{Said: said, Result: map[string]any{"outcome": outcome, "trace": "api/card/" + c.Name}}, nil
}

func (l *Live) cardTrace(name string) (string, error) {
	file, shown := l.shown.Load(name)
	if !shown {
		return "", page.Refusef(http.StatusNotFound, "none", "the card %q was not shown yet", name)
	}
	return file.(string), nil
}
