package node

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"tagma/client/status"
	"tagma/internal/page"
	"tagma/internal/trace"
)

// Bounds of the page of a node. The page must cost a working replica little. So there are bounds on how many people look
// at a time, on how much is kept for those that come later, and on how many lines each is sent in a second.
const (
	uiLooking  = 4
	uiBytes    = 8 << 20
	uiAge      = time.Minute
	uiLines    = 3000
	uiEvery    = 100 * time.Millisecond
	uiMost     = 1 << 12
	uiPatience = time.Second // between two reports
)

// ui is the page at /ui/. It shows this replica's view of the cluster, from the replica's own events; nothing can be
// changed there. Events are made only while somebody looks.
type ui struct {
	node *Node

	mu      sync.Mutex
	looking int
	hub     *page.Hub // nil while nobody looks
	end     func()
}

// handler serves the page below /ui.
func (u *ui) handler() http.Handler {
	p := &page.Page{About: u.about, Stream: u.stream, Why: u.why, Abroad: true, Looking: uiLooking}
	return http.StripPrefix("/ui", p.Handler())
}

func (u *ui) about() page.About {
	cfg, file := &u.node.home.Config, u.node.home.Cluster
	self := int(cfg.Self)
	a := page.About{
		Mode: page.Node, Title: fmt.Sprintf("replica %d of cluster %.8s", self, cfg.Cluster), Engine: "processes", Machine: file.Machine, Self: &self,
		CheckpointInterval: int(cfg.CheckpointInterval), Window: int(cfg.LogWindow), ViewTimeoutMillis: cfg.ViewTimeout.Milliseconds(),
	}
	for _, c := range file.Clients {
		a.Clients = append(a.Clients, c.Name)
	}
	return a.Sized(cfg.N())
}

// why returns what this replica finds wrong. It is only one replica's opinion: what keeps the cluster from committing
// can be found only by asking all replicas, as the command tagma why does.
func (u *ui) why(context.Context) (any, error) {
	r := u.node.Report()
	causes := []status.Cause{}
	if r.Health != Healthy {
		causes = append(causes, status.Cause{
			Code: "own-report", Text: "replica " + strconv.Itoa(r.Replica) + ": " + r.Health, Mend: "ask all replicas: tagma why",
			Replicas: []int{r.Replica},
		})
	}
	return map[string]any{"cluster": fmt.Sprintf("%x", u.node.home.Config.Cluster[:]), "causes": causes}, nil
}

// stream sends a browser what happens, for as long as it is connected.
func (u *ui) stream(ctx context.Context, out *page.Lines) error {
	u.mu.Lock()
	if u.looking++; u.looking == 1 {
		u.begin()
	}
	hub := u.hub
	u.mu.Unlock()
	defer func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		if u.looking--; u.looking == 0 {
			u.end()
			u.hub = nil
		}
	}()
	return hub.Stream(ctx, out)
}

// begin begins to gather events. The mutex is held.
func (u *ui) begin() {
	header := trace.Header{Engine: "processes", Replicas: u.node.home.Config.N()}
	hub, g := page.NewHub(page.Header(header), uiBytes, uiAge), new(page.Gatherer)
	stop := u.node.Watch(g.Put)
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() {
		defer close(over)
		u.feed(ctx, hub, g)
	}()
	u.hub, u.end = hub, func() { stop(); cancel(); <-over }
}

// feed gives the hub each event, and once a second the replica's report.
func (u *ui) feed(ctx context.Context, hub *page.Hub, g *page.Gatherer) {
	ticker := time.NewTicker(uiEvery)
	defer ticker.Stop()
	every, lines, left, told := uint64(1), uint64(0), uint64(0), time.Time{}
	for {
		b := g.Take(uiMost)
		lines, left = lines+uint64(len(b.Events))+b.LeftOut, left+b.LeftOut
		var text []byte
		for _, e := range b.Events {
			text = append(append(text, e.Line...), '\n')
		}
		if now := time.Now(); now.Sub(told) >= uiPatience {
			text = append(text, u.report(now)...)
			was := every
			if !told.IsZero() {
				every = page.Sampled(was, float64(lines)/now.Sub(told).Seconds(), uiLines)
			}
			if g.Every(every); every != was || left > 0 {
				text = append(text, page.Frame{
					Frame: "sampling", At: now.UnixMicro(), Sampling: &page.Sampling{Every: every, LeftOut: left},
				}.Line()...)
			}
			lines, left, told = 0, 0, now
		}
		hub.Put(text)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// report returns this replica's report as a line. The page has no reports of other replicas.
func (u *ui) report(now time.Time) []byte {
	reports := make([]*Report, u.node.home.Config.N())
	reports[u.node.home.Config.Self] = new(u.node.Report())
	return page.Frame{Frame: "reports", At: now.UnixMicro(), Reports: reports}.Line()
}
