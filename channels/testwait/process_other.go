//go:build !linux

package testwait

import "syscall"

// dieWithParent does nothing: only Linux can stop the process when the test program is
// killed.
func dieWithParent(attr *syscall.SysProcAttr, _ syscall.Signal) *syscall.SysProcAttr { return attr }
