package diagnosis

import "strings"

// What the phones themselves said of the sound, in SDP, where that is why nothing is heard: it comes before the
// guess at firewalls and microphones.

// byWord says whether nothing was to come from a side: it said so, or the other wants nothing, then as now.
func (c *Call) byWord(side Side) bool {
	p, far := c.party(side), c.party(side.Other())
	return p.Mute || far.Deaf && far.Held
}

// silentByWord is a side from which nothing came because it said so, or was asked for it.
func silentByWord(c *Call) (found []Finding) {
	if c.up() < Judged {
		return nil
	}
	for _, side := range [...]Side{Caller, Callee} {
		d, p, far := c.audio(side), c.party(side), c.party(side.Other())
		if d == nil || d.Packets+d.Strangers > 0 || !c.byWord(side) {
			continue
		}
		if far.Deaf { // who is asked for nothing answers that he sends nothing: RFC 3264 6.1
			found = append(found, one(Info, "no-sound-wanted", "",
				"No sound came from %s, and the phone of %s wanted none (a=sendonly or inactive): it announces, or holds the call", p.User, far.User)...)
			continue
		}
		found = append(found, one(Error, "only-listens", "See that the phone of "+p.User+" may use its microphone and has one, and that it does not hold the call.",
			"No sound came from %s, and its phone had said that it would send none (a=recvonly or inactive)", p.User)...)
	}
	return found
}

// soundRefused is an answer that takes the call and not its sound.
func soundRefused(c *Call) []Finding {
	if c.up() < Judged || len(c.Media) > 0 || !c.Caller.SDP || !c.Callee.SDP {
		return nil
	}
	for _, p := range [...]*Party{&c.Callee, &c.Caller} {
		if p.Signalled.IsValid() && p.Signalled.Port() == 0 {
			return one(Error, "sound-refused", "Switch one common codec on in both phones, PCMU or PCMA, and the same encryption or none.",
				"The phone of %s took the call and refused its sound (port 0 in its SDP)", p.User)
		}
	}
	return nil
}

// foreignCodec is sound in a format that the other phone did not list, so that it plays nothing, or noise.
func foreignCodec(c *Call) (found []Finding) {
	for _, side := range [...]Side{Caller, Callee} {
		d := c.audio(side)
		if d == nil || !d.Foreign || d.Packets < few || c.up() < Judged {
			continue
		}
		found = append(found, one(Error, "foreign-codec", "Switch one common codec on in both phones, PCMU or PCMA: minisip does not transcode.",
			"%s sends a codec that the phone of %s has not listed (payload type %s), so that it can hardly be heard there",
			c.party(side).User, c.party(side.Other()).User, strings.Join(d.Types, ", "))...)
	}
	return found
}

// few packets, one second of sound, tell nothing of a side's codec.
const few = 50

// noVoice is a side that sends what stands for silence, and nothing else.
func noVoice(c *Call) (found []Finding) {
	if c.up() < Gone || c.Caller.Held || c.Callee.Held {
		return nil
	}
	for _, side := range [...]Side{Caller, Callee} {
		d := c.audio(side)
		if d == nil || len(d.Types) == 0 {
			continue
		}
		voice := false
		for _, t := range d.Types {
			_, name, _ := strings.Cut(t, " ")
			name, _, _ = strings.Cut(name, "/")
			voice = voice || !strings.EqualFold(name, "CN") && !strings.EqualFold(name, "telephone-event")
		}
		if !voice {
			p := c.party(side)
			found = append(found, one(Error, "no-voice", "See that the microphone of "+p.User+" is on and not muted, and whether its phone believes that the call is held.",
				"What came from %s was no sound, only %s: comfort noise is sent for silence, telephone-event for keys", p.User, strings.Join(d.Types, ", "))...)
		}
	}
	return found
}
