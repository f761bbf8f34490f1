package server

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"time"

	"minisip/cmd/minisip/internal/capture"
	"minisip/cmd/minisip/internal/proxy"
)

// traceWait bounds the wait for recordings when minisip stops: a disk that hangs shall not keep the process.
const traceWait = time.Second

// waitFor waits until all have ended, or for so long; then it reports false.
func waitFor(all *sync.WaitGroup, atMost time.Duration) bool {
	ended := make(chan struct{})
	go func() {
		all.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return true
	case <-time.After(atMost):
		return false
	}
}

// errNoTraceDir says what is missing for a trace.
var errNoTraceDir = errors.New("there is no directory for recordings: start minisip with -trace-dir DIR")

// Trace records what passes of a call (its number or Call-ID) or of a user into a file of the
// trace directory: SIP, and with media RTP and RTCP as they came and as they went. It ends
// when ctx is done, at its limits, with the call, or with End of the file that is returned.
func (s *Server) Trace(ctx context.Context, what string, media bool, limits capture.Limits) (*capture.File, error) {
	if s.cfg.TraceDir == "" {
		return nil, errNoTraceDir
	}
	file, err := capture.Create(s.cfg.TraceDir, traceName(s.now(), what), limits)
	if err != nil {
		return nil, err
	}
	t := &proxy.Trace{What: what, Media: media, Show: file.Packet, Over: func() { file.End("the call is over") }}
	if !s.Do(s.running, func(c *proxy.Core) {
		if err = c.Trace(t); err == nil {
			s.cfg.Log("trace of " + what + " begins: " + file.Summary().Path)
			s.traces.Go(func() { s.follow(ctx, t, file) }) // while the loop runs: when that has ended all are waited for
		}
	}) {
		err = errors.New("minisip is stopping")
	}
	if err != nil {
		file.End("nothing to record")
		<-file.Done()
		os.Remove(file.Summary().Path)
		return nil, err
	}
	return file, nil
}

// follow sees to it that a trace ends, and says how.
func (s *Server) follow(ctx context.Context, t *proxy.Trace, file *capture.File) {
	select {
	case <-ctx.Done():
		file.End("it was stopped")
	case <-s.running.Done():
		file.End("minisip stopped")
	case <-file.Done():
	}
	<-file.Done()
	s.Do(s.running, func(c *proxy.Core) { c.Untrace(t) })
	s.cfg.Log("trace of " + t.What + " ended: " + file.Summary().String())
}

// traceName names a file by time and by what is recorded, as far as that is fit for a name.
func traceName(now time.Time, what string) string {
	fit := func(r rune) rune {
		if strings.ContainsRune("-._", r) || r < 0x80 && (r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z') {
			return r
		}
		return '_'
	}
	name := strings.Map(fit, what)
	return now.Format("20060102-150405.000") + "-" + name[:min(len(name), 64)] + ".pcap"
}
