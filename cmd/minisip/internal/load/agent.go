//go:build linux

package main

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

// The first addresses of callers and callees; each user has the next one.
var (
	firstCaller = [4]byte{127, 16, 0, 1}
	firstCallee = [4]byte{127, 80, 0, 1}
)

const maxUsers = 1 << 20

// agent is all phones of one side: one socket that sends from every phone's address.
type agent struct {
	conn    *net.UDPConn
	server  netip.AddrPort
	name    string // of the users, before their number
	first   uint32 // address of the first phone
	users   int
	port    uint16
	timers  wheel
	in, oob []byte
	out     []byte
}

func newAgent(server netip.AddrPort, name string, first [4]byte, users int) (*agent, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{})
	if err != nil {
		return nil, err
	}
	conn.SetReadBuffer(16 << 20)
	conn.SetWriteBuffer(16 << 20)
	a := &agent{
		conn: conn, server: server, name: name, users: users, first: binary.BigEndian.Uint32(first[:]),
		port: conn.LocalAddr().(*net.UDPAddr).AddrPort().Port(), in: make([]byte, 65536),
		oob: make([]byte, syscall.CmsgSpace(syscall.SizeofInet4Pktinfo)),
	}
	// Its fields are as wide as a word of the machine, or not.
	h := (*syscall.Cmsghdr)(unsafe.Pointer(unsafe.SliceData(a.oob)))
	h.Level, h.Type = syscall.IPPROTO_IP, syscall.IP_PKTINFO
	h.SetLen(syscall.CmsgLen(syscall.SizeofInet4Pktinfo))
	return a, nil
}

func (a *agent) close() { a.conn.Close() }

// appendHost appends the address and port of a phone.
func (a *agent) appendHost(b []byte, user int) []byte {
	var ip [4]byte
	binary.BigEndian.PutUint32(ip[:], a.first+uint32(user))
	return netip.AddrPortFrom(netip.AddrFrom4(ip), a.port).AppendTo(b)
}

// appendUser appends a user's name.
func (a *agent) appendUser(b []byte, user int) []byte {
	return strconv.AppendInt(append(b, a.name...), int64(user), 10)
}

// send sends a datagram from a phone's address, which stands in struct in_pktinfo.
func (a *agent) send(user int, b []byte) {
	binary.BigEndian.PutUint32(a.oob[syscall.CmsgLen(0)+4:], a.first+uint32(user))
	a.conn.WriteMsgUDPAddrPort(b, a.oob, a.server) // what is lost is repeated
}

// player is what an agent's phones do.
type player interface {
	// receive takes a datagram that came to one of them.
	receive(now time.Time, m []byte)
	// tick comes every millisecond. It says when all is done.
	tick(now time.Time) (over bool)
}

// play gives p what comes until it is over. What was set for another player is void.
func (a *agent) play(p player) {
	a.timers = wheel{}
	for {
		now := time.Now()
		if p.tick(now) {
			return
		}
		next := now.Add(time.Millisecond)
		a.conn.SetReadDeadline(next)
		for now.Before(next) {
			n, _, _, _, err := a.conn.ReadMsgUDPAddrPort(a.in, nil)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if errors.Is(err, os.ErrDeadlineExceeded) {
				break
			}
			now = time.Now()
			if err == nil {
				p.receive(now, a.in[:n])
			}
		}
	}
}

// wheel holds what is to be done at a time, in slots of some milliseconds.
type wheel struct {
	slots [1024][]deadline
	done  int64 // the last slot that was looked at
}

const slotLength = 20 * time.Millisecond

// deadline is about one of many pieces of work. When the piece has gone on, so that its
// step is another, it is void.
type deadline struct {
	at   int64 // slot
	work int
	step int
}

func (w *wheel) set(at time.Time, work, step int) {
	d := deadline{at.UnixNano()/int64(slotLength) + 1, work, step}
	i := d.at % int64(len(w.slots))
	w.slots[i] = append(w.slots[i], d)
}

// due gives every deadline that has come to f, which may set others.
func (w *wheel) due(now time.Time, f func(work, step int)) {
	slot := now.UnixNano() / int64(slotLength)
	for w.done = max(w.done, slot-int64(len(w.slots))); w.done < slot; {
		w.done++
		i := w.done % int64(len(w.slots))
		list := w.slots[i]
		w.slots[i] = nil
		for _, d := range list {
			if d.at > w.done {
				w.slots[i] = append(w.slots[i], d) // in a later round
			} else {
				f(d.work, d.step)
			}
		}
	}
}

// RFC 3261 17.1.1.1.
const (
	t1       = 500 * time.Millisecond
	t2       = 4 * time.Second
	lifetime = 64 * t1
)

// sends is how often a message goes out within a lifetime: at 0, 0.5, 1.5, 3.5, 7.5 ... 31.5 s.
const sends = 11

// pause is how long to wait after a message was sent for the n-th time; more is false when
// that was the last. Timer A, which doubles without end, is treated as timer E.
func pause(n int) (d time.Duration, more bool) {
	if n >= sends {
		return t1, false
	}
	return min(t1<<(n-1), t2), true
}
