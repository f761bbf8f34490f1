//go:build interop

package interop

import (
	"crypto/md5"
	"crypto/sha256"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// prober asks as names of its choice and measures how long answers take. It sits beside the server: nobody measures better.
type prober struct {
	conn  *net.UDPConn
	nonce string
	cseq  int
	port  int // the next one, counted from 5060
}

// ports is at how many the server listens. A busy socket is looked at now and then; by turns none is.
const ports = 16

// listenAtPorts is the flag for that.
func listenAtPorts() string {
	var list []string
	for i := range ports {
		list = append(list, fmt.Sprintf("127.0.0.1:%d", 5060+i))
	}
	return strings.Join(list, ",")
}

func newProber(t *testing.T, from string) *prober {
	t.Helper()
	p := &prober{}
	err := inNamespace(filepath.Join("/run/netns", netns("srv")), func() (err error) {
		p.conn, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(from)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.conn.Close() })
	return p
}

// turn chooses the port that was used longest ago.
func (p *prober) turn() netip.AddrPort {
	p.port = (p.port + 1) % ports
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(5060+p.port))
}

// request writes a request as somebody; each is an attempt of its own.
func (p *prober) request(method, name, more string) []byte {
	p.cseq++
	uri := "sip:127.0.0.1"
	to := "sip:" + name + "@127.0.0.1"
	if method != "REGISTER" {
		uri, to = "sip:peer@127.0.0.1", "sip:peer@127.0.0.1"
	}
	at := p.conn.LocalAddr()
	return fmt.Appendf(nil, "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;rport;branch=z9hG4bK%08d\r\nMax-Forwards: 70\r\nFrom: <sip:%s@127.0.0.1>;tag=t%08d\r\nTo: <%s>\r\n"+
		"Call-ID: %08d@%s\r\nCSeq: %08d %s\r\nContact: <sip:%s@%s>\r\n%sContent-Length: 0\r\n\r\n",
		method, uri, at, p.cseq, name, p.cseq, to, p.cseq, at, p.cseq, method, name, at, more)
}

// credentials are those of a name with the newest nonce, right if the password is.
func (p *prober) credentials(algorithm, method, name, password string) string {
	hash := func(s ...string) string {
		if b := []byte(strings.Join(s, ":")); algorithm == "MD5" {
			return fmt.Sprintf("%x", md5.Sum(b))
		} else {
			return fmt.Sprintf("%x", sha256.Sum256(b))
		}
	}
	uri, field := "sip:127.0.0.1", "Authorization"
	if method != "REGISTER" {
		uri, field = "sip:peer@127.0.0.1", "Proxy-Authorization"
	}
	nc := fmt.Sprintf("%08x", p.cseq+1)
	response := hash(hash(name, "mini_sip_proxy", password), p.nonce, nc, "c", "auth", hash(method, uri))
	return fmt.Sprintf(`%s: Digest username="%s", realm="mini_sip_proxy", nonce="%s", uri="%s", response="%s", algorithm=%s, qop=auth, nc=%s, cnonce="c"`+"\r\n",
		field, name, p.nonce, uri, response, algorithm, nc)
}

var nonceOf = regexp.MustCompile(`nonce="([^"]*)"`)

// answered sends datagrams to one port, and gives the time until the last, which another prober sends or the same, is answered.
func (p *prober) answered(t *testing.T, last *prober, datagrams ...[]byte) (time.Duration, string) {
	t.Helper()
	b := make([]byte, 4096)
	last.conn.SetReadDeadline(time.Now().Add(2 * time.Second))
	to := p.turn()
	begin := time.Now()
	for i, d := range datagrams {
		from := p
		if i == len(datagrams)-1 {
			from = last
		}
		if _, err := from.conn.WriteToUDPAddrPort(d, to); err != nil {
			t.Fatal(err)
		}
	}
	n, _, err := last.conn.ReadFromUDPAddrPort(b)
	took := time.Since(begin)
	if err != nil {
		t.Fatal(err)
	}
	return took, string(b[:n])
}

// challenged gets a nonce.
func (p *prober) challenged(t *testing.T, name string) {
	t.Helper()
	_, text := p.answered(t, p, p.request("REGISTER", name, ""))
	m := nonceOf.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no challenge in\n%s", text)
	}
	p.nonce = m[1]
}

// samples are times of two kinds, taken in a random order.
type samples [2][]time.Duration

// compare takes so many of each.
func compare(rnd *rand.Rand, count int, take func(kind int) time.Duration) (s samples) {
	for range count {
		for _, kind := range rnd.Perm(2) {
			s[kind] = append(s[kind], take(kind))
		}
	}
	return s
}

// greater is the chance that one of the second kind took longer than one of the first (Mann and Whitney's U, divided by
// all pairs): 0.5 where nothing tells them apart. sigma is what it strays by where nothing does.
func (s samples) greater() (chance, sigma float64) {
	type taken struct {
		d    time.Duration
		kind int
	}
	var all []taken
	for kind := range s {
		for _, d := range s[kind] {
			all = append(all, taken{d, kind})
		}
	}
	slices.SortFunc(all, func(a, b taken) int { return int(a.d - b.d) })
	ranks := 0.0
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].d == all[i].d {
			j++
		}
		for _, x := range all[i:j] {
			if x.kind == 1 {
				ranks += float64(i+j+1) / 2 // equals share their ranks
			}
		}
		i = j
	}
	n, m := float64(len(s[0])), float64(len(s[1]))
	return (ranks - m*(m+1)/2) / (n * m), math.Sqrt((n + m + 1) / (12 * n * m))
}

