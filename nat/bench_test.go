package nat

import "testing"

func TestRewriteAllocatesNothing(t *testing.T) {
	in, _, legs := readPhone(t, "baresip_ice.txt")
	for _, legs := range []string{legs, "198.51.100.1:10000:ice [2001:db8::1]:10004:mux"} {
		if n := testing.AllocsPerRun(100, reusing(t, in, legs)); n != 0 {
			t.Errorf("legs %s: %v allocations", legs, n)
		}
	}
}

func BenchmarkRewrite(b *testing.B) {
	in, _, legs := readPhone(b, "baresip.txt")
	rewrite := reusing(b, in, legs)
	b.ReportAllocs()
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		rewrite()
	}
}

// reusing gives a function that parses and rewrites in with one SDP and one buffer.
func reusing(t testing.TB, in, legs string) func() {
	body, l := []byte(in), parseLegs(t, legs)
	var s SDP
	var buf []byte
	return func() {
		if err := s.Parse(body); err != nil {
			t.Fatal(err)
		}
		buf = s.AppendRewritten(buf[:0], l)
	}
}
