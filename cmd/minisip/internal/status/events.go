package status

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"minisip/cmd/minisip/internal/proxy"
)

// hub tells those who listen what has changed. It asks the event loop once a second for all
// of them, and not at all while nobody listens.
type hub struct {
	api     *API
	mu      sync.Mutex
	clients map[*client]struct{}
	wake    chan struct{} // somebody has come; nil: the hub is asleep
}

// client is one who listens. What does not fit into out is lost to one who is slower than once a
// second; he gets what is there the next time, and is told where something is missing.
type client struct {
	topics []string
	out    chan event
	logged uint64            // log lines that he has got
	sent   map[string]string // by call: what he got last
	missed bool              // which calls changed did not fit
}

type event struct {
	name string
	data []byte
}

// Bounds: how many may listen, and how many calls one may look at.
const (
	maxClients = 32
	maxTopics  = 16
	hubEvery   = time.Second
	quietLimit = 15 * time.Second // after this a comment shows that the line is alive
)

// serve is GET /api/events.
func (h *hub) serve(w http.ResponseWriter, r *http.Request) {
	topics := strings.Split(r.FormValue("topics"), ",")
	if len(topics) > maxTopics {
		refuse(w, http.StatusBadRequest, fmt.Sprintf("More than %d topics.", maxTopics))
		return
	}
	c := &client{topics: topics, out: make(chan event, 16), sent: map[string]string{}}
	_, c.logged = h.api.cfg.Log.Lines("", 0)
	if !h.join(c) {
		refuse(w, http.StatusServiceUnavailable, fmt.Sprintf("%d pages listen already.", maxClients))
		return
	}
	defer h.leave(c)
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	quiet := time.NewTicker(quietLimit)
	defer quiet.Stop()
	for {
		out.SetWriteDeadline(time.Now().Add(2 * quietLimit))
		if err := out.Flush(); err != nil {
			return
		}
		select {
		case e := <-c.out:
			fmt.Fprintf(w, "event: %s\ndata: %s\n\n", e.name, e.data)
		case <-quiet.C:
			if !mayStay(r) {
				return
			}
			fmt.Fprint(w, ": still here\n\n")
		case <-r.Context().Done():
			return
		}
	}
}

func (h *hub) join(c *client) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.clients) >= maxClients {
		return false
	}
	if h.clients == nil {
		h.clients = map[*client]struct{}{}
	}
	h.clients[c] = struct{}{}
	if h.wake == nil {
		h.wake = make(chan struct{}, 1)
		go h.run(h.wake)
	}
	select {
	case h.wake <- struct{}{}:
	default:
	}
	return true
}

func (h *hub) leave(c *client) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.clients, c)
}

// run tells news until nobody listens any more.
func (h *hub) run(wake chan struct{}) {
	tick := time.NewTicker(hubEvery)
	defer tick.Stop()
	var changes uint64
	first := true
	for {
		select {
		case <-tick.C:
		case <-wake:
		}
		h.mu.Lock()
		if len(h.clients) == 0 {
			h.wake = nil
			h.mu.Unlock()
			return
		}
		clients := make([]*client, 0, len(h.clients))
		for c := range h.clients {
			clients = append(clients, c)
		}
		h.mu.Unlock()
		n := h.collect(clients, changes, first)
		changes, first = n.changes, false
		for _, c := range clients {
			n.tell(c, h.api.cfg.Log)
		}
	}
}

// news is what one look has found, ready to be sent.
type news struct {
	overview, calls []byte
	details         map[string][]byte // by topic
	changes         uint64
}

// collect looks at what anybody wants. Of a loop that does not answer it tells nothing: what has
// changed since then is told the next time.
func (h *hub) collect(clients []*client, since uint64, first bool) (n news) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	wanted := map[string]bool{}
	for _, c := range clients {
		for _, t := range c.topics {
			wanted[t] = true
		}
	}
	n.changes, n.details = since, map[string][]byte{}
	if wanted["overview"] {
		if o, err := h.api.glance(ctx); err == nil {
			n.overview, _ = json.Marshal(o)
		}
	}
	var ids []string
	var more bool
	var upto uint64
	if h.api.ask(ctx, func(c *proxy.Core) { ids, upto, more = c.ChangedSince(since) }) != nil {
		return n
	}
	n.changes = upto
	if !first && len(ids) > 0 && wanted["calls"] {
		var err error
		if n.calls, err = h.changedCalls(ctx, ids, more); err != nil {
			n.changes = since
		}
	}
	for topic := range wanted {
		id, ok := strings.CutPrefix(topic, "call:")
		if !ok {
			continue
		}
		var v *proxy.CallView
		if h.api.ask(ctx, func(c *proxy.Core) { v = c.Call(time.Now(), id, true) }) == nil && v != nil {
			n.details[topic], _ = json.Marshal(v)
		}
	}
	return n
}

// maxChanged is how many changed calls are told at once.
const maxChanged = 100

func (h *hub) changedCalls(ctx context.Context, ids []string, more bool) ([]byte, error) {
	if len(ids) > maxChanged {
		ids, more = ids[len(ids)-maxChanged:], true
	}
	keys := make([]proxy.CallKey, len(ids))
	for i, id := range ids {
		keys[i].ID = id
	}
	views, err := h.api.viewCalls(ctx, keys)
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{"changed": views, "more": more})
}

// moved says that calls changed, and not which: who reads it asks for the list again.
const moved = `{"changed":[],"more":true}`

// tell sends a client what he wants.
func (n *news) tell(c *client, log *Tail) {
	if n.overview != nil && slices.Contains(c.topics, "overview") {
		c.send("overview", n.overview)
	}
	if (n.calls != nil || c.missed) && slices.Contains(c.topics, "calls") {
		data := n.calls
		if c.missed {
			data = []byte(moved)
		}
		c.missed = !c.send("calls", data)
	}
	for topic, data := range n.details {
		if slices.Contains(c.topics, topic) && c.sent[topic] != string(data) && c.send("call", data) {
			c.sent[topic] = string(data)
		}
	}
	if slices.Contains(c.topics, "log") {
		c.tellLog(log)
	}
}

// tellLog sends the lines that have come. What did not fit before comes now, unless newer lines
// have taken its place: then a line says how many are gone.
func (c *client) tellLog(log *Tail) {
	lines, next := log.Since(c.logged)
	if len(lines) == 0 {
		return
	}
	if gone := next - c.logged - uint64(len(lines)); gone > 0 {
		lines = slices.Insert(lines, 0, fmt.Sprintf("... %d lines left out", gone))
	}
	if data, err := json.Marshal(Lines{lines}); err == nil && c.send("log", data) {
		c.logged = next
	}
}

// send gives a client an event, if he has room for it.
func (c *client) send(name string, data []byte) bool {
	select {
	case c.out <- event{name, data}:
		return true
	default:
		return false
	}
}
