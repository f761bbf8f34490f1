package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const internal = "minisip/cmd/minisip/internal/"

// mayImport is the one direction in which imports point. Every package of the module stands
// here; none but these of ours may be imported by it.
var mayImport = map[string][]string{
	"minisip/sipmsg":     {},
	"minisip/digest":     {"minisip/sipmsg"},
	"minisip/nat":        {"minisip/sipmsg"},
	"minisip/session":    {"minisip/sipmsg"},
	"minisip/dialcmd":    {},
	"minisip/rtprelay":   {},
	"minisip/logrot":     {},
	internal + "config":  {},
	internal + "systemd": {},
	internal + "pack":    {},
	internal + "state":   {},
	internal + "location": {
		"minisip/sipmsg", internal + "pack",
	},
	internal + "capture":   {},
	internal + "clockstep": {},
	internal + "guard":     {},
	internal + "diagnosis": {},
	internal + "emodel":    {},
	internal + "trail":     {"minisip/sipmsg", internal + "pack"},
	internal + "proxy": {
		"minisip/sipmsg", "minisip/digest", "minisip/nat", "minisip/session", "minisip/dialcmd",
		internal + "guard", internal + "location", internal + "pack", internal + "trail", internal + "diagnosis", internal + "emodel",
	},
	internal + "control": {internal + "config", internal + "proxy", internal + "status"},
	internal + "status": {
		"minisip/sipmsg", internal + "proxy", internal + "trail", internal + "status/page",
	},
	internal + "status/page":          {},
	internal + "status/page/chromium": {},
	internal + "server": {
		"minisip/sipmsg", "minisip/digest", "minisip/session", "minisip/rtprelay", internal + "capture", internal + "guard",
		internal + "pack", internal + "proxy", internal + "state", internal + "trail",
	},
	internal + "hep": {},
	internal + "demo": {
		"minisip/sipmsg", internal + "phone",
	},
	internal + "phone": {
		"minisip/sipmsg", "minisip/digest", "minisip/nat", internal + "emodel",
	},
	internal + "load":             {},
	"minisip/cmd/minisip/interop": {},
	"minisip/cmd/minisip": {
		"minisip/digest", "minisip/logrot", "minisip/rtprelay",
		internal + "config", internal + "demo", internal + "guard", internal + "hep", internal + "proxy", internal + "server", internal + "state", internal + "systemd", internal + "trail",
		internal + "capture", internal + "control", internal + "status", internal + "status/page",
	},
}

// TestImports holds every package to mayImport, tests to the standard library and ours.
func TestImports(t *testing.T) {
	for _, file := range goFiles(t) {
		pkg := "minisip/" + filepath.ToSlash(filepath.Dir(file))
		allowed, known := mayImport[pkg]
		test := strings.HasSuffix(file, "_test.go")
		if !known && !test {
			t.Errorf("%s: package %s is not in the table of imports", file, pkg)
			continue
		}
		for _, imp := range importsOf(t, file) {
			first, _, _ := strings.Cut(imp, "/")
			switch {
			case first != "minisip" && strings.Contains(first, "."):
				t.Errorf("%s imports %s: standard library only", file, imp)
			case first == "minisip" && !test && !slices.Contains(allowed, imp):
				t.Errorf("%s imports %s: that is not its direction", file, imp)
			}
		}
	}
}

// TestNoDependencies holds go.mod to requiring nothing.
func TestNoDependencies(t *testing.T) {
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mod)) {
		switch word, _, _ := strings.Cut(strings.TrimSpace(line), " "); word {
		case "", "module", "go":
		default:
			t.Errorf("go.mod: %q: nothing may be required, replaced or pinned", line)
		}
	}
	if _, err := os.Stat(filepath.Join(root, "go.sum")); err == nil {
		t.Error("go.sum exists: nothing may be required")
	}
}

// TestTopLevel holds the top of the tree to what the layout names.
func TestTopLevel(t *testing.T) {
	allowed := strings.Fields("cmd sipmsg digest nat session rtprelay dialcmd logrot fuzz go.mod Makefile README.md LICENSE")
	made := strings.Fields("minisip users.conf state")
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "sip_server.log") || slices.Contains(made, name) {
			continue
		}
		if !slices.Contains(allowed, name) {
			t.Errorf("%s does not belong at the top level", name)
		}
	}
}

const root = "../.."

func goFiles(t *testing.T) (files []string) {
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".go") {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("no Go files under %s: %v", root, err)
	}
	return files
}

func importsOf(t *testing.T, file string) (imports []string) {
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range f.Imports {
		path, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		imports = append(imports, path)
	}
	return imports
}
