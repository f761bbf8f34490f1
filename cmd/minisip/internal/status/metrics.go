package status

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"time"

	"minisip/cmd/minisip/internal/proxy"
	"minisip/sipmsg"
)

// metrics is GET /metrics: Prometheus text format 0.0.4.
func (a *API) metrics(w http.ResponseWriter, r *http.Request) {
	var o proxy.Overview
	if err := a.ask(r.Context(), func(c *proxy.Core) { o = c.Overview() }); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	var e exposition
	e.all(a.cfg.Version, float64(a.started(time.Now()).UnixMilli())/1000, &o, a.cfg.Health(), len(a.cfg.Bans()))
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.Write(e.Bytes())
}

// exposition is the text that Prometheus reads.
type exposition struct{ bytes.Buffer }

// all writes every metric.
func (e *exposition) all(version string, started float64, o *proxy.Overview, h Health, bans int) {
	e.head("minisip_build_info", "gauge", "The version that is running, as a label; always 1.")
	e.line("minisip_build_info", `version=`+strconv.Quote(version), 1)
	e.one("minisip_start_time_seconds", "gauge", "When it started, since the epoch.", started)

	e.one("minisip_registered_users", "gauge", "Users with a registered phone.", float64(o.Users))
	e.one("minisip_bindings", "gauge", "Registered phones.", float64(o.Bindings))
	e.one("minisip_bindings_suspended", "gauge", "Registered phones that no longer answer pings.", float64(o.Suspended))
	e.one("minisip_calls", "gauge", "Calls under way.", float64(o.Calls))
	e.one("minisip_calls_ringing", "gauge", "Of these, those not answered yet.", float64(o.Ringing))
	e.one("minisip_transactions", "gauge", "SIP transactions that are not over.", float64(o.Transactions))
	e.one("go_goroutines", "gauge", "Goroutines of the process.", float64(runtime.NumGoroutine()))
	e.one("minisip_banned_sources", "gauge", "Sources that are not listened to.", float64(bans))

	n := &o.Counters
	requests := map[string]uint64{}
	for m, count := range n.Requests {
		name := "other"
		if m := sipmsg.Method(m); m != sipmsg.UnknownMethod {
			name = m.String()
		}
		requests[name] = count
	}
	e.by("minisip_requests_total", "counter", "SIP requests received.", "method", requests)
	e.one("minisip_responses_total", "counter", "SIP responses received.", float64(n.Responses))
	dropped := map[string]uint64{}
	for reason, count := range n.Dropped {
		dropped[proxy.Reason(reason).String()] = count
	}
	e.by("minisip_dropped_total", "counter", "Datagrams that got no further.", "reason", dropped)
	e.one("minisip_messages_total", "counter", "SIP messages handled, in and out.", float64(o.Noted))
	e.one("minisip_calls_total", "counter", "Calls begun.", float64(n.Calls))
	e.one("minisip_calls_answered_total", "counter", "Calls answered.", float64(n.Completed))
	e.one("minisip_auth_failures_total", "counter", "Requests with a wrong password.", float64(n.Denied))
	e.one("minisip_rtp_packets_total", "counter", "RTP packets received, counted every 5 s.", float64(n.Packets))
	e.one("minisip_rtp_packets_lost_total", "counter", "RTP packets that did not come, by their sequence numbers.", float64(n.PacketsLost))
	e.one("minisip_rtp_ports_free", "gauge", "Port pairs free for media.", float64(h.PortsFree))
	e.one("minisip_rtp_ports", "gauge", "Port pairs for media in all.", float64(h.PortsAll))

	e.histogram("minisip_call_setup_seconds", "From the INVITE until the called phone rang.", &o.Histograms.Setup)
	e.histogram("minisip_call_duration_seconds", "From answer to end.", &o.Histograms.Duration)
	e.histogram("minisip_media_loss_ratio", "Packets lost of those sent, by direction of a call that has ended.", &o.Histograms.Loss)
	e.histogram("minisip_media_jitter_seconds", "Interarrival jitter, by direction of a call that has ended.", &o.Histograms.Jitter)
	e.histogram("minisip_media_mos", "Mean opinion score by the E-model, by direction of a call that has ended.", &o.Histograms.MOS)
	e.health(h)
}

func (e *exposition) head(name, kind, help string) {
	fmt.Fprintf(e, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

func (e *exposition) line(name, labels string, v float64) {
	if labels != "" {
		name += "{" + labels + "}"
	}
	fmt.Fprintf(e, "%s %s\n", name, strconv.FormatFloat(v, 'g', -1, 64))
}

func (e *exposition) one(name, kind, help string, v float64) {
	e.head(name, kind, help)
	e.line(name, "", v)
}

// by writes a metric with one label.
func (e *exposition) by(name, kind, help, label string, values map[string]uint64) {
	e.head(name, kind, help)
	for _, k := range slices.Sorted(maps.Keys(values)) {
		e.line(name, label+"="+strconv.Quote(k), float64(values[k]))
	}
}

// histogram writes one; the buckets of Prometheus count all values up to their bound.
func (e *exposition) histogram(name, help string, h *proxy.Histogram) {
	e.head(name, "histogram", help)
	sum := uint64(0)
	for i, bound := range h.Bounds {
		sum += h.Counts[i]
		e.line(name+"_bucket", `le="`+strconv.FormatFloat(bound, 'g', -1, 64)+`"`, float64(sum))
	}
	sum += h.Counts[len(h.Bounds)]
	e.line(name+"_bucket", `le="+Inf"`, float64(sum))
	e.line(name+"_sum", "", h.Sum)
	e.line(name+"_count", "", float64(sum))
}

// health writes how the event loop does.
func (e *exposition) health(h Health) {
	e.histogram("minisip_loop_lag_seconds", "How long datagrams waited for the event loop.", &h.Lags)
	e.one("minisip_loop_lag_max_seconds", "gauge", "The longest that a datagram waited for the event loop in the last seconds.", h.Lag.Seconds())
	e.one("minisip_queue_length", "gauge", "Datagrams that wait for the event loop.", float64(h.Waiting))
	e.one("minisip_queue_dropped_total", "counter", "Datagrams that found the queue of the event loop full.", float64(h.QueueDrops))
	e.one("minisip_system_dropped_total", "counter", "Datagrams that the system dropped before they were read, counted now and then.", float64(h.Lost))
	overload := 0.0
	if h.Overload {
		overload = 1
	}
	e.one("minisip_overload", "gauge", "1 while new calls are refused because the event loop lags.", overload)
	e.one("minisip_overload_refused_total", "counter", "Calls refused because the event loop lagged.", float64(h.Refused))
	e.one("minisip_banned_dropped_total", "counter", "Datagrams of banned sources.", float64(h.Banned))
	e.one("minisip_faults", "gauge", "Kinds of things that fail at present, as the log names them.", float64(len(h.Faults)))
	failing := 0.0
	if h.State.Failing {
		failing = 1
	}
	e.one("minisip_state_failing", "gauge", "1 while registrations and calls cannot be kept for after a restart.", failing)
	e.one("minisip_state_lost_total", "counter", "Changes of registrations and calls that could not be kept for after a restart.", float64(h.State.Lost))
	e.one("minisip_clock_steps_total", "counter", "How often the clock on the wall was set.", float64(h.ClockSteps))
	e.one("minisip_internal_errors_total", "counter", "Messages that an internal error cost.", float64(h.Panics))
}
