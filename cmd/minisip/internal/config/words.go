package config

import "strings"

// A word switches one thing on; no_ before it switches it off.
type word struct {
	name    string
	help    string
	feature func(*Features) *bool // nil for debug
}

var words = []word{
	{"debug", "log whole messages, before and after rewriting", nil},
	{"re_contact", "put the phone's real address into Contact",
		func(f *Features) *bool { return &f.Contact }},
	{"re_sdp", "rewrite SDP so that media goes through the relay",
		func(f *Features) *bool { return &f.SDP }},
	{"re_via", "add received and rport to every request's Via",
		func(f *Features) *bool { return &f.Via }},
	{"duplicate", "never act twice on copies of a request",
		func(f *Features) *bool { return &f.Duplicate }},
	{"silent", "give users who are not in the user file no answer",
		func(f *Features) *bool { return &f.Silent }},
}

// findWord splits text into the word it names and whether that is switched on.
func findWord(text string) (w *word, on bool) {
	name, off := strings.CutPrefix(text, "no_")
	for i := range words {
		if words[i].name == name {
			return &words[i], !off
		}
	}
	return nil, false
}

// applyWords sets Features and Debug from the layers, the lowest first.
func (c *Config) applyWords(layers ...layer) {
	c.Features = Features{Contact: true, SDP: true, Via: true, Duplicate: true, Silent: true}
	for _, l := range layers {
		last := c.lastWords(l.words)
		if at, ok := namesFeature(last); ok {
			c.Features = Features{}
			for _, w := range words {
				if w.feature != nil {
					c.wordFrom[w.name] = at.String() + ", which names others"
				}
			}
		}
		for _, g := range last {
			if g.word.feature == nil {
				c.Debug = g.on
			} else {
				*g.word.feature(&c.Features) = g.on
			}
			c.wordFrom[g.word.name] = g.at.String()
		}
	}
}

// lastWords keeps the last mention of each word, and notes those it passes over.
func (c *Config) lastWords(given []givenWord) []givenWord {
	var last []givenWord
	for i, g := range given {
		repeated := false
		for _, later := range given[i+1:] {
			if later.word == g.word {
				c.noteWord(g, later)
				repeated = true
				break
			}
		}
		if !repeated {
			last = append(last, g)
		}
	}
	return last
}

func (c *Config) noteWord(first, later givenWord) {
	if first.on == later.on {
		c.note("%s: given twice", later.at.ofWord(later.String()))
	} else {
		c.note("%s: contradicts %s before it, and the last wins", later.at.ofWord(later.String()), first)
	}
}

// namesFeature tells whether a feature is switched on, and where.
func namesFeature(given []givenWord) (at place, ok bool) {
	for _, g := range given {
		if g.on && g.word.feature != nil {
			return g.at, true
		}
	}
	return place{}, false
}

// A givenWord is a word as it was met.
type givenWord struct {
	word *word
	on   bool
	at   place
}

func (g givenWord) String() string {
	if g.on {
		return g.word.name
	}
	return "no_" + g.word.name
}
