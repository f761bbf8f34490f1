package phone

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"
)

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
	m, err := newMedia(netip.MustParseAddr("127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	defer m.close()
	far, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	far.SetDeadline(time.Now().Add(20 * time.Second))
	m.aimAt(far.LocalAddr().(*net.UDPAddr).AddrPort())
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
