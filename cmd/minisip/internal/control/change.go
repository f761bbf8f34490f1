package control

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http/httptrace"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"minisip/cmd/minisip/internal/config"
	"minisip/cmd/minisip/internal/proxy"
	"minisip/cmd/minisip/internal/status"
)

func (c *call) set() error {
	if len(c.words) == 0 {
		return answer(c, "/api/overview", func(o *status.Overview) { c.features(o.Features) })
	}
	word, value := c.words[0], c.word(1)
	if name, off := strings.CutPrefix(word, "no_"); off && value == "" {
		word, value = name, "off" // as at a start
	} else if value == "" && !config.IsFlag(word) {
		value = "on"
	}
	var wish any = map[string]any{"word": word, "on": value == "on"}
	onOff := value == "on" || value == "off"
	isWord := slices.Contains(proxy.Words, word)
	switch {
	case !isWord && len(c.words) == 2 && (config.IsFlag(word) || !onOff):
		wish = map[string]any{"option": word, "value": value}
	case !isWord && config.IsFlag(word):
		return wrong("set", "-%s needs a value, such as: minisip set timeout 60s", word)
	case !onOff:
		return wrong("set", "expected %s on or %[1]s off, found %q", word, value)
	}
	b, err := c.do("POST", "/api/set", wish)
	if err != nil {
		return err
	}
	return showJSON(c, b, func(f *status.Features) {
		if !isWord {
			fmt.Fprintf(c.Out, "-%s is %q now, until a restart\n", word, value)
			return
		}
		c.features(f.Features)
	})
}

func (c *call) features(on map[string]bool) {
	t := table{}
	for _, w := range proxy.Words {
		t.row(w, map[bool]string{true: "on", false: "off"}[on[w]])
	}
	t.write(c.Out)
}

func (c *call) hangup() error {
	return c.done("POST", "/api/calls/"+url.PathEscape(c.words[0])+"/hangup")
}

func (c *call) ban() error {
	if c.words[0] != "del" {
		return wrong("ban", "expected del, found %q", c.words[0])
	}
	return c.done("DELETE", "/api/bans/"+url.PathEscape(c.words[1]))
}

// done asks for something to be done, to which the API has nothing to say.
func (c *call) done(method, path string) error {
	if _, err := c.do(method, path, nil); err != nil || !c.json {
		return err
	}
	return c.encode(map[string]bool{"ok": true})
}

// trace records until it is over or somebody gives up with Ctrl-C: then it tells what it has. Who gives up says no more but
// goes on listening, since minisip knows only when all is written whether the disk has taken it.
func (c *call) trace() error {
	var conn net.Conn
	ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { conn = i.Conn }})
	in, err := c.begin(ctx, "POST", "/api/trace", map[string]any{"what": c.words[0], "media": c.media})
	if err != nil {
		return err
	}
	defer in.Close()
	gaveUp, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer context.AfterFunc(gaveUp, func() {
		stop() // the next Ctrl-C is obeyed at once
		conn.(*net.UnixConn).CloseWrite()
	})()
	news := json.NewDecoder(in)
	var n status.TraceNews
	for {
		n.Summary, n.Failed = "", false
		switch err := news.Decode(&n); {
		case err != nil:
			return &failure{ExitNoServer, "minisip has ended"}
		case c.json:
			if err := c.encode(n); err != nil {
				return err
			}
		case n.Summary == "":
			fmt.Fprintf(c.Out, "recording %s into %s; Ctrl-C ends it\n", c.words[0], n.Path)
		case !n.Failed:
			fmt.Fprintln(c.Out, n.Summary)
		}
		switch {
		case n.Failed:
			return &failure{ExitFailed, n.Summary}
		case n.Summary != "":
			return nil
		}
	}
}
