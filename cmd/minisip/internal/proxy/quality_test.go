package proxy

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// What an operator is told of one direction of a call that was up for five minutes.
func TestVerdict(t *testing.T) {
	up := epoch
	end := up.Add(5 * time.Minute)
	flow := func(packets, lost uint64, jitter, last time.Duration) Flow {
		return Flow{Packets: packets, Lost: lost, MeanJitter: jitter, First: up, Last: up.Add(last)}
	}
	strangers := Flow{Strangers: 17}
	for _, tt := range []struct {
		name string
		flow Flow
		held bool
		end  time.Time
		want string
	}{
		{"all there", flow(15000, 0, time.Millisecond, 5*time.Minute), false, end, "fine"},
		{"nothing", Flow{}, false, end, "no packet ever came from 002: 192.0.2.7:4000"},
		{"only strangers", strangers, false, end, "no packet ever came from 002: 192.0.2.7:4000; 17 packets from elsewhere were refused"},
		{"only packets that are too large, and strangers", Flow{Oversize: 15000, Strangers: 17}, false, end, "15000 packets from 002 were too large to be passed on"},
		{"nothing, but too short", Flow{}, false, up.Add(1900 * time.Millisecond), "too short to tell"},
		{"nothing in two seconds", Flow{}, false, up.Add(2 * time.Second), "no packet ever came from 002: 192.0.2.7:4000"},
		{"stopped", flow(2100, 0, 0, 42*time.Second), false, end, "stopped at 00:42"},
		{"stopped late", flow(2100, 0, 0, 4*time.Minute+5*time.Second), false, end, "stopped at 04:05"},
		{"stopped before the answer", flow(21, 0, 0, -time.Second), false, end, "stopped at 00:00"},
		{"stopped after hours", flow(2100, 0, 0, 2*time.Hour+5*time.Second), false, up.Add(3 * time.Hour), "stopped at 120:05"},
		{"a packet that opens the NAT, and no more", flow(1, 0, 0, 0), false, up.Add(2 * time.Second), "stopped at 00:00"},
		{"the same, for less than a finding says it", flow(1, 0, 0, 0), false, up.Add(1900 * time.Millisecond), "fine"},
		{"the same in a call that is too short to tell", flow(1, 0, 0, -5*time.Second), false, up.Add(time.Second), "fine"},
		{"the same, and held", flow(1, 0, 0, 0), true, up.Add(3 * time.Second), "fine"},
		{"a word, and listening since", flow(10, 0, 0, 200*time.Millisecond), false, up.Add(9 * time.Second), "fine"},
		{"silent at the end, not for long", flow(15000, 0, 0, 5*time.Minute-9*time.Second), false, end, "fine"},
		{"held", flow(2100, 0, 0, 42*time.Second), true, end, "fine"},
		{"3 % lost", flow(9700, 300, 0, 5*time.Minute), false, end, "lossy: 3.0 % lost"},
		{"3 % lost, and some came twice", Flow{Packets: 10700, Duplicates: 1000, Lost: 300, First: up, Last: end}, false, end, "lossy: 3.0 % lost"},
		{"rounded as in the record", Flow{Packets: 302, Lost: 33, First: up, Last: end}, false, end, "lossy: 9.8 % lost"},
		{"nearly 3 % lost", flow(9701, 299, 0, 5*time.Minute), false, end, "fine"},
		{"lost and late", flow(9000, 1000, time.Second, 5*time.Minute), false, end, "lossy: 10.0 % lost"},
		{"half of it refused by the system", Flow{Packets: 15000, Undelivered: 7500, Lost: 1000, First: up, Last: end}, false, end, "7500 of 15000 packets could not be sent on"},
		{"nearly half of it", Flow{Packets: 15000, Undelivered: 7499, First: up, Last: end}, false, end, "fine"},
		{"a few refused by the system", Flow{Packets: 49, Undelivered: 49, First: up, Last: end}, false, end, "fine"},
		{"late", flow(15000, 0, 50*time.Millisecond, 5*time.Minute), false, end, "choppy: jitter 50 ms"},
		{"late at the end alone", Flow{Packets: 15000, Jitter: time.Second, MeanJitter: 49 * time.Millisecond, First: up, Last: end}, false, end, "fine"},
		{"nearly late", flow(15000, 0, 49*time.Millisecond, 5*time.Minute), false, end, "fine"},
	} {
		h := heard{tt.flow, "002", netip.MustParseAddrPort("192.0.2.7:4000"), tt.held, up, tt.end, tt.end}
		_, got := h.verdict()
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	both := flow(1, 0, 0, 0)
	h := heard{both, "002", netip.AddrPort{}, false, up, up.Add(9 * time.Second), both.Last}
	if _, got := h.verdict(); got != "fine" {
		t.Errorf("one packet of each side: %q", got)
	}
}

// The account of a call, as a line of the CDR file and at the end of the line in the log.
func TestRecord(t *testing.T) {
	s := stage(t, 1, nil)
	s.records = true
	s.do("001: INVITE 002 auth", "wait 2s", "002a: 180 Ringing", "wait 3s", "002a: 200 OK", "001: ACK", "media", "wait 20s", "media")
	s.events = nil
	s.do("002a: BYE", "001: 200 OK")
	var r Record
	line := ""
	for _, e := range s.events {
		if text, ok := strings.CutPrefix(e.text, "record: "); ok {
			if err := json.Unmarshal([]byte(text), &r); err != nil {
				t.Fatal(err)
			}
			line = text
		}
	}
	want := `{"call":1,"call_id":"call-1@001","from":"001","from_addr":"198.51.100.7:5060","to":"002","to_addr":"192.0.2.1:5060",` +
		`"begin":"2026-01-31T12:00:00Z","ring":"2026-01-31T12:00:02Z","answer":"2026-01-31T12:00:05Z","end":"2026-01-31T12:00:25Z",` +
		`"seconds":20,"why":"hung up by 002","verdict":"fine","media":[` +
		`{"stream":1,"kind":"audio","codec":"PCMU/8000","from":"001","packets":1001,"lost":0,"loss_percent":0,"jitter_ms":0,"last":"2026-01-31T12:00:25Z","mos":4.4,"verdict":"fine"},` +
		`{"stream":1,"kind":"audio","codec":"PCMU/8000","from":"002","packets":1001,"lost":0,"loss_percent":0,"jitter_ms":0,"last":"2026-01-31T12:00:25Z","mos":4.4,"verdict":"fine"}]}`
	if line != want {
		t.Errorf("recorded\n%s\nwant\n%s", line, want)
	}
	if got, want := s.logged(), "call 1: 001 -> 002 ended after 20s: hung up by 002; from 001 1001 packets, 0.0 % lost, jitter 0 ms, MOS 4.4: fine; "+
		"from 002 1001 packets, 0.0 % lost, jitter 0 ms, MOS 4.4: fine"; len(got) != 1 || got[0] != want {
		t.Errorf("logged %q, want %q", got, want)
	}
	s.finish()
}

// A call that nobody answers leaves an account too, of why.
func TestRecordOfARefusal(t *testing.T) {
	for _, tt := range []struct{ do, why, log string }{
		{"002a: 486 Busy Here to INVITE", "busy (486)", "ended not answered: busy (486)"},
		{"002a: 603 Decline to INVITE", "declined (603)", "ended not answered: declined (603)"},
		{"002a: 480 Not now to INVITE", "refused (480 Temporarily Unavailable)", "ended not answered: refused (480 Temporarily Unavailable)"},
		{"wait 33s", "no answer (408)", "ended not answered: no answer (408)\n" +
			"call 1: The phone of 002 at 192.0.2.1:5060 answered none of 7 INVITEs: it is off, or its NAT forgot it. " +
			"See whether the phone is on. If it comes back after registering again, its NAT forgets it too soon: a shorter -keepalive."},
	} {
		s := stage(t, 1, nil)
		s.records = true
		s.do("001: INVITE 002 auth")
		s.events = nil
		s.do(tt.do)
		recorded := false
		for _, e := range s.events {
			if strings.HasPrefix(e.text, "record: ") {
				recorded = strings.Contains(e.text, `"why":"`+tt.why+`"`) && !strings.Contains(e.text, `"answer"`) && !strings.Contains(e.text, `"media"`)
			}
		}
		log := strings.Join(s.logged(), "\n")
		if !recorded || !strings.HasSuffix(log, "call 1: 001 -> 002 "+tt.log) {
			t.Errorf("%s: recorded %v, logged %q", tt.do, recorded, log)
		}
		s.finish()
	}
}

// The account of a call that nobody answered has what came before: an announcement, over the branch that ends first or
// last. Who is to be told something need say nothing.
func TestRecordOfEarlyMedia(t *testing.T) {
	for name, end := range map[string][]string{
		"refused":   {"002a: 486 Busy Here to INVITE", "001: ACK"},
		"cancelled": {"001: CANCEL", "002a: 487 Request Terminated to INVITE", "001: ACK"},
		"hung up":   {"hang up"},
	} {
		s := stage(t, 1, nil)
		s.records = true
		s.do("001: INVITE 002 auth", "002a: 183 Session Progress audio", "media from the callee", "wait 20s", "media from the callee", "wait 20s")
		s.events = nil
		for _, line := range end {
			if line == "hang up" {
				s.core.HangUp(s.now, "1", "the operator")
				s.do("002a: 487 Request Terminated to INVITE", "001: ACK")
			} else {
				s.do(line)
			}
		}
		var r Record
		for _, e := range s.events {
			if text, ok := strings.CutPrefix(e.text, "record: "); ok {
				if err := json.Unmarshal([]byte(text), &r); err != nil {
					t.Fatal(err)
				}
			}
		}
		if len(r.Media) != 2 || r.Answer != nil || r.Verdict != "" || len(r.Findings) > 0 {
			t.Fatalf("%s: recorded %+v", name, r)
		}
		a, b := r.Media[0], r.Media[1]
		if a.From != "001" || a.Packets != 0 || a.Verdict != "too short to tell" || b.From != "002" || b.Packets != 1001 || b.Codec != "PCMU/8000" || b.Last == nil || b.Verdict != "fine" {
			t.Errorf("%s: recorded %+v, %+v", name, a, b)
		}
		if got := strings.Join(s.logged(), "\n"); !strings.Contains(got, "from 002 1001 packets, 0.0 % lost, jitter 0 ms, MOS 4.4: fine") {
			t.Errorf("%s: logged %s", name, got)
		}
		s.finish()
	}
}

// Loss is counted as a ratio, in the bucket that the verdict's limits are bounds of.
func TestLossHistogram(t *testing.T) {
	h, now := newHistograms(), epoch
	h.account(&Record{Answer: &now, Media: []Direction{{Packets: 97, LossPercent: 3}, {Packets: 0, LossPercent: 100}, {Packets: 1}}})
	at := slices.Index(h.Loss.Bounds, manyLost/100)
	if at < 0 || h.Loss.Counts[at] != 1 || h.Loss.Counts[0] != 1 || h.Loss.Sum != 0.03 {
		t.Errorf("3 %% and none lost are counted as %+v", h.Loss)
	}
}
