package diagnosis

import (
	"fmt"
	"slices"
	"time"
)

// A rule looks at the facts for one kind of trouble. It gives nothing where there is none.
type rule func(c *Call) []Finding

// rules in the order in which findings of one severity are given.
var rules = []rule{
	refusal, wrongSecret, authLoop, refusedByPhone, unanswered,
	noACK, ackNotHeard, goodbyeLost, vanished, holdForgotten, tooLarge, retransmissions,
	secureOneSide, soundRefused, foreignCodec, noVoice, silentByWord, noMedia, oneWay, deaf, undelivered, stoppedMedia, strangers, bad,
}

// explains names, by code, what a finding makes superfluous.
var explains = map[string][]string{
	"contact-private":   {"vanished", "signalling-loss"},
	"via-private":       {"vanished", "signalling-loss"},
	"ack-missing":       {"vanished", "signalling-loss"},
	"ack-lost":          {"vanished", "signalling-loss"},
	"request-too-large": {"phone-unreachable", "signalling-loss"},
	"phone-unreachable": {"signalling-loss"},
	"srtp-one-side":     {"no-media", "no-sound", "one-way"},
	"foreign-codec":     {"poor"},
	"no-voice":          {"foreign-codec", "poor"},
	"media-private":     {"no-media", "one-way"},
	"media-elsewhere":   {"one-way", "strangers"},
	"no-media":          {"vanished"},
	"hold-forgotten":    {"vanished", "media-stopped"},
	"bye-lost":          {"signalling-loss"},
}

// Diagnose gives what went wrong with a call, the gravest first; nothing where nothing did.
func Diagnose(c *Call) []Finding {
	var all []Finding
	for _, r := range rules {
		all = append(all, r(c)...)
	}
	var found []Finding
	for _, f := range all {
		superfluous := slices.ContainsFunc(all, func(o Finding) bool { return slices.Contains(explains[o.Code], f.Code) })
		if !superfluous {
			found = append(found, f)
		}
	}
	slices.SortStableFunc(found, func(a, b Finding) int { return weight[b.Severity] - weight[a.Severity] })
	if len(found) > 0 && found[0].Severity == Error {
		found = append(found, alg(c)...) // no trouble of its own, but it may have had a part in this
	}
	return found
}

var weight = map[Severity]int{Info: 0, Warning: 1, Error: 2}

// one makes a list of one finding.
func one(s Severity, code, next, format string, args ...any) []Finding {
	return []Finding{{s, code, fmt.Sprintf(format, args...) + ".", next}}
}

// clock writes a time of day.
func clock(t time.Time) string { return t.Format(time.TimeOnly) }
