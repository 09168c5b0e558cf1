package page

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const token = "0123456789abcdef"

// asked is a request to a page, and its answer.
func asked(p *Page, method, path string, change func(*http.Request)) *httptest.ResponseRecorder {
	body := io.Reader(nil)
	if method == http.MethodPost {
		body = strings.NewReader(`{"act":"kill","replicas":[1]}`)
	}
	r := httptest.NewRequest(method, "http://127.0.0.1:7000"+path, body)
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	p.Handler().ServeHTTP(w, r)
	return w
}

func bearer(given string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", given) }
}

// acting is a page that offers one act and counts how often it is asked for.
func acting() (p *Page, acts *int) {
	acts = new(int)
	return &Page{
		Token: token,
		About: func() About { return About{Mode: Live}.Sized(4) },
		Stream: func(_ context.Context, out *Lines) error {
			return out.Write(Frame{Frame: "kept"}.Line())
		},
		Why: func(context.Context) (any, error) { return "because", nil },
		Act: func(_ context.Context, a *Act) (*Done, error) {
			if len(a.Replicas) != 1 {
				return nil, Refusef(http.StatusBadRequest, "bad", "name one replica")
			}
			*acts++
			return &Done{Said: "killed"}, nil
		},
	}, acts
}

func TestToken_EveryCallNeedsIt(t *testing.T) {
	p, acts := acting()
	calls := map[string]string{"/api/about": "GET", "/api/stream": "GET", "/api/why": "GET", "/api/act": "POST", "/api/card/crash": "GET", "/api/x": "GET"}
	for path, method := range calls {
		for _, wrong := range []string{"", token, "Bearer", "Bearer " + token[1:], "Bearer " + token + "0"} {
			w := asked(p, method, path, bearer(wrong))
			if w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), `"code":"token"`) {
				t.Errorf("%s %s with %q: %d %s", method, path, wrong, w.Code, w.Body)
			}
		}
	}
	if *acts != 0 {
		t.Errorf("%d acts were done without the token", *acts)
	}
	for _, path := range []string{"/api/about", "/api/stream", "/api/why"} {
		if w := asked(p, "GET", path, bearer("Bearer "+token)); w.Code != http.StatusOK {
			t.Errorf("%s with the token: %d %s", path, w.Code, w.Body)
		}
	}
	if w := asked(p, "POST", "/api/act", bearer("Bearer "+token)); w.Code != http.StatusOK || *acts != 1 {
		t.Errorf("the act: %d %s, done %d times", w.Code, w.Body, *acts)
	}
	if w := asked(p, "GET", "/", nil); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "<") {
		t.Errorf("the page itself: %d %s", w.Code, w.Body)
	}
	if one, other := NewToken(), NewToken(); one == other || len(one) != 32 {
		t.Error("tokens can be guessed")
	}
}

// A page of an attacker could use a name that resolves to this machine. Such names are refused.
func TestHost_OnlyTheLoopbackIsServed(t *testing.T) {
	p, _ := acting()
	for host, want := range map[string][2]int{ // the two codes are those of a testnet's page and of a node's page
		"127.0.0.1:7000": {200, 200}, "localhost:7000": {200, 200}, "LOCALHOST": {200, 200}, "[::1]:7000": {200, 200}, "127.9.9.9": {200, 200},
		"10.0.0.7:7000": {403, 200}, "[fe80::1]:7000": {403, 200},
		"evil.example:7000": {403, 403}, "localhost.evil.example": {403, 403}, "127.0.0.1.evil.example": {403, 403}, "": {403, 403},
	} {
		for i, abroad := range []bool{false, true} {
			p.Abroad = abroad
			for _, path := range []string{"/", "/api/about"} {
				w := asked(p, "GET", path, func(r *http.Request) { r.Host = host; bearer("Bearer " + token)(r) })
				if w.Code != want[i] {
					t.Errorf("%q, %s, abroad %t: %d, want %d", host, path, abroad, w.Code, want[i])
				}
			}
		}
	}
}

