//go:build !linux

package cli

import "syscall"

// childAttributes keep signals of the terminal away from a child.
func childAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
