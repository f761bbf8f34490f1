package status

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"minisip/cmd/minisip/internal/proxy"
)

// Config is whom the handler asks.
type Config struct {
	Version  string
	Started  time.Time
	Server   string                                              // what is typed into a phone
	Do       func(ctx context.Context, f func(*proxy.Core)) bool // runs f in the event loop
	Health   func() Health
	Bans     func() []Ban
	Unban    func(ip netip.Addr) bool
	Trace    func(ctx context.Context, what string, media bool) (*Trace, error)
	Change   func(ctx context.Context, option, value string) error // of a setting that is no word; nothing changes on an error; nil: none changes
	Log      *Tail
	Warnings []string // what the start had to say
}

// Health is how the event loop does.
type Health struct {
	Lag, MaxLag         time.Duration // the longest that a datagram waited for the loop: of late, and since the start
	Lags                proxy.Histogram
	LastTick            time.Time         // when the loop last turned
	Waiting             int               // datagrams
	Overload            bool              // new calls are refused
	Lost                uint64            // datagrams that the system dropped before they were read
	QueueDrops          uint64            // datagrams that found the queue full
	Banned              uint64            // datagrams of banned sources that nobody looked at
	Refused             uint64            // calls refused with 503 because the loop lagged
	Panics              uint64            // messages that an internal error cost
	ClockSteps          uint64            // how often the clock on the wall was set
	State               State             // what a restart would find
	Faults              map[string]uint64 // what fails at present, and how often it has since it began
	PortsFree, PortsAll int               // pairs
}

// State says what is kept for after a restart.
type State struct {
	Kept    bool   `json:"kept"`    // else nothing shall be
	Failing bool   `json:"failing"` // at present it cannot be kept
	Lost    uint64 `json:"lost"`    // changes that could not be kept, since the start
}

// Ban is a source that is not listened to.
type Ban struct {
	IP       netip.Addr `json:"ip"`
	Until    time.Time  `json:"until"`
	Failures int        `json:"failures"`
	Why      string     `json:"why"`
}

// What lists are answered with.
type (
	Phones struct {
		Total   int               `json:"total"`
		Matched int               `json:"matched"`
		Offset  int               `json:"offset"`
		Users   []proxy.PhoneView `json:"users"`
	}
	Calls struct {
		Total   int               `json:"total"`
		Matched int               `json:"matched"`
		Offset  int               `json:"offset"`
		Calls   []*proxy.CallView `json:"calls"`
	}
	Bans struct {
		Bans []Ban `json:"bans"`
	}
	Lines struct {
		Lines []string `json:"lines"`
	}
	Features struct {
		Features map[string]bool `json:"features"`
	}
)

// API answers what is asked.
type API struct {
	cfg    Config
	mux    *http.ServeMux
	phones phoneCache
	hub    hub
}

// New makes the API.
func New(cfg Config) *API {
	a := &API{cfg: cfg, mux: http.NewServeMux()}
	a.hub.api = a
	for pattern, h := range map[string]func(*http.Request) (any, error){
		"GET /api/overview":              a.overview,
		"GET /api/users":                 a.users,
		"GET /api/users/{user}/messages": a.userMessages,
		"GET /api/calls":                 a.calls,
		"GET /api/calls/{id}":            a.call,
		"POST /api/calls/{id}/hangup":    a.hangUp,
		"GET /api/messages/{id}":         a.message,
		"GET /api/bans":                  a.bans,
		"DELETE /api/bans/{ip}":          a.unban,
		"GET /api/log":                   a.log,
		"POST /api/set":                  a.set,
	} {
		a.mux.Handle(pattern, answer(h))
	}
	a.mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, http.StatusNotFound, "There is no "+r.Method+" "+r.URL.Path+".")
	})
	a.mux.HandleFunc("POST /api/trace", a.trace)
	a.mux.HandleFunc("GET /api/events", a.hub.serve)
	a.mux.HandleFunc("GET /metrics", a.metrics)
	return a
}

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

// Overview is the top line.
type Overview struct {
	Version    string            `json:"version"`
	Started    time.Time         `json:"started"`
	Server     string            `json:"server"` // what is typed into a phone
	Now        time.Time         `json:"now"`
	Uptime     float64           `json:"uptime_s"`
	Users      int               `json:"users"`
	Bindings   int               `json:"bindings"`
	Calls      int               `json:"calls"`
	Ringing    int               `json:"ringing"`
	Packets    float64           `json:"packets_per_s"`
	Loss       float64           `json:"loss_percent"`
	Lag        float64           `json:"loop_lag_ms"`
	MaxLag     float64           `json:"loop_lag_max_ms"`
	QueueDrops uint64            `json:"queue_drops"`
	LastTick   time.Time         `json:"last_tick,omitzero"`
	Dropped    map[string]uint64 `json:"dropped"`
	Features   map[string]bool   `json:"features"`
	PortsFree  int               `json:"ports_free"`
	PortsAll   int               `json:"ports_total"`
	State      State             `json:"state"`
	Warnings   []string          `json:"warnings"`
}

