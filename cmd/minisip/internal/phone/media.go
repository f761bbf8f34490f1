package phone

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"minisip/nat"
	"minisip/sipmsg"
)

// What is sent: PCMU (RFC 3551 4.5.14), 20 ms a packet.
const (
	sampleRate = 8000
	frame      = 20 * time.Millisecond
	samples    = int(frame * sampleRate / time.Second)
	rtpHeader  = 12

	pcmu, comfortNoise = 0, 13 // payload types (RFC 3551, 3389)
)

// Media is the sound of one call: a socket for RTP, what is sent, and what is heard.
type Media struct {
	conn   *net.UDPConn
	begin  time.Time
	echo   atomic.Bool
	reader sync.WaitGroup
	hears  chan struct{} // closed when the first packet is heard

	mu     sync.Mutex // guards the rest
	to     netip.AddrPort
	out    rtpStream
	sent   uint64
	played []uint32 // timestamps of what play has sent, in order
	ear    ear
	came   uint16 // the sequence number of the newest packet
}

// rtpStream is what the next packet begins with.
type rtpStream struct {
	ssrc uint32
	seq  uint16
}

func newMedia(bind netip.Addr) (*Media, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(bind, 0)))
	if err != nil {
		return nil, err
	}
	m := &Media{conn: conn, begin: time.Now(), hears: make(chan struct{}), out: rtpStream{ssrc: rand.Uint32(), seq: uint16(rand.Uint32())}}
	m.reader.Go(m.listen)
	return m, nil
}

func (m *Media) close() {
	m.conn.Close()
	m.reader.Wait()
}

// offer describes the phone's end of the call, as an offer and as an answer.
func (m *Media) offer(claim netip.Addr) string {
	kind := "IP4"
	if claim.Is6() {
		kind = "IP6"
	}
	port := m.conn.LocalAddr().(*net.UDPAddr).Port
	return fmt.Sprintf("v=0\r\no=minisip 1 1 IN %[1]s %[2]s\r\ns=-\r\nc=IN %[1]s %[2]s\r\nt=0 0\r\nm=audio %[3]d RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=ptime:20\r\n",
		kind, claim, port)
}

var errNoSound = errors.New("the other side's SDP has no audio that this phone can play")

// aim takes in where the other side wants its sound.
func (m *Media) aim(from *sipmsg.Message) error {
	var s nat.SDP
	if part, ok := nat.FindSDP(from); !ok || s.Parse(part.SDP()) != nil {
		return errNoSound
	}
	for i := range s.Streams {
		if st := &s.Streams[i]; string(st.Media) == "audio" && st.Port != 0 && st.Addr.IsValid() {
			m.aimAt(netip.AddrPortFrom(st.Addr, st.Port))
			return nil
		}
	}
	return errNoSound
}

func (m *Media) aimAt(to netip.AddrPort) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.to = to
}

// Target is where the phone sends its sound.
func (m *Media) Target() netip.AddrPort {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.to
}

// Echo sends back all that is heard from now on. Where a NAT wants the sound for this phone, a relay learns only by what
// comes through it (RFC 6263): so until something is heard, comfort noise goes out.
func (m *Media) Echo() {
	m.echo.Store(true)
	m.reader.Go(m.knock)
}

func (m *Media) knock() {
	tick := time.NewTicker(frame)
	defer tick.Stop()
	for m.knockOnce(make([]byte, rtpHeader+1)) {
		<-tick.C
	}
}

// knockOnce looks and sends under one lock: in the midst of an echo, the sequence number that comfort noise takes is a
// packet lost to who counts the echo.
func (m *Media) knockOnce(b []byte) (again bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ear.packets > 0 {
		return false
	}
	b[rtpHeader] = 127 // silence
	return !errors.Is(m.writeNext(b, comfortNoise, m.timestamp(), 1), net.ErrClosed)
}

// firstSound is how long Talk waits for it.
const firstSound = 8 * time.Second

