package pack

import (
	"math"
	"net/netip"
	"slices"
	"testing"
	"time"
)

var epoch = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// sample is a record with every kind of field.
func sample() []byte {
	b := AppendUint(nil, 0)
	b = AppendUint(b, math.MaxUint64)
	b = AppendInt(b, math.MinInt64)
	b = AppendInt(b, -1)
	b = AppendBool(b, true)
	b = AppendString(b, "sip:001@192.0.2.1")
	b = AppendString(b, "")
	b = AppendStrings(b, []string{"a", "", "c"})
	b = AppendStrings(b, nil)
	b = AppendAddr(b, netip.Addr{})
	b = AppendAddr(b, netip.MustParseAddr("fe80::1%eth0"))
	b = AppendAddrPort(b, netip.MustParseAddrPort("192.0.2.1:5060"))
	b = AppendAddrPort(b, netip.MustParseAddrPort("[2001:db8::1]:65535"))
	b = AppendAddrPort(b, netip.AddrPort{})
	b = AppendTime(b, epoch, epoch.Add(-time.Hour))
	b = AppendTime(b, epoch, time.Time{})
	b = AppendSection(b, func(b []byte) []byte { return AppendString(b, "inside") })
	return AppendString(b, "last")
}

// read reads a sample and says which field was the first to be other than written.
func read(t *testing.T, r *Reader) (differs int) {
	for i, ok := range []func() bool{
		func() bool { return r.Uint() == 0 },
		func() bool { return r.Uint() == math.MaxUint64 },
		func() bool { return r.Int() == math.MinInt64 },
		func() bool { return r.Int() == -1 },
		func() bool { return r.Bool() },
		func() bool { return r.String() == "sip:001@192.0.2.1" },
		func() bool { return r.String() == "" },
		func() bool { return slices.Equal(r.Strings(), []string{"a", "", "c"}) },
		func() bool { return r.Strings() == nil },
		func() bool { return r.Addr() == netip.Addr{} },
		func() bool { return r.Addr() == netip.MustParseAddr("fe80::1%eth0") },
		func() bool { return r.AddrPort() == netip.MustParseAddrPort("192.0.2.1:5060") },
		func() bool { return r.AddrPort() == netip.MustParseAddrPort("[2001:db8::1]:65535") },
		func() bool { return r.AddrPort() == netip.AddrPort{} },
		func() bool { return r.Time(epoch).Equal(epoch.Add(-time.Hour)) },
		func() bool { return r.Time(epoch).IsZero() },
		func() bool { s := r.Section(); return s.String() == "inside" && !s.More() && s.OK() },
		func() bool { return r.String() == "last" },
	} {
		if !ok() {
			return i + 1
		}
	}
	return 0
}

func TestRoundTrip(t *testing.T) {
	r := NewReader(string(sample()))
	if n := read(t, &r); n != 0 || !r.OK() || r.More() {
		t.Errorf("field %d differs; ok %v, more %v", n, r.OK(), r.More())
	}
}

// A record of an older version ends early: what it lacks is zero, and that is no mistake. What a
// newer version added is not in the way.
func TestOtherVersions(t *testing.T) {
	r := NewReader(string(AppendString(nil, "only")))
	if r.String() != "only" || r.Uint() != 0 || r.String() != "" || r.Strings() != nil || r.Addr().IsValid() ||
		r.AddrPort().IsValid() || !r.Time(epoch).IsZero() || r.Bool() {
		t.Error("what is not there is not zero")
	}
	if s := r.Section(); s.More() || !s.OK() || !r.OK() {
		t.Error("a record that ends early is called bad")
	}
	r = NewReader(string(append(sample(), "of a newer version"...)))
	if n := read(t, &r); n != 0 || !r.OK() {
		t.Errorf("with more behind it, field %d differs", n)
	}
}

// FuzzReader: whatever the bytes, reading ends, allocates no more than they justify, and does not panic.
func FuzzReader(f *testing.F) {
	whole := sample()
	for i := range whole {
		f.Add(whole[:i])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := NewReader(string(b))
		read(t, &r)
		for r.More() {
			before := len(r.rest)
			if len(r.Strings()) > len(b) || len(r.rest) >= before {
				t.Fatal("more texts than bytes, or no way ahead")
			}
		}
	})
}
