package hep

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// queueLength is how many packets may wait for the network.
const queueLength = 4096

// maxMessage bounds a copy: longer messages are not mirrored.
const maxMessage = 65000

// Sender mirrors to one server. Its methods may be called from any goroutine and never wait.
type Sender struct {
	agent uint32
	node  string
	mask  func([]byte) []byte
	log   func(string)
	dial  func() (net.Conn, error)
	queue chan packet
	lost  atomic.Uint64
	done  sync.WaitGroup

	// What follows is run's alone.
	conn    net.Conn
	unknown error     // why there is no conn
	triedAt time.Time // when one was last tried

	told   uint64    // of lost, how many the log knows of
	toldAt time.Time // when it was last told
	failed time.Time // when a packet last could not be sent; zero: the log knows that they can
}

// Config says where to.
type Config struct {
	Server string              // HOST:PORT
	Agent  uint32              // number of this capture agent
	Node   string              // its name; may be empty
	Mask   func([]byte) []byte // takes secrets out of a message; must not change what it is given
	Log    func(string)        // of what goes wrong, a line when it begins and when it is over
}

// New makes a sender. That its server can be reached, and its name be found, is nothing that phones shall wait for: the
// log says so when it cannot, and it is tried again.
func New(cfg Config) *Sender {
	s := &Sender{agent: cfg.Agent, node: cfg.Node, mask: cfg.Mask, log: cfg.Log, queue: make(chan packet, queueLength)}
	s.dial = func() (net.Conn, error) { return net.DialTimeout("udp", cfg.Server, patience) }
	s.done.Go(s.run)
	return s
}

// patience is how long it may take to find the server's name.
const patience = 2 * time.Second

// SIP mirrors a message; text is copied.
func (s *Sender) SIP(at time.Time, from, to netip.AddrPort, text []byte) {
	if len(text) > maxMessage {
		s.lost.Add(1)
		return
	}
	s.put(packet{kind: sip, at: at, from: from, to: to, payload: bytes.Clone(text)})
}

// Report is what is told of one direction of a stream at the end of its call.
type Report struct {
	CallID    string  `json:"CORRELATION_ID"`
	SIPCallID string  `json:"RTP_SIP_CALL_ID"`
	Type      string  `json:"TYPE"`  // HANGUP
	From      string  `json:"PARTY"` // whose sound it is
	SourceIP  string  `json:"SRC_IP"`
	Source    uint16  `json:"SRC_PORT"`
	DestIP    string  `json:"DST_IP"`
	Dest      uint16  `json:"DST_PORT"`
	Codec     string  `json:"CODEC_NAME"`
	Packets   uint64  `json:"TOTAL_PK"`
	Expected  uint64  `json:"EXPECTED_PK"`
	Lost      uint64  `json:"PACKET_LOSS"`
	Jitter    float64 `json:"JITTER"` // milliseconds
	MOS       float64 `json:"MOS"`
	Seconds   float64 `json:"DURATION"`
	Verdict   string  `json:"VERDICT"`
	At        int64   `json:"REPORT_TS"`
}

// Report sends a report on media that went from one address to another.
func (s *Sender) Report(at time.Time, from, to netip.AddrPort, r *Report) {
	r.SIPCallID, r.Type, r.At = r.CallID, "HANGUP", at.Unix()
	r.SourceIP, r.Source, r.DestIP, r.Dest = from.Addr().String(), from.Port(), to.Addr().String(), to.Port()
	if b, err := json.Marshal(r); err == nil {
		s.put(packet{kind: media, at: at, from: from, to: to, callID: []byte(r.CallID), payload: b})
	}
}

func (s *Sender) put(p packet) {
	select {
	case s.queue <- p:
	default:
		s.lost.Add(1)
	}
}

// Close sends what waits and ends.
func (s *Sender) Close() {
	close(s.queue)
	s.done.Wait()
}

func (s *Sender) run() {
	var b []byte
	if err := s.reach(time.Now()); err != nil {
		s.note(time.Now(), err)
	}
	for p := range s.queue {
		if p.kind == sip {
			p.payload = s.mask(p.payload)
			if p.callID = callID(p.payload); p.callID == nil {
				continue // a keepalive
			}
		}
		var ok bool
		if b, ok = p.append(b[:0], s.agent, s.node); !ok {
			s.lost.Add(1)
			continue
		}
		now := time.Now()
		s.note(now, s.write(now, b))
	}
	if s.conn != nil {
		s.conn.Close()
	}
}

func (s *Sender) write(now time.Time, b []byte) error {
	if err := s.reach(now); err != nil {
		return err
	}
	_, err := s.conn.Write(b)
	return err
}

// reach makes the connection where there is none yet. Over UDP that says nothing about whether a server listens.
func (s *Sender) reach(now time.Time) error {
	if s.conn == nil && now.Sub(s.triedAt) >= quiet {
		s.conn, s.unknown = s.dial()
		s.triedAt = now
	}
	return s.unknown
}

// quiet is how long nothing goes wrong before it is over, and how long the log hears no more of what is lost. Where nobody
// listens, the host of the server refuses every other packet, and who sends most of what is mirrored are strangers.
const quiet = 10 * time.Second

// note tells the log when sending begins to fail and when it works again, and of what was lost, once the queue is empty.
func (s *Sender) note(now time.Time, err error) {
	switch {
	case err != nil:
		if s.failed.IsZero() {
			s.log(fmt.Sprintf("cannot send to the HEP server: %v", err))
		}
		s.failed = now
	case !s.failed.IsZero() && now.Sub(s.failed) >= quiet:
		s.log("the HEP server takes messages again")
		s.failed = time.Time{}
	}
	if n := s.lost.Load(); n > s.told && len(s.queue) == 0 && now.Sub(s.toldAt) >= quiet {
		s.log(fmt.Sprintf("%d messages were not sent to the HEP server: too long, or faster than they could be sent", n-s.told))
		s.told, s.toldAt = n, now
	}
}

// callID finds the Call-ID of a message, which may have its compact name.
func callID(text []byte) []byte {
	for line := range bytes.Lines(text) {
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok && len(bytes.TrimSpace(line)) == 0 {
			return nil // the body
		}
		if name = bytes.TrimSpace(name); bytes.EqualFold(name, []byte("Call-ID")) || bytes.EqualFold(name, []byte("i")) {
			return bytes.TrimSpace(value)
		}
	}
	return nil
}
