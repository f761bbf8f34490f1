package phone

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"
	"unicode"

	"minisip/sipmsg"
)

// Config says who a phone is and whom it speaks with.
type Config struct {
	Server         netip.AddrPort
	User, Password string
	Bind           netip.Addr     // its own address; invalid: the one that packets to Server leave from
	Claim          netip.Addr     // the address it believes to have; invalid: its own
	Agent          string         // User-Agent
	Caller         *Phone         // only its calls ring here, others get 486; nil: anybody's ring
	Watch          func(*Message) // is told of every message, one at a time, in order; may be nil
}

// Message is a SIP message that a phone has sent or received.
type Message struct {
	At    time.Time
	Sent  bool
	Again bool // repeated by the phone
	*sipmsg.Message
}

// Phone is one phone. Its methods may be called from any goroutine.
type Phone struct {
	cfg   Config
	conn  *net.UDPConn
	local netip.AddrPort // as it stands in its messages
	tag   string

	mu         sync.Mutex
	registered uint32                          // CSeq of the last REGISTER
	waiting    map[string]chan *sipmsg.Message // by branch and method: who waits for responses
	calls      map[string]*Call                // by Call-ID
	ring       chan *Call                      // calls that came in
	watch      sync.Mutex
	readers    sync.WaitGroup
}

// New makes a phone. It listens at once; Close ends that.
func New(cfg Config) (*Phone, error) {
	var err error
	if !cfg.Bind.IsValid() {
		if cfg.Bind, err = towards(cfg.Server); err != nil {
			return nil, err
		}
	}
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(cfg.Bind, 0)))
	if err != nil {
		return nil, err
	}
	if !cfg.Claim.IsValid() {
		cfg.Claim = cfg.Bind
	}
	p := &Phone{
		cfg: cfg, conn: conn, tag: token(), waiting: map[string]chan *sipmsg.Message{}, calls: map[string]*Call{}, ring: make(chan *Call, 1),
	}
	p.local = netip.AddrPortFrom(cfg.Claim, conn.LocalAddr().(*net.UDPAddr).AddrPort().Port())
	p.readers.Go(p.read)
	return p, nil
}

// towards is the address that packets to a server leave from; none is sent.
func towards(server netip.AddrPort) (netip.Addr, error) {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(server))
	if err != nil {
		return netip.Addr{}, err
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), nil
}

// Close ends the phone and its calls, without a word to anybody.
func (p *Phone) Close() {
	p.conn.Close()
	p.readers.Wait()
	p.mu.Lock()
	calls := p.calls
	p.calls = map[string]*Call{}
	p.mu.Unlock()
	for _, c := range calls {
		c.end("the phone was switched off")
		c.media.close()
	}
}

// Local is the address that the phone writes into its messages.
func (p *Phone) Local() netip.AddrPort { return p.local }

// read takes what comes until the phone is closed.
func (p *Phone) read() {
	b := make([]byte, 65536)
	for {
		n, from, err := p.conn.ReadFromUDPAddrPort(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil || netip.AddrPortFrom(from.Addr().Unmap(), from.Port()) != p.cfg.Server {
			continue // an ICMP error of something sent before, or a stranger
		}
		m := new(sipmsg.Message)
		if m.Parse(append([]byte(nil), b[:n]...)) != nil {
			continue
		}
		p.tell(&Message{At: time.Now(), Message: m})
		if m.IsRequest() {
			p.request(m)
			continue
		}
		p.mu.Lock()
		wait := p.waiting[string(m.Via().Branch)+string(m.MethodName())]
		p.mu.Unlock()
		select {
		case wait <- m:
		default: // nobody waits, or has not taken what came before
			p.repeated(m)
		}
	}
}

// send tells who watches, before an answer can come, and sends a message.
func (p *Phone) send(text []byte, again bool) {
	if m := new(sipmsg.Message); p.cfg.Watch != nil && m.Parse(text) == nil {
		p.tell(&Message{At: time.Now(), Sent: true, Again: again, Message: m})
	}
	p.conn.WriteToUDPAddrPort(text, p.cfg.Server) // what is lost is repeated
}

func (p *Phone) tell(m *Message) {
	if p.cfg.Watch != nil {
		p.watch.Lock()
		defer p.watch.Unlock()
		p.cfg.Watch(m)
	}
}

// token is 64 random bits for a tag, a branch or a Call-ID.
func token() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// Refused is a final response other than 2xx.
type Refused struct {
	Method, Reason string
	Status         int
}

// Error says it for a terminal, which shall show and not obey what a server has sent.
func (e *Refused) Error() string {
	reason := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '.'
	}, e.Reason)
	return fmt.Sprintf("%s was refused: %d %s", e.Method, e.Status, reason)
}

// ErrNoAnswer says that no response came at all, or, to an INVITE, no final one.
var ErrNoAnswer = errors.New("no answer")

// wait waits for ch or the end of ctx.
func wait(ctx context.Context, ch <-chan struct{}) error {
	select {
	case <-ch:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
