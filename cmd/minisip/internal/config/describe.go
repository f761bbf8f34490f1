package config

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Describe writes every effective setting and where it came from, then the
// words, then the notes.
func (c *Config) Describe(w io.Writer) {
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for o := range options {
		if s, ok := c.origin[o.name]; ok && !o.cmdOnly {
			fmt.Fprintf(tw, "-%s\t%s\t%s\n", o.name, describeValue(s), s.at)
		}
	}
	for _, word := range words {
		from, ok := c.wordFrom[word.name]
		if !ok {
			from = "default"
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\n", word.name, c.describeWord(word), from)
	}
	tw.Flush()
	for _, n := range c.Notes {
		fmt.Fprintf(w, "note: %s\n", n)
	}
}

func describeValue(s setting) string {
	switch {
	case s.at.standard && s.opt.defHint != "":
		return s.opt.defHint
	case s.value == "" || strings.ContainsAny(s.value, " \t"):
		return fmt.Sprintf("%q", s.value)
	}
	return s.value
}

func (c *Config) describeWord(w word) string {
	on := c.Debug
	if w.feature != nil {
		on = *w.feature(&c.Features)
	}
	if on {
		return "on"
	}
	return "off"
}
