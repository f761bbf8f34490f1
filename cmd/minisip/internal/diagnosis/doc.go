// Package diagnosis says why a call went wrong: what happened, in one sentence with the
// likely cause, and what to do next. It is a function from the facts of a call, as the proxy
// saw them, to findings; it knows no network, no clock and none of the other packages.
//
// A proxy in the middle sees only what passes, so a finding is a likely cause, never a proof.
// Where several fit, all are given, the gravest first; where a more particular one explains
// a general one, the general one is left out.
package diagnosis

// Severity says how bad a finding is.
type Severity string

const (
	Info    Severity = "info"    // as people wanted it: busy, hung up early
	Warning Severity = "warning" // the call worked, but not well
	Error   Severity = "error"   // the call failed, or somebody could not be heard
)

// Finding is one thing that went wrong.
type Finding struct {
	Severity Severity `json:"severity"`
	Code     string   `json:"code"` // for programs: stays the same
	Text     string   `json:"text"` // what happened and the likely cause, in one sentence
	Next     string   `json:"next"` // what to do, in one sentence; "": nothing
}
