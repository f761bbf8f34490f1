package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// SocketName is the unix socket in the state directory.
const SocketName = "minisip.sock"

// installed is the state directory of a minisip that systemd runs from its unit.
const installed = "/var/lib/minisip"

// client asks a running minisip.
type client struct {
	socket string
	http   *http.Client
}

// newClient speaks to the minisip of a state directory. Where none was named and the usual one
// holds no socket, the one of the installed service is taken.
func newClient(dir string, named bool) *client {
	c := &client{socket: filepath.Join(dir, SocketName)}
	if !named {
		if _, err := os.Stat(c.socket); err != nil {
			if other := filepath.Join(installed, SocketName); exists(other) {
				c.socket = other
			}
		}
	}
	c.http = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "unix", c.socket)
	}}}
	return c
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil || !errors.Is(err, os.ErrNotExist)
}

// failure is an error with the exit status that it calls for.
type failure struct {
	status int
	text   string
}

func (f *failure) Error() string { return f.text }

// begin sends a request and gives the answer's body, whose status was good.
func (c *client) begin(ctx context.Context, method, path string, body any) (io.ReadCloser, error) {
	var b bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&b).Encode(body); err != nil {
			return nil, err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://minisip"+path, &b)
	if err != nil {
		return nil, err
	}
	answer, err := c.http.Do(r)
	switch op := (*net.OpError)(nil); {
	case errors.As(err, &op) && op.Op == "dial" && errors.Is(err, os.ErrPermission):
		return nil, &failure{ExitNoServer, fmt.Sprintf("no permission to use %s: ask as the user that minisip runs as, or with sudo", c.socket)}
	case errors.As(err, &op) && op.Op == "dial":
		return nil, &failure{ExitNoServer, fmt.Sprintf("no minisip answers at %s: is it running? Another state directory is named with -state DIR", c.socket)}
	case err != nil:
		return nil, &failure{ExitFailed, fmt.Sprintf("minisip broke off: %v", errors.Unwrap(err))}
	case answer.StatusCode >= 300:
		defer answer.Body.Close()
		var told struct {
			Error string `json:"error"`
		}
		if json.NewDecoder(io.LimitReader(answer.Body, 1<<16)).Decode(&told) != nil || told.Error == "" {
			told.Error = "minisip answered " + answer.Status
		}
		return nil, &failure{ExitFailed, told.Error}
	}
	return answer.Body, nil
}

// do sends a request and returns the whole answer.
func (c *client) do(method, path string, body any) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	in, err := c.begin(ctx, method, path, body)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return io.ReadAll(in)
}

// get asks for JSON.
func (c *client) get(path string, into any) error {
	b, err := c.do("GET", path, nil)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}

// query writes parameters behind a path.
func query(path string, pairs ...string) string {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			v.Set(pairs[i], pairs[i+1])
		}
	}
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}
