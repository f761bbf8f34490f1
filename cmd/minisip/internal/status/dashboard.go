package status

import (
	"encoding/json"
	"io"
)

// Dashboard writes a Grafana dashboard of the metrics (its JSON model, schema version 39), to
// be imported as it is; it asks for the data source.
func Dashboard(w io.Writer) error {
	type object = map[string]any
	source := object{"type": "prometheus", "uid": "${datasource}"}
	var drawn []object
	for i, p := range panels {
		var targets []object
		for j, t := range p.lines {
			targets = append(targets, object{"refId": string(rune('A' + j)), "expr": t.expr, "legendFormat": t.legend, "datasource": source})
		}
		drawn = append(drawn, object{
			"id": i + 1, "type": "timeseries", "title": p.title, "description": p.about, "datasource": source, "targets": targets,
			"gridPos":     object{"x": 12 * (i % 2), "y": 8 * (i / 2), "w": 12, "h": 8},
			"fieldConfig": object{"defaults": object{"unit": p.unit, "min": p.least}, "overrides": []object{}},
		})
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(object{
		"title": "minisip", "uid": "minisip", "tags": []string{"sip", "voip"}, "schemaVersion": 39, "refresh": "10s",
		"time": object{"from": "now-6h", "to": "now"}, "panels": drawn,
		"templating": object{"list": []object{{"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"}}},
	})
}

// panel is one picture of the dashboard.
type panel struct {
	title, about, unit string
	least              float64
	lines              []line
}

type line struct{ legend, expr string }

// quantiles are the lines of a histogram's panel.
func quantiles(metric string) []line {
	at := func(q string) string {
		return "histogram_quantile(" + q + ", sum by (le) (rate(" + metric + "_bucket[5m])))"
	}
	return []line{{"median", at("0.5")}, {"95 %", at("0.95")}, {"99 %", at("0.99")}}
}

var panels = []panel{
	{"Calls", "Under way, and of these not answered yet.", "short", 0, []line{{"calls", "minisip_calls"}, {"ringing", "minisip_calls_ringing"}}},
	{"Registered", "Users, their phones, and phones that no longer answer pings.", "short", 0,
		[]line{{"users", "minisip_registered_users"}, {"phones", "minisip_bindings"}, {"gone", "minisip_bindings_suspended"}}},
	{"Calls a minute", "Begun, answered, and refused because the loop lagged.", "short", 0,
		[]line{{"begun", "60 * rate(minisip_calls_total[5m])"}, {"answered", "60 * rate(minisip_calls_answered_total[5m])"}, {"overload", "60 * rate(minisip_overload_refused_total[5m])"}}},
	{"Set-up time", "From the INVITE until the called phone rang.", "s", 0, quantiles("minisip_call_setup_seconds")},
	{"Media", "RTP packets a second, from all phones.", "pps", 0, []line{{"packets", "rate(minisip_rtp_packets_total[1m])"}}},
	{"Loss", "RTP packets that did not come: of all, and in the worst twentieth of ended calls' directions.", "percentunit", 0, []line{
		{"lost", "rate(minisip_rtp_packets_lost_total[5m]) / (rate(minisip_rtp_packets_total[5m]) + rate(minisip_rtp_packets_lost_total[5m]))"},
		{"95 % of directions", "histogram_quantile(0.95, sum by (le) (rate(minisip_media_loss_ratio_bucket[15m])))"}}},
	{"Jitter", "Of directions of ended calls.", "s", 0, quantiles("minisip_media_jitter_seconds")},
	{"MOS", "Mean opinion score by the E-model: the worst twentieth and the worst half of ended calls' directions are below.", "short", 1, []line{
		{"5 %", "histogram_quantile(0.05, sum by (le) (rate(minisip_media_mos_bucket[15m])))"},
		{"median", "histogram_quantile(0.5, sum by (le) (rate(minisip_media_mos_bucket[15m])))"}}},
	{"SIP", "Requests a second by method, and responses.", "reqps", 0,
		[]line{{"{{method}}", "rate(minisip_requests_total[1m])"}, {"responses", "rate(minisip_responses_total[1m])"}}},
	{"Dropped", "Datagrams that got no further, by reason.", "short", 0, []line{
		{"{{reason}}", "rate(minisip_dropped_total[5m])"}, {"queue full", "rate(minisip_queue_dropped_total[5m])"}, {"banned", "rate(minisip_banned_dropped_total[5m])"}}},
	{"Event loop", "How long datagrams wait for it.", "s", 0, append(quantiles("minisip_loop_lag_seconds"), line{"at most", "minisip_loop_lag_max_seconds"})},
	{"Ports and doors", "Free port pairs for media; sources banned; wrong passwords a minute.", "short", 0, []line{
		{"free port pairs", "minisip_rtp_ports_free"}, {"banned", "minisip_banned_sources"}, {"wrong passwords", "60 * rate(minisip_auth_failures_total[5m])"}}},
}
