//go:build interop

package interop

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// manager is a real systemd: the first process of namespaces of its own, in the server's network. Where it and the
// services write is its own too, so that nothing of it stays on this machine.
type manager struct {
	*process
	pid  int    // of systemd, seen from here
	root string // its file system
}

// boot makes the namespaces and becomes systemd. What it prints before that says what is missing.
const boot = `
set -e
mount --make-rprivate /
mount -t cgroup2 none /sys/fs/cgroup
mkdir /sys/fs/cgroup/$0
echo $$ > /sys/fs/cgroup/$0/cgroup.procs
umount /sys/fs/cgroup
exec unshare --pid --fork --cgroup --uts --ipc --mount-proc --kill-child sh -ec '
	mount -t cgroup2 none /sys/fs/cgroup
	for dir in /run /tmp /var/tmp /var/lib /var/log /etc/default /etc/systemd/system /usr/local/bin; do
		mount -t tmpfs -o mode=755 tmpfs $dir
	done
	mount --bind /proc/sys /proc/sys
	mount -o remount,bind,ro /proc/sys
	printf "[Unit]\nDefaultDependencies=no\n" > /etc/systemd/system/interop.target
	exec env -i PATH="$PATH" container=interop /lib/systemd/systemd --system --unit=interop.target'
`

// unboot takes a control group away that boot has made.
const unboot = `mount -t cgroup2 none /sys/fs/cgroup && find /sys/fs/cgroup/$0 -depth -type d -exec rmdir {} +`

// startManager boots systemd. Where none can be started, in a container without these rights, the test is
// skipped, and for no other reason.
func startManager(t *testing.T) *manager {
	t.Helper()
	need(t, "systemctl", "systemd")
	group := prefix + "systemd"
	t.Cleanup(func() { exec.Command("unshare", "--mount", "sh", "-c", unboot, group).Run() })
	m := &manager{process: start(t, netns("srv"), "/", "systemd", "unshare", "--mount", "sh", "-c", boot, group)}
	t.Cleanup(func() {
		if m.pid > 0 {
			syscall.Kill(m.pid, syscall.SIGKILL) // and the kernel all of its namespace
		}
	})
	if !within(20*time.Second, func() bool { return !m.running() || m.booted() }) || !m.running() {
		t.Skipf("no systemd can be started here: that takes the right to mount cgroup2 and to make namespaces of pids and cgroups, "+
			"as root has on a machine of its own: %v %s", m.err, m.output.String())
	}
	m.root = fmt.Sprintf("/proc/%d/root", m.pid)
	return m
}

// booted says whether systemd has come up.
func (m *manager) booted() bool {
	pid := m.cmd.Process.Pid
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if m.pid, _ = strconv.Atoi(strings.TrimSpace(string(b))); m.pid == 0 {
		return false
	}
	out, _ := m.inside("systemctl", "is-system-running").Output()
	return strings.HasPrefix(string(out), "running") || strings.HasPrefix(string(out), "degraded")
}

// inside is a command in systemd's namespaces.
func (m *manager) inside(arg ...string) *exec.Cmd {
	return exec.Command("nsenter", append([]string{"--target", strconv.Itoa(m.pid), "--mount", "--pid", "--cgroup", "--net"}, arg...)...)
}

// runs runs a command there to its end and gives what it prints.
func (m *manager) runs(t *testing.T, arg ...string) string {
	t.Helper()
	out, err := m.inside(arg...).CombinedOutput()
	if err != nil {
		status, _ := m.inside("systemctl", "status", "--no-pager", "minisip").CombinedOutput()
		t.Fatalf("%s: %v\n%s%s", strings.Join(arg, " "), err, out, status)
	}
	return strings.TrimSpace(string(out))
}

// shows gives a property of the service.
func (m *manager) shows(t *testing.T, property string) string {
	t.Helper()
	return m.runs(t, "systemctl", "show", "--value", "--property", property, "minisip")
}

// write writes a file there, as an upgrade does: beside the old one, and then in its place.
func (m *manager) write(t *testing.T, path string, content []byte, mode os.FileMode) {
	t.Helper()
	path = m.root + path
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".new", content, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// installMinisip puts the binary and the unit that it prints in place. Without a journal here, what the service
// prints goes to a file, which is all that is changed.
func (m *manager) installMinisip(t *testing.T) {
	t.Helper()
	binary, err := os.ReadFile(minisip)
	if err != nil {
		t.Fatal(err)
	}
	m.write(t, "/usr/local/bin/minisip", binary, 0o755)
	m.write(t, "/etc/systemd/system/minisip.service", []byte(m.runs(t, "/usr/local/bin/minisip", "unit")+"\n"), 0o644)
	m.write(t, "/etc/systemd/system/minisip.service.d/output.conf", []byte("[Service]\nStandardOutput=append:/run/minisip.out\nStandardError=inherit\n"), 0o644)
}
