//go:build interop

package interop

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSystemd: a real systemd starts minisip by the unit that it prints. While two phones talk it is restarted, upgraded,
// reloaded, killed and hung; the call goes on on the same ports, and what is sent during a restart is answered.
func TestSystemd(t *testing.T) {
	newNetwork(t)
	m := startManager(t)
	m.installMinisip(t)
	m.runs(t, "systemctl", "daemon-reload")
	m.runs(t, "systemctl", "start", "minisip")
	out := func() string { b, _ := os.ReadFile(m.root + "/run/minisip.out"); return string(b) }
	s := &server{process: m.process, ns: netns("srv"), dir: m.root + "/var/log/minisip", accounts: parseAccounts(out())}
	if len(s.accounts) != 2 {
		t.Fatalf("the first start printed no two accounts:\n%s", out())
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("---- minisip wrote\n%s---- sip_server.log\n%s", tail(out(), 100), tail(s.log(), 200))
		}
	})
	t.Logf("%s, as user %s: %s", m.shows(t, "ActiveState"), m.shows(t, "DynamicUser"), m.shows(t, "StatusText"))

	for _, setting := range []string{"net/ipv4/ip_local_port_range", "net/ipv4/ip_local_reserved_ports", "kernel/random/boot_id"} {
		if _, err := os.ReadFile(fmt.Sprintf("%s/proc/%s/root/proc/sys/%s", m.root, m.shows(t, "MainPID"), setting)); err != nil {
			t.Errorf("the service cannot see a setting of the kernel: %v", err)
		}
	}

	a, b := s.twoPhones(t)
	call(t, a, b, b.user)
	both(t, a, b.hz, b, a.hz, 2*time.Second)
	ports := s.media(t)
	// outlives lets something befall minisip, and wants sound again within a time, from the same ports.
	outlives := func(what string, most time.Duration, befall func()) {
		t.Helper()
		toA, toB := startCapture(t, netns("a")), startCapture(t, netns("b"))
		both(t, toA, b.hz, toB, a.hz, 500*time.Millisecond)
		begin := time.Now()
		befall()
		took := time.Since(begin)
		within(most, func() bool { _, back := toA.sound(t, begin.Add(took)); return !back.IsZero() })
		both(t, toA, b.hz, toB, a.hz, time.Second)
		gapA, _ := toA.sound(t, begin)
		gapB, _ := toB.sound(t, begin)
		t.Logf("%s (%v): the phones missed %v and %v of sound", what, took.Round(time.Millisecond), gapA.Round(time.Millisecond), gapB.Round(time.Millisecond))
		if gapA > most || gapB > most {
			t.Errorf("%s: longer than %v without sound", what, most)
		}
		if got := s.media(t); len(got) == 0 || !slices.Equal(got, ports) {
			t.Errorf("%s: media ports %v, before %v", what, got, ports)
		}
	}
	restart := func() { m.runs(t, "systemctl", "restart", "minisip") }
	phones, users := registrars(50) // whom minisip knows from the next start on
	m.write(t, "/etc/default/minisip", []byte("AUTH_USERS_ENV='"+users+"'\n"), 0o600)

	outlives("systemctl restart", 2*time.Second, restart)
	outlives("an upgrade of the binary", 2*time.Second, func() {
		old := m.binary(t)
		m.installMinisip(t)
		restart()
		if now := m.binary(t); os.SameFile(old, now) {
			t.Error("the old binary runs after the upgrade")
		}
	})
	m.losesNothing(t, phones, restart)
	outlives("systemctl reload", 2*time.Second, func() { m.reloads(t, s) })
	outlives("kill -9", 5*time.Second, func() { m.kills(t, "KILL", 10*time.Second) })
	outlives("a hang", 16*time.Second, func() { m.kills(t, "STOP", 20*time.Second) })

	b.hangup(t)
	a.closed(t)
	b.closed(t)
	s.logsEnd(t, a.user, b.user, 0)
	talk(t, b, a, a, a.user, time.Second)
	if n := strings.Count(s.log(), "calls that go on: 1"); n != 5 {
		t.Errorf("the call went on %d times, want 5", n)
	}
	m.runs(t, "systemctl", "stop", "minisip")
	if got := m.shows(t, "Result"); got != "success" {
		t.Errorf("stopped, with the result %s", got)
	}
	s.freesPorts(t)
}

// registrars are so many users: the file that SIPp reads them from, and their passwords as JSON.
func registrars(n int) (phones, users string) {
	passwords := map[string]string{}
	phones = "SEQUENTIAL\n"
	for i := range n {
		u := fmt.Sprintf("c%02d", i)
		passwords[u] = "secret"
		phones += login(u) + "\n"
	}
	b, _ := json.Marshal(passwords)
	return phones, string(b)
}

// binary is the program that the service runs.
func (m *manager) binary(t *testing.T) os.FileInfo {
	t.Helper()
	info, err := os.Stat(fmt.Sprintf("%s/proc/%s/exe", m.root, m.shows(t, "MainPID")))
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// losesNothing restarts minisip while 100 phones a second register, each of whose datagrams is sent once: all are answered.
// Whose challenge came from the minisip before is challenged again.
func (m *manager) losesNothing(t *testing.T, phones string, restart func()) {
	t.Helper()
	const count = 400
	p := startSIPp(t, netns("b"), "register-over-restart.xml", phones, count, "-r", "100", "-nr", "-recv_timeout", "5000")
	eventually(t, 5*time.Second, "phones register", func() bool { return strings.Count(m.logged(), "c49 registered") > 0 })
	restart()
	if err := p.wait(t, 20*time.Second); err != nil {
		t.Errorf("SIPp: %v", err)
	}
	st := p.statistics(t)
	t.Logf("%d of %d phones that sent each datagram once registered over a restart", st.good, count)
	if st.good != count || st.retransmissions != 0 {
		t.Errorf("%+v, want %d good", st, count)
	}
}

func (m *manager) logged() string {
	b, _ := os.ReadFile(m.root + "/var/log/minisip/sip_server.log")
	return string(b)
}

// reloads adds a user as README says, and his phone registers.
func (m *manager) reloads(t *testing.T, s *server) {
	t.Helper()
	pid := m.shows(t, "MainPID")
	printed := m.runs(t, "/usr/local/bin/minisip", "user", "add", "003", "-users", "/var/lib/minisip/users.conf")
	m.runs(t, "systemctl", "reload", "minisip")
	word := accountWord.FindStringSubmatch(printed[strings.Index(printed, "password"):])
	if word == nil {
		t.Fatalf("no password in %q", printed)
	}
	c := startBaresip(t, netns("a"), account{serverIP, "003", word[2]}, 1320)
	c.registered(t)
	c.stop()
	if now := m.shows(t, "MainPID"); now != pid {
		t.Errorf("after a reload process %s runs, before %s", now, pid)
	}
}

// kills sends minisip a signal, and waits until systemd has started another.
func (m *manager) kills(t *testing.T, signal string, most time.Duration) {
	t.Helper()
	pid := m.shows(t, "MainPID")
	m.runs(t, "systemctl", "kill", "--kill-whom=main", "--signal=SIG"+signal, "minisip")
	eventually(t, most, "systemd has started another minisip", func() bool {
		now := m.shows(t, "MainPID")
		return now != "0" && now != pid && m.shows(t, "ActiveState") == "active"
	})
}