func (a *API) overview(r *http.Request) (any, error) { return a.glance(r.Context()) }

func (a *API) glance(ctx context.Context) (*Overview, error) {
	var o proxy.Overview
	if err := a.ask(ctx, func(c *proxy.Core) { o = c.Overview() }); err != nil {
		return nil, err
	}
	h, now := a.cfg.Health(), time.Now()
	warnings := append([]string{}, a.cfg.Warnings...)
	for _, what := range slices.Sorted(maps.Keys(h.Faults)) {
		warnings = append(warnings, fmt.Sprintf("%s: %d times", what, h.Faults[what]))
	}
	v := &Overview{
		Version: a.cfg.Version, Started: a.started(now), Server: a.cfg.Server, Now: now, Uptime: float64(int64(now.Sub(a.cfg.Started).Seconds())),
		Users: o.Users, Bindings: o.Bindings, Calls: o.Calls, Ringing: o.Ringing, Packets: o.PacketsPerSecond, Loss: o.LossPercent,
		Lag: ms(h.Lag), MaxLag: ms(h.MaxLag), QueueDrops: h.QueueDrops, LastTick: h.LastTick,
		Dropped: map[string]uint64{}, Features: features(o.Features), PortsFree: h.PortsFree, PortsAll: h.PortsAll, State: h.State,
		Warnings: warnings,
	}
	for reason, n := range o.Counters.Dropped {
		if n > 0 {
			v.Dropped[proxy.Reason(reason).String()] = n
		}
	}
	// Nobody looked at these, so that the event loop knows nothing of them.
	for reason, n := range map[string]uint64{"banned": h.Banned, "lost by the system": h.Lost} {
		if n > 0 {
			v.Dropped[reason] = n
		}
	}
	return v, nil
}

// started is when minisip was started, by the clock on the wall as it is now.
func (a *API) started(now time.Time) time.Time { return now.Add(a.cfg.Started.Sub(now)) }

// ms is a duration in milliseconds, to three digits.
func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func features(f proxy.Features) map[string]bool {
	on := map[string]bool{}
	for _, word := range proxy.Words {
		on[word] = *f.Word(word)
	}
	return on
}

// set switches a word, or changes another setting.
func (a *API) set(r *http.Request) (any, error) {
	var wish struct {
		Word string `json:"word"`
		On   bool   `json:"on"`

		Option string `json:"option"`
		Value  string `json:"value"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 4096)).Decode(&wish); err != nil {
		return nil, badRequest(`Expected JSON such as {"word": "silent", "on": true}.`)
	}
	if wish.Option != "" {
		if err := operator(r); err != nil {
			return nil, err
		}
		if a.cfg.Change == nil {
			return nil, badRequest("Nothing but the words can be changed here.")
		}
		if err := a.cfg.Change(r.Context(), wish.Option, wish.Value); err != nil {
			return nil, badRequest("Nothing was changed: %v.", err)
		}
	}
	var now proxy.Features
	known := wish.Option != ""
	if err := a.ask(r.Context(), func(c *proxy.Core) {
		known = known || c.Set(wish.Word, wish.On, "the operator")
		now = c.Features()
	}); err != nil {
		return nil, err
	}
	if !known {
		return nil, badRequest("There is no word %q: expected one of %s.", wish.Word, strings.Join(proxy.Words, ", "))
	}
	return &Features{features(now)}, nil
}

func (a *API) bans(*http.Request) (any, error) {
	return &Bans{append([]Ban{}, a.cfg.Bans()...)}, nil
}

func (a *API) unban(r *http.Request) (any, error) {
	ip, err := netip.ParseAddr(r.PathValue("ip"))
	if err != nil {
		return nil, badRequest("%q is no IP address.", r.PathValue("ip"))
	}
	if !a.cfg.Unban(ip) {
		return nil, notFound("%s is not banned.", ip)
	}
	return nil, nil
}

func (a *API) log(r *http.Request) (any, error) {
	_, limit := window(r, 200, maxTail)
	lines, _ := a.cfg.Log.Lines(r.FormValue("q"), limit)
	return &Lines{lines}, nil
}
