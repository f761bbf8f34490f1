package proxy

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the generated lines of testdata/*.txt anew")

// TestGolden plays every script of testdata and compares what happens with what stands
// there, byte for byte but for random values, which get names. A day after the end
// nothing may be left in any table.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			before, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			after := play(t, string(before))
			switch {
			case after == string(before):
			case *update:
				if err := os.WriteFile(file, []byte(after), 0o644); err != nil {
					t.Fatal(err)
				}
			default:
				t.Error(difference(string(before), after))
			}
		})
	}
}

// play runs a script and gives it back with its generated lines as they should be.
func play(t *testing.T, file string) string { return playIn(t, newWorld(t), file) }

func playIn(t *testing.T, w *world, file string) string {
	s := &script{w}
	var lines []string
	for line := range strings.Lines(file) {
		if line = strings.TrimSuffix(line, "\n"); !generated(line) {
			lines = append(lines, line)
		}
	}
	var body strings.Builder
	intro := 0
	for i := 0; i < len(lines); {
		j := i + 1
		var args []string
		for ; j < len(lines) && strings.HasPrefix(lines[j], "    "); j++ {
			args = append(args, lines[j][4:])
		}
		for _, line := range lines[i:j] {
			body.WriteString(line + "\n")
		}
		if line := lines[i]; line != "" && line[0] != '#' {
			seen := len(s.events)
			if err := s.run(line, args); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			if w.after != nil {
				w.after()
			}
			s.show(&body, s.events[seen:])
		}
		if intro == 0 && lines[i] != "" && j < len(lines) && lines[j] == "" {
			intro = body.Len()
		}
		i = j
	}
	out := body.String()
	out = out[:intro] + s.ladder() + out[intro:]
	s.finish()
	return out
}

// show writes events in full. A datagram that was shown before is only named.
func (w *world) show(b *strings.Builder, events []event) {
	for _, e := range events {
		if e.from == "" {
			fmt.Fprintf(b, "* %s %s\n", clock(e.at), w.names.replace(e.text))
			continue
		}
		arrow, again := "<", ""
		if e.to == "minisip" {
			arrow = ">"
		}
		key := e.addr.String() + e.text
		if w.shown[key] {
			again = " (again)"
		}
		fmt.Fprintf(b, "%s %s %s -> %s%s%s\n", arrow, clock(e.at), e.from, e.to, w.place(e), again)
		if w.shown[key] {
			fmt.Fprintf(b, "| %s\n", firstLine(w.names.replace(e.text)))
			continue
		}
		w.shown[key] = true
		for _, line := range visible(w.names.replace(e.text)) {
			b.WriteString(strings.TrimSuffix("| "+line, " ") + "\n")
		}
	}
}

// place adds the address to a phone's name.
func (w *world) place(e event) string {
	if e.to == e.addr.String() {
		return ""
	}
	return " (" + e.addr.String() + ")"
}

// visible cuts a datagram into lines. What is no CRLF shows, and so does a missing one at the end.
func visible(datagram string) []string {
	lines := strings.Split(datagram, "\r\n")
	for i, line := range lines {
		lines[i] = strings.NewReplacer("\r", `\r`, "\n", `\n`, "\t", `\t`).Replace(line)
	}
	if last := len(lines) - 1; lines[last] == "" {
		return lines[:last]
	} else {
		lines[last] += `\`
	}
	return lines
}

func firstLine(datagram string) string { return visible(datagram)[0] }

// ladder gives the datagrams in short: time, from, to, start line.
func (w *world) ladder() string {
	var b strings.Builder
	wide := 0
	for _, e := range w.events {
		wide = max(wide, len(e.from+e.to))
	}
	for _, e := range w.events {
		if e.from == "" {
			continue
		}
		first := strings.TrimPrefix(strings.TrimSuffix(firstLine(w.names.replace(e.text)), " SIP/2.0"), "SIP/2.0 ")
		pad := strings.Repeat(" ", wide-len(e.from+e.to))
		fmt.Fprintf(&b, "= %s  %s -> %s%s  %s\n", clock(e.at), e.from, e.to, pad, first)
	}
	return b.String()
}

func clock(d time.Duration) string { return fmt.Sprintf("%8.3f", d.Seconds()) }

// difference shows the first lines that differ, with what stands before them.
func difference(before, after string) string {
	a, b := strings.Split(before, "\n"), strings.Split(after, "\n")
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	context := strings.Join(a[max(0, i-12):i], "\n")
	return fmt.Sprintf("line %d differs (go test -run Golden -update writes it anew):\n%s\nwant:\n%s\ngot:\n%s", i+1, context,
		strings.Join(a[i:min(len(a), i+8)], "\n"), strings.Join(b[i:min(len(b), i+8)], "\n"))
}
