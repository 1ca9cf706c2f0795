//go:build !linux

package testdb

import "syscall"

// dieWithParent does nothing: only Linux can stop the process when the test program is
// killed.
func dieWithParent(attr *syscall.SysProcAttr) *syscall.SysProcAttr { return attr }