// quartiles of one kind.
func quartiles(d []time.Duration) [3]float64 {
	d = slices.Sorted(slices.Values(d))
	at := func(i int) float64 { return float64(d[len(d)*i/4].Nanoseconds()) / 1000 }
	return [3]float64{at(1), at(2), at(3)}
}

// report prints what was measured and gives how many sigmas the two kinds are apart.
func (s samples) report(t *testing.T, what, first, second string) float64 {
	t.Helper()
	chance, sigma := s.greater()
	a, b := quartiles(s[0]), quartiles(s[1])
	apart := (chance - 0.5) / sigma
	t.Logf("%-44s %s %6.1f us (%.1f-%.1f), %s %6.1f us (%.1f-%.1f); P(later) %.3f, %+.1f sigma of %d",
		what, first, a[1], a[0], a[2], second, b[1], b[0], b[2], chance, apart, len(s[0]))
	return apart
}

// alike is how far apart in sigmas two kinds may be that nothing tells apart: by chance once in 15,000 times.
const alike = 4

// TestNamesTakeAlike: how long an answer takes does not tell whether a name exists: not the challenge, nor the refusal of
// a wrong password, by MD5 or SHA-256; and where there is silence for both, neither does what comes after it.
func TestNamesTakeAlike(t *testing.T) {
	newNetwork(t)
	const known, unknown = "k4711", "u4711"
	var conf strings.Builder
	for _, name := range []string{known, "friend", "peer"} {
		text := []byte(name + ":mini_sip_proxy:secret")
		fmt.Fprintf(&conf, "%s:mini_sip_proxy:%x:%x\n", name, md5.Sum(text), sha256.Sum256(text))
	}
	names := [2]string{known, unknown}
	rnd := rand.New(rand.NewPCG(7, 11))

	t.Run("challenge and refusal", func(t *testing.T) {
		startServer(t, conf.String(), "-listen", listenAtPorts(), "-ban", "off", "-digest", "sha256,md5", "-state", "", "no_silent")
		p := newProber(t, "127.0.0.1")
		p.challenged(t, known)
		const count = 1500
		ask := func(method, algorithm string) func(int) time.Duration {
			return func(kind int) time.Duration {
				time.Sleep(8 * time.Millisecond / ports)
				more := ""
				if algorithm != "" {
					more = p.credentials(algorithm, method, names[kind], "wrong")
				}
				took, _ := p.answered(t, p, p.request(method, names[kind], more))
				return took
			}
		}
		for _, probe := range []struct{ what, method, algorithm string }{
			{"REGISTER, challenged", "REGISTER", ""},
			{"REGISTER, wrong password, MD5", "REGISTER", "MD5"},
			{"REGISTER, wrong password, SHA-256", "REGISTER", "SHA-256"},
			{"INVITE, challenged", "INVITE", ""},
			{"INVITE, wrong password, MD5", "INVITE", "MD5"},
			{"INVITE, wrong password, SHA-256", "INVITE", "SHA-256"},
			{"OPTIONS to a user, challenged", "OPTIONS", ""},
		} {
			apart := compare(rnd, count, ask(probe.method, probe.algorithm)).report(t, probe.what, "known", "unknown")
			if math.Abs(apart) > alike {
				t.Errorf("%s: known and unknown names are told apart", probe.what)
			}
		}
		// digests compares requests without credentials and with so many.
		digests := func(n int) float64 {
			return compare(rnd, count, func(kind int) time.Duration {
				time.Sleep(8 * time.Millisecond / ports)
				more := strings.Repeat(p.credentials("SHA-256", "REGISTER", known, "wrong"), n*kind)
				took, _ := p.answered(t, p, p.request("REGISTER", known, more))
				return took
			}).report(t, fmt.Sprintf("to compare: %d digests more", n), "without", "with")
		}
		digests(1)
		if digests(4) < alike {
			t.Error("this machine measures so badly that not even four digests are seen")
		}
	})

	t.Run("silence", func(t *testing.T) {
		startServer(t, conf.String(), "-listen", listenAtPorts(), "-ban", "1000/1s,1h", "-state", "")
		p, friend := newProber(t, "127.0.0.1"), newProber(t, "127.0.0.2")
		p.challenged(t, known)
		for i := range 3 { // from now on there is silence for everybody there
			p.conn.WriteToUDPAddrPort(p.request("REGISTER", fmt.Sprint("guess", i), ""), p.turn())
		}
		friend.challenged(t, "friend")
		friend.answered(t, friend, friend.request("REGISTER", "friend", friend.credentials("MD5", "REGISTER", "friend", "secret")))
		const count, burst = 600, 8 // failures, of which a second may bring a thousand without a ban
		apart := compare(rnd, count, func(kind int) time.Duration {
			time.Sleep(burst * 1100 * time.Microsecond)
			var all [][]byte
			for range burst {
				all = append(all, p.request("REGISTER", names[kind], p.credentials("MD5", "REGISTER", names[kind], "wrong")))
			}
			took, pong := p.answered(t, friend, append(all, []byte("\r\n\r\n"))...)
			if pong != "\r\n" {
				t.Fatalf("the ping is answered by %q", pong)
			}
			return took
		}).report(t, fmt.Sprintf("what waits behind %d wrong passwords", burst), "known", "unknown")
		if math.Abs(apart) > alike {
			t.Error("behind the silence known and unknown names are told apart")
		}
		p.conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		if n, err := p.conn.Read(make([]byte, 4096)); err == nil {
			t.Errorf("whoever guesses was sent %d bytes", n)
		}
	})
}
