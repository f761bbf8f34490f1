package systemd

import (
	"fmt"
	"io"
	"strings"
)

// Unit writes the unit file of a service that runs command, a program's
// absolute path and its arguments.
//
// The service runs as a user of its own that exists only while it runs. It may
// write to /var/lib/minisip (its working directory, so that the user file lies
// there) and /var/log/minisip, and reads /etc/default/minisip for variables.
//
// sockets is how many it may want to hand to the next one: those are kept over a restart.
func Unit(w io.Writer, command []string, sockets int) error {
	var words []string
	for _, arg := range command {
		words = append(words, quote(arg))
	}
	_, err := fmt.Fprintf(w, unitText, strings.Join(words, " "), min(sockets, MaxStored))
	return err
}

// quote writes one argument as ExecStart= reads it (systemd.service(5), "Command
// lines"): % and $ are doubled, and what is not plain stands in double quotes.
func quote(arg string) string {
	arg = strings.NewReplacer("%", "%%", "$", "$$", `\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`).Replace(arg)
	if arg == "" || strings.ContainsAny(arg, ` \";'`) {
		return `"` + arg + `"`
	}
	return arg
}

// The relay may hold a descriptor for every port of its range in each of IPv4
// and IPv6, hence LimitNOFILE. AF_NETLINK lists the host's addresses. The ports
// below 1024 are the one privilege left. ProcSubset=pid would be one lock more, and hide
// /proc/sys: the kernel's own ports, of which the start warns, and the name of the boot,
// without which nobody knows whether the clock was set between two starts.
const unitText = `[Unit]
Description=minisip: SIP registrar, proxy and RTP relay
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
EnvironmentFile=-/etc/default/minisip
ExecStart=%s
ExecReload=/bin/kill -HUP $MAINPID
WatchdogSec=10
Restart=always
RestartSec=1
TimeoutStopSec=10
LimitNOFILE=131072
FileDescriptorStoreMax=%d

# Files: users.conf and state in /var/lib/minisip, the log in /var/log/minisip.
DynamicUser=yes
StateDirectory=minisip
StateDirectoryMode=0700
LogsDirectory=minisip
LogsDirectoryMode=0750
WorkingDirectory=%%S/minisip
UMask=0077
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
PrivateMounts=yes
DevicePolicy=closed
ProtectProc=invisible

# Privileges: ports below 1024, nothing else.
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
AmbientCapabilities=CAP_NET_BIND_SERVICE
NoNewPrivileges=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RemoveIPC=yes
PrivateIPC=yes
KeyringMode=private
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`