// Talk lets the ends of a call that are given play one of Tones each. Their time begins when all of them have heard something: a
// relay may have to learn where they are first, and a packet has its way to go. Where one hears nothing at all, Talk gives up.
func Talk(ctx context.Context, length time.Duration, ends ...*Media) {
	playing, hush := context.WithCancel(ctx)
	var all sync.WaitGroup
	defer all.Wait()
	defer hush()
	for i, m := range ends {
		all.Go(func() { m.play(playing, Tones[i]) })
	}
	soon, cancel := context.WithTimeout(ctx, firstSound)
	defer cancel()
	for _, m := range ends {
		if wait(soon, m.hears) != nil {
			return
		}
	}
	select {
	case <-time.After(length):
	case <-ctx.Done():
	}
}

// play sends a tone, in hertz, until ctx is done.
func (m *Media) play(ctx context.Context, tone float64) {
	tick := time.NewTicker(frame)
	defer tick.Stop()
	b := make([]byte, rtpHeader+samples)
	for n := 0; ; n++ {
		for i := range samples {
			t := float64(n*samples+i) / sampleRate
			b[rtpHeader+i] = muLaw(int16(12000 * math.Sin(2*math.Pi*tone*t)))
		}
		m.playOne(b)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// playOne sends one packet, and notes what its echo is known by.
func (m *Media) playOne(b []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	ts := m.timestamp()
	m.played = append(m.played, ts)
	m.writeNext(b, pcmu, ts, 1)
}

// Await waits until the echo of the last packet that was played is heard, or ctx is done: what is on its way is not lost.
func (m *Media) Await(ctx context.Context) {
	tick := time.NewTicker(frame)
	defer tick.Stop()
	for !m.echoed() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (m *Media) echoed() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := len(m.played)
	return n == 0 || m.ear.packets > 0 && m.ear.newest == m.played[n-1]
}

// write sends one packet with a payload type, a timestamp, and a sequence number a step from the one before; its header is
// written over.
func (m *Media) write(b []byte, kind byte, timestamp uint32, step uint16) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.writeNext(b, kind, timestamp, step)
}

// writeNext is write for who holds the lock.
func (m *Media) writeNext(b []byte, kind byte, timestamp uint32, step uint16) error {
	m.out.seq += step
	m.sent++
	b[0], b[1] = 2<<6, kind
	binary.BigEndian.PutUint16(b[2:], m.out.seq)
	binary.BigEndian.PutUint32(b[4:], timestamp)
	binary.BigEndian.PutUint32(b[8:], m.out.ssrc)
	_, err := m.conn.WriteToUDPAddrPort(b, m.to)
	return err
}

// timestamp is now in RTP's units.
func (m *Media) timestamp() uint32 { return uint32(time.Since(m.begin) * sampleRate / time.Second) }

// listen takes what comes until the call is over.
func (m *Media) listen() {
	b := make([]byte, 2048)
	for {
		n, _, err := m.conn.ReadFromUDPAddrPort(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil || n < rtpHeader || b[0]>>6 != 2 || b[1]&0x7f != pcmu {
			continue
		}
		now := time.Since(m.begin)
		seq, ts := binary.BigEndian.Uint16(b[2:]), binary.BigEndian.Uint32(b[4:])
		m.mu.Lock()
		step := uint16(1)
		if m.ear.packets > 0 {
			step = seq - m.came
		} else {
			close(m.hears)
		}
		m.came = seq
		m.ear.hear(now, seq, ts, b[rtpHeader:n])
		m.mu.Unlock()
		if m.echo.Load() {
			m.write(b[:n], pcmu, ts, step) // what was lost on the way here is missing of what goes back
		}
	}
}

// Heard gives what has been sent and heard up to now. echoed says that the other side sends back what it
// hears: then there is a round trip, and what has not come back since the first packet that did is lost, the last ones too.
func (m *Media) Heard(echoed bool) Heard {
	m.mu.Lock()
	defer m.mu.Unlock()
	expected := 0
	if i := slices.Index(m.played, m.ear.oldest); echoed && i >= 0 {
		expected = len(m.played) - i
	}
	h := m.ear.heard(echoed, uint64(expected))
	h.Sent = m.sent
	return h
}
