package diagnosis

import (
	"net/netip"
	"time"
)

// Call is what is known of one call.
type Call struct {
	Caller, Callee Party
	Begun          time.Time
	Rang, Answered time.Time // zero: not
	Now            time.Time // when it ended, or now
	Ended          bool
	End            End
	Status         int     // of the final response that the caller got; 0: none
	Refused        Refusal // why we refused it ourselves
	Repairs        Repairs
	Steps          []Step
	Media          []Direction
	Ports          string // of the relay: "10000-20000"
}

// End is how a call ended, where its messages do not say.
type End uint8

const (
	Normal    End = iota
	Silence       // no SIP and no media for the time of -timeout
	Cancelled     // by the caller
	Operator      // by an operator
)

// Side is the one or the other party.
type Side uint8

const (
	Caller Side = iota
	Callee
	Elsewhere // an address that is neither's
)

// Other is the far side.
func (s Side) Other() Side { return 1 - s }

// Party is one of the two.
type Party struct {
	User      string
	Addr      netip.AddrPort // where its packets come from
	Contact   string         // the host of the Contact that it wrote
	Via       string         // the host of the Via that it wrote; of the caller
	Signalled netip.AddrPort // where its SDP wants media
	Held      bool           // put the call on hold last
	Secure    bool           // its SDP asks for SRTP
	SDP       bool           // it sent one
	Mute      bool           // the first said that it sends nothing: recvonly, inactive
	Deaf      bool           // the first said that it wants nothing: sendonly, inactive, 0.0.0.0
}

// Repairs are the words that were on.
type Repairs struct{ Contact, SDP, Via bool }

// Refusal is why we refused a call before it reached a phone.
type Refusal uint8

const (
	NotRefused    Refusal = iota
	WrongPassword         // the digest did not fit, as often as Challenged says
	OtherURI              // the digest did fit, but was made for another Request-URI
	NotOffered            // the digest did fit, but was of an algorithm that -digest does not offer
	NoSuchUser            // nobody of that name in the user file
	NotRegistered         // no phone of that user
	NotAnswering          // all of his phones have stopped to answer pings
	NotHimself            // From names another user than the credentials
	ForeignRoute          // a Route that leads elsewhere
	ForeignCall           // it would have taken over a call of others
	WrongDomain           // a host that -domain does not list
	TooMany               // a limit of calls
	NoPorts               // no port of the relay was free
	NoSockets             // the system gave none for them
	BadOffer              // the caller's SDP cannot be read
	BadAnswer             // nor can that of who answered
)

// Step is one message.
type Step struct {
	At       time.Time
	Side     Side
	Received bool
	Method   string // of the request, or that the response is to
	Status   int    // 0: a request
	Again    bool   // a repetition
	Size     int
}

// Direction is what came from one side of one stream.
type Direction struct {
	Side        Side
	Kind        string // audio, video
	Packets     uint64
	LossPercent float64
	Jitter      time.Duration
	RTT         time.Duration
	MOS         float64 // 0: not judged
	First, Last time.Time
	Heard       time.Time // the newest packet of any kind, as a report
	Types       []string  // its payload types, as "0 PCMU/8000"
	Foreign     bool      // the other side's SDP lists none of them
	Oversize    uint64    // packets too large to be passed on
	Unaddressed uint64    // packets that came while nobody knew where the other side is
	Undelivered uint64    // packets that the system would not send on
	SendError   error     // why, of the newest of those
	Source      string    // where its packets come from now, or came from last
	Rebinds     uint64    // how often it fell silent and went on from elsewhere
	Strangers   uint64    // packets from elsewhere, refused
	Stranger    string    // where they came from
	Other       uint64    // STUN, DTLS and what is no RTP
	RTCP        uint64    // reports, which a phone sends though it is mute
}

// party gives a side.
func (c *Call) party(s Side) *Party {
	if s == Callee {
		return &c.Callee
	}
	return &c.Caller
}

// count counts the steps that fit.
func (c *Call) count(fits func(s *Step) bool) (n int) {
	for i := range c.Steps {
		if fits(&c.Steps[i]) {
			n++
		}
	}
	return n
}

// has says whether a step fits.
func (c *Call) has(fits func(s *Step) bool) bool { return c.count(fits) > 0 }

// from matches what a side sent: a request with status 0, else a response.
func from(side Side, method string, status int) func(*Step) bool {
	return func(s *Step) bool {
		return s.Received && s.Side == side && s.Method == method && s.Status == status
	}
}

// to matches what was sent to a side.
func to(side Side, method string, status int) func(*Step) bool {
	return func(s *Step) bool {
		return !s.Received && s.Side == side && s.Method == method && s.Status == status
	}
}

// again matches the repetitions of what fits.
func again(fits func(*Step) bool) func(*Step) bool {
	return func(s *Step) bool { return s.Again && fits(s) }
}

// private says whether a host, as written, is an address that only its own network reaches.
func private(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && unreachable(ip)
}

func unreachable(ip netip.Addr) bool {
	ip = ip.Unmap()
	return ip.IsPrivate() || ip.IsLinkLocalUnicast() || shared.Contains(ip)
}

// shared is RFC 6598's space, behind a provider's NAT.
var shared = netip.MustParsePrefix("100.64.0.0/10")
