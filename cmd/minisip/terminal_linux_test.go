package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"minisip/digest"
)

// openTerminal gives both ends of a new pseudo-terminal: where a person types and
// looks, and what a program has as its standard input.
func openTerminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { person.Close() })
	control := func(request uintptr, value *int32) {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, person.Fd(), request, uintptr(unsafe.Pointer(value))); errno != 0 {
			t.Fatal(errno)
		}
	}
	var locked, number int32
	control(syscall.TIOCSPTLCK, &locked)
	control(syscall.TIOCGPTN, &number)
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Close() })
	return person, program
}

// typist stands for standard error: it types the next answer when a prompt shows.
type typist struct {
	bytes.Buffer
	person  *os.File
	answers []string
}

func (p *typist) Write(b []byte) (int, error) {
	if strings.HasSuffix(string(b), ": ") && len(p.answers) > 0 {
		if _, err := p.person.WriteString(p.answers[0]); err != nil {
			return 0, err
		}
		p.answers = p.answers[1:]
	}
	return p.Buffer.Write(b)
}

func TestPasswordOnTerminal(t *testing.T) {
	const asked = "Password for 001 (Enter alone: make one up): \n"
	for _, test := range []struct {
		name           string
		answers        []string
		status         int
		stdout, stderr string
	}{
		{"twice the same", []string{"geheim\n", "geheim\n"}, 0, "user 001 is added to FILE, a new file\n", asked + "The same again: \n"},
		{"two that differ", []string{"geheim\n", "geheimer\n"}, 1, "",
			asked + "The same again: \nminisip user: the two passwords differ; nothing is changed\n"},
		{"made up", []string{"\n"}, 0, "user 001 is added to FILE, a new file\npassword: ", asked},
	} {
		path := filepath.Join(t.TempDir(), "users.conf")
		person, program := openTerminal(t)
		var before, after syscall.Termios
		if err := terminalState(program, syscall.TCGETS, &before); err != nil {
			t.Fatal(err)
		}
		var stdout bytes.Buffer
		stderr := &typist{person: person, answers: test.answers}
		status := userCommand([]string{"add", "001", "-users", path}, program, &stdout, stderr)

		out := strings.ReplaceAll(stdout.String(), path, "FILE")
		if status != test.status || !strings.HasPrefix(out, test.stdout) || stderr.String() != test.stderr {
			t.Errorf("%s: status %d, stdout %q, stderr %q", test.name, status, out, stderr.String())
		}
		if err := terminalState(program, syscall.TCGETS, &after); err != nil || before != after {
			t.Errorf("%s: the terminal is left in another state: %v", test.name, err)
		}
		// What the terminal shows so far: nothing of what was typed.
		if _, err := program.WriteString("end"); err != nil {
			t.Fatal(err)
		}
		shown := make([]byte, 1000)
		n, err := person.Read(shown)
		if err != nil || string(shown[:n]) != "end" {
			t.Errorf("%s: the terminal shows %q, %v", test.name, shown[:n], err)
		}
		line := "001:mini_sip_proxy:" + digest.HA1(digest.MD5, "001", "mini_sip_proxy", "geheim")
		data, _ := os.ReadFile(path)
		if want := test.name == "twice the same"; strings.HasPrefix(string(data), line) != want {
			t.Errorf("%s: the file holds %q", test.name, data)
		}
	}
}
