package config

import (
	"fmt"
	"path/filepath"
	"strings"
)

// A setting is a value given to an option somewhere.
type setting struct {
	opt   *option
	value string
	at    place
}

// A layer is everything one source says, in its order.
type layer struct {
	settings []setting
	words    []givenWord
}

// last returns the setting of the option called name that counts, if any.
func (l *layer) last(name string) (s setting, ok bool) {
	for i := len(l.settings) - 1; i >= 0; i-- {
		if l.settings[i].opt.name == name {
			return l.settings[i], true
		}
	}
	return setting{}, false
}

// Parse reads args (without the program's name), the environment through env
// and, if one is named, the configuration file through readFile. The error is
// ErrHelp or an *Error.
func Parse(args []string, env func(string) (string, bool), readFile func(string) ([]byte, error)) (*Config, error) {
	line, err := readArgs(args)
	if err != nil {
		return nil, err
	}
	environ, err := readEnv(env)
	if err != nil {
		return nil, err
	}
	var file layer
	if s, ok := fileNamed(&line, &environ); ok && s.value != "" {
		if file, err = readConfigFile(s, readFile); err != nil {
			return nil, err
		}
	}
	c := &Config{
		TimerC:     defaultTimerC,
		MaxPending: defaultMaxPending,
		origin:     map[string]setting{},
		wordFrom:   map[string]string{},
	}
	for _, l := range []layer{defaults(env), environ, file, line} {
		if err := c.apply(l); err != nil {
			return nil, err
		}
	}
	c.applyWords(environ, file, line)
	if err := c.checkPorts(); err != nil {
		return nil, err
	}
	if err := c.checkStatus(); err != nil {
		return nil, err
	}
	if err := c.checkFiles(); err != nil {
		return nil, err
	}
	return c, nil
}

// fileNamed returns the setting that names the configuration file.
func fileNamed(line, environ *layer) (setting, bool) {
	if s, ok := line.last("config"); ok {
		return s, true
	}
	return environ.last("config")
}

// apply runs the setters of one layer. Values that a later one of the same
// layer replaces are checked too.
func (c *Config) apply(l layer) error {
	seen := map[string]setting{}
	for _, s := range l.settings {
		if err := s.opt.set(c, s.value); err != nil {
			return badValue(s, err)
		}
		if first, twice := seen[s.opt.name]; twice {
			c.note("%s: given twice, first %s, then %s, and the last wins",
				s.at.of(s.opt.name), quote(first.value), quote(s.value))
		}
		seen[s.opt.name] = s
		c.origin[s.opt.name] = s
	}
	return nil
}

func (c *Config) note(format string, args ...any) {
	c.Notes = append(c.Notes, fmt.Sprintf(format, args...))
}

// checkPorts refuses a relay range that holds a SIP port: which of the two got
// the port would be chance.
func (c *Config) checkPorts() error {
	for _, a := range c.Listen {
		if p := a.Port(); c.RTPLow <= p && p <= c.RTPHigh {
			s := c.origin["rtp"]
			if s.at.standard {
				s = c.origin["listen"]
			}
			return &Error{
				Where: s.at.of(s.opt.name),
				Problem: fmt.Sprintf("found port %d in -listen and inside -rtp %d-%d, expected it in one of them, for example -listen :5060 -rtp 10000-20000",
					p, c.RTPLow, c.RTPHigh),
			}
		}
	}
	return nil
}

// checkStatus refuses a status page that others can reach and nobody has to log in to.
func (c *Config) checkStatus() error {
	if !c.Status.IsValid() || c.Status.Addr().IsLoopback() || c.StatusPasswordFile != "" {
		return nil
	}
	return &Error{
		Where: c.origin["status"].at.of("status"),
		Problem: fmt.Sprintf("found %s, which others can reach, and no password; expected -status-password-file FILE beside it, or a loopback address, for example -status 127.0.0.1:8060",
			c.Status),
	}
}

// checkFiles refuses to write into a file that something else is kept in: the log would be added to the users.
func (c *Config) checkFiles() error {
	named := map[string]string{}
	for _, f := range [...]struct{ option, path string }{
		{"config", c.File}, {"users", c.Users}, {"status-password-file", c.StatusPasswordFile}, {"log", c.Log}, {"cdr", c.CDR},
	} {
		path := filepath.Clean(f.path)
		if f.path == "" || strings.HasPrefix(path, "/dev/") {
			continue
		}
		if other, ok := named[path]; ok && (f.option == "log" || f.option == "cdr") {
			return &Error{
				Where:   c.origin[f.option].at.of(f.option),
				Problem: fmt.Sprintf("found %s, which is the file of -%s, expected one of its own, for example -%s %s", f.path, other, f.option, c.origin[f.option].opt.example),
			}
		}
		named[path] = f.option
	}
	return nil
}
