//go:build interop

package interop

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// baresip is a phone without a sound card: it plays a tone from a file, records what it hears,
// and is led through its control socket.
type baresip struct {
	*process
	account
	hz      float64 // the tone it plays
	dir     string
	old     string // the recording of the call before
	control *process
	mu      sync.Mutex
	events  []event // all that it reported, in order
	token   int
}

// event is a report of baresip's, or its response to a command.
type event struct {
	Type     string `json:"type"`
	Param    string `json:"param"`
	Peer     string `json:"peeruri"`
	Response bool   `json:"response"`
	OK       bool   `json:"ok"`
	Data     string `json:"data"`
	Token    string `json:"token"`
}

const baresipConfig = `sip_listen 0.0.0.0:%[3]d
audio_path %[1]s
audio_source aufile,%[1]s/tone.wav
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
call_max_calls 1
statmode_default off
module_path %[2]s
module g711.so
module aufile.so
module sndfile.so
module_app account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:%[4]d
snd_path %[1]s
`

// setup is what a phone has beside the usual: lines of its configuration, and parameters of its account.
type setup struct{ config, account string }

// startBaresip starts a phone in a namespace and registers it. It plays a tone of hz.
// The phones of a namespace share its address and need different users, whose number is in their ports.
func startBaresip(t *testing.T, ns string, a account, hz float64, with ...setup) *baresip {
	t.Helper()
	need(t, "baresip", "baresip-core")
	const modules = "/usr/lib/baresip/modules"
	number, err := strconv.Atoi(a.user)
	if err != nil {
		t.Fatal(err)
	}
	sip, control := 5060+10*number, 4440+number // baresip takes the next port too
	p := &baresip{account: a, hz: hz, dir: t.TempDir()}
	config, params := fmt.Appendf(nil, baresipConfig, p.dir, modules, sip, control), ""
	for _, w := range with {
		config, params = append(config, w.config...), params+w.account
	}
	for name, content := range map[string][]byte{
		"config":   config,
		"accounts": nil,
		"contacts": nil,
		"tone.wav": sine(hz, 8000, 2*time.Minute).wav(),
	} {
		if err := os.WriteFile(filepath.Join(p.dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p.process = start(t, ns, p.dir, "baresip "+a.user, "baresip", "-s", "-f", p.dir)
	eventually(t, 10*time.Second, "baresip listens on its control port", func() bool {
		if !p.running() {
			t.Fatalf("baresip ended: %v", p.err)
		}
		return strings.Contains(command(t, "ip", "netns", "exec", ns, "cat", "/proc/net/tcp"), fmt.Sprintf("0100007F:%04X 00000000:0000 0A ", control))
	})
	// The test is in another namespace than the control port: bash carries what is said.
	p.control = startTo(t, &netstrings{deliver: p.report}, ns, p.dir, "control of "+a.user,
		"bash", "-c", fmt.Sprintf("exec 3<>/dev/tcp/127.0.0.1/%d; cat <&3 & exec cat >&3", control))
	// Made only now, so that no event of its registration is missed.
	p.do(t, "uanew", fmt.Sprintf("<sip:%s@%s>;auth_user=%s;auth_pass=%s;regint=60%s", a.user, a.server, a.user, a.password, params))
	return p
}

// do gives the phone a command and returns its answer.
func (p *baresip) do(t *testing.T, name, params string) string {
	t.Helper()
	p.token++
	token := strconv.Itoa(p.token)
	msg, err := json.Marshal(map[string]string{"command": name, "params": params, "token": token})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(p.control.stdin, "%d:%s,", len(msg), msg); err != nil {
		t.Fatalf("baresip %s: %v", p.user, err)
	}
	e := p.expect(t, 5*time.Second, "an answer to "+name, func(e event) bool { return e.Response && e.Token == token })
	if !e.OK {
		t.Fatalf("baresip %s: %s %s: %s", p.user, name, params, e.Data)
	}
	return e.Data
}

// report keeps a message from the control socket.
func (p *baresip) report(msg []byte) {
	var e event
	if err := json.Unmarshal(msg, &e); err != nil {
		e = event{Type: "unreadable", Param: string(msg)}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.events = append(p.events, e)
}

// expect waits for an event, taking it and all before it from the list.
func (p *baresip) expect(t *testing.T, d time.Duration, what string, is func(event) bool) (found event) {
	t.Helper()
	eventually(t, d, fmt.Sprintf("baresip %s reports %s", p.user, what), func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		i := slices.IndexFunc(p.events, is)
		if i < 0 {
			return false
		}
		found = p.events[i]
		if found.Response {
			p.events = slices.Delete(p.events, i, i+1) // events may come before the answer
		} else {
			p.events = p.events[i+1:]
		}
		return true
	})
	return found
}

// sees waits for an event of the given type.
func (p *baresip) sees(t *testing.T, d time.Duration, typ string) event {
	t.Helper()
	return p.expect(t, d, typ, func(e event) bool { return e.Type == typ })
}

func (p *baresip) tone() float64 { return p.hz }

func (p *baresip) tolerance() tolerance {
	return tolerance{300 * time.Millisecond, 40 * time.Millisecond, 0, 1}
}

func (p *baresip) registered(t *testing.T) { p.sees(t, 10*time.Second, "REGISTER_OK") }

func (p *baresip) dial(t *testing.T, user string) {
	p.old = p.newest()
	if !strings.HasPrefix(user, "sip:") {
		user = "sip:" + user + "@" + p.server
	}
	p.do(t, "dial", user)
}

func (p *baresip) ringing(t *testing.T) {
	p.sees(t, 5*time.Second, "CALL_INCOMING")
	p.old = p.newest()
}

func (p *baresip) answer(t *testing.T) { p.do(t, "accept", "") }

func (p *baresip) connected(t *testing.T) { p.sees(t, 5*time.Second, "CALL_ESTABLISHED") }

func (p *baresip) hangup(t *testing.T) { p.do(t, "hangup", "") }

func (p *baresip) closed(t *testing.T) string { return p.sees(t, 5*time.Second, "CALL_CLOSED").Param }

// closedWith waits until the call is over, and wants the status code of the refusal as the reason.
func (p *baresip) closedWith(t *testing.T, code string) {
	t.Helper()
	if why := p.closed(t); strings.HasPrefix(why, code+" ") {
		t.Logf("the caller sees %q", why)
	} else {
		t.Errorf("the call ended with %q, want %s", why, code)
	}
}

// recorded reads what the phone has heard in its newest call, as far as it is written.
func (p *baresip) recorded() (recording, error) {
	file := p.newest()
	if file == p.old {
		return recording{}, os.ErrNotExist
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return recording{}, err
	}
	return parseWAV(b)
}

// newest names the newest recording. Their names begin with the time, in seconds.
func (p *baresip) newest() string {
	files, _ := filepath.Glob(filepath.Join(p.dir, "dump-*-dec.wav"))
	return slices.Max(append(files, ""))
}
