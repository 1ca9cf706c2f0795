package testwait

import (
	"os/exec"
	"runtime"
	"syscall"
)

// Start starts a server of the tests, and returns a channel that is closed when it has
// ended. On Linux it gets the signal when the test program dies without stopping it.
func Start(cmd *exec.Cmd, signal syscall.Signal) (exited <-chan struct{}, err error) {
	cmd.SysProcAttr = dieWithParent(cmd.SysProcAttr, signal)
	started, done := make(chan error), make(chan struct{})
	// The thread that starts the server stays with it, because Linux tells a child of its
	// parent's death when the parent's thread ends.
	go func() {
		defer close(done)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // it was told to stop; if not, the next connection fails
		}
	}()
	return done, <-started
}