func TestHeaders_NothingIsLoadedFromElsewhereOrFramed(t *testing.T) {
	p, _ := acting()
	for _, path := range []string{"/", "/api/about", "/none"} {
		h := asked(p, "GET", path, nil).Header()
		policy := h.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s: the policy %q lacks %q", path, policy, part)
			}
		}
		if strings.Contains(policy, "unsafe") || strings.Contains(policy, "http") || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", path, h)
		}
	}
}

func TestAct_IsRefusedInOneClearSentence(t *testing.T) {
	p, acts := acting()
	act := func(body string) (int, string, string) {
		w := asked(p, "POST", "/api/act", func(r *http.Request) {
			bearer("Bearer " + token)(r)
			r.Body = io.NopCloser(strings.NewReader(body))
		})
		var said struct{ Error, Code string }
		if err := json.Unmarshal(w.Body.Bytes(), &said); err != nil {
			t.Fatalf("%s: %v", w.Body, err)
		}
		return w.Code, said.Code, said.Error
	}
	for body, want := range map[string]string{
		`{`:                            "no act",
		`{"act":"kill","replcas":[1]}`: "replcas",
		`{"act":"kill","replicas":[]}`: "name one replica",
		`{"act":"put","value":"` + strings.Repeat("x", mostAct) + `"}`: "too large",
	} {
		if status, code, text := act(body); status != http.StatusBadRequest || code != "bad" || !strings.Contains(text, want) {
			t.Errorf("%.40s: %d %s %q, want %q", body, status, code, text, want)
		}
	}
	p.Act = nil
	if status, code, _ := act(`{"act":"kill","replicas":[1]}`); status != http.StatusForbidden || code != "read-only" || *acts != 0 {
		t.Errorf("where nothing can be done: %d %s, %d acts", status, code, *acts)
	}
	p.Act = func(context.Context, *Act) (*Done, error) { return nil, errors.New("the disk is gone") }
	if status, code, text := act(`{"act":"kill"}`); status != http.StatusInternalServerError || code != "failed" || text != "the disk is gone" {
		t.Errorf("an act that fails: %d %s %q", status, code, text)
	}
}

func TestCard_IsTheTraceOfTheCardAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "trace")
	if err := os.WriteFile(file, []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, _ := acting()
	if w := asked(p, "GET", "/api/card/crash", bearer("Bearer "+token)); w.Code != http.StatusNotFound {
		t.Errorf("without cards: %d", w.Code)
	}
	p.Card = func(name string) (string, error) {
		if name != "crash" {
			return "", Refusef(http.StatusNotFound, "none", "show the card first")
		}
		return file, nil
	}
	if w := asked(p, "GET", "/api/card/crash", bearer("Bearer "+token)); w.Code != http.StatusOK || w.Body.String() != "{}\n" {
		t.Errorf("a card: %d %s", w.Code, w.Body)
	}
	if w := asked(p, "GET", "/api/card/..%2F..%2Fetc", bearer("Bearer "+token)); w.Code != http.StatusNotFound {
		t.Errorf("something else: %d %s", w.Code, w.Body)
	}
}

// If there are too many pages, the next one gets an error. It is served once another page has closed.
func TestStream_HasSoManyReaders(t *testing.T) {
	p, _ := acting()
	p.Looking = 2
	begun, end := make(chan struct{}), make(chan struct{})
	p.Stream = func(context.Context, *Lines) error { begun <- struct{}{}; <-end; return nil }
	h := p.Handler()
	ask := func() *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "http://127.0.0.1/api/stream", nil)
		bearer("Bearer " + token)(r)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	done := make(chan int)
	for range 2 {
		go func() { done <- ask().Code }()
		<-begun
	}
	if w := ask(); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "close one of them") {
		t.Errorf("the third one: %d %s", w.Code, w.Body)
	}
	end <- struct{}{}
	<-done
	go func() { done <- ask().Code }()
	<-begun
	close(end)
	for range 2 {
		if code := <-done; code != http.StatusOK {
			t.Errorf("a reader was answered %d", code)
		}
	}
}
