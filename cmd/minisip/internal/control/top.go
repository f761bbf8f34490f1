package control

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"strconv"
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
	switch rows, _ := c.Size(); {
	case c.json:
		return c.topJSON()
	case rows == 0 || term == "" || term == "dumb":
		return c.topOnce()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if restore, err := c.Raw(c.In); err == nil {
		defer restore()
	}
	typed := make(chan []byte)
	go c.read(ctx, typed)
	fmt.Fprint(c.Out, secondScreen)
	defer fmt.Fprint(c.Out, firstScreen)
	tick := time.NewTicker(topEvery)
	defer tick.Stop()
	var s screen
	for {
		s.rows, s.columns = c.Size()
		page, err := c.topPage(&s)
		if err != nil {
			return err
		}
		fmt.Fprint(c.Out, home+strings.ReplaceAll(string(page), "\n", restOfLine+"\n")+restOfScreen)
		select {
		case <-tick.C:
		case t := <-typed:
			if s.obey(t) {
				return nil
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// read passes on what is typed. What a key sends comes in one piece.
func (c *call) read(ctx context.Context, typed chan<- []byte) {
	for {
		b := make([]byte, 64)
		n, err := c.In.Read(b)
		if err != nil || n == 0 {
			return
		}
		select {
		case typed <- b[:n]:
		case <-ctx.Done():
			return
		}
	}
}

// topPage is what top shows, as far as it fits: of the calls a part, from s.first on.
func (c *call) topPage(s *screen) ([]byte, error) {
	var o status.Overview
	if err := c.get("/api/overview", &o); err != nil {
		return nil, err
	}
	var above, table bytes.Buffer
	writeOverview(&above, &o)
	above.WriteByte('\n')
	// Beside the calls there are the head of their table, the line that counts them, and the last line, which stays empty.
	s.room = min(max(1, s.rows-bytes.Count(above.Bytes(), []byte("\n"))-3), rowsAtOnce)
	var list status.Calls
	for { // once more where it has become so short that nothing is left there
		err := c.get(query("/api/calls", "state", "live", "offset", strconv.Itoa(s.first), "limit", strconv.Itoa(s.room)), &list)
		if err != nil {
			return nil, err
		}
		if s.first <= max(0, list.Matched-s.room) {
			break
		}
		s.first = max(0, list.Matched-s.room)
	}
	writeCalls(&table, list.Calls)
	if n := len(list.Calls); n < list.Matched {
		fmt.Fprintf(&table, "%d-%d of %d; arrows and page keys show the others, q ends\n", s.first+1, s.first+n, list.Matched)
	}
	return s.cut(above.String() + table.String()), nil
}

// topOnce shows all there is.
func (c *call) topOnce() error {
	if err := c.status(); err != nil {
		return err
	}
	list, err := c.allCalls("live", "")
	if err != nil {
		return err
	}
	fmt.Fprintln(c.Out)
	writeCalls(c.Out, list.Calls)
	return nil
}

// topJSON gives both answers as one object.
func (c *call) topJSON() error {
	o, err := c.do("GET", "/api/overview", nil)
	if err != nil {
		return err
	}
	calls, err := c.allCalls("live", "")
	if err != nil {
		return err
	}
	return c.encode(struct {
		Overview json.RawMessage `json:"overview"`
		Calls    status.Calls    `json:"calls"`
	}{o, calls})
}
