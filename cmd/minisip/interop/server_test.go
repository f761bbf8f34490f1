//go:build interop

package interop

import (
	"bytes"
	"crypto/md5"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// account is what a person types into a phone.
type account struct{ server, user, password string }

// accountsOf makes accounts of users, all with the password "secret", and the user file that holds them.
func accountsOf(names ...string) (accounts map[string]account, file string) {
	accounts = map[string]account{}
	for _, user := range names {
		accounts[user] = account{serverIP, user, "secret"}
		file += fmt.Sprintf("%s:mini_sip_proxy:%x\n", user, md5.Sum([]byte(user+":mini_sip_proxy:secret")))
	}
	return accounts, file
}

// server is minisip, running in the namespace srv in an empty directory.
type server struct {
	*process
	ns, dir  string
	accounts map[string]account // user -> account, as its first run printed them
}

// startServer starts minisip, without any flag as a newcomer does if there are none in arg, and reads
// the accounts that it prints. users, if not empty, is the user file that it finds; then it prints none.
func startServer(t *testing.T, users string, arg ...string) *server {
	t.Helper()
	s := &server{dir: t.TempDir(), ns: netns("srv")}
	if users != "" {
		if err := os.WriteFile(filepath.Join(s.dir, "users.conf"), []byte(users), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("---- sip_server.log:\n%s", tail(s.log(), 300))
		}
	})
	s.process = start(t, s.ns, s.dir, "minisip", append([]string{minisip}, arg...)...)
	s.endsWell(t)
	eventually(t, 10*time.Second, "minisip is bound to port 5060", func() bool {
		if !s.running() {
			t.Fatalf("minisip ended: %v\n%s", s.err, s.output.String())
		}
		return slices.Contains(s.ports(t), 5060)
	})
	if users == "" {
		eventually(t, 5*time.Second, "minisip prints the accounts of 001 and 002", func() bool {
			s.accounts = parseAccounts(s.output.String())
			return s.accounts["001"].password != "" && s.accounts["002"].password != ""
		})
		for _, a := range s.accounts {
			if a.server != serverIP {
				t.Errorf("minisip tells user %s to use server %q, want %s", a.user, a.server, serverIP)
			}
		}
	}
	return s
}

// twoPhones registers a phone of 001 behind one NAT, with a tone of 440 Hz, and one of 002 behind another, with 880 Hz.
func (s *server) twoPhones(t *testing.T, with ...setup) (a, b *baresip) {
	t.Helper()
	a = startBaresip(t, netns("a"), s.accounts["001"], 440, with...)
	b = startBaresip(t, netns("b"), s.accounts["002"], 880, with...)
	a.registered(t)
	b.registered(t)
	return a, b
}

// endsWell lets the minisip that runs now be told to end when the test does, unless another has taken its place.
func (s *server) endsWell(t *testing.T) {
	p := s.process
	t.Cleanup(func() {
		if s.process != p {
			return
		}
		if running := p.running(); !running || !p.stop() || p.err != nil {
			t.Errorf("minisip was running: %v; told to end, it ended with %v", running, p.err)
		}
	})
}

// ports lists the UDP ports that are open in the server's namespace.
func (s *server) ports(t *testing.T) []uint16 {
	t.Helper()
	var ports []uint16
	out := command(t, "ip", "netns", "exec", s.ns, "cat", "/proc/net/udp", "/proc/net/udp6")
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		if _, hex, ok := strings.Cut(f[1], ":"); ok { // not a heading
			port, err := strconv.ParseUint(hex, 16, 16)
			if err != nil {
				t.Fatal(err)
			}
			ports = append(ports, uint16(port))
		}
	}
	return ports
}

// freesPorts waits until no port of the media range is open any more.
func (s *server) freesPorts(t *testing.T) {
	t.Helper()
	eventually(t, 10*time.Second, "minisip closes the media ports of ended calls", func() bool {
		return !slices.ContainsFunc(s.ports(t), func(p uint16) bool { return p >= 10000 && p <= 20000 })
	})
}

var accountWord = regexp.MustCompile(`(?i)\b(server|user|password)\b[\s:=]*(\S+)`)

// parseAccounts reads what minisip prints for its newcomer: the words server, user and password,
// each followed by its value. A password belongs to the user before it.
func parseAccounts(text string) map[string]account {
	accounts := make(map[string]account)
	var a account
	for _, m := range accountWord.FindAllStringSubmatch(text, -1) {
		switch strings.ToLower(m[1]) {
		case "server":
			a.server = strings.TrimSuffix(m[2], ":5060")
		case "user":
			a.user = m[2]
		case "password":
			a.password = m[2]
			accounts[a.user] = a
		}
	}
	// The server may stand once, after the accounts.
	for user, b := range accounts {
		if b.server == "" {
			b.server = a.server
			accounts[user] = b
		}
	}
	return accounts
}

// log gives what stands in sip_server.log.
func (s *server) log() string {
	b, _ := os.ReadFile(filepath.Join(s.dir, "sip_server.log"))
	return string(b)
}

var endLine = regexp.MustCompile(`(?m)^.* call \d+: \S+ -> \S+ ended .*$`)

// ends lists the log's lines about the end of a call that name both users.
func (s *server) ends(from, to string) []string {
	var lines []string
	for _, l := range endLine.FindAllString(s.log(), -1) {
		if strings.Contains(l, from) && strings.Contains(l, to) {
			lines = append(lines, l)
		}
	}
	return lines
}

// logsEnd waits until the log has one line more about the end of a call than before.
func (s *server) logsEnd(t *testing.T, from, to string, before int) {
	t.Helper()
	eventually(t, 5*time.Second, "the log says that the call of "+from+" to "+to+" has ended", func() bool {
		return len(s.ends(from, to)) > before
	})
	lines := s.ends(from, to)
	if len(lines) != before+1 {
		t.Errorf("the log has %d lines about the end of one call", len(lines)-before)
	}
	t.Logf("logged: %s", lines[len(lines)-1])
}

// record is what the tests read of the account of a call.
type record struct {
	Media []struct {
		Kind, From               string
		Packets, Lost, Strangers uint64
		Types                    []string `json:"payload_types"`
	}
}

// records waits until so many calls are accounted for in cdr.jsonl, which -cdr cdr.jsonl makes. A record may be
// written later than the log's line about the same end.
func (s *server) records(t *testing.T, want int) (calls []record) {
	t.Helper()
	var whole []byte
	eventually(t, 5*time.Second, fmt.Sprintf("%d calls are accounted for", want), func() bool {
		b, _ := os.ReadFile(filepath.Join(s.dir, "cdr.jsonl"))
		whole = b[:bytes.LastIndexByte(b, '\n')+1]
		return bytes.Count(whole, []byte("\n")) >= want
	})
	for line := range bytes.Lines(whole) {
		var r record
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("record %s: %v", line, err)
		}
		calls = append(calls, r)
	}
	return calls
}
