package digest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// lineOf is what the file holds of an account.
func lineOf(name, realm, password string) string {
	return name + ":" + realm + ":" + HA1(MD5, name, realm, password) + ":" + HA1(SHA256, name, realm, password) + "\n"
}

func TestEditUsers(t *testing.T) {
	const (
		one   = "001:r:" + md5001 + "\n"
		two   = "002:r:" + md5001 + "\r\n"
		alien = "009:asterisk:" + md5001 + "\n"
	)
	add := func(name, password string) func(path string) error {
		return func(path string) error { return AddUser(path, "r", Account{name, password}) }
	}
	passwd := func(name, password string) func(path string) error {
		return func(path string) error { return SetPassword(path, "r", Account{name, password}) }
	}
	del := func(name string) func(path string) error {
		return func(path string) error { return DeleteUser(path, name) }
	}
	for _, test := range []struct {
		name, before string
		do           func(path string) error
		after, err   string // FILE stands for the path
	}{
		{"add", "# top\n" + one + "\n# end\n", add("003", "x"), "# top\n" + one + "\n# end\n" + lineOf("003", "r", "x"), ""},
		{"add to an empty file", "", add("003", "x"), lineOf("003", "r", "x"), ""},
		{"add behind a line without end", strings.TrimSuffix(one, "\n"), add("003", "x"), one + lineOf("003", "r", "x"), ""},
		{"add beside a bad line", "rubbish\n" + one, add("003", "x"), "rubbish\n" + one + lineOf("003", "r", "x"), ""},
		{"add beside a comment of that name", "#003:r:" + md5001 + "\n", add("003", "x"), "#003:r:" + md5001 + "\n" + lineOf("003", "r", "x"), ""},
		{"add whom there is", "\n" + one, add("001", "x"), "\n" + one,
			`FILE:2: user "001" is there already; to change the password: minisip user passwd 001`},
		{"add to another realm", alien, add("003", "x"), alien, `FILE:1: user "009" is of realm "asterisk", not "r"; give -realm asterisk`},
		{"add a bad name", one, add("a:b", "x"), one, `user name "a:b" has a character ':' in it; any printable one but ':' may be used`},
		{"add without password", one, add("003", ""), one, `user "003" has an empty password; give one`},
		{"passwd", "# top\n" + one + two, passwd("001", "new"), "# top\n" + lineOf("001", "r", "new") + two, ""},
		{"passwd moves to the realm", one + alien, passwd("009", "new"), one + lineOf("009", "r", "new"), ""},
		{"passwd mends a bad line", "001:secret\n" + two, passwd("001", "new"), lineOf("001", "r", "new") + two, ""},
		{"passwd leaves one line", one + two + one, passwd("001", "new"), lineOf("001", "r", "new") + two, ""},
		{"passwd for nobody", one, passwd("002", "new"), one, `FILE has no user "002"; to see who is there: minisip user list`},
		{"del", "# top\n" + one + two, del("001"), "# top\n" + two, ""},
		{"del all lines of that name", one + two + one, del("001"), two, ""},
		{"del the last", one, del("001"), "", ""},
		{"del nobody", one, del("00"), one, `FILE has no user "00"; to see who is there: minisip user list`},
		{"del a comment", "#001:r:" + md5001 + "\n", del("#001"), "#001:r:" + md5001 + "\n", `FILE has no user "#001"; to see who is there: minisip user list`},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "users.conf")
		if err := os.WriteFile(path, []byte(test.before), 0o600); err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := test.do(path); err != nil {
			got = strings.ReplaceAll(err.Error(), path, "FILE")
		}
		if got != test.err {
			t.Errorf("%s:\n got error %s\nwant error %s", test.name, got, test.err)
		}
		after, err := os.ReadFile(path)
		if err != nil || string(after) != test.after {
			t.Errorf("%s: %v\n got %q\nwant %q", test.name, err, after, test.after)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
			t.Errorf("%s: something is left over: %v, %v", test.name, left, err)
		}
	}
}

