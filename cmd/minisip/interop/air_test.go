//go:build interop

package interop

import (
	"encoding/binary"
	"hash/maphash"
	"math/rand/v2"
	"net"
	"net/netip"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// air is the way between the server and everybody else, of a network that loses, repeats and reorders. It is a namespace
// with a device to each side; what comes in at one goes out at the other. Only UDP suffers.
type air struct {
	lost, twice, passed atomic.Int64 // datagrams
	over                atomic.Bool
	running             sync.WaitGroup

	mu    sync.Mutex
	media map[netip.Addr]int // RTP packets lost on their way to the server, by who sent them
}

// What becomes of one in a hundred datagrams, and how long each is on its way: so differently that RTP and SIP overtake
// each other.
const (
	lossPercent, twicePercent = 10, 10
	mostLost                  = 2 // of one datagram and its repetitions, on one way: so who repeats himself is heard in the end
	shortestWay, longestWay   = 5 * time.Millisecond, 45 * time.Millisecond
)

// newAir makes the network and takes the server's wire apart.
func newAir(t *testing.T) *air {
	t.Helper()
	newNetwork(t)
	command(t, "ip", "netns", "add", netns("air"))
	command(t, "ip", "-n", netns("srv"), "link", "del", "eth0")
	for _, w := range []wire{
		{"srv", "eth0", serverIP + "/24", "air", "near", ""},
		{"isp", "srv", "198.51.100.1/24", "air", "far", ""},
	} {
		command(t, "ip", "link", "add", w.dev1, "netns", netns(w.ns1), "type", "veth", "peer", "name", w.dev2, "netns", netns(w.ns2))
		command(t, "ip", "-n", netns(w.ns1), "addr", "add", w.ip1, "dev", w.dev1)
		command(t, "ip", "-n", netns(w.ns1), "link", "set", w.dev1, "up")
		command(t, "ip", "-n", netns(w.ns2), "link", "set", w.dev2, "up")
	}
	command(t, "ip", "-n", netns("srv"), "route", "add", "default", "via", gateways["srv"])
	a := &air{media: map[netip.Addr]int{}}
	var near, far int
	err := inNamespace(filepath.Join("/run/netns", netns("air")), func() (err error) {
		if near, err = packetSocket("near"); err == nil {
			far, err = packetSocket("far")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, way := range [...]struct{ in, out int }{{near, far}, {far, near}} {
		l := &luck{Rand: rand.New(rand.NewPCG(1, uint64(i)+1)), seed: maphash.MakeSeed(), lost: map[uint64]int{}}
		a.running.Go(func() { a.carry(way.in, way.out, l) })
	}
	t.Cleanup(func() {
		a.over.Store(true)
		a.running.Wait()
		time.Sleep(2 * longestWay) // what is on its way still needs them
		syscall.Close(near)
		syscall.Close(far)
		t.Logf("the network passed %d datagrams, lost %d, and brought %d twice", a.passed.Load(), a.lost.Load(), a.twice.Load())
	})
	return a
}

// packetSocket opens a socket for all frames of a device (packet(7)). Reading from it never takes long.
func packetSocket(device string) (fd int, err error) {
	ifi, err := net.InterfaceByName(device)
	if err != nil {
		return 0, err
	}
	all := binary.NativeEndian.Uint16([]byte{syscall.ETH_P_ALL >> 8, syscall.ETH_P_ALL})
	if fd, err = syscall.Socket(syscall.AF_PACKET, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, int(all)); err != nil {
		return 0, err
	}
	syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUF, 8<<20)
	syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &syscall.Timeval{Usec: 50_000})
	return fd, syscall.Bind(fd, &syscall.SockaddrLinklayer{Protocol: all, Ifindex: ifi.Index})
}

// luck is what decides about the datagrams of one way.
type luck struct {
	*rand.Rand
	seed maphash.Seed
	lost map[uint64]int // how often each that was lost has been
}

// loses says whether a datagram, with its UDP header, is lost, if chance is for it.
func (l *luck) loses(udp []byte) bool {
	id := maphash.Bytes(l.seed, udp)
	if l.lost[id] == mostLost {
		return false
	}
	l.lost[id]++
	return true
}

// carry brings what comes in at one device out at another.
func (a *air) carry(in, out int, l *luck) {
	b := make([]byte, 1<<16)
	for !a.over.Load() {
		n, from, err := syscall.Recvfrom(in, b, 0)
		if at, ok := from.(*syscall.SockaddrLinklayer); err != nil || !ok || at.Pkttype == syscall.PACKET_OUTGOING {
			continue
		}
		frame := b[:n]
		copies := 1
		ip, udp := datagramOf(frame)
		if udp != nil {
			// Between namespaces of one machine checksums are not computed, and so are wrong on this way: none is right (RFC 768).
			udp[6], udp[7] = 0, 0
			copies = a.fate(l, ip, udp)
		}
		for range copies {
			copied := append([]byte(nil), frame...)
			send := func() { syscall.Write(out, copied) }
			if udp == nil {
				send()
				continue
			}
			time.AfterFunc(shortestWay+time.Duration(l.Int64N(int64(longestWay-shortestWay))), send)
		}
	}
}

// fate is how often a datagram arrives.
func (a *air) fate(l *luck, ip, udp []byte) int {
	switch n := l.IntN(100); {
	case n < lossPercent && l.loses(udp):
		a.lost.Add(1)
		to := binary.BigEndian.Uint16(udp[2:])
		if to >= 10000 && to%2 == 0 && len(udp) > 20 {
			from, _ := netip.AddrFromSlice(ip[12:16])
			a.mu.Lock()
			a.media[from]++
			a.mu.Unlock()
		}
		return 0
	case n >= lossPercent && n < lossPercent+twicePercent:
		a.twice.Add(1)
		return 2
	}
	a.passed.Add(1)
	return 1
}

// datagramOf gives the IPv4 and UDP headers and what follows them in an Ethernet frame; nil where it holds none.
func datagramOf(frame []byte) (ip, udp []byte) {
	const ethernet, udpHeader = 14, 8
	if len(frame) < ethernet+20+udpHeader || frame[12] != 8 || frame[13] != 0 {
		return nil, nil
	}
	ip = frame[ethernet:]
	head := int(ip[0]&15) * 4
	if ip[9] != syscall.IPPROTO_UDP || len(ip) < head+udpHeader || binary.BigEndian.Uint16(ip[6:])&0x3fff != 0 {
		return nil, nil
	}
	return ip, ip[head:]
}

// mediaLost is how many RTP packets of a sender's have not reached the server.
func (a *air) mediaLost(from string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.media[netip.MustParseAddr(from)]
}
