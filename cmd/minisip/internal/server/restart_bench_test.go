package server

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"minisip/cmd/minisip/internal/location"
	"minisip/cmd/minisip/internal/proxy"
	"minisip/cmd/minisip/internal/state"
	"minisip/digest"
)

// BenchmarkStart: from nothing to 100,000 registrations that can be called, an op each.
func BenchmarkStart(b *testing.B) {
	const phones = 100_000
	dir := b.TempDir()
	st, err := state.Open(dir, func(line string) { b.Log(line) })
	if err != nil {
		b.Fatal(err)
	}
	table, now := location.New(location.Limits{}), time.Now()
	var accounts []byte
	for i := range phones {
		name := fmt.Sprint(100_000 + i)
		accounts = fmt.Appendf(accounts, "%s:%s:%032x\n", name, testRealm, i)
		u := &location.Update{
			AOR: name, CallID: name + "-4f1c9a@192.168.1.5", CSeq: 1, UserAgent: "Linphone/5.2.4 (belle-sip/5.3)", NAT: true,
			Source: netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)}), uint16(1024+i>>16)),
			Local:  netip.MustParseAddrPort("203.0.113.1:5060"),
			Contacts: []location.Contact{{URI: "sip:" + name + "@192.168.1.5:5060;transport=udp;rinstance=2f9a1c7d", Q: 1000,
				Params: `+sip.instance="<urn:uuid:00000000-0000-1000-8000-000000000000>"`, Expires: time.Hour}},
		}
		if _, err := table.Register(now, u); err != nil {
			b.Fatal(err)
		}
		st.Keep(state.Key{Kind: 'b', ID: u.Changes[0].Binding.ID}, table.AppendRecord(nil, u.Changes[0].Binding, st.Epoch()))
	}
	st.Close()
	users, err := digest.ParseUsers("users.conf", accounts, testRealm)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		st, err := state.Open(dir, func(line string) { b.Log(line) })
		if err != nil {
			b.Fatal(err)
		}
		core := proxy.New(proxy.Config{Epoch: st.Epoch(), Realm: testRealm}, nil, nil, users, nil, [32]byte{})
		for _, r := range st.Loaded() {
			if err := core.Restore(now, r.Kind, r.ID, string(r.Data)); err != nil {
				b.Fatal(err)
			}
		}
		if n, _ := core.Load(); n != phones {
			b.Fatalf("%d users are registered", n)
		}
		st.Close()
	}
}
