package systemd

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
)

func unit(t *testing.T, command ...string) string {
	t.Helper()
	var b strings.Builder
	if err := Unit(&b, command, 10003); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What a reader of the unit relies on, whatever else is in it.
func TestUnit(t *testing.T) {
	lines := strings.Split(unit(t, "/usr/local/bin/minisip"), "\n")
	for _, want := range []string{
		"ExecStart=/usr/local/bin/minisip",
		"Type=notify",
		"WatchdogSec=10",
		"ExecReload=/bin/kill -HUP $MAINPID",
		"Restart=always",
		"DynamicUser=yes",
		"StateDirectory=minisip",
		"LogsDirectory=minisip",
		"WorkingDirectory=%S/minisip",
		"CapabilityBoundingSet=CAP_NET_BIND_SERVICE",
		"AmbientCapabilities=CAP_NET_BIND_SERVICE",
		"ProtectSystem=strict",
		"SystemCallFilter=@system-service",
		"RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK",
		"MemoryDenyWriteExecute=yes",
		"LimitNOFILE=131072",
		"FileDescriptorStoreMax=10003",
		"WantedBy=multi-user.target",
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("the unit lacks the line %q", want)
		}
	}
}

// What minisip reads of /proc/sys must be there: the kernel's range of ports, the name of the boot.
func TestUnitShowsKernelSettings(t *testing.T) {
	if strings.Contains(unit(t, "/usr/local/bin/minisip"), "\nProcSubset=pid") {
		t.Error("ProcSubset=pid hides /proc/sys")
	}
}

func TestUnitQuotesArguments(t *testing.T) {
	for _, tt := range []struct{ arg, want string }{
		{"re_via", "re_via"},
		{"-rtp", "-rtp"},
		{"", `""`},
		{"two words", `"two words"`},
		{`a"b\c`, `"a\"b\\c"`},
		{"it's", `"it's"`},
		{"a;b", `"a;b"`},
		{"100%", "100%%"},
		{"$HOME", "$$HOME"},
		{"a\nb", `"a\nb"`},
	} {
		want := "\nExecStart=/usr/local/bin/minisip " + tt.want + "\n"
		if got := unit(t, "/usr/local/bin/minisip", tt.arg); !strings.Contains(got, want) {
			t.Errorf("argument %q: the unit lacks %q", tt.arg, want)
		}
	}
}

func TestUnitReportsAFailedWrite(t *testing.T) {
	closed, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	if err := Unit(closed, []string{"/bin/true"}, 0); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Unit into a closed file: %v", err)
	}
}
