package status

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"minisip/cmd/minisip/internal/proxy"
)

// failure is an error that is answered with its status.
type failure struct {
	status int
	text   string
}

func (f *failure) Error() string { return f.text }

func notFound(format string, args ...any) error {
	return &failure{http.StatusNotFound, fmt.Sprintf(format, args...)}
}

func badRequest(format string, args ...any) error {
	return &failure{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// errBusy is when the event loop did not answer.
var errBusy = &failure{http.StatusServiceUnavailable, "The server is too busy to answer, or stopping."}

// answer makes a handler of a function that gives a value for JSON, nil for nothing to say.
func answer(h func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := h(r)
		var f *failure
		switch {
		case errors.As(err, &f):
			refuse(w, f.status, f.text)
		case err != nil:
			refuse(w, http.StatusInternalServerError, err.Error())
		case v == nil:
			w.WriteHeader(http.StatusNoContent)
		default:
			w.Header().Set("Content-Type", "application/json")
			json.NewEncoder(w).Encode(v)
		}
	}
}

// patience is how long a request waits for the event loop.
const patience = 5 * time.Second

// ask runs f in the event loop.
func (a *API) ask(ctx context.Context, f func(*proxy.Core)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if !a.cfg.Do(ctx, f) {
		return errBusy
	}
	return nil
}

// window reads offset and limit.
func window(r *http.Request, usual, most int) (offset, limit int) {
	offset, _ = strconv.Atoi(r.FormValue("offset"))
	limit, err := strconv.Atoi(r.FormValue("limit"))
	if err != nil || limit <= 0 {
		limit = usual
	}
	return max(0, offset), min(limit, most)
}

// part cuts the window out of a list.
func part[T any](list []T, offset, limit int) []T {
	offset = min(offset, len(list))
	return list[offset:min(offset+limit, len(list))]
}

// contains is a search as people type it: without regard to case.
func contains(text, lower string) bool {
	return lower == "" || strings.Contains(strings.ToLower(text), lower)
}
