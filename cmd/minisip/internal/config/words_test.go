package config

import "testing"

func TestWords(t *testing.T) {
	const all = "re_contact re_sdp re_via duplicate silent"
	for _, tt := range []struct {
		env, file, args string
		want            string
		debug           bool
	}{
		// No feature word: all five.
		{args: "", want: all},
		{args: "debug", want: all, debug: true},
		// Named: those and no others, in any order.
		{args: "debug re_contact re_sdp re_via duplicate silent", want: all, debug: true},
		{args: "re_via re_contact", want: "re_contact re_via"},
		{args: "silent debug", want: "silent", debug: true},
		// no_ takes one away from whatever is on otherwise.
		{args: "no_silent", want: "re_contact re_sdp re_via duplicate"},
		{args: "no_re_sdp no_duplicate debug", want: "re_contact re_via silent", debug: true},
		{args: "no_re_via re_via", want: "re_via"},
		{args: "re_sdp no_silent", want: "re_sdp"},
		{args: "no_re_contact no_re_sdp no_re_via no_duplicate no_silent", want: "none"},
		// The last of two wins as if it stood alone.
		{args: "silent no_silent", want: "re_contact re_sdp re_via duplicate"},
		{args: "debug no_debug", want: all},
		// A source that names features decides alone; one that only takes away does so from the source below.
		{file: "re_via silent", args: "no_silent", want: "re_via"},
		{file: "re_via silent", args: "re_sdp", want: "re_sdp"},
		{file: "no_silent", args: "re_sdp silent", want: "re_sdp silent"},
		{env: "re_via", file: "no_re_via", args: "", want: "none"},
		{env: "debug re_via", file: "re_sdp", args: "no_debug", want: "re_sdp"},
		{env: "no_duplicate", file: "no_re_via", args: "no_silent", want: "re_contact re_sdp"},
	} {
		s := source{args: tt.args, file: tt.file, env: map[string]string{"MINISIP_WORDS": tt.env}}
		if tt.file != "" {
			s.args += " -config minisip.conf"
		}
		c := settings(t, s)
		if got := c.Features.String(); got != tt.want || c.Debug != tt.debug {
			t.Errorf("environment %q, file %q, words %q: %s, debug %v; want %s, %v",
				tt.env, tt.file, tt.args, got, c.Debug, tt.want, tt.debug)
		}
	}
}
