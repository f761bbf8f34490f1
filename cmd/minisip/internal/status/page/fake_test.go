//go:build interop

package page

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// object is a JSON object.
type object = map[string]any

// fake is a server with made-up calls behind the page, which answers as /api does.
type fake struct {
	*httptest.Server
	mu       sync.Mutex
	users    int
	calls    []object
	features object
	bans     []object
	lines    []string
	warnings []string
	watchers map[chan string]string // events that are to go out, and the topics wanted
	asked    map[string]int         // requests by path
}

func newFake(t *testing.T, users, calls int) *fake {
	f := &fake{
		users: users, watchers: make(map[chan string]string), asked: make(map[string]int),
		features: object{"silent": true, "duplicate": true, "debug": false, "re_via": true, "re_sdp": true, "re_contact": true},
	}
	for i := range calls {
		f.calls = append(f.calls, aCall(calls-i))
	}
	mux := http.NewServeMux()
	mux.Handle("/", Handler(false))
	api := func(pattern string, answer func(r *http.Request) any) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.asked[r.URL.Path]++
			got := answer(r)
			if got == nil {
				w.WriteHeader(http.StatusNotFound)
				got = object{"error": "There is no such thing."}
			}
			json.NewEncoder(w).Encode(got)
		})
	}
	api("GET /api/overview", func(*http.Request) any { return f.overview() })
	api("GET /api/users", f.someUsers)
	api("GET /api/users/{user}/messages", func(*http.Request) any { return object{"messages": summaries()} })
	api("GET /api/calls", f.someCalls)
	api("GET /api/calls/{id}", func(r *http.Request) any {
		for _, c := range f.calls {
			if fmt.Sprint(c["id"]) == r.PathValue("id") {
				return withSteps(c)
			}
		}
		return nil
	})
	api("GET /api/messages/{id}", func(r *http.Request) any { return aMessage(r.PathValue("id")) })
	api("GET /api/bans", func(*http.Request) any { return object{"bans": f.bans} })
	api("DELETE /api/bans/{ip}", func(*http.Request) any { f.bans = nil; return object{} })
	api("GET /api/log", func(r *http.Request) any {
		var lines []string
		for _, l := range f.lines {
			if strings.Contains(strings.ToLower(l), strings.ToLower(r.FormValue("q"))) {
				lines = append(lines, l)
			}
		}
		return object{"lines": lines}
	})
	api("POST /api/set", func(r *http.Request) any {
		var set struct {
			Word string
			On   bool
		}
		json.NewDecoder(r.Body).Decode(&set)
		f.features[set.Word] = set.On
		return object{"features": f.features}
	})
	api("POST /api/calls/{id}/hangup", func(r *http.Request) any { return object{} })
	mux.HandleFunc("GET /api/events", f.events)
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", Policy)
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		f.CloseClientConnections()
		f.Close()
	})
	return f
}

func (f *fake) events(w http.ResponseWriter, r *http.Request) {
	c := make(chan string, 16)
	f.mu.Lock()
	f.watchers[c] = r.FormValue("topics")
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		delete(f.watchers, c)
		f.mu.Unlock()
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	w.(http.Flusher).Flush()
	for {
		select {
		case e := <-c:
			fmt.Fprint(w, e)
			w.(http.Flusher).Flush()
		case <-r.Context().Done():
			return
		}
	}
}

// tell sends an event to those who follow its topic.
func (f *fake) tell(topic string, data any) {
	text, _ := json.Marshal(data)
	name, _, _ := strings.Cut(topic, ":")
	for c, topics := range f.watchers {
		if strings.Contains(","+topics+",", ","+topic+",") {
			c <- fmt.Sprintf("event: %s\ndata: %s\n\n", name, text)
		}
	}
}

// watched says how many follow a topic.
func (f *fake) watched(topic string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, topics := range f.watchers {
		if strings.Contains(","+topics+",", ","+topic+",") {
			n++
		}
	}
	return n
}

func (f *fake) overview() object {
	up, ringing := 0, 0
	for _, c := range f.calls {
		switch c["state"] {
		case "up":
			up++
		case "ringing":
			ringing++
		}
	}
	return object{"version": "1.4.0", "started": began, "server": "203.0.113.10", "now": time.Now(), "uptime_s": 273_840, "users": f.users, "bindings": f.users,
		"calls": up, "ringing": ringing, "packets_per_s": 100 * up, "loss_percent": 0.2, "loop_lag_ms": 0.14, "loop_lag_max_ms": 3.2,
		"dropped": object{"not SIP": 1204, "unknown user": 388, "copy": 17}, "queue_drops": 0, "features": f.features,
		"warnings": f.warnings, "ports_free": 4990, "ports_total": 5000}
}

func page(r *http.Request, total int) (offset, end int) {
	offset, _ = strconv.Atoi(r.FormValue("offset"))
	limit, _ := strconv.Atoi(r.FormValue("limit"))
	offset = min(offset, total)
	return offset, min(offset+limit, total)
}

