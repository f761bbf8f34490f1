package rtprelay

import (
	"slices"
	"testing"
	"time"
)

func TestPoolPairs(t *testing.T) {
	for _, tc := range []struct {
		low, high uint16
		want      []uint16
	}{
		{10000, 10003, []uint16{10000, 10002}},
		{10001, 10004, []uint16{10002}}, // 10004 has no next port in the range
		{10001, 10005, []uint16{10002, 10004}},
		{10000, 10000, nil},
		{10000, 9000, nil},
		{65532, 65535, []uint16{65532, 65534}},
	} {
		p := newPool(tc.low, tc.high, 0)
		var got []uint16
		for {
			port, ok := p.take(0)
			if !ok {
				break
			}
			got = append(got, port)
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%d-%d: pairs %v, want %v", tc.low, tc.high, got, tc.want)
		}
	}
}

func TestPoolRest(t *testing.T) {
	p := newPool(10000, 10005, 2*time.Second)
	steps := []struct {
		at   time.Duration
		put  uint16 // 0: take
		want uint16 // 0: none
	}{
		{0, 0, 10000},
		{0, 0, 10002},
		{1 * time.Second, 10002, 0},
		{2 * time.Second, 10000, 0},
		{2 * time.Second, 0, 10004}, // never used: it rested longest
		{3*time.Second - 1, 0, 0},   // 10002 still rests
		{3 * time.Second, 0, 10002}, // longest rested first
		{3 * time.Second, 0, 0},
		{4 * time.Second, 0, 10000},
		{9 * time.Second, 0, 0}, // none left
	}
	for i, s := range steps {
		if s.put != 0 {
			p.put(s.put, s.at)
			continue
		}
		port, ok := p.take(s.at)
		if port != s.want || ok != (s.want != 0) {
			t.Fatalf("step %d: took %d, %v, want %d", i, port, ok, s.want)
		}
	}
}

// What can be taken now is counted without those that still rest.
func TestPoolReady(t *testing.T) {
	p := newPool(10000, 10009, 2*time.Second)
	for range 3 {
		p.take(0)
	}
	p.put(10000, 1*time.Second)
	p.put(10002, 2*time.Second)
	for _, tt := range []struct {
		at   time.Duration
		want int
	}{{2 * time.Second, 2}, {3*time.Second - 1, 2}, {3 * time.Second, 3}, {4 * time.Second, 4}} {
		if n := p.ready(tt.at); n != tt.want {
			t.Errorf("at %v %d are ready, want %d", tt.at, n, tt.want)
		}
	}
}

func TestPoolUntake(t *testing.T) {
	p := newPool(10000, 10005, 2*time.Second)
	first, _ := p.take(0)
	p.untake(first)
	if again, ok := p.take(0); !ok || again != first {
		t.Fatalf("took %d, %v after untake, want %d at once", again, ok, first)
	}
}

// However ports come and go, none is lost, doubled, or taken before its rest.
func TestPoolKeepsAll(t *testing.T) {
	const pairs, rest = 50, 10
	p := newPool(10000, 10000+2*pairs-1, rest)
	used := map[uint16]bool{}
	free := map[uint16]time.Duration{}
	for now := time.Duration(1); now < 5000; now++ {
		if now%3 != 0 {
			port, ok := p.take(now)
			if !ok {
				continue
			}
			if used[port] {
				t.Fatalf("port %d taken twice", port)
			}
			if since, was := free[port]; was && now-since < rest {
				t.Fatalf("port %d rested %d", port, now-since)
			}
			used[port] = true
		} else if len(used) > 0 {
			ports := make([]uint16, 0, len(used))
			for port := range used {
				ports = append(ports, port)
			}
			port := slices.Min(ports)
			delete(used, port)
			free[port] = now
			p.put(port, now)
		}
		if p.count+len(used) != pairs {
			t.Fatalf("%d free and %d used of %d", p.count, len(used), pairs)
		}
	}
}
