package control

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"minisip/cmd/minisip/internal/status"
)

// What a terminal obeys: ECMA-48, and xterm's second screen.
const (
	secondScreen = "\x1b[?1049h\x1b[?25l" // and no cursor
	firstScreen  = "\x1b[?25h\x1b[?1049l"
	home         = "\x1b[H"
	restOfLine   = "\x1b[K"
	restOfScreen = "\x1b[J"
)

const topEvery = 2 * time.Second

// top shows status and calls again and again. Where nothing can be drawn, it does so once.
func (c *call) top() error {
	term, _ := c.Env("TERM")
	if c.json {
		return c.topJSON()
	}
	if rows, _ := c.Size(); rows == 0 || term == "" || term == "dumb" {
		page, err := c.topPage(1<<20, 1<<20)
		c.Out.Write(page)
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if restore, err := c.Raw(c.In); err == nil {
		defer restore()
	}
	keys := make(chan byte)
	go func() {
		var b [1]byte
		for {
			if n, err := c.In.Read(b[:]); err != nil || n == 0 {
				return
			}
			select {
			case keys <- b[0]:
			case <-ctx.Done():
				return
			}
		}
	}()
	fmt.Fprint(c.Out, secondScreen)
	defer fmt.Fprint(c.Out, firstScreen)
	tick := time.NewTicker(topEvery)
	defer tick.Stop()
	for {
		page, err := c.topPage(c.Size())
		if err != nil {
			return err
		}
		fmt.Fprint(c.Out, home+strings.ReplaceAll(string(page), "\n", restOfLine+"\n")+restOfScreen)
		select {
		case <-tick.C:
		case k := <-keys:
			if k == 'q' || k == 'Q' || k == 3 {
				return nil
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// topPage is what top shows, as far as it fits.
func (c *call) topPage(rows, columns int) ([]byte, error) {
	var o status.Overview
	var list status.Calls
	if err := c.get("/api/overview", &o); err != nil {
		return nil, err
	}
	if err := c.get("/api/calls?state=live&limit=100", &list); err != nil {
		return nil, err
	}
	var all, out bytes.Buffer
	writeOverview(&all, &o)
	all.WriteByte('\n')
	writeCalls(&all, list.Calls)
	for line := range strings.Lines(all.String()) {
		if rows--; rows == 0 {
			break
		}
		line = strings.TrimSuffix(line, "\n")
		if r := []rune(line); len(r) > columns {
			line = string(r[:columns])
		}
		out.WriteString(line + "\n")
	}
	return out.Bytes(), nil
}

// topJSON gives both answers as they came, as one object.
func (c *call) topJSON() error {
	o, err := c.do("GET", "/api/overview", nil)
	if err != nil {
		return err
	}
	calls, err := c.do("GET", "/api/calls?state=live&limit=100", nil)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.Out, "{\"overview\":%s,\"calls\":%s}\n", bytes.TrimSpace(o), bytes.TrimSpace(calls))
	return err
}
