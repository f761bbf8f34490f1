package digest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Entry is what a user file says of one user.
type Entry struct {
	Name, Realm string
	HasSHA256   bool // beside MD5, which is always there
}

// ListUsers reads all entries of a user file, of any realm, in the file's order.
func ListUsers(path string) ([]Entry, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	data = bytes.TrimPrefix(data, byteOrderMark)
	var entries []Entry
	number := 0
	for text := range bytes.Lines(data) {
		number++
		e, err := parseLine(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, number, err)
		}
		if e != nil {
			entries = append(entries, Entry{e.user.Name, e.realm, e.user.sha256 != nil})
		}
	}
	return entries, nil
}

// CreateUsers makes a user file, mode 0600, with the accounts given. The error
// unwraps to fs.ErrExist if the file is there already.
func CreateUsers(path, realm string, accounts []Account) error {
	var data []byte
	for _, a := range accounts {
		line, err := a.line(realm)
		if err != nil {
			return err
		}
		data = append(data, line...)
	}
	dir, err := lock(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := writeAndClose(f, data); err != nil {
		os.Remove(path)
		return err
	}
	return nil
}

// AddUser adds a user to the file, which is made if there is none. It is an error
// if the file has that name already, in whatever realm.
func AddUser(path, realm string, a Account) error {
	line, err := a.line(realm)
	if err != nil {
		return err
	}
	return edit(path, true, func(lines [][]byte) ([][]byte, error) {
		if at := find(lines, a.Name); at >= 0 {
			return nil, fmt.Errorf("%s:%d: user %q is there already; to change the password: minisip user passwd %s",
				path, at+1, a.Name, shell(a.Name))
		}
		if err := sameRealm(path, lines, realm); err != nil {
			return nil, err
		}
		if n := len(lines); n > 0 && !bytes.HasSuffix(lines[n-1], []byte("\n")) {
			lines[n-1] = append(bytes.Clone(lines[n-1]), '\n')
		}
		return append(lines, line), nil
	})
}

// SetPassword gives a user of the file a new password, and the realm given.
func SetPassword(path, realm string, a Account) error {
	line, err := a.line(realm)
	if err != nil {
		return err
	}
	return edit(path, false, func(lines [][]byte) ([][]byte, error) {
		at := find(lines, a.Name)
		if at < 0 {
			return nil, noSuchUser(path, a.Name)
		}
		lines[at] = line
		return append(lines[:at+1], without(lines[at+1:], a.Name)...), nil
	})
}

// DeleteUser takes a user out of the file.
func DeleteUser(path, name string) error {
	return edit(path, false, func(lines [][]byte) ([][]byte, error) {
		if find(lines, name) < 0 {
			return nil, noSuchUser(path, name)
		}
		return without(lines, name), nil
	})
}

// sameRealm refuses to mix realms in one file, which no server would then read.
func sameRealm(path string, lines [][]byte, realm string) error {
	for i, l := range lines {
		if e, _ := parseLine(string(l)); e != nil && e.realm != realm {
			return fmt.Errorf("%s:%d: user %q is of realm %q, not %q; give -realm %s",
				path, i+1, e.user.Name, e.realm, realm, shell(e.realm))
		}
	}
	return nil
}

func noSuchUser(path, name string) error {
	return fmt.Errorf("%s has no user %q; to see who is there: minisip user list", path, name)
}

// line is the account as a line of the file, with both hashes.
func (a *Account) line(realm string) ([]byte, error) {
	if err := a.check(realm); err != nil {
		return nil, err
	}
	e := entry{realm: realm, user: *newUser(realm, *a)}
	return []byte(e.line()), nil
}

// find returns the index of the first line of that user, or -1. It asks for no
// more than the name in front, so that lines in a bad state can be put right.
func find(lines [][]byte, name string) int {
	for i, l := range lines {
		if isOf(l, name) {
			return i
		}
	}
	return -1
}

func without(lines [][]byte, name string) [][]byte {
	var rest [][]byte
	for _, l := range lines {
		if !isOf(l, name) {
			rest = append(rest, l)
		}
	}
	return rest
}

func isOf(line []byte, name string) bool {
	first, _, ok := bytes.Cut(line, []byte(":"))
	return ok && string(first) == name && !bytes.HasPrefix(bytes.TrimSpace(line), []byte("#"))
}

// edit changes the lines of a file as one step: whoever reads it sees the old or
// the new content, also after a power cut. Two edits at a time wait for each other.
func edit(path string, create bool, change func(lines [][]byte) ([][]byte, error)) error {
	// A link keeps pointing to the file; the file behind it is replaced.
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	dir, err := lock(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	data, err := os.ReadFile(path)
	if err != nil && !(create && errors.Is(err, fs.ErrNotExist)) {
		return err
	}
	data = bytes.TrimPrefix(data, byteOrderMark)
	var lines [][]byte
	for l := range bytes.Lines(data) {
		lines = append(lines, l)
	}
	lines, err = change(lines)
	if err != nil {
		return err
	}
	if err := replace(path, bytes.Join(lines, nil)); err != nil {
		return err
	}
	return dir.Sync()
}

// lock has those who change a file, or make it, wait for each other: it gives the file's directory, to be closed when that is done.
func lock(path string) (dir *os.File, err error) {
	if dir, err = os.Open(filepath.Dir(path)); err != nil {
		return nil, err
	}
	if err = syscall.Flock(int(dir.Fd()), syscall.LOCK_EX); err != nil {
		dir.Close()
		return nil, fmt.Errorf("cannot lock %s: %w", dir.Name(), err)
	}
	return dir, nil
}

// replace puts a new file in the place of path.
func replace(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	if err := inherit(f, path); err != nil {
		f.Close()
		return err
	}
	if err := writeAndClose(f, data); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// inherit gives f the owner and group of the file at path, so that a service whose
// file root edits can still read it, and the group's right to read. Nobody else
// gets any right, and the group none to write.
func inherit(f *os.File, path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && (int(st.Uid) != os.Geteuid() || int(st.Gid) != os.Getegid()) {
		if err := f.Chown(int(st.Uid), int(st.Gid)); err != nil {
			return err
		}
	}
	return f.Chmod(0o600 | info.Mode().Perm()&0o040)
}

func writeAndClose(f *os.File, data []byte) error {
	_, err := f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}
