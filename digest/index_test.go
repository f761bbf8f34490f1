package digest

import (
	"fmt"
	"runtime"
	"testing"
)

// manyUsers reads a file of n users.
func manyUsers(tb testing.TB, n int) *Users {
	var data []byte
	for i := range n {
		data = fmt.Appendf(data, "%d:r:%032x\n", 100_000+i, i)
	}
	us, err := ParseUsers("users.conf", data, "r")
	if err != nil {
		tb.Fatal(err)
	}
	return us
}

// Every one of many users is found, with his own hash, and nobody else; also after some have got a new password.
func TestManyUsers(t *testing.T) {
	const n = 5000
	us := manyUsers(t, n)
	for i := range n {
		if i%10 == 0 {
			if err := us.Add([]Account{{fmt.Sprint(100_000 + i), "new"}, {fmt.Sprint(i), "added"}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if us.Len() != n+n/10 {
		t.Fatalf("%d users", us.Len())
	}
	for i := range n {
		name := fmt.Sprint(100_000 + i)
		want := fmt.Sprintf("%032x", i)
		if i%10 == 0 {
			want = HA1(MD5, name, "r", "new")
		}
		if u := us.Lookup([]byte(name)); u == nil || u.Name != name || string(u.appendHA1(nil, MD5)) != want {
			t.Fatalf("Lookup(%s) = %+v, want %s", name, u, want)
		}
		if u := us.Lookup(fmt.Append(nil, i)); (u != nil) != (i%10 == 0) {
			t.Fatalf("Lookup(%d) = %+v", i, u)
		}
	}
}

// A user with one hash costs 70 bytes at most.
func TestMemoryPerUser(t *testing.T) {
	const n = 100_000
	size := func() uint64 {
		var s runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&s)
		return s.HeapAlloc
	}
	before := size()
	us := manyUsers(t, n)
	each := int(size()-before) / n
	t.Logf("%d bytes a user", each)
	if each > 70 {
		t.Errorf("%d bytes a user, want 70 at most", each)
	}
	runtime.KeepAlive(us)
}
