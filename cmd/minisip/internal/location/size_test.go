package location

import (
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"minisip/sipmsg"
)

// phone is the n-th phone's REGISTER, as a softphone behind a NAT sends it.
func phone(n int) *Update {
	params := fmt.Sprintf(`+sip.instance="<urn:uuid:00000000-0000-1000-8000-%012x>"`, n)
	return &Update{
		AOR: fmt.Sprint(100000 + n), CallID: fmt.Sprintf("%016x-%08x@192.168.1.5", n*7919, n), CSeq: 1,
		UserAgent: []string{"Linphone/5.2.4 (belle-sip/5.3)", "baresip v3.9.0", "Zoiper rv2.10.19"}[n%3], NAT: true,
		Source: netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 18, byte(n >> 16), byte(n >> 8)}), uint16(1024+n%256)),
		Local:  netip.MustParseAddrPort("203.0.113.1:5060"),
		Contacts: []Contact{{URI: fmt.Sprintf("sip:%d@192.168.1.5:5060;transport=udp;rinstance=%016x", 100000+n, n*104729),
			Params: params, Instance: params[15 : len(params)-1], Q: 1000, Expires: time.Hour}},
	}
}

// fill registers n phones, spread over half an hour.
func fill(tb testing.TB, n int) (*Table, []*Update) {
	table := New(Limits{})
	updates := make([]*Update, n)
	for i := range n {
		updates[i] = phone(i)
		if _, err := table.Register(epoch.Add(30*time.Minute*time.Duration(i)/time.Duration(n)), updates[i]); err != nil {
			tb.Fatal(err)
		}
	}
	return table, updates
}

// heapSize is the live heap in bytes.
func heapSize() uint64 {
	runtime.GC()
	runtime.GC() // the second one frees what the first one's finalizers let go
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

// A registration costs 0.6 KB at most: struct, strings, maps and heap together.
func TestMemoryPerBinding(t *testing.T) {
	for _, n := range []int{1000, 200_000} {
		before := heapSize()
		table := New(Limits{})
		for i := range n {
			if _, err := table.Register(epoch, phone(i)); err != nil {
				t.Fatal(err)
			}
		}
		each := int(heapSize()-before) / n
		t.Logf("%d bindings: %d bytes each", table.Len(), each)
		if each > 600 {
			t.Errorf("%d bindings take %d bytes each, over 600", n, each)
		}
		runtime.KeepAlive(table)
	}
}

// What happens all day long allocates nothing: a refresh, and finding a binding.
func TestAllocations(t *testing.T) {
	table, updates := fill(t, 100)
	now := epoch.Add(30 * time.Minute)
	u := updates[50]
	uri, err := sipmsg.ParseURI([]byte(u.Contacts[0].URI))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		max  float64
		f    func() bool
	}{
		{"refresh", 0, func() bool {
			u.CSeq++
			list, err := table.Register(now, u)
			return err == nil && len(list) == 1
		}},
		{"Lookup", 0, func() bool { return len(table.Lookup(now, u.AOR)) == 1 }},
		{"AtSource", 0, func() bool {
			for b := range table.AtSource(u.Source) {
				return b.AOR() == u.AOR
			}
			return false
		}},
		{"FindContact", 2, func() bool { return table.FindContact(&uri).AOR() == u.AOR }}, // netip reads strings
		{"Deadline", 0, func() bool { return !table.Deadline().IsZero() && table.Expire(now) == nil }},
	} {
		ok := true
		if n := testing.AllocsPerRun(100, func() { ok = tt.f() && ok }); n > tt.max || !ok {
			t.Errorf("%s: %v allocations, want %v at most; it works: %v", tt.name, n, tt.max, ok)
		}
	}
}

// The cost of a REGISTER does not grow with the number of users.
func BenchmarkRegister(b *testing.B) {
	for _, n := range []int{1000, 200_000} {
		table, updates := fill(b, n)
		now := epoch.Add(30 * time.Minute)
		// Phones come in an order that no cache foresees, as in life.
		next := 0
		one := func() *Update {
			next = (next + 7919) % n
			now = now.Add(30 * time.Minute / time.Duration(n))
			table.Expire(now)
			updates[next].CSeq++
			return updates[next]
		}
		b.Run(fmt.Sprintf("refresh/users=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := table.Register(now, one()); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("leave-and-come/users=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				u := one()
				u.Contacts[0].Expires = 0
				_, err := table.Register(now, u)
				u.CSeq, u.Contacts[0].Expires = u.CSeq+1, time.Hour
				_, err2 := table.Register(now, u)
				if err != nil || err2 != nil {
					b.Fatal(err, err2)
				}
			}
		})
	}
}

func BenchmarkLookup(b *testing.B) {
	for _, n := range []int{1000, 200_000} {
		table, updates := fill(b, n)
		now := epoch.Add(30 * time.Minute)
		next := 0
		b.Run(fmt.Sprintf("users=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				next = (next + 7919) % n
				if len(table.Lookup(now, updates[next].AOR)) != 1 {
					b.Fatal("not found")
				}
			}
		})
	}
}

func BenchmarkReadRegister(b *testing.B) {
	m := new(sipmsg.Message)
	err := m.Parse([]byte("REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\n" +
		"From: <sip:a@example.com>;tag=1\r\nTo: <sip:a@example.com>\r\nCall-ID: c@10.0.0.1\r\nCSeq: 7 REGISTER\r\n" +
		`Contact: <sip:a@10.0.0.1:5062;ob>;expires=3600;+sip.instance="<urn:uuid:00000000-0000-1000-8000-000000000001>"` + "\r\n" +
		"User-Agent: Linphone/5.2.4 (belle-sip/5.3)\r\n\r\n"))
	if err != nil {
		b.Fatal(err)
	}
	u := new(Update)
	b.ReportAllocs()
	for b.Loop() {
		if err := ReadRegister(m, u); err != nil {
			b.Fatal(err)
		}
	}
}