func TestUserFileModes(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "users.conf")
	mode := func() fs.FileMode {
		info, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Mode()
	}
	if err := CreateUsers(path, "r", []Account{{"001", "x"}, {"002", "y"}}); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != lineOf("001", "r", "x")+lineOf("002", "r", "y") || mode() != 0o600 {
		t.Errorf("created: %q, mode %v, %v", data, mode(), err)
	}
	if err := CreateUsers(path, "r", nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("created twice: %v", err)
	}
	for before, after := range map[fs.FileMode]fs.FileMode{0o600: 0o600, 0o400: 0o600, 0o644: 0o640, 0o666: 0o640, 0o606: 0o600} {
		if err := os.Chmod(path, before); err != nil {
			t.Fatal(err)
		}
		if err := SetPassword(path, "r", Account{"001", "z"}); err != nil || mode() != after {
			t.Errorf("mode %v became %v, want %v; %v", before, mode(), after, err)
		}
	}

	if err := CreateUsers(filepath.Join(dir, "bad"), "a:b", []Account{{"001", "x"}}); err == nil ||
		err.Error() != `realm "a:b" has a character ':' in it; any printable one but ':' may be used` {
		t.Errorf("realm with a colon: %v", err)
	}

	real := path
	path = filepath.Join(dir, "link")
	if err := os.Symlink("users.conf", path); err != nil {
		t.Fatal(err)
	}
	if err := DeleteUser(path, "001"); err != nil || mode().Type() != fs.ModeSymlink {
		t.Errorf("edited through a link: mode %v, %v", mode(), err)
	}
	if data, err := os.ReadFile(real); err != nil || string(data) != lineOf("002", "r", "y") {
		t.Errorf("behind the link: %q, %v", data, err)
	}

	path = filepath.Join(dir, "new")
	if err := AddUser(path, "r", Account{"001", "x"}); err != nil || mode() != 0o600 {
		t.Errorf("added to a file that was not there: mode %v, %v", mode(), err)
	}
	for _, err := range []error{
		SetPassword(filepath.Join(dir, "none"), "r", Account{"001", "x"}),
		DeleteUser(filepath.Join(dir, "none"), "001"),
		AddUser(filepath.Join(dir, "no", "where"), "r", Account{"001", "x"}),
	} {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("no file: %v", err)
		}
	}
}

// A service that may read the file still may when root has edited it.
func TestEditKeepsTheOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	path := filepath.Join(t.TempDir(), "users.conf")
	if err := CreateUsers(path, "r", []Account{{"001", "x"}}); err != nil {
		t.Fatal(err)
	}
	for _, owner := range [][2]int{{65534, 0}, {0, 65533}, {65534, 65533}} {
		if err := os.Chown(path, owner[0], owner[1]); err != nil {
			t.Fatal(err)
		}
		if err := SetPassword(path, "r", Account{"001", "y"}); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if st := info.Sys().(*syscall.Stat_t); int(st.Uid) != owner[0] || int(st.Gid) != owner[1] {
			t.Errorf("owner and group were %v, are %d and %d", owner, st.Uid, st.Gid)
		}
	}
}

// A full disk is told, and takes nothing away.
func TestFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	if err := writeAndClose(full, []byte("x")); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("written to a full disk: %v", err)
	}
	if err := full.Close(); err == nil {
		t.Error("the file is still open")
	}
}

// What cannot be put in place is not left lying about.
func TestFailedEditLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "users.conf")
	if err := os.MkdirAll(filepath.Join(path, "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := replace(path, []byte("x")); err == nil {
		t.Error("a directory was replaced by a file")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

// Two who edit at once both find their change in the file.
func TestEditsWaitForEachOther(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users.conf")
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			if err := AddUser(path, "r", Account{fmt.Sprintf("%03d", i), "x"}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	us, err := LoadUsers(path, "r")
	if err != nil || us.Len() != 16 {
		t.Fatalf("%d users of 16; %v", us.Len(), err)
	}
}

func TestListUsers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users.conf")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("# x\n002:r:" + md5001 + "\n001:asterisk:" + md5001 + ":" + sha001 + "\n")
	entries, err := ListUsers(path)
	if got := fmt.Sprint(entries, err); got != "[{002 r false} {001 asterisk true}] <nil>" {
		t.Error(got)
	}
	write("\ufeff002:r:" + md5001 + "\r\n") // as editors of Windows write it
	if entries, err := ListUsers(path); len(entries) != 1 || entries[0].Name != "002" || err != nil {
		t.Error(entries, err)
	}
	if us, err := LoadUsers(path, "r"); err != nil || us.Lookup([]byte("002")) == nil {
		t.Error("002 is not known", err)
	}
	if err := DeleteUser(path, "002"); err != nil {
		t.Error(err)
	}
	write("\n001:secret\n")
	if _, err := ListUsers(path); err == nil || !strings.HasPrefix(err.Error(), path+":2: expected user:realm:") {
		t.Errorf("bad line: %v", err)
	}
}
