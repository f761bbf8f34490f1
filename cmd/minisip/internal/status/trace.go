package status

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// Trace is a recording under way.
type Trace struct {
	Path    string
	Done    <-chan struct{}
	Summary func() (text string, failed bool)
}

// TraceNews is what is told of a recording: where it is, and when it has ended, how it was.
type TraceNews struct {
	Path    string `json:"path"`
	Summary string `json:"summary,omitempty"`
	Failed  bool   `json:"failed,omitempty"` // not all of it could be written
}

// trace records a call or a user for as long as who asks stays on the line. The answer is a
// JSON object a line: at once where the file is, and at the end what is in it.
func (a *API) trace(w http.ResponseWriter, r *http.Request) {
	if err := operator(r); err != nil {
		refuse(w, http.StatusForbidden, err.Error())
		return
	}
	var wish struct {
		What  string `json:"what"`
		Media bool   `json:"media"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4096)).Decode(&wish); err != nil || wish.What == "" {
		refuse(w, http.StatusBadRequest, `Expected JSON such as {"what": "001", "media": true}: a user, or the number of a call.`)
		return
	}
	ctx, stop := context.WithCancel(r.Context())
	defer stop()
	t, err := a.cfg.Trace(ctx, wish.What, wish.Media)
	if err != nil {
		refuse(w, http.StatusConflict, err.Error())
		return
	}
	out := http.NewResponseController(w)
	out.SetReadDeadline(time.Time{})
	out.SetWriteDeadline(time.Time{})
	w.Header().Set("Content-Type", "application/x-ndjson")
	json.NewEncoder(w).Encode(TraceNews{Path: t.Path})
	out.Flush()
	select {
	case <-t.Done:
	case <-r.Context().Done():
		stop()
		<-t.Done
	}
	text, failed := t.Summary()
	json.NewEncoder(w).Encode(TraceNews{Path: t.Path, Summary: text, Failed: failed})
}
