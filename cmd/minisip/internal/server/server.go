package server

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"runtime"
	"sync"
	"syscall"
	"time"

	"minisip/cmd/minisip/internal/proxy"
	"minisip/cmd/minisip/internal/state"
	"minisip/digest"
	"minisip/rtprelay"
	"minisip/sipmsg"
)

// Config joins what the server and its core need.
type Config struct {
	Listen  []netip.AddrPort
	Default bool // Listen is the default: a machine without IPv6 serves IPv4 alone
	Proxy   proxy.Config
	RTP     rtprelay.Config
	TOS     int // of SIP, in IPv4's TOS or IPv6's traffic class; 0 or less: the system's
	Users   *digest.Users
	Auth    *digest.Server
	Seed    [32]byte
	Log     func(line string)      // never blocks
	Record  func(*proxy.Record)    // of an ended call; never blocks; may be nil
	Beat    func(*proxy.Core)      // called by the loop every Every, so that silence means it hangs; may be nil
	Every   time.Duration          // 0: 10 s
	Sockets map[netip.AddrPort]int // bound ones of an earlier process: taken where they fit, else closed
	HandOn  func(sip, rtp []int)   // is given the sockets when Run ends, for the next process; may be nil
	Now     func() time.Time       // tells the time; nil: time.Now
	State   *state.Store           // what an earlier process kept, and where to keep it; nil: nothing is kept

	TraceDir string // of recordings; "": there are none
	History  int    // bytes of the newest messages that are kept for whoever asks why a call went wrong; 0: 8 MB
	// Mirror is shown every SIP message as it came and as it went; it must neither wait nor keep the
	// datagram; may be nil.
	Mirror func(at time.Time, from, to netip.AddrPort, datagram []byte)
}

// Server is minisip at work.
type Server struct {
	cfg      Config
	sockets  []*socket
	core     *proxy.Core
	relay    *rtprelay.Relay
	first    *queue // what is being handled already goes first: see reader.go
	rest     *queue
	do       chan func()
	packets  sync.Pool
	messages sync.Pool // those that the core had kept
	health   health
	faults   faults
	crashes  crashes
	wall     wall
	began    time.Time
	beaten   time.Time // the loop's: when it last had its beat
	addrs    addresses
	traces   sync.WaitGroup  // of goroutines that wait for the end of one
	running  context.Context // until the loop has ended
	ended    context.CancelFunc
}

// Listen binds all sockets; nothing is served before Run. The error is one sentence.
func Listen(cfg Config) (*Server, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Every <= 0 {
		cfg.Every = 10 * time.Second
	}
	s := &Server{
		cfg: cfg, first: newQueue(8192, 32<<20), rest: newQueue(2048, 8<<20), do: make(chan func()),
		packets:  sync.Pool{New: func() any { return new(packet) }},
		messages: sync.Pool{New: func() any { return new(sipmsg.Message) }},
	}
	s.began = s.now()
	s.wall.step(s.began)
	s.running, s.ended = context.WithCancel(context.Background())
	for _, at := range cfg.Listen {
		sock, err := listen(at, cfg.TOS, cfg.Sockets)
		if err != nil && cfg.Default && at.Addr().Is6() && noIPv6(err) {
			cfg.Log("no IPv6 on this machine: serving IPv4 alone")
			continue
		}
		if err != nil {
			s.close()
			return nil, err
		}
		s.sockets = append(s.sockets, sock)
	}
	cfg.RTP.Sockets, cfg.RTP.Crashed = cfg.Sockets, s.crashedRelay
	r, err := rtprelay.New(cfg.RTP)
	if err != nil {
		s.close()
		return nil, err
	}
	s.relay = r
	s.addrs.refresh(time.Time{}, s.sockets)
	cfg.Proxy.Ours = s.addrs.has
	if cfg.State != nil {
		cfg.Proxy.Keeper, cfg.Proxy.Epoch = keeper{cfg.State}, cfg.State.Epoch()
	}
	history, releaseHistory := outsideHeap(cmp.Or(cfg.History, 8<<20))
	ended, releaseEnded := outsideHeap(proxy.LedgerSize)
	cfg.Proxy.History, cfg.Proxy.Ended = history, ended
	s.core = proxy.New(cfg.Proxy, (*output)(s), relay{r, s}, cfg.Users, cfg.Auth, cfg.Seed)
	runtime.AddCleanup(s.core, releaseHistory, history)
	runtime.AddCleanup(s.core, releaseEnded, ended)
	s.restore()
	for at, fd := range cfg.Sockets {
		delete(cfg.Sockets, at) // the relay has this map too: it must not take a number that is another's by then
		syscall.Close(fd)
	}
	return s, nil
}

func noIPv6(err error) bool {
	return errors.Is(err, syscall.EAFNOSUPPORT) || errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EPROTONOSUPPORT)
}

// Addresses are the addresses bound, wildcards included.
func (s *Server) Addresses() (out []netip.AddrPort) {
	for _, sock := range s.sockets {
		out = append(out, sock.local)
	}
	return out
}

// Run serves until ctx is done, then ends all calls' media and closes the sockets.
func (s *Server) Run(ctx context.Context) {
	var readers sync.WaitGroup
	for _, sock := range s.sockets {
		r := &reader{Server: s, bans: s.core.Bans(), sources: s.core.Sources(), nonces: s.cfg.Auth.Checker()}
		readers.Go(func() { sock.each(r.take) })
	}
	s.loop(ctx)
	for _, sock := range s.sockets {
		sock.stop()
	}
	readers.Wait()
	s.handleAll() // what comes from now on waits in the sockets for the next process
	s.keepLast()
	s.handOn()
	s.ended()
	s.close()
	if !waitFor(&s.traces, traceWait) {
		s.cfg.Log("a recording could not be written to its end: the disk hangs")
	}
}

func (s *Server) close() {
	for _, sock := range s.sockets {
		sock.close()
	}
	if s.relay != nil {
		s.relay.Close()
	}
}

// Do runs f in the event loop, where all signalling state may be touched, and waits for it. It
// reports false when ctx is done before the loop has taken f, which then never runs: what f
// writes is the caller's again either way. Should f panic, that is logged and Do returns.
func (s *Server) Do(ctx context.Context, f func(*proxy.Core)) bool {
	ran := make(chan struct{})
	select {
	case s.do <- func() { defer close(ran); f(s.core) }:
		<-ran
		return true
	case <-ctx.Done():
		return false
	}
}
