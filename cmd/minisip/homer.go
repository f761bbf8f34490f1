package main

import (
	"net/netip"
	"os"
	"time"

	"minisip/cmd/minisip/internal/config"
	"minisip/cmd/minisip/internal/hep"
	"minisip/cmd/minisip/internal/proxy"
	"minisip/cmd/minisip/internal/server"
	"minisip/cmd/minisip/internal/trail"
)

// captureAgent is the number that a Homer server knows us by, beside the host's name.
const captureAgent = 2001

// homer mirrors to a Homer server; one without a sender does nothing.
type homer struct{ *hep.Sender }

// mirrorTo has the server's messages and the media of ended calls mirrored, if that was asked for.
func mirrorTo(cfg *config.Config, sc *server.Config, log func(string)) homer {
	if cfg.HEP == "" {
		return homer{}
	}
	node, _ := os.Hostname()
	s := hep.New(hep.Config{Server: cfg.HEP, Agent: captureAgent, Node: node, Mask: trail.MaskForPrograms, Log: log})
	record := sc.Record
	sc.Mirror = s.SIP
	sc.Record = func(r *proxy.Record) {
		record(r)
		homer{s}.report(r)
	}
	return homer{s}
}

func (h homer) close() {
	if h.Sender != nil {
		h.Close()
	}
}

// report reports on the media of an ended call.
func (h homer) report(r *proxy.Record) {
	for i := range r.Media {
		d := &r.Media[i]
		far := r.Media[i^1].Source // a stream's two directions stand side by side
		h.Report(r.End, addressOf(d.Source), addressOf(far), &hep.Report{
			CallID: r.CallID, From: d.From, Codec: d.Codec, Packets: d.Packets, Expected: d.Packets - d.Duplicates + d.Lost, Lost: d.Lost,
			Jitter: d.JitterMS, MOS: d.MOS, Seconds: r.End.Sub(answered(r)).Seconds(), Verdict: d.Verdict,
		})
	}
}

// addressOf reads an address; 0.0.0.0:0 where nobody was heard.
func addressOf(s string) netip.AddrPort {
	a, err := netip.ParseAddrPort(s)
	if err != nil {
		return netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
	}
	return a
}

func answered(r *proxy.Record) time.Time {
	if r.Answer == nil {
		return r.End
	}
	return *r.Answer
}
