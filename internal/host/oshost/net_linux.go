package oshost

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// unsentMax is how much the kernel takes from a process before it must be sent: what waits in the kernel cannot be overtaken by
// anything more urgent.
const unsentMax = 128 << 10

// tune sets what sockets need; a kernel that does not know it does without.
func tune(network, _ string, c syscall.RawConn) error {
	if len(network) < 3 || network[:3] != "tcp" {
		return nil
	}
	return c.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsentMax)
	})
}
