//go:build !linux

package testdb

import "syscall"

// dieWithParent would stop the process when the test program is killed; only
// Linux can.
func dieWithParent(attr *syscall.SysProcAttr) *syscall.SysProcAttr { return attr }
