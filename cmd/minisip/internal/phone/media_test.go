package phone

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"
)

// mediaTo gives the media of a call, and the far end that it sends to.
func mediaTo(t *testing.T) (m *Media, far *net.UDPConn) {
	t.Helper()
	m, err := newMedia(netip.MustParseAddr("127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.close)
	if far, err = net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close() })
	far.SetDeadline(time.Now().Add(20 * time.Second))
	m.aimAt(far.LocalAddr().(*net.UDPAddr).AddrPort())
	return m, far
}

// TestEchoBreaksOff: what was sent after the last packet that came back is lost, too.
func TestEchoBreaksOff(t *testing.T) {
	m := new(Media)
	for i := range 10 {
		m.played = append(m.played, uint32(i*samples))
	}
	for i, ts := range m.played[2:6] { // the first two came too early for who echoes
		m.ear.hear(0, uint16(i), ts, nil)
	}
	if h := m.Heard(true); h.Packets != 4 || h.Lost != 4 || h.LossPercent != 50 {
		t.Errorf("%+v", h)
	}
	if h := m.Heard(false); h.Lost != 0 {
		t.Errorf("of who does not echo: %+v", h)
	}
}

// TestAwait: an echo that is on its way as the last packet is sent is waited for.
func TestAwait(t *testing.T) {
	m, far := mediaTo(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	talk, hush := context.WithCancel(ctx)
	defer hush()
	over := make(chan struct{})
	go func() {
		m.play(talk, 440)
		close(over)
	}()
	var heard [][]byte
	take := func() {
		b := make([]byte, 2048)
		n, err := far.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		heard = append(heard, b[:n])
	}
	for range 3 {
		take()
	}
	hush()
	<-over
	for uint64(len(heard)) < m.Heard(true).Sent {
		take()
	}
	go func() {
		for _, b := range heard {
			far.WriteTo(b, m.conn.LocalAddr())
		}
	}()
	m.Await(ctx)
	if h := m.Heard(true); h.Packets != h.Sent || h.Lost != 0 {
		t.Errorf("%d sent, %d came back, %d lost", h.Sent, h.Packets, h.Lost)
	}
}

// TestTalkIsHeard: the time of a talk begins with the first sound, however late that comes.
func TestTalkIsHeard(t *testing.T) {
	m, far := mediaTo(t)
	go func() {
		b := make([]byte, rtpHeader+samples)
		for range 2 {
			far.Read(b)
		}
		if n, from, err := far.ReadFrom(b); err == nil {
			far.WriteTo(b[:n], from)
		}
	}()
	Talk(t.Context(), 0, m)
	if h := m.Heard(true); h.Packets != 1 || h.Sent < 3 {
		t.Errorf("after the talk: %+v", h)
	}
}

// What does not reach who echoes is lost for who listens to the echo.
func TestEchoOfLoss(t *testing.T) {
	m, far := mediaTo(t)
	m.echo.Store(true)
	var e ear
	b := make([]byte, rtpHeader+samples)
	for i := range 20 {
		if i%10 == 5 || i%10 == 6 {
			continue
		}
		b[0], b[1], b[3] = 2<<6, pcmu, byte(i)
		if _, err := far.WriteTo(b, m.conn.LocalAddr()); err != nil {
			t.Fatal(err)
		}
		n, err := far.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		e.hear(time.Duration(i)*frame, binary.BigEndian.Uint16(b[2:]), uint32(i*samples), b[rtpHeader:n])
		b[2] = 0
	}
	if h := e.heard(true, 0); h.Packets != 16 || h.Lost != 4 {
		t.Errorf("%d packets came back, %d are lost, want 16, 4", h.Packets, h.Lost)
	}
}

// TestKnockEndsAtOnce: no comfort noise takes a sequence number between those of an echo, however many are about to go.
func TestKnockEndsAtOnce(t *testing.T) {
	m, _ := mediaTo(t)
	var knocking, over sync.WaitGroup
	for range 16 {
		knocking.Add(1)
		over.Go(func() {
			b := make([]byte, rtpHeader+1)
			m.knockOnce(b)
			knocking.Done()
			for m.knockOnce(b) {
			}
		})
	}
	knocking.Wait()
	m.mu.Lock()
	m.ear.packets = 1
	last := m.out.seq
	m.mu.Unlock()
	over.Wait()
	if m.out.seq != last {
		t.Errorf("%d packets of comfort noise went out after something was heard", m.out.seq-last)
	}
}
