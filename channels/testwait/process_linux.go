package testwait

import "syscall"

// dieWithParent sends a signal to the process when the test program dies without stopping
// it.
func dieWithParent(attr *syscall.SysProcAttr, signal syscall.Signal) *syscall.SysProcAttr {
	a := syscall.SysProcAttr{}
	if attr != nil {
		a = *attr
	}
	a.Pdeathsig = signal
	return &a
}
