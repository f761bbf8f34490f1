package proxy

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"minisip/digest"

	"minisip/cmd/minisip/internal/guard"
	"minisip/session"
)

// A script is a text file. Lines that begin with one of = > < | * are generated: -update
// writes them anew. The others are:
//
//	# words                  what the flow is and which rule it shows
//	config no_re_sdp a=b     features and settings, before anything else; "records" shows CDRs,
//	                         "keeps" has a disk
//	phone N at A:P claims A:P rtp A:P password X user U
//	user N                   a user without a phone
//	registered N N           the phones register, off the record
//	N: METHOD TARGET auth    phone N sends a request to a user or a URI
//	N: METHOD                the same inside its dialog; "with M" says which
//	N: 180 Ringing           phone N answers the latest request; "to METHOD" says which
//	N: again WORD            it repeats its latest datagram, or the one whose start line has the word
//	N: raw                   it sends the indented lines
//	N: ... as M              with the state of phone M, but its own address and credentials
//	N moves to A:P           its packets come from there now
//	no way to A              no datagram can be sent to that IP address any more
//	media                    packets pass on all open streams, both ways or "from the caller"
//	wait 500ms, at 2s        time passes
//	restart                  the proxy is killed, and another one takes what is on disk
//	reconfigure a=b          settings change
//
// Indented lines below a message set ("Name: value"), add ("+Name: value") or take out
// ("Name:") header fields; what follows a line "--" is the body.
type script struct {
	*world
}

// generated says whether -update writes the line.
func generated(line string) bool { return line != "" && strings.ContainsRune("=><|*", rune(line[0])) }

// run carries out one command with its indented lines.
func (s *script) run(command string, args []string) error {
	words := strings.Fields(command)
	switch words[0] {
	case "config":
		return s.config(words[1:])
	case "phone":
		return s.definePhone(words[1:])
	case "user":
		s.users[words[1]] = "secret-" + words[1]
	case "registered":
		for _, name := range words[1:] {
			s.register(s.phone(name))
		}
	case "no":
		var err error
		s.nowhere, err = netip.ParseAddr(words[3])
		return err
	case "media":
		// of both sides, or "media from the caller"
		for _, st := range s.relay.streams {
			if words[len(words)-1] != "callee" {
				st.media(s.now, session.Caller)
			}
			if words[len(words)-1] != "caller" {
				st.media(s.now, session.Callee)
			}
		}
	case "restart":
		s.restart()
	case "reconfigure":
		was := s.cfg
		if err := s.config(words[1:]); err != nil {
			return err
		}
		s.core.Reconfigure(s.now, was, s.cfg)
	case "wait":
		d, err := time.ParseDuration(words[1])
		s.advance(d)
		return err
	case "at":
		d, err := time.ParseDuration(words[1])
		s.advance(s.begin.Add(d).Sub(s.now))
		return err
	default:
		if name, ok := strings.CutSuffix(words[0], ":"); ok {
			return s.sends(s.phone(name), words[1:], args)
		}
		if len(words) == 4 && words[1] == "moves" {
			at, err := netip.ParseAddrPort(words[3])
			s.phone(words[0]).addr = at
			return err
		}
		return fmt.Errorf("what is %q?", command)
	}
	return nil
}

func (s *script) config(words []string) error {
	for _, word := range words {
		switch word {
		case "records":
			s.records = true
			continue
		case "keeps":
			s.keeps()
			continue
		}
		name, value, ok := strings.Cut(word, "=")
		if !ok {
			word, off := strings.CutPrefix(name, "no_")
			f := map[string]*bool{
				"re_contact": &s.cfg.Contact, "re_sdp": &s.cfg.SDP, "re_via": &s.cfg.Via,
				"duplicate": &s.cfg.Duplicate, "silent": &s.cfg.Silent,
			}[word]
			if f == nil {
				return fmt.Errorf("unknown feature %q", name)
			}
			*f = !off
			continue
		}
		d, _ := time.ParseDuration(value)
		n, _ := strconv.Atoi(value)
		switch name {
		case "public":
			s.cfg.Public4 = netip.MustParseAddr(value)
		case "timeout":
			s.cfg.Timeout = d
		case "keepalive":
			s.cfg.Keepalive = d
		case "ice":
			s.cfg.ICE = value == "lite"
		case "streams":
			s.relay.capacity = n
		case "digest":
			algorithms, err := digest.ParseAlgorithms(strings.Split(value, ","))
			if err != nil {
				return err
			}
			s.algorithms = algorithms
		case "admins":
			s.cfg.DialAdmins = strings.Split(value, ",")
		case "pending":
			s.cfg.MaxPending = n
		case "ban":
			s.cfg.Bans = guard.Limits{Count: n, Within: time.Minute, For: time.Hour}
		case "domain":
			s.cfg.Domains = []string{value}
		default:
			return fmt.Errorf("unknown setting %q", name)
		}
	}
	return nil
}

