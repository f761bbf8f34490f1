package proxy

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The tests and files that the package comment names are there.
func TestDocNamesWhatIsThere(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var tests strings.Builder
	names, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		tests.Write(b)
	}
	rows, inTable := 0, false
	for line := range strings.Lines(f.Doc.Text()) {
		// section, what, file, test: the last two begin at these columns
		const fileColumn, testColumn = 63, 77
		if strings.HasPrefix(line, "\tsection") {
			inTable = true
			continue
		}
		if !inTable || !strings.HasPrefix(line, "\t") || len(line) <= testColumn {
			continue
		}
		rows++
		for _, name := range regexp.MustCompile(`[a-z]+`).FindAllString(line[fileColumn:testColumn], -1) {
			if _, err := os.Stat(name + ".go"); err != nil {
				t.Errorf("%q: no file %s.go", line, name)
			}
		}
		for _, name := range regexp.MustCompile(`[\w-]+`).FindAllString(line[testColumn:], -1) {
			_, err := os.Stat("testdata/" + name + ".txt")
			if err != nil && !strings.Contains(tests.String(), "func "+name+"(") {
				t.Errorf("%q: no test %s", line, name)
			}
		}
	}
	if rows < 25 {
		t.Errorf("the table has %d rows", rows)
	}
}
