package testdb

import "syscall"

// dieWithParent stops the process when the test program dies without stopping it.
func dieWithParent(attr *syscall.SysProcAttr) *syscall.SysProcAttr {
	a := *attr
	a.Pdeathsig = syscall.SIGQUIT
	return &a
}
