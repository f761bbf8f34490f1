//go:build linux && (amd64 || arm64) && !portable

package rtprelay

import (
	"syscall"
	"testing"
)

// What the ear was told of a socket may come late: the socket is closed, and its descriptor is another's.
func TestDescriptorOfAnother(t *testing.T) {
	r := newRelay(t, 4, -1)
	gone, s := mustOpen(t, r), mustOpen(t, r)
	gone.Close()
	a, b := newPhone(t, hostA), newPhone(t, hostB)
	s.Expect(Caller, Peer{RTP: a.addr, RTCP: a.addr, Signal: hostA})
	s.Expect(Callee, Peer{RTP: b.addr, RTCP: b.addr, Signal: hostB})
	s.mu.Lock() // so that nobody reads it but who should not
	a.send(s.Port(Caller)+1, []byte("theirs"))
	gone.legs[Caller].rtcp.hear(s.legs[Caller].rtcp.socket.fd, new(mailbox))
	s.mu.Unlock()
	b.hears([]byte("theirs"), s.Port(Callee)+1)
}

// Once a stream has ended, the ear is told no more of its sockets, also where another process holds them.
func TestEarForgets(t *testing.T) {
	r := newRelay(t, 2, -1)
	s := mustOpen(t, r)
	fd, ok := s.legs[Caller].rtcp.socket.descriptor()
	if !ok {
		t.Fatal("no descriptor")
	}
	theirs, err := syscall.Dup(fd)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(theirs)
	s.Close()
	newPhone(t, hostA).send(s.Port(Caller)+1, []byte("for the next process"))
	if r.ear.turn(new(mailbox)) {
		t.Error("the ear is still told of a packet")
	}
	if len(r.ear.of) != 0 {
		t.Errorf("the ear knows %d sockets", len(r.ear.of))
	}
	if n, ok := new(mailbox).read(theirs); !ok || n != len("for the next process") {
		t.Errorf("read %d bytes, %v: what waits is the other process's", n, ok)
	}
}