func (f *fake) someUsers(r *http.Request) any {
	var users []object
	var hits []int
	for i := 1; i <= f.users; i++ {
		if strings.Contains(fmt.Sprintf("%03d", i), r.FormValue("q")) {
			hits = append(hits, i)
		}
	}
	offset, end := page(r, len(hits))
	agents := []string{"baresip v1.0.0 (x86_64/linux)", "Linphone-Desktop/5.2.4 (Fedora 40)", "Yealink SIP-T46U 108.86.0.90", "", "MicroSIP/3.21.3"}
	for _, i := range hits[offset:end] {
		u := object{"user": fmt.Sprintf("%03d", i), "contact": fmt.Sprintf("sip:%03d@192.168.1.%d:5060", i, i%250+2), "nat": i%3 != 0,
			"source": fmt.Sprintf("198.51.100.%d:%d", i%250+1, 31022+i%1000), "agent": agents[i%5], "expires_s": 60 + i%3000,
			"registered": began, "last_seen": time.Now().Add(-time.Duration(i%25) * time.Second), "ping_ms": nil, "suspended": i%17 == 0}
		if i%3 != 0 {
			u["ping_ms"] = 8.4 + float64(i%90)
		}
		users = append(users, u)
	}
	return object{"total": f.users, "matched": len(hits), "offset": offset, "users": users}
}

func (f *fake) someCalls(r *http.Request) any {
	var hits []object
	for _, c := range f.calls {
		ended := c["state"] == "ended"
		if state := r.FormValue("state"); state != "all" && ended != (state == "ended") {
			continue
		}
		if strings.Contains(fmt.Sprint(c["from"], " ", c["to"], " ", c["from_addr"], " ", c["call_id"]), r.FormValue("q")) {
			hits = append(hits, c)
		}
	}
	offset, end := page(r, len(hits))
	return object{"total": len(f.calls), "matched": len(hits), "offset": offset, "calls": hits[offset:end]}
}

var began = time.Now().Add(-273_840 * time.Second)

// aCall is one of many: most are up and fine, some ring, some are over, some had trouble.
func aCall(id int) object {
	from, to := fmt.Sprintf("%03d", 2*id-1), fmt.Sprintf("%03d", 2*id)
	begin := time.Now().Add(-time.Duration(20+id%600) * time.Second)
	c := object{"id": fmt.Sprint(id), "call_id": fmt.Sprintf("3c26%04x-phone", id), "from": from, "to": to, "state": "up", "held": []bool{false, false},
		"from_addr": fmt.Sprintf("198.51.100.%d:31022", id%250+1), "to_addr": fmt.Sprintf("203.0.113.%d:40118", id%250+1),
		"begin": begin, "ring": begin.Add(120 * time.Millisecond), "answer": begin.Add(4 * time.Second), "seconds": 16 + id%600,
		"media": []object{direction(id, from, "fine", 0.1), direction(id+1, to, "fine", 0)}}
	switch id % 10 {
	case 3:
		c["state"], c["seconds"] = "ringing", 0
		delete(c, "answer")
		delete(c, "media")
	case 5:
		c["state"], c["end"], c["why"] = "ended", begin.Add(16*time.Second), "no ACK came"
		c["media"] = []object{direction(id, from, "fine", 0), silent(to)}
		c["findings"] = []object{{"severity": "error", "code": "ack-missing",
			"text": "The ACK never came: the Contact 192.168.1.5 is not reachable, and re_contact is off.",
			"next": "Switch re_contact on (dial 996, or under Features), and call again."}}
	case 7:
		c["media"] = []object{direction(id, from, "fine", 0.4), direction(id+3, to, "lossy: 6.2 % lost", 6.2)}
		c["findings"] = []object{{"severity": "warning", "code": "loss", "text": "6.2 % of the packets from " + to + " are lost before they reach minisip.",
			"next": "Look at that phone's Wi-Fi, or at the line of its site."}}
	case 6:
		delete(c, "media")
	case 9:
		c["state"], c["end"], c["why"], c["seconds"] = "ended", begin.Add(48*time.Second), "hung up by "+to, 44
	}
	return c
}

func direction(seed int, from, verdict string, loss float64) object {
	var samples []object
	for i := range 40 + seed%80 {
		x := float64(i*7 + seed*13)
		s := object{"t_s": 5 * i, "loss_percent": 0.0, "jitter_ms": 6 + 3*math.Sin(x/9) + 2*math.Sin(x/2.3)}
		if loss > 1 && i > 60 && i < 66 {
			s["loss_percent"], s["jitter_ms"] = nil, 0
		} else if loss > 1 && i > 20 {
			s["loss_percent"] = math.Max(0, loss*(1+math.Sin(x/5)))
			s["jitter_ms"] = 30 + 14*math.Sin(x/4)
		} else if i%23 == seed%23 {
			s["loss_percent"] = 1.2
		}
		samples = append(samples, s)
	}
	mos := 4.38 - loss*0.19
	return object{"stream": 1, "kind": "audio", "codec": "PCMU/8000", "from": from, "source": "198.51.100.7:4000", "packets": 10_500, "lost": int(105 * loss),
		"loss_percent": loss, "jitter_ms": 6.2, "rtt_ms": 38, "mos": mos, "mos_now": mos, "strangers": 3, "stranger": "192.0.2.99:5004", "out_of_order": 2,
		"payload_types": []string{"0 PCMU/8000", "101 telephone-event/8000"}, "verdict": verdict, "samples": samples}
}

func silent(from string) object {
	return object{"stream": 1, "kind": "audio", "codec": "PCMU/8000", "from": from, "packets": 0, "lost": 0, "loss_percent": 0, "jitter_ms": 0,
		"mos": 0, "strangers": 0, "verdict": "no packet ever came from " + from, "samples": []object{}}
}
