package logrot

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// A reporter says on standard error what is wrong with the log.
type reporter struct {
	path string
	mu   sync.Mutex
	w    io.Writer
}

func (r *reporter) say(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(r.w, "log %s: %s\n", r.path, fmt.Sprintf(format, args...))
}

// cause is the reason of a file operation's error, without its name and path.
func cause(err error) error {
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		return pe.Err
	}
	if le := (*os.LinkError)(nil); errors.As(err, &le) {
		return le.Err
	}
	return err
}

// wayOut is what the operator can do about an error, to end a sentence.
func (f *file) wayOut(err error) string {
	dir := filepath.Dir(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Sprintf(" (make the directory with mkdir -p %s)", dir)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Sprintf(" (make it and %s writable for this user)", dir)
	case errors.Is(err, syscall.EISDIR):
		return " (name a file in that directory)"
	case errors.Is(err, syscall.ENOSPC):
		return " (make room on its disk)"
	}
	return ""
}