func (s *script) definePhone(words []string) error {
	if len(words)%2 != 1 || len(words) < 3 || words[1] != "at" {
		return fmt.Errorf("want: phone NAME at ADDRESS ...")
	}
	p := s.addPhone(words[0], words[2])
	for i := 3; i < len(words); i += 2 {
		switch value := words[i+1]; words[i] {
		case "claims":
			p.claims = netip.MustParseAddrPort(value)
			p.rtp = netip.AddrPortFrom(p.claims.Addr(), p.rtp.Port())
		case "rtp":
			p.rtp = netip.MustParseAddrPort(value)
		case "user":
			p.user = value
		case "digest":
			p.sha256 = value == "sha256"
		case "password":
			p.password = value
			if value == "none" {
				return nil
			}
		default:
			return fmt.Errorf("a phone has no %q", words[i])
		}
	}
	if s.users[p.user] == "" {
		s.users[p.user] = "secret-" + p.user
	}
	if p.password == "secret-"+p.name {
		p.password = s.users[p.user]
	}
	return nil
}

// register lets a phone register off the record.
func (s *script) register(p *phone) {
	s.quiet = true
	s.transmit(p, p.request("REGISTER", &wish{}))
	s.transmit(p, p.request("REGISTER", &wish{auth: p}))
	if a := p.answer["REGISTER"]; a != nil && strings.Contains(a.get("WWW-Authenticate"), "stale=true") {
		// Nonces of one millisecond are told apart by 32 random bits. Of a thousand phones in one, two have the same
		// once in 8,600 times; the second phone tries again, as phones do.
		s.transmit(p, p.request("REGISTER", &wish{auth: p}))
	}
	s.quiet = false
	if a := p.answer["REGISTER"]; a == nil || a.status() != "200" {
		s.t.Fatalf("phone %s cannot register: %v", p.name, a)
	}
}

// transmit sends a message from the phone's address.
func (s *script) transmit(p *phone, m *text) {
	p.sending(m)
	s.send(p, m.bytes())
}

// sends carries out "N: ...".
func (s *script) sends(p *phone, words, args []string) error {
	if words[0] == "raw" {
		s.send(p, []byte(s.raw(p, args)))
		return nil
	}
	if words[0] == "again" {
		return s.again(p, strings.Join(words[1:], " "))
	}
	w, reason, err := s.wish(words[1:], s.substitute(p, args))
	if err != nil {
		return err
	}
	owner := p
	if w.as != nil {
		owner = w.as
	}
	if w.auth != nil {
		w.auth = p
	}
	var m *text
	if words[0][0] >= '1' && words[0][0] <= '6' && len(words[0]) == 3 {
		m = owner.response(words[0], reason, w)
	} else {
		w.target = reason
		m = owner.request(words[0], w)
	}
	owner.sending(m)
	s.send(p, m.bytes())
	return nil
}

// again repeats a datagram byte for byte.
func (s *script) again(p *phone, word string) error {
	for i := len(p.outbox) - 1; i >= 0; i-- {
		if m := p.outbox[i]; strings.Contains(m.first, word) {
			s.send(p, m.bytes())
			return nil
		}
	}
	return fmt.Errorf("phone %s has sent no %q", p.name, word)
}

// wish reads the words behind a method or status; what is no keyword is target or reason.
func (s *script) wish(words, args []string) (w *wish, rest string, err error) {
	w = &wish{}
	for i := 0; i < len(words); i++ {
		next := ""
		if i+1 < len(words) {
			next = words[i+1]
		}
		switch words[i] {
		case "auth":
			w.auth = &phone{} // whoever sends it
		case "audio", "hold", "inactive", "none":
			w.sdp = words[i]
		case "with":
			w.with = next
			i++
		case "to":
			w.to = next
			i++
		case "as":
			w.as = s.phone(next)
			i++
		default:
			rest = strings.TrimSpace(rest + " " + words[i])
		}
	}
	for i, line := range args {
		if line == "--" {
			w.hasBody, w.body = true, strings.Join(args[i+1:], "\r\n")+"\r\n"
			break
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return nil, "", fmt.Errorf("%q is no header field", line)
		}
		w.fields = append(w.fields, []string{name, strings.TrimSpace(value)})
	}
	return w, rest, nil
}

// raw joins lines to a datagram, "--" being an empty one; there is one at the end in any case.
func (s *script) raw(p *phone, args []string) string {
	lines := s.substitute(p, args)
	for i, line := range lines {
		if line == "--" {
			lines[i] = ""
		}
	}
	m := strings.Join(lines, "\r\n") + "\r\n"
	if !strings.Contains(m, "\r\n\r\n") {
		m += "\r\n"
	}
	return m
}

// substitute fills in ${branch} (a new one), ${nonce}, ${spent} (the digest last sent), ${via} (the top one of the latest
// request received), and of the latest dialog ${callid}, ${own} and ${peer} (the tags).
func (s *script) substitute(p *phone, lines []string) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		if strings.Contains(line, "${branch}") {
			line = strings.ReplaceAll(line, "${branch}", p.branch())
		}
		line = strings.ReplaceAll(line, "${nonce}", p.nonce)
		line = strings.ReplaceAll(line, "${spent}", p.spent)
		if p.last != nil {
			line = strings.ReplaceAll(line, "${via}", p.last.get("Via"))
		}
		if len(p.dialogs) > 0 {
			d := p.dialog("")
			line = strings.NewReplacer("${callid}", d.callID, "${own}", tagOf(d.local), "${peer}", tagOf(d.remote)).Replace(line)
		}
		out[i] = line
	}
	return out
}
