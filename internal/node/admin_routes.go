package node

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// index is the answer at the root path.
const index = `/metrics       for Prometheus, see docs/metrics.md
/healthz       200 while the replica works
/readyz        200 while it serves clients with a quorum, else 503 and why not
/status        its report, in JSON
/ui/           a page that shows this replica's view of the cluster as it works
/debug/pprof/  profiles of the Go runtime
`

// scrapesAtOnce bounds how many scrapes run at the same time, so that a scraper that repeats its request before the
// answer costs no more.
const scrapesAtOnce = 4

func (a *admin) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, index) })
	mux.HandleFunc("GET /healthz", a.healthz)
	mux.HandleFunc("GET /readyz", a.readyz)
	mux.HandleFunc("GET /status", a.status)
	mux.Handle("/ui/", (&ui{node: a.node}).handler())
	mux.Handle("GET /metrics", promhttp.HandlerFor(a.node.metrics.registry, promhttp.HandlerOpts{MaxRequestsInFlight: scrapesAtOnce}))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

// stallPatience is how long the loop may wait for its disk before it counts as stuck: longer than the slowest sync of a
// slow disk, and short enough for an operator to wait for.
const stallPatience = 10 * time.Second

// stuck returns why the loop takes no turns, or "" if it does. If writing the journal fails, the process ends; if it
// hangs, this text says so.
func stuck(stalled time.Duration) string {
	if stalled < stallPatience {
		return ""
	}
	return fmt.Sprintf("no turn has ended for %v: does the disk hang?", stalled.Round(time.Second))
}

func (a *admin) healthz(w http.ResponseWriter, _ *http.Request) {
	wrong := stuck(a.node.stalled())
	if lost := a.node.amnesiac.Load(); wrong == "" && lost != nil { // a restart would not help
		say(w, http.StatusOK, "waits for others: it may have forgotten what it signed: "+lost.Why+"\n")
		return
	}
	answer(w, wrong)
}

func (a *admin) readyz(w http.ResponseWriter, _ *http.Request) {
	why := stuck(a.node.stalled())
	if health := a.node.Report().Health; why == "" && health != Healthy {
		why = health
	}
	answer(w, why)
}

func (a *admin) status(w http.ResponseWriter, _ *http.Request) {
	document, err := json.MarshalIndent(a.node.Report(), "", "  ")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(document, '\n')) // fails only if the client has gone
}

// answer sends one line that says that all is well, or what is wrong.
func answer(w http.ResponseWriter, wrong string) {
	if wrong != "" {
		say(w, http.StatusServiceUnavailable, wrong+"\n")
		return
	}
	say(w, http.StatusOK, Healthy+"\n")
}

func say(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, text) // as in status
}
