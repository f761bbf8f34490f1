// Package status is what an operator is shown: a page, JSON, Prometheus metrics, over HTTP.
//
// [New] makes the handler of the API, the same for the TCP listener of -status, behind a
// [Guard] and with the page, and for the unix socket that the command line speaks to:
//
//	api.go      what there is at /api; answer.go, how it is answered
//	phones.go   registered users: searched and paged outside the event loop
//	calls.go    calls, live and past
//	messages.go messages, with secrets masked and changes marked
//	events.go   server-sent events (HTML Living Standard 9.2), one snapshot for all who listen
//	metrics.go  /metrics in Prometheus's text format 0.0.4; dashboard.go for Grafana
//	tail.go     the newest lines of the log
//	trace.go    recordings for Wireshark
//	auth.go, session.go, throttle.go, source.go: who may ask
//
// It has no state of the server's: it asks the event loop, in parts so small that no message
// waits, and only when somebody asks it. Nobody looks: it does nothing.
package status
