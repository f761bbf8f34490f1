// Package systemd is what minisip says to systemd: the notification protocol of
// sd_notify(3), the descriptor store, the watchdog interval of sd_watchdog_enabled(3), and the unit
// file. Started by anything else, Notify does nothing and there is no watchdog.
//
// It does not speak to the journal (standard error goes there) nor over D-Bus,
// and does not activate sockets.
package systemd
