package trail

import (
	"net/netip"
	"testing"
	"time"

	"minisip/sipmsg"
)

// TestEntryKeepsAll: what is packed into an entry comes out again.
func TestEntryKeepsAll(t *testing.T) {
	r := newRing(make([]byte, 64<<10))
	for _, peer := range []string{"198.51.100.7:31022", "[2001:db8::7]:5060", "[fe80::1%eth0]:5060", "[fe80::1%2]:5060", "[::ffff:192.0.2.1]:5060"} {
		m := Message{
			Key: 4711, At: time.Unix(1769860800, 123456789), Peer: netip.MustParseAddrPort(peer), Local: netip.MustParseAddrPort("203.0.113.10:5060"),
			Received: true, Again: true, Method: sipmsg.NOTIFY, Status: 699, Before: 42, Text: []byte("NOTIFY " + peer),
		}
		got := r.message(r.slot(r.add(&m, 7)))
		text := string(got.Text)
		got.Text, m.Text = nil, nil
		if text != "NOTIFY "+peer || got.Key != m.Key || !got.At.Equal(m.At) || got.Peer != m.Peer || got.Local != m.Local ||
			!got.Received || !got.Again || got.Method != m.Method || got.Status != m.Status || got.Before != m.Before {
			t.Errorf("got %+v with %q, want %+v", got, text, m)
		}
	}
}
