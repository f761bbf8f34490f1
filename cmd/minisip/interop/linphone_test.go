//go:build interop

package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// linphone is linphonec without a sound card, led by what it reads from its standard input.
type linphone struct {
	*process
	account
	hz         float64 // the tone it plays
	dir        string
	seen       int // how much of its output says has read
	calls      int
	file, next string // the recordings of its newest call and of the one to come
}

const linphoneConfig = `[sip]
sip_port=%[4]d
default_proxy=0
use_ipv6=0
guess_hostname=1

[proxy_0]
reg_proxy=<sip:%[1]s>
reg_identity=sip:%[2]s@%[1]s
reg_expires=60
reg_sendregister=1

[auth_info_0]
username=%[2]s
passwd=%[3]s

[sound]
echocancellation=0

[rtp]
audio_rtp_port=%[5]d

[misc]
add_missing_audio_codecs=0

[audio_codec_0]
mime=PCMU
rate=8000
enabled=1

[net]
firewall_policy=0
`

// linphoneICE changes the configuration so that the phone does ICE (LinphonePolicyUseIce).
var linphoneICE = strings.NewReplacer("firewall_policy=0", "firewall_policy=3")

// startLinphone starts a phone in a namespace and registers it. It plays a tone of hz. The phones of
// a namespace share its address and need different users, whose number is in their ports.
func startLinphone(t *testing.T, ns string, a account, hz float64, change ...*strings.Replacer) *linphone {
	t.Helper()
	need(t, "linphonec", "linphone-cli")
	number, err := strconv.Atoi(a.user)
	if err != nil {
		t.Fatal(err)
	}
	p := &linphone{account: a, hz: hz, dir: t.TempDir()}
	config := fmt.Sprintf(linphoneConfig, a.server, a.user, a.password, 5060+10*number, 7078+10*number)
	for _, c := range change {
		config = c.Replace(config)
	}
	for name, content := range map[string][]byte{
		"linphonerc": []byte(config),
		"tone.wav":   sine(hz, 8000, 2*time.Minute).wav(),
	} {
		if err := os.WriteFile(filepath.Join(p.dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(p.dir, ".local/share/linphone"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if debug, _ := os.ReadFile(filepath.Join(p.dir, "debug.log")); t.Failed() {
			t.Logf("---- debug log of linphonec %s:\n%s", a.user, tail(string(debug), 300))
		}
	})
	p.process = start(t, ns, p.dir, "linphonec "+a.user, "env", "HOME="+p.dir,
		"linphonec", "-c", filepath.Join(p.dir, "linphonerc"), "-d", "6", "-l", filepath.Join(p.dir, "debug.log"))
	p.do(t, "soundcard use files")
	p.do(t, "play "+filepath.Join(p.dir, "tone.wav"))
	p.record(t)
	return p
}

// do gives the phone a command.
func (p *linphone) do(t *testing.T, line string) {
	t.Helper()
	if _, err := fmt.Fprintln(p.stdin, line); err != nil {
		t.Fatalf("linphonec %s: %v", p.user, err)
	}
}

// says waits until the phone writes a line, after the last one asked for, that holds the text.
func (p *linphone) says(t *testing.T, d time.Duration, text string) string {
	t.Helper()
	var line string
	eventually(t, d, fmt.Sprintf("linphonec %s says %q", p.user, text), func() bool {
		if !p.running() {
			t.Fatalf("linphonec ended: %v", p.err)
		}
		out := p.output.String()
		i := strings.Index(out[p.seen:], text)
		if i < 0 {
			return false
		}
		var ended bool
		if line, _, ended = strings.Cut(out[p.seen+i:], "\n"); ended {
			p.seen += i + len(line)
		}
		return ended
	})
	return line
}

func (p *linphone) tone() float64 { return p.hz }

// tolerance is wide, because linphonec's jitter buffer stretches and squeezes what it plays.
func (p *linphone) tolerance() tolerance {
	return tolerance{time.Second, 400 * time.Millisecond, 3, 10}
}

func (p *linphone) registered(t *testing.T) {
	t.Helper()
	const starts = 30 * time.Second // on a busy machine: it loads all its plugins before it listens
	eventually(t, starts, "linphonec "+p.user+" is registered", func() bool {
		p.do(t, "status register")
		return strings.Contains(p.says(t, starts, "registered"), "identity=")
	})
}

func (p *linphone) dial(t *testing.T, user string) {
	p.file = p.next
	p.do(t, "call sip:"+user+"@"+p.server)
}

func (p *linphone) ringing(t *testing.T) {
	p.says(t, 5*time.Second, "new incoming call")
	p.file = p.next
}

// record names the file that the next call goes into. linphonec dies of being told while it rings.
func (p *linphone) record(t *testing.T) {
	p.calls++
	p.next = filepath.Join(p.dir, fmt.Sprintf("heard-%d.wav", p.calls))
	p.do(t, "record "+p.next)
}

func (p *linphone) answer(t *testing.T) { p.do(t, "answer") }

func (p *linphone) connected(t *testing.T) { p.says(t, 5*time.Second, "Media streams established") }

func (p *linphone) hangup(t *testing.T) { p.do(t, "terminate") }

func (p *linphone) closed(t *testing.T) string {
	defer p.record(t)
	return p.says(t, 5*time.Second, "ended (")
}

// recorded reads what the phone has heard, as far as it is written.
func (p *linphone) recorded() (recording, error) {
	b, err := os.ReadFile(p.file)
	if err != nil {
		return recording{}, err
	}
	return parseWAV(b)
}

// gruu is the URI that the phone got for itself when it registered (RFC 5627).
func (p *linphone) gruu(t *testing.T) string {
	t.Helper()
	m := regexp.MustCompile(`;pub-gruu="([^"]+)"`).FindStringSubmatch(p.debug())
	if m == nil {
		t.Fatalf("linphonec %s got no GRUU", p.user)
	}
	return m[1]
}

// wrote says whether the phone's log of what it sends and receives has a text.
func (p *linphone) wrote(text string) bool {
	return strings.Contains(strings.ReplaceAll(p.debug(), "\r", ""), text)
}

func (p *linphone) debug() string {
	log, _ := os.ReadFile(filepath.Join(p.dir, "debug.log"))
	return string(log)
}
